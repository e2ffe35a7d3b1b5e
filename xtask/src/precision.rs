//! What a second of measuring is worth: the ratio of a 4-way branch to a branch of which all lanes take one path.
//!
//! Two methods answer the same question many times, each with the same wall time: rounds of equal samples, as warplaw
//! measures, and one case after the other, as Criterion does. The spread of the answers is the figure, on an idle
//! machine and beside a load that comes and goes. A second table shows what the `divergence` experiment says beside two
//! threads that are always busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use warplaw::bench::{Profile, Session, run};
use warplaw::experiments::find;
use warplaw::gpu::{Executor, GpuError, Hardware, Options, Workload, compare};
use warplaw::kernels::branch_paths::BranchPaths;
use warplaw::model::Interval;
use warplaw::model::figures::per_cent;
use warplaw::report::Table;
use warplaw::stats;

use crate::page::{Page, device as described, median};

const REPEATS: usize = 20;
/// Wall time of each answer in seconds.
const ANSWER_S: f64 = 1.0;
const WAYS: u32 = 4;
/// Invocations per workgroup.
const WORKGROUP_SIZE: u32 = 64;
/// Half-width of a normal distribution's 95 % interval in standard deviations.
const NORMAL_95: f64 = 1.96;
/// Samples in a submission.
const AT_ONCE: usize = 8;

/// Builds a branch whose paths are taken equally often: by each lane independently, or by whole workgroups.
fn branch(divided: bool, workgroups: u32) -> Workload {
    let path = |item: u32| (if divided { item } else { item / WORKGROUP_SIZE }) % WAYS;
    let selectors = (0..WAYS * WORKGROUP_SIZE).map(path).collect();
    BranchPaths {
        workgroup_size: WORKGROUP_SIZE,
        workgroups,
        repeats: 8,
        iterations: 320,
        paths: 32,
        selectors,
        seed: 1,
    }
    .workload()
}

/// Indices of the loaded workloads: the branch, the uniform case with the same work, and the uniform case with enough
/// work to take the same time.
const BRANCH: usize = 0;
const UNIFORM: usize = 1;
const UNIFORM_AS_LONG: usize = 2;

struct Cases {
    device: Hardware,
    /// Work of the last case over that of the second.
    times: f64,
}

impl Cases {
    fn load(mut device: Hardware) -> Result<Self, GpuError> {
        let mut workgroups = 16;
        device.load(&[branch(true, workgroups)])?;
        let samples = device.round(&[0; 9])?;
        let shortest = samples.into_iter().flatten().fold(f64::INFINITY, f64::min);
        let wanted = f64::from(workgroups) * Profile::FULL.sample_s / shortest;
        workgroups = wanted.round().clamp(4.0, 16_000.0) as u32;
        let all =
            [branch(true, workgroups), branch(false, workgroups), branch(false, WAYS * workgroups)];
        let refused = device.load(&all)?;
        assert!(refused.iter().all(Option::is_none), "{refused:?}");
        for (index, workload) in all.iter().enumerate() {
            let outputs = device.outputs(index)?;
            compare(&outputs, &workload.expected()).unwrap_or_else(|wrong| panic!("{wrong}"));
        }
        Ok(Self { device, times: f64::from(WAYS) })
    }

    /// Runs rounds of equal samples in random order until the time is up. Returns the median of the rounds' ratios, and
    /// half of its 95 % interval as a share of it.
    fn by_rounds(&mut self, rng: &mut ChaCha8Rng) -> Result<[f64; 2], GpuError> {
        let start = Instant::now();
        let mut ratios = Vec::new();
        while start.elapsed().as_secs_f64() < ANSWER_S {
            let mut orders = [[BRANCH, UNIFORM_AS_LONG]; AT_ONCE / 2];
            orders.iter_mut().for_each(|order| order.shuffle(rng));
            let samples = self.device.round(orders.as_flattened())?;
            for (order, samples) in orders.iter().zip(samples.chunks(2)) {
                let of = |case: usize| order.iter().zip(samples).find(|(c, _)| **c == case);
                if let (Some((_, Ok(branch))), Some((_, Ok(uniform)))) =
                    (of(BRANCH), of(UNIFORM_AS_LONG))
                {
                    ratios.push(branch * self.times / uniform);
                }
            }
        }
        let ratio = median(&ratios);
        let half_width = stats::median_interval(&ratios).map_or(f64::NAN, Interval::half_width);
        Ok([ratio, half_width / ratio])
    }

    /// Runs one case for half of the time and then the other. Returns the ratio of their means, and of their medians.
    fn one_after_the_other(&mut self) -> Result<[f64; 2], GpuError> {
        let mut half = |case: usize| -> Result<[f64; 2], GpuError> {
            let start = Instant::now();
            let mut samples = Vec::new();
            while start.elapsed().as_secs_f64() < ANSWER_S / 2.0 {
                samples.extend(self.device.round(&[case; AT_ONCE])?.into_iter().flatten());
            }
            Ok([samples.iter().sum::<f64>() / samples.len() as f64, median(&samples)])
        };
        let (branch, uniform) = (half(BRANCH)?, half(UNIFORM)?);
        Ok([branch[0] / uniform[0], branch[1] / uniform[1]])
    }
}

