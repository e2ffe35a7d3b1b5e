//! Experiments on the fake device, for the tests that need no GPU.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses some of these")]

use std::sync::atomic::AtomicBool;

use warplaw::experiments::find;
use warplaw::gpu::fake::FakeExecutor;
use warplaw::gpu::{Contents, Executor, GpuError, Workload};
use warplaw::measure::{Opener, Origin, Profile, Session, Suite, run};
use warplaw::record::{Case, Experiment, Machine, Record, Tool};

const PROFILE: Profile = Profile::QUICK;

pub fn measure(executor: FakeExecutor, id: &str) -> (Experiment, Vec<Case>) {
    measure_until(executor, id, &AtomicBool::new(false))
}

pub fn measure_seeded(executor: FakeExecutor, id: &str, seed: u64) -> (Experiment, Vec<Case>) {
    run_on(executor, id, seed, &AtomicBool::new(false))
}

pub fn measure_until(
    executor: FakeExecutor,
    id: &str,
    stop: &AtomicBool,
) -> (Experiment, Vec<Case>) {
    run_on(executor, id, 11, stop)
}

fn run_on(
    executor: FakeExecutor,
    id: &str,
    seed: u64,
    stop: &AtomicBool,
) -> (Experiment, Vec<Case>) {
    let mut session =
        Session::open(Box::new(executor), PROFILE, seed).expect("the fake device opens");
    let experiment = find(id).expect("the experiment is registered");
    run(&mut session, experiment, stop, &mut |_| ()).expect("the fake device does not fail")
}

/// The words of a workload's uniform block.
pub fn params(workload: &Workload) -> &[u32] {
    match &workload.buffers()[0] {
        Contents::Uniform(words) => words,
        _ => &[],
    }
}

pub fn number(experiment: &Experiment, name: &str) -> f64 {
    let finding = experiment.finding(name).unwrap_or_else(|| panic!("no finding {name}"));
    finding.value.number().unwrap_or_else(|| panic!("{name} is no number"))
}

pub fn said(experiment: &Experiment, words: &str) -> bool {
    experiment.diagnosis.iter().any(|remark| remark.contains(words))
}

/// A whole run of the experiments on the first of `devices`, and on the next whenever one is lost.
pub fn suite(devices: Vec<FakeExecutor>, ids: &[&str]) -> Record {
    suite_seeded(devices, ids, 11)
}

pub fn suite_seeded(devices: Vec<FakeExecutor>, ids: &[&str], seed: u64) -> Record {
    let mut devices = devices.into_iter();
    let opener: Opener<'_> = Box::new(move || {
        let none_left =
            GpuError::Device { adapter: "fake".to_owned(), reason: "no device is left".to_owned() };
        devices.next().map(|device| Box::new(device) as Box<dyn Executor>).ok_or(none_left)
    });
    let experiments = ids.iter().map(|id| find(id).expect("the experiment is registered"));
    let tool = Tool {
        version: "0.0.0".to_owned(),
        git_rev: None,
        dirty: None,
        argv: vec!["warplaw".to_owned()],
        profile: PROFILE.name.to_owned(),
    };
    let machine = Machine { os: "none".to_owned(), cpu: None, cores: 1 };
    let origin = Origin { tool, machine, started_at: "2026-01-01T00:00:00Z".to_owned() };
    let mut suite = Suite::open(opener, experiments.collect(), PROFILE, seed, origin)
        .expect("the fake device opens");
    for index in 0..ids.len() {
        suite.run(index, &AtomicBool::new(false), &mut |_| ());
    }
    suite.record().clone()
}
