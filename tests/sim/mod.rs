//! Helpers that run experiments on the simulated device. Tests that use them need no GPU.
//!
//! Every law holds on a *lawful* machine (`Machine::lawful`), which has only a little noise.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses only some of these helpers")]

use std::sync::atomic::AtomicBool;

use warplaw::bench::{Opener, Origin, Profile, Session, Suite, run};
use warplaw::experiments::find;
use warplaw::gpu::{Contents, Executor, GpuError, Workload};
use warplaw::model::{Experiment, Machine, Record, Tool};
use warplaw::sim::Simulator;

const PROFILE: Profile = Profile::QUICK;

/// Runs the experiment `id` on `executor` with seed 11.
pub fn measure(executor: Simulator, id: &str) -> Experiment {
    measure_until(executor, id, &AtomicBool::new(false))
}

/// Runs the experiment `id` on `executor` with `seed`.
pub fn measure_seeded(executor: Simulator, id: &str, seed: u64) -> Experiment {
    run_on(executor, id, seed, &AtomicBool::new(false))
}

/// Runs the experiment `id` on `executor` with seed 11. The run is interrupted once `stop` is true.
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

/// Returns the words of the uniform block in buffer 0, which contains the parameters of the workload.
pub fn params(workload: &Workload) -> Vec<u32> {
    words(workload, 0)
}

/// Returns the words of the uniform block in the buffer with index `buffer`. Returns an empty vector if the
/// buffer is not a uniform block.
pub fn words(workload: &Workload, buffer: usize) -> Vec<u32> {
    match &workload.buffers()[buffer] {
        Contents::Uniform(words) => words.iter().map(|&(_, word)| word).collect(),
        _ => Vec::new(),
    }
}

/// Returns the value of the metric `id`.
///
/// # Panics
/// Panics if the experiment has no numeric metric of that id.
pub fn number(experiment: &Experiment, id: &str) -> f64 {
    experiment.number(id).unwrap_or_else(|| panic!("there is no numeric metric `{id}`"))
}

/// Returns whether an entry of the experiment's diagnosis contains `words`.
pub fn said(experiment: &Experiment, words: &str) -> bool {
    experiment.diagnosis.iter().any(|entry| entry.contains(words))
}

/// Runs the experiments `ids` as one suite with seed 11 and returns the record.
///
/// The suite starts on the first of `devices`. When a device is lost, the suite opens the next one.
pub fn suite(devices: Vec<Simulator>, ids: &[&str]) -> Record {
    suite_seeded(devices, ids, 11)
}

/// Runs the experiments `ids` as [`suite`] does, with `seed`.
pub fn suite_seeded(devices: Vec<Simulator>, ids: &[&str], seed: u64) -> Record {
    suite_of(PROFILE, devices, ids, seed)
}

/// Runs the experiments `ids` as [`suite`] does, with `seed` and in `profile`.
pub fn suite_of(profile: Profile, devices: Vec<Simulator>, ids: &[&str], seed: u64) -> Record {
    let mut devices = devices.into_iter();
    let opener: Opener<'_> = Box::new(move |_| {
        let no_device = GpuError::Device {
            adapter: "simulated".to_owned(),
            reason: "no device is left".to_owned(),
        };
        devices.next().map(|device| Box::new(device) as Box<dyn Executor>).ok_or(no_device)
    });
    let experiments = ids.iter().map(|id| find(id).expect("the experiment is registered"));
    let tool = Tool {
        version: "0.0.0".to_owned(),
        git_rev: None,
        dirty: None,
        argv: vec!["warplaw".to_owned()],
        profile: profile.name.to_owned(),
    };
    let machine = Machine { os: "none".to_owned(), kernel: None, power: None, cpu: None, cores: 1 };
    let origin =
        Origin { tool, machine, started_at: "2026-01-01T00:00:00Z".to_owned(), ranks: None };
    let mut suite = Suite::open(opener, experiments.collect(), profile, seed, origin)
        .expect("the simulated device opens");
    for index in 0..ids.len() {
        suite.run(index, &AtomicBool::new(false), &mut |_| ());
    }
    suite.record().clone()
}