/// Threads that keep cores busy until the value is dropped.
struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts the threads. Each is always busy, or alternates between busy and idle periods of 0.2 to 0.8 s.
    fn start(threads: usize, by_turns: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let busy = |seed: u64| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let mut turn = move || Duration::from_millis(rng.random_range(200..800));
                let mut word = seed as u32;
                while !stop.load(Ordering::Relaxed) {
                    let until = Instant::now() + turn();
                    while Instant::now() < until {
                        (0..10_000)
                            .for_each(|_| word = word.wrapping_mul(1_664_525).wrapping_add(1));
                        std::hint::black_box(word);
                    }
                    if by_turns {
                        std::thread::sleep(turn());
                    }
                }
            })
        };
        let threads = (0..threads as u64).map(busy).collect();
        Self { stop, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().expect("a busy loop ends"));
    }
}

/// Returns the relative standard deviation.
fn spread(answers: &[f64]) -> f64 {
    let n = answers.len() as f64;
    let mean = answers.iter().sum::<f64>() / n;
    let variance = answers.iter().map(|answer| (answer - mean).powi(2)).sum::<f64>() / (n - 1.0);
    variance.sqrt() / mean
}

/// Answers to one question by each method.
#[derive(Default)]
struct Answers {
    rounds: Vec<f64>,
    /// Half of the 95 % interval of each answer in `rounds`, as a share of the answer.
    half_widths: Vec<f64>,
    means: Vec<f64>,
    medians: Vec<f64>,
}

impl Answers {
    /// Asks each method alternately.
    fn ask(cases: &mut Cases, rng: &mut ChaCha8Rng) -> Result<Self, GpuError> {
        let mut answers = Self::default();
        for _ in 0..REPEATS {
            let [ratio, half_width] = cases.by_rounds(rng)?;
            answers.rounds.push(ratio);
            answers.half_widths.push(half_width);
            let [by_means, by_medians] = cases.one_after_the_other()?;
            answers.means.push(by_means);
            answers.medians.push(by_medians);
        }
        Ok(answers)
    }

    /// Builds a row of the table.
    fn row(&self, machine: &str) -> Vec<String> {
        let [by_rounds, by_means] = [&self.rounds, &self.means].map(|answers| spread(answers));
        let own = median(&self.half_widths) / NORMAL_95;
        vec![
            machine.to_owned(),
            per_cent(by_rounds),
            per_cent(own),
            per_cent(by_means),
            per_cent(spread(&self.medians)),
            format!("{:.2}", by_rounds / by_means),
            format!("{:.3}", median(&self.rounds)),
            format!("{:.3}", median(&self.means)),
        ]
    }
}

/// Runs the `divergence` experiment. Returns the cost of a 4-way branch and the verdict.
fn experiment(seed: u64) -> Result<(Option<f64>, &'static str), GpuError> {
    let device = Hardware::open(&Options::default())?;
    let mut session = Session::open(Box::new(device), Profile::QUICK, seed)?;
    let divergence = find("divergence").expect("it is registered");
    let outcome = run(&mut session, divergence, &AtomicBool::new(false), &mut |_| ())?;
    let verdict = outcome.as_str();
    Ok((outcome.number(&format!("cost_of_{WAYS}_way_branch")), verdict))
}

/// Measures both tables.
pub(crate) fn measure() -> Result<Page, GpuError> {
    let mut cases = Cases::load(Hardware::open(&Options::default())?)?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut spreads = Table::new(&[
        "machine",
        "spread, rounds",
        "error that an answer by rounds states",
        "spread, one after the other, means",
        "spread, one after the other, medians",
        "spread of rounds / spread of means",
        "median ratio, rounds",
        "median ratio, means",
    ]);
    for (machine, load) in [("idle", None), ("busy and idle by turns", Some(threads))] {
        let load = load.map(|threads| Load::start(threads, true));
        let answers = Answers::ask(&mut cases, &mut rng)?;
        drop(load);
        spreads.rows.push(answers.row(machine));
        println!("{}", spreads.rows[spreads.rows.len() - 1].join("  "));
    }

    let mut loaded = Table::new(&["machine", "cost of a 4-way branch", "over idle", "verdict"]);
    let mut idle = None;
    for (machine, busy, seed) in [
        ("idle", 0, 1),
        ("two busy threads", 2, 1),
        ("two busy threads", 2, 2),
        ("two busy threads", 2, 3),
    ] {
        let load = Load::start(busy, false);
        let (cost, verdict) = experiment(seed)?;
        drop(load);
        idle = idle.or(cost);
        let share = cost.zip(idle).map(|(cost, idle)| format!("{:.3}", cost / idle));
        loaded.rows.push(vec![
            machine.to_owned(),
            cost.map_or_else(|| "not measured".to_owned(), |cost| format!("{cost:.3}")),
            share.unwrap_or_default(),
            verdict.to_owned(),
        ]);
    }
    let about = vec![
        format!(
            "Spread (relative standard deviation) of {REPEATS} answers of {ANSWER_S} s each to one question: the cost \
             of a {WAYS}-way branch over a branch of which all lanes take one path. `rounds` times both cases \
             alternately with samples of equal length and takes the median of the ratios. `one after the other` gives \
             each case half of the time, as Criterion does. An answer by rounds also states its own error, from its \
             95 % interval. Where the spread is much larger than the stated error, the machine itself changed between \
             answers, for example because another process shares the cores."
        ),
        "The second table shows the same cost by the `divergence` experiment while two threads keep two cores busy. The \
         experiment must find the idle cost within 5 %, or decide nothing."
            .to_owned(),
    ];
    Ok(Page {
        task: "precision",
        title: "Precision for the time spent",
        device: described(&cases.device),
        about,
        tables: vec![spreads, loaded],
    })
}
