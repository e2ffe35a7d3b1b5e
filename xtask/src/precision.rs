//! What a second of measuring is worth: the ratio of a 4-way branch to a branch of which all lanes take one path.
//!
//! Several methods answer the same question many times, each with the same wall time: rounds of equal samples, as
//! warplaw measures, with the estimates and the device of now and of before, and one case after the other, as Criterion
//! does. The spread of the answers is the figure, on an idle machine and beside a load that comes and goes. A second
//! table shows what the `divergence` experiment says beside two processes that are always busy.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use warplaw::bench::{Profile, Session, run};
use warplaw::experiments::find;
use warplaw::gpu::{Executor, GpuError, Hardware, Options, WantedWorkers, Workload};
use warplaw::kernels::branch_paths::BranchPaths;
use warplaw::model::figures::per_cent;
use warplaw::report::Table;
use warplaw::stats::{self, Row};

use crate::page::{Page, device as described, median};

const REPEATS: usize = 20;
/// Wall time of each answer in seconds.
const ANSWER_S: f64 = 1.0;
const WAYS: u32 = 4;
/// Invocations per workgroup.
const WORKGROUP_SIZE: u32 = 64;
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
            device.verify(index, workload)?.unwrap_or_else(|wrong| panic!("{wrong}"));
        }
        Ok(Self { device, times: f64::from(WAYS) })
    }

    /// Runs rounds of equal samples in random order until the time is up. Returns the median of the rounds' ratios, and
    /// the ratio of the lower thirds after the slowdowns that the samples of a round share are removed.
    fn by_rounds(&mut self, rng: &mut ChaCha8Rng) -> Result<[f64; 2], GpuError> {
        let start = Instant::now();
        let (mut ratios, mut rows) = (Vec::new(), Vec::new());
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
            let taken = orders.as_flattened().iter().copied().zip(samples);
            rows.push(
                taken.filter_map(|(case, sample)| Some((case, sample.ok()?))).collect::<Row>(),
            );
        }
        let columns = stats::columns_of(&rows, &stats::levels(&rows), UNIFORM_AS_LONG + 1);
        let time_s = |case: usize| stats::undisturbed(&columns[case]).unwrap_or(f64::NAN);
        Ok([median(&ratios), time_s(BRANCH) * self.times / time_s(UNIFORM_AS_LONG)])
    }

    /// Runs one case for half of the time and then the other. Returns the ratio of their means.
    fn one_after_the_other(&mut self) -> Result<f64, GpuError> {
        let mut half = |case: usize| -> Result<f64, GpuError> {
            let start = Instant::now();
            let mut samples = Vec::new();
            while start.elapsed().as_secs_f64() < ANSWER_S / 2.0 {
                samples.extend(self.device.round(&[case; AT_ONCE])?.into_iter().flatten());
            }
            Ok(samples.iter().sum::<f64>() / samples.len() as f64)
        };
        Ok(half(BRANCH)? / half(UNIFORM)?)
    }
}

/// First argument of a child process that keeps a core busy.
pub(crate) const BUSY: &str = "--keep-busy";

/// Keeps a core busy until the process is ended: always, or alternately with idle periods of 0.2 to 0.8 s.
pub(crate) fn keep_busy(seed: u64, by_turns: bool) -> ! {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut turn = move || Duration::from_millis(rng.random_range(200..800));
    let mut word = seed as u32;
    loop {
        let until = Instant::now() + turn();
        while Instant::now() < until {
            (0..10_000).for_each(|_| word = word.wrapping_mul(1_664_525).wrapping_add(1));
            std::hint::black_box(word);
        }
        if by_turns {
            std::thread::sleep(turn());
        }
    }
}

/// Processes that keep cores busy until the value is dropped.
struct Load(Vec<Child>);

