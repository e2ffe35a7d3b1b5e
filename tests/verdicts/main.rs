//! Counts false verdicts in thousands of runs on lawful and unlawful simulated devices, under every kind of
//! noise. No GPU is needed.
//!
//! `deviates` for a lawful device, `holds` for an unlawful one and a wrong subgroup width are false verdicts.
//! `inconclusive` is never false.

mod noises;
#[path = "../sim/mod.rs"]
mod sim;
mod subjects;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use noises::{NOISES, noises};
use sim::measure_seeded;
use subjects::{SUBJECTS, Subject, WIDTH};
use warplaw::model::{Experiment, Point, Verdict};
use warplaw::sim::{Machine, Noise};

/// Upper bound of the share of false verdicts among all decided runs.
const MAX_FALSE: f64 = 0.01;
/// Upper bound of that share under each kind of noise, so that the other kinds cannot mask its false verdicts.
const MAX_FALSE_OF_A_NOISE: f64 = 0.02;
/// Upper bound of the share of undecided runs under the first [`MILD`] kinds of noise.
const MAX_UNDECIDED_MILD: f64 = 0.15;
/// Upper bound of the share of undecided runs under each other kind.
const MAX_UNDECIDED: f64 = 0.50;
/// Number of kinds of noise that leave most samples comparable: none, normal noise, drift and two clock states.
const MILD: usize = 4;
/// Runs per subject and noise, each with another seed.
const SEEDS: u64 = 16;
/// The same for the experiments whose inputs take long to generate.
const FEW_SEEDS: u64 = 6;
const SLOW: [&str; 4] = ["select", "coalescing", "reduction", "occupancy"];

/// Returns the number of runs of a subject under each kind of noise.
fn seeds(subject: &Subject) -> u64 {
    if SLOW.contains(&subject.experiment) { FEW_SEEDS } else { SEEDS }
}

/// Counts of the runs of one kind.
#[derive(Default, Clone, Copy)]
struct Tally {
    runs: usize,
    wrong: usize,
    inconclusive: usize,
    /// Judged points with an interval.
    points: usize,
    /// Points of these whose interval contains the true value.
    covered: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.wrong += other.wrong;
        self.inconclusive += other.inconclusive;
        self.points += other.points;
        self.covered += other.covered;
    }

    fn decided(&self) -> usize {
        self.runs - self.inconclusive
    }

    fn share(part: usize, whole: usize) -> f64 {
        part as f64 / whole as f64
    }
}

fn run(subject: &Subject, noise: Noise, seed: u64) -> Experiment {
    let machine = Machine { noise, seed, ..Machine::lawful(WIDTH) };
    measure_seeded(subject.build(machine), subject.experiment, seed)
}

/// Compares the outcome of one run with the truth, which is the outcome of the same device without noise.
fn judged(subject: &Subject, outcome: &Experiment, truth: &Experiment) -> Tally {
    let verdict = outcome.verdict.expect("the device does not fail");
    let false_verdict = match subject.lawful {
        Some(true) => verdict == Verdict::Deviates,
        Some(false) => verdict == Verdict::Holds,
        None => false,
    };
    let true_width =
        if subject.device.starts_with("width") { f64::from(WIDTH / 2) } else { f64::from(WIDTH) };
    let false_width = outcome.number("effective_width").is_some_and(|width| width != true_width);
    let mut tally = Tally {
        runs: 1,
        wrong: usize::from(false_verdict || false_width),
        inconclusive: usize::from(verdict == Verdict::Inconclusive),
        ..Tally::default()
    };
    for point in outcome.judged() {
        // A point that noise makes unknown is missing, in the one run or in the other.
        let is_same = |of: &&Point| (&of.series, &of.x) == (&point.series, &point.x);
        if let Some(interval) = point.ratio_ci
            && let Some(truth) = truth.points.iter().find(is_same)
        {
            tally.points += 1;
            tally.covered += usize::from(interval.contains(truth.ratio));
        }
    }
    tally
}

/// Runs every subject under every noise with every seed, on all cores.
///
/// Returns the tallies by the indices of subject and noise.
fn matrix() -> BTreeMap<(usize, usize), Tally> {
    let cells = Mutex::new(BTreeMap::<(usize, usize), Tally>::new());
    let next = AtomicUsize::new(0);
    let worker = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (subject, seed) = (index % SUBJECTS.len(), (index / SUBJECTS.len()) as u64);
            if seed >= SEEDS {
                return;
            }
            if seed >= seeds(&SUBJECTS[subject]) {
                continue;
            }
            let noises = noises(seed);
            let truth = run(&SUBJECTS[subject], noises[0].1, seed);
            for (noise, (_, kind)) in noises.into_iter().enumerate() {
                // The first kind is no noise, which is the truth itself.
                let outcome =
                    if noise == 0 { truth.clone() } else { run(&SUBJECTS[subject], kind, seed) };
                let tally = judged(&SUBJECTS[subject], &outcome, &truth);
                let mut cells = cells.lock().expect("no worker panics while it holds the lock");
                cells.entry((subject, noise)).or_default().add(tally);
            }
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            scope.spawn(worker);
        }
    });
    cells.into_inner().expect("no worker panicked")
}

