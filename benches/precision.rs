//! `cargo bench --bench precision`: what a second of measuring buys. The ratio of a 4-way branch to one of which all
//! lanes take the same of the four arms, by rounds of equal spans as warplaw measures, and one case after the other
//! as Criterion does, each given the same wall time again and again: how far the answers scatter, on an idle machine
//! and on one with a load that comes and goes. And what a whole experiment says beside two busy loops that never rest.

mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::{adapter, keep, median, performance, table};
use warplaw::bench::{Profile, Session, compare, run};
use warplaw::cli::{CliError, report_error};
use warplaw::experiments::find;
use warplaw::gpu::{Executor, GpuError, Hardware, Options, Workload, prepare_environment};
use warplaw::kernels::branch_paths::BranchPaths;
use warplaw::report::{Interval, figures::per_cent, rejudge};
use warplaw::stats;

const REPEATS: usize = 20;
/// Wall time of each answer.
const ANSWER_S: f64 = 1.0;
const WAYS: u32 = 4;
/// Lanes of a workgroup.
const WORKGROUP_SIZE: u32 = 64;
/// Standard deviations from the middle of a normal distribution to the end of its 95 % interval.
const NORMAL_95: f64 = 1.96;
/// Spans in a submission.
const AT_ONCE: usize = 8;

/// Lanes that choose among the same arms equally often: each by itself, or all of a workgroup alike.
fn branch(divided: bool, workgroups: u32) -> Workload {
    let path = |item: u32| (if divided { item } else { item / WORKGROUP_SIZE }) % WAYS;
    let selectors = (0..WAYS * WORKGROUP_SIZE).map(path).collect();
    BranchPaths {
        lanes: WORKGROUP_SIZE,
        workgroups,
        repeats: 8,
        iterations: 320,
        paths: 32,
        selectors,
        seed: 1,
    }
    .workload()
}

/// Loaded: the branch, the uniform case with as much work, and with as long a span.
const BRANCH: usize = 0;
const UNIFORM: usize = 1;
const UNIFORM_AS_LONG: usize = 2;

struct Cases {
    device: Hardware,
    /// Times the work of the last of them.
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

    /// Rounds of equal spans in random order, as many to a submission as the suite has, until time is up: the median
    /// of the rounds' ratios, and half of its 95 % interval as a share of it.
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

    /// One case for half of the time and then the other: the ratio of their means, and of their medians.
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

/// Threads that keep cores busy until dropped.
struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Of so many threads, each always busy, or busy and idle by turns of a fifth to four fifths of a second.
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

/// Relative standard deviation.
fn spread(answers: &[f64]) -> f64 {
    let n = answers.len() as f64;
    let mean = answers.iter().sum::<f64>() / n;
    let variance = answers.iter().map(|answer| (answer - mean).powi(2)).sum::<f64>() / (n - 1.0);
    variance.sqrt() / mean
}

/// Answers to one question, a list by each method.
#[derive(Default)]
struct Answers {
    rounds: Vec<f64>,
    /// What each of the rounds' answers says of its own error: half of its 95 % interval.
    half_widths: Vec<f64>,
    means: Vec<f64>,
    medians: Vec<f64>,
}

impl Answers {
    /// Each method in turn.
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

    /// A row of the table.
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

/// What `divergence` says of a 4-way branch: its cost, and the verdict.
fn experiment(seed: u64) -> Result<(Option<f64>, &'static str), GpuError> {
    let device = Hardware::open(&Options::default())?;
    let mut session = Session::open(Box::new(device), Profile::QUICK, seed)?;
    let divergence = find("divergence").expect("it is registered");
    let (outcome, _) = run(&mut session, divergence, &AtomicBool::new(false), &mut |_| ())?;
    let verdict = rejudge(&outcome).map_or("not measured", |verdict| verdict.as_str());
    Ok((outcome.number(&format!("cost_of_{WAYS}_way_branch")), verdict))
}

fn measure() -> Result<ExitCode, GpuError> {
    let mut cases = Cases::load(Hardware::open(&Options::default())?)?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut scatter = table(&[
        "the machine is",
        "rounds of equal spans",
        "of which their own error",
        "one after the other, means",
        "its medians",
        "rounds / means",
        "ratio by rounds",
        "by means",
    ]);
    for (machine, load) in [("idle", None), ("busy by turns", Some(threads))] {
        let load = load.map(|threads| Load::start(threads, true));
        let answers = Answers::ask(&mut cases, &mut rng)?;
        drop(load);
        scatter.rows.push(answers.row(machine));
        println!("{}", scatter.rows[scatter.rows.len() - 1].join("  "));
    }

    let mut loaded = table(&["the machine is", "a 4-way branch costs", "of idle", "verdict"]);
    let mut idle = None;
    for (machine, busy, seed) in
        [("idle", 0, 1), ("beside two busy loops", 2, 1), ("again", 2, 2), ("again", 2, 3)]
    {
        let load = Load::start(busy, false);
        let (cost, verdict) = experiment(seed)?;
        drop(load);
        idle = idle.or(cost);
        let share = cost.zip(idle).map(|(cost, idle)| format!("{:.3}", cost / idle));
        loaded.rows.push(vec![
            machine.to_owned(),
            cost.map_or_else(|| "not known".to_owned(), |cost| format!("{cost:.3}")),
            share.unwrap_or_default(),
            verdict.to_owned(),
        ]);
    }
    let about = [
        format!(
            "How far {REPEATS} answers to one question scatter (relative standard deviation), each of {ANSWER_S} s: \
             what a {WAYS}-way branch costs over one in which all lanes agree. In rounds, both are timed in turn with \
             spans of equal length and the median of the rounds' ratios counts; one after the other, as Criterion \
             does, each has half of the time, and the means count. An answer by rounds tells its own error (from its \
             95 % interval, as a standard deviation): where answers scatter by much more, what they ask for changed \
             from one to the next, as where a stranger shares the cores."
        ),
        "And the same cost by the experiment `divergence` while two loops keep two cores busy all along: within a \
         twentieth of what it is idle, or undecided."
            .to_owned(),
    ];
    let title = "Precision for the time";
    let mut performance = performance("precision", title, &about);
    performance.adapter = adapter(&cases.device);
    performance.tables = vec![scatter, loaded];
    Ok(keep("precision", &performance))
}

fn main() -> ExitCode {
    prepare_environment();
    report_error(measure().map_err(CliError::from))
}
