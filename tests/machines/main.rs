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
/// Largest relative error of a parameter: that of the workers of the CDNA-like machine, whose number the sweep of
/// `amdahl` does not divide.
const MOST: f64 = 0.15;
/// Share of all parameters whose error must be small.
const SHARE: f64 = 0.95;

/// Metrics that a run does not have, with the numbers of these machines, in order: a GPU is not measured with as little
/// memory as a CPU, the mobile and the software device not with as much as others, and the latter merges no atomics.
const ABSENT: &[(&str, &[usize])] = &[
    ("latency_of_a_lane.512_MiB", &[7, 8]),
    ("read_ceiling_gb_per_s.512_MiB", &[7, 8]),
    ("read_gb_per_s.1024_MiB", &[7, 8]),
    ("read_gb_per_s.128_MiB", &[1, 2, 3, 4, 5, 6]),
    ("read_gb_per_s.256_KiB", &[1, 2, 3, 4, 5, 6, 7]),
    ("read_gb_per_s.256_MiB", &[7, 8]),
    ("t_request.add", &[8]),
];

/// A law that some machines break.
struct Broken {
    experiment: &'static str,
    /// Numbers of these machines, from 1.
    machines: &'static [usize],
    /// Words in the diagnosis that name the mechanism.
    words: &'static str,
}

/// All laws that machines break. On all other machines they hold.
const BROKEN: &[Broken] = &[
    Broken { experiment: "batching", machines: &[4], words: "leave part of the device idle" },
    Broken {
        experiment: "contention",
        machines: &[1, 2, 3, 4, 5, 6, 7],
        words: "share units that perform atomics",
    },
    Broken {
        experiment: "divergence",
        machines: &[7],
        words: "competes for the instruction cache",
    },
    Broken {
        experiment: "reduction",
        machines: &[5, 7, 8],
        words: "The hardware overlaps reading with coordination",
    },
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
    let mut absent = Vec::new();
    for (number, run) in (1..).zip(&*RUNS) {
        for parameter in PARAMETERS {
            let Some([truth, found]) = run.values(parameter) else {
                absent.push((parameter.metric, number));
                continue;
            };
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
    absent.sort_unstable();
    let expected = ABSENT
        .iter()
        .flat_map(|(metric, machines)| machines.iter().map(move |&machine| (*metric, machine)));
    assert_eq!(absent, expected.collect::<Vec<_>>());
    let small = 1.0 - wide.len() as f64 / f64::from(all);
    assert!(small >= SHARE, "{:.1} % of {all}: {wide:#?}", 100.0 * small);
}

#[test]
fn every_law_holds_or_its_diagnosis_names_the_mechanism() {
    for (number, run) in (1..).zip(&*RUNS) {
        for experiment in &run.record.experiments {
            let what = format!("{}, {}", run.machine.name, experiment.id);
            let broken = BROKEN
                .iter()
                .find(|b| b.experiment == experiment.id && b.machines.contains(&number));
            let expected = if broken.is_some() { Verdict::Deviates } else { Verdict::Holds };
            assert_eq!(experiment.verdict, Some(expected), "{what}: {:#?}", experiment.diagnosis);
            if let Some(Broken { words, .. }) = broken {
                assert!(sim::said(experiment, words), "{what}: {:#?}", experiment.diagnosis);
            }
        }
    }
}

#[test]
fn latencies_that_working_sets_share_are_those_of_levels() {
    for run in &*RUNS {
        let diagnosis = &run.experiment("occupancy").diagnosis;
        let found = diagnosis
            .iter()
            .find_map(|text| text.strip_prefix("Latencies of a load of one lane: "))
            .and_then(|text| text.split(". ").next())
            .expect("the diagnosis has the latencies");
        let shared: Vec<f64> = found
            .split(", ")
            .filter(|part| part.contains(" from "))
            .map(|part| part.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds"))
            .collect();
        let what = format!("{}: {found}", run.machine.name);
        assert!(!shared.is_empty(), "{what}");
        for ns in shared {
            let is_of = |latency_s: f64| (ns * 1e-9 / latency_s - 1.0).abs() < 0.12;
            let levels = &run.machine.memory.levels;
            assert!(levels.iter().any(|level| is_of(level.latency_s)), "{ns} ns, {what}");
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
    println!("{undecided} of {all} verdicts undecided");
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