/// Formats both tables as METHODOLOGY.md shows them: the matrix, in which a cell gives the number of wrong verdicts and
/// the share of inconclusive ones, and the rate of wrong verdicts among the runs that decided.
fn page(cells: &BTreeMap<(usize, usize), Tally>, all: Tally, of_noise: &[Tally]) -> String {
    let names = noises(0).map(|(name, _)| name);
    let mut text = format!("| device | experiment | {} |\n", names.join(" | "));
    text += &format!("| --- | --- |{}\n", " ---: |".repeat(names.len()));
    for (index, subject) in SUBJECTS.iter().enumerate() {
        let cell = |noise| {
            let Tally { runs, wrong, inconclusive, .. } = cells[&(index, noise)];
            format!(" {wrong}, {:.0} % |", 100.0 * Tally::share(inconclusive, runs))
        };
        let row: String = (0..names.len()).map(cell).collect();
        text += &format!("| {} | {} |{row}\n", subject.device, subject.experiment);
    }
    let covered = of_noise
        .iter()
        .skip(1)
        .map(|tally| format!(" {:.1} % |", 100.0 * Tally::share(tally.covered, tally.points)));
    text +=
        &format!("| intervals that contain the true ratio | | |{}\n", covered.collect::<String>());
    text += "\n| noise | runs | decided | wrong | wrong among decided | 95 % upper bound |\n";
    text += "| --- | ---: | ---: | ---: | ---: | ---: |\n";
    let rows = names.into_iter().zip(of_noise.iter().copied()).chain([("all", all)]);
    for (name, tally) in rows {
        let Tally { runs, wrong, .. } = tally;
        let decided = tally.decided();
        text += &format!(
            "| {name} | {runs} | {decided} | {wrong} | {:.2} % | {:.2} % |\n",
            100.0 * Tally::share(wrong, decided),
            100.0 * upper_bound(wrong, decided)
        );
    }
    text
}

/// Returns the upper end of the one-sided 95 % confidence interval of a probability, if `hits` of `trials` were hits.
///
/// # Formula
/// Clopper and Pearson 1934: the p at which P(X ≤ hits) = 0.05 for a binomial X of `trials` trials.
fn upper_bound(hits: usize, trials: usize) -> f64 {
    let at_most_hits = |p: f64| {
        let mut term = (1.0 - p).powi(trials as i32);
        let mut sum = term;
        for k in 0..hits {
            term *= (trials - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
            sum += term;
        }
        sum
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if at_most_hits(middle) > 0.05 { low = middle } else { high = middle }
    }
    high
}

#[test]
fn the_upper_bound_equals_hand_worked_values() {
    // Without a hit, (1 − p)^n = 0.05.
    assert!((upper_bound(0, 59) - (1.0 - 0.05f64.powf(1.0 / 59.0))).abs() < 1e-9);
    // One hit of two: 1 − p² = 0.05.
    assert!((upper_bound(1, 2) - 0.95f64.sqrt()).abs() < 1e-9);
    assert_eq!(upper_bound(0, 0), 1.0);
}

#[test]
fn false_verdicts_are_rare_under_every_noise_and_intervals_contain_the_truth() {
    let cells = matrix();
    let mut all = Tally::default();
    cells.values().for_each(|tally| all.add(*tally));
    let mut of_noise = [Tally::default(); NOISES];
    for ((_, noise), tally) in &cells {
        of_noise[*noise].add(*tally);
    }
    let page = page(&cells, all, &of_noise);
    println!("{page}");
    assert!(all.runs >= 5_000);
    // The share refers to the decided runs, so that inconclusive runs do not improve it.
    assert!(Tally::share(all.wrong, all.decided()) <= MAX_FALSE, "{} false verdicts", all.wrong);
    for (index, ((name, _), tally)) in noises(0).iter().zip(of_noise).enumerate() {
        let share = Tally::share(tally.wrong, tally.decided());
        assert!(share <= MAX_FALSE_OF_A_NOISE, "{name}: {} false verdicts", tally.wrong);
        let most = if index < MILD { MAX_UNDECIDED_MILD } else { MAX_UNDECIDED };
        let share = Tally::share(tally.inconclusive, tally.runs);
        assert!(share <= most, "{name}: {} of {} runs undecided", tally.inconclusive, tally.runs);
    }
    // The intervals have a confidence of 97 % or more, for noise that is independent from sample to sample. These two
    // kinds are.
    for (index, (name, _)) in noises(0).iter().enumerate() {
        if !["normal", "heavy tail"].contains(name) {
            continue;
        }
        let coverage = Tally::share(of_noise[index].covered, of_noise[index].points);
        assert!(
            (0.95..=0.99).contains(&coverage),
            "{name}: {coverage} of the intervals contain the truth"
        );
    }
    // On other platforms, logarithms may differ in the last bit, which changes a run or two.
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        let methodology = include_str!("../../METHODOLOGY.md");
        assert!(methodology.contains(&page), "METHODOLOGY.md must contain this text:\n\n{page}");
    }
}

#[test]
fn without_disturbances_every_subject_gets_the_correct_decided_verdict() {
    for subject in SUBJECTS {
        // The rare spikes of a quiet machine are off. They widen the spread bound, which would leave a subject just
        // outside the tolerance undecided.
        let outcome = run(subject, Noise { spread: 0.003, ..Noise::default() }, 1);
        let tally = judged(subject, &outcome, &outcome);
        assert_eq!((tally.wrong, tally.inconclusive), (0, 0), "{}", subject.device);
    }
}
