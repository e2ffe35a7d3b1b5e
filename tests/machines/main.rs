//! All experiments on simulated machines like those that people have, whose parameters are known.
//!
//! The page `docs/machines.md` shows these runs: `WARPLAW_UPDATE=1 cargo test --test machines` makes it anew.

mod page;
mod parameters;
#[path = "../sim/mod.rs"]
mod sim;

use std::path::Path;
use std::sync::LazyLock;

use parameters::{PARAMETERS, Parameter};
use warplaw::bench::Profile;
use warplaw::experiments::REGISTRY;
use warplaw::model::{Experiment, Record, Verdict};
use warplaw::sim::{Machine, Noise, Simulator};

/// Relative error of a parameter that is small.
const SMALL: f64 = 0.05;
/// Largest relative error of a parameter. What lies between is counted.
const MOST: f64 = 0.15;
/// Share of all parameters whose error must be small.
const SHARE: f64 = 0.95;

/// Words in the diagnosis of an experiment that name the mechanism that breaks its law on some machines.
const MECHANISMS: &[(&str, &str)] = &[
    ("allreduce", "come from a nearer cache"),
    ("batching", "leave part of the device idle"),
    ("ceilings", "may lie in a nearer cache"),
    ("contention", "share units that perform atomics"),
    ("divergence", "competes for the instruction cache"),
    ("overlap", "The device serialises copies and compute"),
    ("reduction", "overlap"),
];

/// A machine and the record of a run on it.
struct Run {
    machine: Machine,
    record: Record,
}

impl Run {
    /// Runs all experiments in full on `machine`.
    fn on(machine: Machine) -> Self {
        let ids: Vec<&str> = REGISTRY.iter().map(|experiment| experiment.id).collect();
        let device = Simulator::new(machine.clone());
        Self { record: sim::suite_of(Profile::FULL, vec![device], &ids, 11), machine }
    }

    fn experiment(&self, id: &str) -> &Experiment {
        let found = self.record.experiments.iter().find(|experiment| experiment.id == id);
        found.expect("every experiment is in the record")
    }

    /// Returns the true value of a parameter and the value found, or `None` if the experiment has not measured it.
    fn values(&self, parameter: &Parameter) -> Option<[f64; 2]> {
        let found = self.experiment(parameter.experiment).number(parameter.metric)?;
        Some([parameter.truth(&self.machine), found])
    }
}

/// The machines without noise beyond that of an idle device.
static RUNS: LazyLock<Vec<Run>> =
    LazyLock::new(|| Machine::like_real_ones().into_iter().map(Run::on).collect());

#[test]
fn parameters_are_found_as_the_machines_were_built() {
    let mut all = 0;
    let mut wide = Vec::new();
    for run in &*RUNS {
        for parameter in PARAMETERS {
            let Some([truth, found]) = run.values(parameter) else { continue };
            all += 1;
            let what =
                format!("{}, {}: {truth:e}, found {found:e}", run.machine.name, parameter.label);
            if parameter.exact {
                assert_eq!(found, truth, "{what}");
            }
            let error = (found / truth - 1.0).abs();
            if error > SMALL {
                wide.push(format!("{what}, {:.1} %", 100.0 * error));
            }
            assert!(error <= MOST, "{what}");
        }
    }
    // Eight machines, most of which have most of the parameters.
    assert!(all > 150, "{all} parameters");
    let small = 1.0 - wide.len() as f64 / f64::from(all);
    assert!(small >= SHARE, "{:.1} % of {all}: {wide:#?}", 100.0 * small);
}

#[test]
fn every_law_holds_or_its_diagnosis_names_the_mechanism() {
    for run in &*RUNS {
        for experiment in &run.record.experiments {
            let what = format!("{}, {}", run.machine.name, experiment.id);
            let verdict = experiment.verdict.unwrap_or_else(|| panic!("{what}: no verdict"));
            if verdict == Verdict::Holds {
                continue;
            }
            let mechanism = MECHANISMS.iter().find(|(id, _)| *id == experiment.id);
            let (_, words) =
                mechanism.unwrap_or_else(|| panic!("{what}: {:#?}", experiment.diagnosis));
            assert!(sim::said(experiment, words), "{what}: {:#?}", experiment.diagnosis);
        }
    }
}

#[test]
fn noise_turns_no_verdict_into_its_opposite() {
    let mut undecided = 0;
    for run in &*RUNS {
        let noise = Noise { spread: 0.03, ..Noise::default() };
        let noisy = Run::on(Machine { noise, ..run.machine.clone() });
        for experiment in &run.record.experiments {
            let [quiet, loud] = [experiment, noisy.experiment(&experiment.id)].map(|e| e.verdict);
            let what = format!("{}, {}", run.machine.name, experiment.id);
            if loud == Some(Verdict::Inconclusive) {
                undecided += 1;
            } else if quiet != Some(Verdict::Inconclusive) {
                assert_eq!(loud, quiet, "{what}");
            }
        }
    }
    let all = RUNS.len() * REGISTRY.len();
    assert!(undecided * 10 <= all, "{undecided} of {all} undecided");
}

#[test]
fn the_page_is_that_of_these_runs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/machines.md");
    let page = page::page(&RUNS);
    if std::env::var_os("WARPLAW_UPDATE").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/machines.md is out of date: run `WARPLAW_UPDATE=1 cargo test --test machines`"
    );
}
