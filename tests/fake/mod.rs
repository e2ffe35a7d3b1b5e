//! Experiments on the fake device, for the tests that need no GPU.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses some of these")]

use std::sync::atomic::AtomicBool;

use warplaw::experiments::find;
use warplaw::gpu::fake::FakeExecutor;
use warplaw::measure::{Profile, Session, run};
use warplaw::record::{Case, Experiment};

/// Quick, and patient: the twins run unoptimised here, and a budget of seconds must not decide.
const PROFILE: Profile = Profile { budget_s: 600.0, ..Profile::QUICK };

pub fn measure(executor: FakeExecutor, id: &str) -> (Experiment, Vec<Case>) {
    measure_until(executor, id, &AtomicBool::new(false))
}

pub fn measure_until(
    mut executor: FakeExecutor,
    id: &str,
    stop: &AtomicBool,
) -> (Experiment, Vec<Case>) {
    let mut session = Session::open(&mut executor, PROFILE, 11).expect("the fake device opens");
    let experiment = find(id).expect("the experiment is registered");
    run(&mut session, experiment, stop, &mut |_| ()).expect("the fake device does not fail")
}

pub fn number(experiment: &Experiment, name: &str) -> f64 {
    let finding = experiment.finding(name).unwrap_or_else(|| panic!("no finding {name}"));
    finding.value.number().unwrap_or_else(|| panic!("{name} is no number"))
}

pub fn said(experiment: &Experiment, words: &str) -> bool {
    experiment.diagnosis.iter().any(|remark| remark.contains(words))
}
