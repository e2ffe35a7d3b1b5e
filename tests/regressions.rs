//! Tests of `check --baseline` on pairs of whole runs of the simulated device: no false alarm, and no planted slowdown
//! is missed. No GPU is needed.

mod sim;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use sim::suite_seeded;
use warplaw::experiments::REGISTRY;
use warplaw::gpu::Workload;
use warplaw::model::Record;
use warplaw::report::{self, Judgement, Named};
use warplaw::sim::{Machine, Noise, Simulator};

/// Runs all experiments on a lawful device with some noise. `distort` changes the times of workloads.
fn record(seed: u64, distort: impl Fn(&Workload, f64) -> f64 + 'static) -> Record {
    let noise = Noise { spread: 0.01, ..Noise::default() };
    let device = Simulator::new(Machine { noise, seed, ..Machine::lawful(32) }).distorting(distort);
    let ids: Vec<&str> = REGISTRY.iter().map(|experiment| experiment.id).collect();
    suite_seeded(vec![device], &ids, seed)
}

/// Checks `record` against `baseline`. Returns the judgement and the page.
fn check(record: &Record, baseline: &Record) -> (Judgement, String) {
    let [record, baseline] =
        [("b", record), ("a", baseline)].map(|(path, record)| Named { path, record });
    let checked = report::check(&[record], Some(baseline));
    let format = report::Format::Markdown;
    (checked.judgement(), report::render(&checked.document(), format))
}

#[test]
fn twenty_pairs_of_runs_of_one_device_give_no_false_alarm() {
    let records: Vec<Record> = (0..5).map(|seed| record(seed, |_, sample_s| sample_s)).collect();
    let mut pairs = 0;
    for (a, before) in records.iter().enumerate() {
        for (b, after) in records.iter().enumerate().filter(|&(b, _)| b != a) {
            let (judgement, page) = check(after, before);
            assert_ne!(judgement, Judgement::Deviates, "{a} and {b}: {page}");
            pairs += 1;
        }
    }
    assert_eq!(pairs, 20);
}

/// Returns the entry points of the kernels of all experiments, with the number of their samples.
fn kernels() -> BTreeMap<String, usize> {
    let seen: Rc<RefCell<BTreeMap<String, usize>>> = Rc::default();
    let log = Rc::clone(&seen);
    let _record = record(0, move |workload, sample_s| {
        if let Some(entry) = entry(workload) {
            *log.borrow_mut().entry(entry).or_default() += 1;
        }
        sample_s
    });
    let seen = seen.borrow();
    seen.clone()
}

/// Returns the kernel of a workload of one dispatch: its shader and its entry point, in any launch configuration.
///
/// Autotuning chooses among launch configurations, so a slow one may not be used at all.
fn entry(workload: &Workload) -> Option<String> {
    let [only] = workload.dispatches() else { return None };
    let name = format!("{only:?}");
    let (shader, rest) = name.split_once("::")?;
    let shader = shader.split('.').next()?;
    Some(format!("{shader}::{}", rest.split(' ').next()?))
}

#[test]
fn a_slowdown_of_30_percent_in_one_kernel_is_found_in_ten_of_ten() {
    let kernels: Vec<String> = kernels().into_keys().collect();
    let baseline = record(100, |_, sample_s| sample_s);
    let chosen: Vec<String> = (0..10).map(|i| kernels[i * kernels.len() / 10].clone()).collect();
    let mut missed = Vec::new();
    for (seed, kernel) in chosen.iter().enumerate() {
        let slow = kernel.clone();
        let record = record(seed as u64, move |workload, sample_s| {
            if entry(workload).as_deref() == Some(&slow) { 1.3 * sample_s } else { sample_s }
        });
        let (judgement, page) = check(&record, &baseline);
        if judgement != Judgement::Deviates {
            missed.push(format!("{kernel}: {page}"));
        }
    }
    assert!(missed.is_empty(), "{} of 10 missed:\n{}", missed.len(), missed.join("\n"));
}
