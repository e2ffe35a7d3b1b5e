//! `coalescing`: the cost of a subgroup load whose lanes touch different cache lines.
//!
//! Two cases calibrate the law. If all lanes load one word, the case shows the time to issue a load. If the
//! lanes load words far apart, the case shows the time per line. Groups of lanes in one line each show whether the device
//! moves parts of lines.
//!
//! The law then predicts three sweeps from the lines and sectors that they touch: strides from the start of a line,
//! strides from one word after the start of a line, and words drawn at random. Each sweep of strides finds a
//! line size. The prediction of a sweep of strides uses the line size that the other one finds, so that no
//! sweep calibrates itself.
//!
//! The floor case is an empty dispatch, whose time is subtracted from the other cases.

mod diagnose;
pub mod kernel;
pub mod law;
pub mod predict;
mod sectors;

use std::sync::Arc;

use kernel::{LONGEST_LINE, Loads, Pattern, STEPS, WORKGROUP_SIZE};
use law::{Transfer, WORD, load_time};
use sectors::{Counts, DISTANCES, Groups, count_of};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::{WantedWorkers, Workload};
use crate::kernels::random_words;
use crate::model::{About, Category, Curve, Over};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "coalescing",
    category: Category::Uniformity,
    law: "T = max(t_i, n·t_l, m·t_s) for a subgroup load that touches n lines and m sectors of them",
    about: "What does a load cost if the lanes of a subgroup touch different cache lines?",
    tolerance: Tolerance {
        ratio: 0.15,
        reason: "The law uses one time per line for all addresses, but cache banks and neighbouring sectors \
                 differ by about 10 %. A wrong line size is off by a factor of two, far more than the \
                 tolerance.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Upper bound of the input array, in words. 4 MiB exceed the caches of a single core and fit the caches that
/// all cores share.
const WORDS: u32 = 1 << 20;

/// Longest stride between neighbouring lanes, in words: as long as the longest line.
const LONGEST_STRIDE: u32 = LONGEST_LINE;
/// Numbers of words that the lanes draw from.
const DRAWN: [u32; 4] = [64, 256, 1024, 4096];

/// Share of a scattered load's time from which each lane counts as having a separate line. The value is the
/// geometric mean of the shares for half of the lines (0.5) and for all lines (1).
const ALONE: f64 = 0.71;

/// A case of a sweep, with the lines that its load touches.
struct Swept {
    /// Stride in words, or number of words drawn from.
    x: u32,
    case: CaseId,
    /// Number of lines that a load touches, by the size of a line.
    lines: Counts,
}

impl Swept {
    /// Returns the number of lines or sectors of `bytes` bytes that a load touches.
    fn lines(&self, bytes: &Expr) -> Expr {
        let lines = self.lines.clone();
        Expr::call("lines", [bytes.clone()], move |[bytes]| count_of(&lines, bytes))
    }
}

/// All cases of the experiment.
struct Sweeps {
    floor: CaseId,
    /// Subgroup loads per workgroup, the unit of work.
    loads: f64,
    broadcast: CaseId,
    aligned: Vec<Swept>,
    offset: Vec<Swept>,
    grouped: Vec<Swept>,
    drawn: Vec<Swept>,
}

impl Sweeps {
    fn add(plan: &mut Plan, context: &Context<'_>, width: u32) -> Self {
        let most = context.facts.limits.binding_bytes / 4;
        let words = u64::from(WORDS).min(1 << most.ilog2()) as usize;
        let data = random_words(context.seed, words);
        let seed = context.seed as u32;
        let dense = context.profile.dense;
        let mut case = |id: String, pattern: Pattern| {
            let loads = Loads { pattern, width, workgroups: 1, data: Arc::clone(&data), seed };
            let own = Sizing::Own { granule: 8, most: context.facts.limits.workgroups };
            let of = loads.clone();
            let case =
                plan.case(id, own, move |workgroups| Loads { workgroups, ..of.clone() }.workload());
            let lines = powers_of_two(LONGEST_LINE).map(|words| 4 * words);
            (case, lines.map(|bytes| (bytes, loads.lines_per_load(bytes))).collect())
        };
        let mut sweep = |name: &str, places: Vec<u32>, pattern: &dyn Fn(u32) -> Pattern| {
            let swept = places.into_iter().map(|x| {
                let (case, lines) = case(format!("{name}.{x}"), pattern(x));
                Swept { x, case, lines }
            });
            swept.collect::<Vec<_>>()
        };
        let drawn = DRAWN.into_iter().filter(|&words| dense || words >= 1024);
        let aligned = sweep("aligned", powers_of_two(LONGEST_STRIDE).collect(), &|stride| {
            Pattern::Strided { stride, offset: 0 }
        });
        let offset = sweep("offset", powers_of_two(LONGEST_STRIDE).collect(), &|stride| {
            Pattern::Strided { stride, offset: 1 }
        });
        let grouped = sweep("grouped", DISTANCES.to_vec(), &Pattern::Grouped);
        let drawn = sweep("random", drawn.collect(), &Pattern::Random);
        let (broadcast, _): (CaseId, Counts) = case("broadcast".to_owned(), Pattern::Broadcast);
        let floor = plan.floor("floor", Sizing::Own { granule: 1, most: 1 }, |scale| {
            crate::kernels::empty::workload(scale)
        });
        let loads = f64::from(WORKGROUP_SIZE / width * STEPS);
        Self { floor, loads, broadcast, aligned, offset, grouped, drawn }
    }

    /// Returns the seconds per subgroup load on a saturated device. The result is NaN if the case takes no
    /// longer than the floor case.
    fn load(&self, case: CaseId) -> Expr {
        (case.above(self.floor) / case.scale() / self.loads).positive()
    }

    /// Returns the seconds to issue a load.
    fn issue(&self) -> Expr {
        self.load(self.broadcast)
    }

    /// Returns the case of the longest stride, at which no two lanes share a line.
    fn scattered(&self) -> &Swept {
        self.aligned.last().expect("every sweep has strides")
    }

    /// Returns the seconds per line.
    fn line(&self) -> Expr {
        // At the longest stride, each lane has a separate line at every line size.
        let lines = self.scattered().lines[0].1;
        self.load(self.scattered().case) / lines
    }

    /// Returns the cases that show whether the device moves parts of lines.
    fn groups(&self) -> Groups {
        let of = |place: usize| &self.grouped[place];
        Groups {
            issue: self.issue(),
            line: self.line(),
            times: std::array::from_fn(|place| self.load(of(place).case)),
            counts: std::array::from_fn(|place| of(place).lines.clone()),
        }
    }

    /// Returns the line size that a sweep of strides shows, in bytes: the shortest stride from which on each
    /// lane has a separate line. This is one word if a load takes as long at the shortest stride as at the longest,
    /// because then the device serves the lanes one by one. The result is NaN if the longest stride does not give
    /// each lane a separate line.
    fn line_bytes(&self, swept: &[Swept]) -> Expr {
        let strides: Vec<f64> = swept.iter().map(|swept| f64::from(swept.x)).collect();
        let scattered = self.load(self.scattered().case);
        let times = swept.iter().map(|swept| self.load(swept.case));
        Expr::lenient("line_bytes", std::iter::once(scattered).chain(times), move |times| {
            let (scattered, times) = (times[0], &times[1..]);
            let sharing = times.iter().rposition(|&time| time < ALONE * scattered);
            let alone = strides.get(sharing.map_or(0, |sharing| sharing + 1));
            alone.map_or(f64::NAN, |stride| stride * WORD)
        })
    }
}

/// Returns a workload of the kernel, to see its subgroup size.
fn probe(width: u32) -> Workload {
    let data = vec![0; LONGEST_LINE as usize].into();
    Loads { pattern: Pattern::Broadcast, width, workgroups: 1, data, seed: 0 }.workload()
}

/// Returns the figure that two methods find, or NaN if they find different ones.
fn agreed(one: &Expr, other: &Expr) -> Expr {
    let same = |[a, b]: [f64; 2]| if a == b { a } else { f64::NAN };
    Expr::call("agreed", [one.clone(), other.clone()], same)
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    let width = context.width_of(&probe(context.known_width()?))?;
    if !width.is_power_of_two() || width > WORKGROUP_SIZE {
        return Err(Unsupported(format!(
            "a subgroup of {width} lanes does not divide a workgroup of {WORKGROUP_SIZE} invocations"
        )));
    }
    let mut plan = Plan::default();
    plan.shorten_samples(2);
    let sweeps = Sweeps::add(&mut plan, context, width);
    let by_aligned = sweeps.line_bytes(&sweeps.aligned);
    let by_offset = sweeps.line_bytes(&sweeps.offset);
    let (issue, line, groups) = (sweeps.issue(), sweeps.line(), sweeps.groups());
    let time = |swept: &Swept, line_bytes: &Expr| {
        let sectors = swept.lines(&groups.sector_bytes(line_bytes));
        let of = [
            issue.clone(),
            line.clone(),
            swept.lines(line_bytes),
            groups.sector_s(line_bytes),
            sectors,
        ];
        Expr::call("load_time", of, |[issue, line, lines, sector, sectors]| {
            let lines = Transfer { count: lines, each_s: line };
            load_time(issue, [lines, Transfer { count: sectors, each_s: sector }])
        })
    };

    // The prediction of a sweep of strides uses the line size that the other sweep finds, so that no sweep
    // calibrates itself.
    let last = sweeps.aligned.len() - 1;
    let x = ("words of stride", "");
    let aligned = plan.series("aligned", x, "s");
    for swept in &sweeps.aligned[..last] {
        plan.judge(aligned, f64::from(swept.x), sweeps.load(swept.case), time(swept, &by_offset));
    }
    let offset = plan.series("offset by one word", x, "s");
    for swept in &sweeps.offset {
        plan.judge(offset, f64::from(swept.x), sweeps.load(swept.case), time(swept, &by_aligned));
    }
    let random = plan.series("random", ("words in the random range", ""), "s");
    for swept in &sweeps.drawn {
        plan.judge(random, f64::from(swept.x), sweeps.load(swept.case), time(swept, &by_aligned));
    }
    plan.compare_by(
        aligned,
        Curve::new("cost of a strided load", "time relative to a contiguous load", "x")
            .over(Over::First)
            .logarithmic()
            .reference("cost proportional to the stride"),
    );
    add_metrics(&mut plan, &sweeps, [&by_aligned, &by_offset]);
    let is_cpu = context.is_narrow();
    plan.diagnose(move |outcome| diagnose::diagnose(outcome, is_cpu));
    Ok(plan)
}

fn add_metrics(plan: &mut Plan, sweeps: &Sweeps, [by_aligned, by_offset]: [&Expr; 2]) {
    let agreed = agreed(by_aligned, by_offset);
    let contiguous = sweeps.load(sweeps.aligned[0].case);
    let scattered = sweeps.load(sweeps.scattered().case);
    plan.metric(
        About::new("scatter_cost", "time of a fully scattered load over a contiguous load", "x")
            .of_memory()
            .lower()
            .headline()
            .note("words of neighbouring lanes 256 bytes apart, compared with adjacent words"),
        scattered / contiguous,
    );
    plan.sure_metric(
        About::new("line_bytes", "line size, found by strided loads", "B")
            .headline()
            .note(
                "shortest stride from which on each lane pays for a separate line; one word (4 B) if loads are \
                 served lane by lane",
            ),
        agreed,
    );
    let found = "line size, found by strided loads";
    plan.metric(About::new("line_bytes_aligned", format!("{found}, aligned"), "B"), by_aligned);
    plan.metric(
        About::new("line_bytes_offset", format!("{found}, offset by one word"), "B"),
        by_offset,
    );
    plan.metric(
        About::new("t_line", "time per line, device saturated with scattered loads", "s")
            .of_memory()
            .lower(),
        sweeps.line(),
    );
    let groups = sweeps.groups();
    plan.sure_metric(
        About::new("sector_bytes", "part of a line that is moved, found by lanes in one line", "B")
            .note("the size of a line if whole lines are moved"),
        groups.sector_bytes(by_aligned),
    );
    plan.metric(
        About::new("t_sector", "time per sector, device saturated with loads", "s")
            .of_memory()
            .lower(),
        groups.sector_s(by_aligned),
    );
    plan.metric(
        About::new("t_issue", "issue time of a subgroup load, all lanes on one word", "s")
            .of_memory()
            .lower(),
        sweeps.issue(),
    );
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::EXPERIMENT;
    use crate::bench::{Profile, Session, run};
    use crate::gpu::Executor;
    use crate::model::{Experiment, Status, Verdict};
    use crate::sim::{Machine, Simulator};

    fn measure(device: impl Executor + 'static) -> Experiment {
        let mut session =
            Session::open(Box::new(device), Profile::QUICK, 5).expect("the session opens");
        let outcome = run(&mut session, &EXPERIMENT, &AtomicBool::new(false), &mut |_| ());
        outcome.expect("the experiment runs")
    }

    #[test]
    fn line_size_and_line_time_of_the_simulated_device_are_found() {
        let machine = Machine::lawful(32);
        // Looking up a line takes almost no time, so that a sector is the unit of cost.
        let sector_s =
            f64::from(machine.memory.sector_bytes) / machine.memory.levels[0].bytes_per_s;
        let outcome = measure(Simulator::new(machine));
        assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.points);
        assert_eq!(outcome.number("line_bytes"), Some(32.0));
        let line_s = outcome.number("t_line").expect("`t_line` is measured");
        assert!((line_s / sector_s - 1.0).abs() < 0.05, "{line_s}");
        // A scattered load touches 32 lines, a contiguous load 4.
        let scatter = outcome.number("scatter_cost").expect("`scatter_cost` is measured");
        assert!((scatter - 8.0).abs() < 0.4, "{scatter}");
    }

    #[test]
    fn offset_loads_that_cost_more_than_their_lines_deviate_and_are_diagnosed() {
        let device = Simulator::new(Machine::lawful(32)).distorting(|workload, sample| {
            if workload.label().contains("offset: 1") { 1.5 * sample } else { sample }
        });
        let outcome = measure(device);
        assert_eq!(outcome.verdict, Some(Verdict::Deviates));
        let named =
            |text: &String| text.contains("Short strides cost more than the lines and sectors");
        assert!(outcome.diagnosis.iter().any(named), "{:?}", outcome.diagnosis);
    }

    /// Runs on lavapipe, as `tests/lavapipe` does.
    #[cfg(target_os = "linux")]
    #[test]
    fn every_pattern_agrees_with_its_cpu_reference() {
        use crate::gpu::{Hardware, Options, Selection};
        if std::env::var_os("WARPLAW_SKIP_LAVAPIPE").is_some() {
            println!("SKIPPED because WARPLAW_SKIP_LAVAPIPE is set");
            return;
        }
        let selection =
            Selection { adapter: Some("llvmpipe".to_owned()), backend: Some("vulkan".to_owned()) };
        let options = Options { selection, ..Options::default() };
        let device =
            Hardware::open(&options).expect("lavapipe opens; `sh setup.sh --lavapipe` installs it");
        let outcome = measure(device);
        assert_eq!(outcome.status, Status::Measured, "{:?}", outcome.reason);
        assert!(outcome.cases.iter().all(|case| case.verified));
        let times =
            ["t_line", "t_issue"].map(|id| outcome.number(id).expect("the time is measured"));
        assert!(times.iter().all(|time| (1e-10..1e-5).contains(time)), "{times:?}");
    }
}
