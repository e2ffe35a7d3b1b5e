//! Experiments on the simulated device, for the tests that need no GPU.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses some of these")]

use std::sync::atomic::AtomicBool;

use warplaw::bench::{Opener, Origin, Profile, Session, Suite, run};
use warplaw::experiments::find;
use warplaw::gpu::{Contents, Executor, GpuError, Workload};
use warplaw::model::{Experiment, Machine, Record, Tool};
use warplaw::sim::Simulator;

const PROFILE: Profile = Profile::QUICK;

pub fn measure(executor: Simulator, id: &str) -> Experiment {
    measure_until(executor, id, &AtomicBool::new(false))
}

pub fn measure_seeded(executor: Simulator, id: &str, seed: u64) -> Experiment {
    run_on(executor, id, seed, &AtomicBool::new(false))
}

pub fn measure_until(executor: Simulator, id: &str, stop: &AtomicBool) -> Experiment {
    run_on(executor, id, 11, stop)
}

fn run_on(executor: Simulator, id: &str, seed: u64, stop: &AtomicBool) -> Experiment {
    let mut session =
        Session::open(Box::new(executor), PROFILE, seed).expect("the simulated device opens");
    let experiment = find(id).expect("the experiment is registered");
    let outcome = run(&mut session, experiment, stop, &mut |_| ());
    outcome.expect("the simulated device does not fail")
}

/// The words of a workload's uniform block.
pub fn params(workload: &Workload) -> Vec<u32> {
    words(workload, 0)
}

/// The words of the uniform block that a buffer holds.
pub fn words(workload: &Workload, buffer: usize) -> Vec<u32> {
    match &workload.buffers()[buffer] {
        Contents::Uniform(words) => words.iter().map(|&(_, word)| word).collect(),
        _ => Vec::new(),
    }
}

pub fn number(experiment: &Experiment, id: &str) -> f64 {
    experiment.number(id).unwrap_or_else(|| panic!("no metric {id} that is a number"))
}

pub fn said(experiment: &Experiment, words: &str) -> bool {
    experiment.diagnosis.iter().any(|remark| remark.contains(words))
}

/// A whole run of the experiments on the first of `devices`, and on the next whenever one is lost.
pub fn suite(devices: Vec<Simulator>, ids: &[&str]) -> Record {
    suite_seeded(devices, ids, 11)
}

pub fn suite_seeded(devices: Vec<Simulator>, ids: &[&str], seed: u64) -> Record {
    let mut devices = devices.into_iter();
    let opener: Opener<'_> = Box::new(move || {
        let none_left = GpuError::Device {
            adapter: "simulated".to_owned(),
            reason: "no device is left".to_owned(),
        };
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
        .expect("the simulated device opens");
    for index in 0..ids.len() {
        suite.run(index, &AtomicBool::new(false), &mut |_| ());
    }
    suite.record().clone()
}