impl Load {
    fn start(processes: usize, by_turns: bool) -> Self {
        let own = std::env::current_exe().expect("a process has a path");
        let busy = |seed: usize| {
            let mut command = Command::new(&own);
            command.args([BUSY, &seed.to_string(), if by_turns { "turns" } else { "always" }]);
            command.stdin(Stdio::null()).spawn().expect("the process starts")
        };
        Self((0..processes).map(busy).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for process in &mut self.0 {
            process.kill().expect("a busy loop can be ended");
            process.wait().expect("the process ends");
        }
    }
}

/// Returns the relative standard deviation.
fn spread(answers: &[f64]) -> f64 {
    let n = answers.len() as f64;
    let mean = answers.iter().sum::<f64>() / n;
    let variance = answers.iter().map(|answer| (answer - mean).powi(2)).sum::<f64>() / (n - 1.0);
    variance.sqrt() / mean
}

/// The methods, in the order of the table's columns.
const METHODS: [&str; 5] = [
    "before: medians, a thread per core",
    "lower thirds, a thread per core",
    "medians, one thread",
    "now: lower thirds, one thread",
    "one case after the other, means, one thread",
];
/// Indices of the methods of before and of now.
const BEFORE: usize = 0;
const NOW: usize = 3;

/// Asks each method alternately. Returns the answers by method.
fn ask(rng: &mut ChaCha8Rng) -> Result<[Vec<f64>; METHODS.len()], GpuError> {
    let mut answers: [Vec<f64>; METHODS.len()] = Default::default();
    for _ in 0..REPEATS {
        let open =
            |workers| Cases::load(Hardware::open(&Options { workers, ..Options::default() })?);
        let [before, thirds] = open(WantedWorkers::PerCore)?.by_rounds(rng)?;
        let mut cases = open(WantedWorkers::One)?;
        let [medians, now] = cases.by_rounds(rng)?;
        let means = cases.one_after_the_other()?;
        for (answers, answer) in answers.iter_mut().zip([before, thirds, medians, now, means]) {
            answers.push(answer);
        }
    }
    Ok(answers)
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
    let device = described(&Hardware::open(&Options::default())?);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut columns = vec!["machine"];
    columns.extend(METHODS);
    columns.extend(["now / before", "median ratio, before", "median ratio, now"]);
    let mut spreads = Table::new(&columns);
    for (machine, load) in [("idle", None), ("busy and idle by turns", Some(cores))] {
        let load = load.map(|processes| Load::start(processes, true));
        let answers = ask(&mut rng)?;
        drop(load);
        let spread = answers.each_ref().map(|answers| spread(answers));
        let mut row = vec![machine.to_owned()];
        row.extend(spread.map(per_cent));
        row.push(format!("{:.2}", spread[NOW] / spread[BEFORE]));
        row.extend([BEFORE, NOW].map(|method| format!("{:.3}", median(&answers[method]))));
        println!("{}", row.join("  "));
        spreads.rows.push(row);
    }

    let mut loaded = Table::new(&["machine", "cost of a 4-way branch", "over idle", "verdict"]);
    let mut idle = None;
    for (machine, busy, seed) in [
        ("idle", 0, 1),
        ("two busy processes", 2, 1),
        ("two busy processes", 2, 2),
        ("two busy processes", 2, 3),
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
             of a {WAYS}-way branch over a branch of which all lanes take one path. The first four methods time both \
             cases in rounds, with samples of equal length. `medians` is the median of the rounds' ratios. `lower \
             thirds` is the ratio of the lower thirds of both cases, after the slowdown that a round shares is removed. \
             The last method gives each case half of the time, as Criterion does. A software device runs its \
             workgroups on one thread or on a thread per core; on a GPU this makes no difference."
        ),
        "The second table shows the same cost by the `divergence` experiment while two processes keep two cores busy. \
         The experiment must find the idle cost within 5 %, or decide nothing."
            .to_owned(),
    ];
    Ok(Page {
        task: "precision",
        title: "Precision for the time spent",
        device,
        about,
        tables: vec![spreads, loaded],
    })
}
