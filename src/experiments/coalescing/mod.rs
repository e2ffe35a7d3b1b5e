//! `coalescing`: what it costs when the lanes of a subgroup load from different cache lines.
//!
//! Lanes at one word calibrate the time to issue a load, lanes far apart the time of a line. Strides in between, from
//! the beginning of a line and one word after it, and words drawn at random are predicted from the lines that they
//! touch. How long a line is, each of the two sweeps finds, and predicts the other with.

mod diagnose;
pub mod kernel;
pub mod law;
pub mod predict;

use std::sync::Arc;

use kernel::{LONGEST_LINE, Loads, Pattern, STEPS, WORKGROUP_SIZE};
use law::{WORD, load_time};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::kernels::random_words;
use crate::model::{About, Category, Curve, Over};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "coalescing",
    category: Category::Uniformity,
    law: "T = max(t_i, n·t_l) for a subgroup's load that touches n lines",
    about: "what it costs when the lanes of a subgroup load from different cache lines",
    tolerance: Tolerance {
        ratio: 0.15,
        reason: "one time stands for a line wherever it lies: banks of a cache and neighbouring sectors are served a \
                 tenth faster or slower, and a wrong line size is off by a factor of two",
    },
    shaders: || vec![kernel::shader()],
    plan,
    predict: Some(&predict::LAW),
};

/// Words that are loaded from, 4 MiB: beyond the caches of a core, and within those that all cores share.
const WORDS: u32 = 1 << 20;

/// The longest stride from one lane to the next, in words: as long as any line.
const LONGEST_STRIDE: u32 = LONGEST_LINE;
/// Words that lanes draw from.
const DRAWN: [u32; 4] = [64, 256, 1024, 4096];

/// A load takes this share of a scattered one's time where every lane has a line of its own: half way, by factors,
/// between half of the lines and all of them.
const ALONE: f64 = 0.71;

/// A pattern with its case, and how many lines of each size its load touches.
struct Swept {
    x: u32,
    case: CaseId,
    /// By bytes of a line.
    lines: Vec<(u32, f64)>,
}

impl Swept {
    /// Lines that a load touches if a line has `line_bytes`; unknown where that is none of the sizes tried.
    fn lines(&self, line_bytes: &Expr) -> Expr {
        let lines = self.lines.clone();
        Expr::call("lines", [line_bytes.clone()], move |[bytes]| {
            let known = lines.iter().find(|(known, _)| f64::from(*known) == bytes);
            known.map_or(f64::NAN, |&(_, lines)| lines)
        })
    }
}

struct Sweeps {
    floor: CaseId,
    /// A load's share of a unit of work.
    loads: f64,
    broadcast: CaseId,
    aligned: Vec<Swept>,
    offset: Vec<Swept>,
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
        let drawn = sweep("random", drawn.collect(), &Pattern::Random);
        let (broadcast, _): (CaseId, Vec<(u32, f64)>) =
            case("broadcast".to_owned(), Pattern::Broadcast);
        let floor = plan.floor("floor", Sizing::Own { granule: 1, most: 1 }, |scale| {
            crate::kernels::empty::workload(scale)
        });
        let loads = f64::from(WORKGROUP_SIZE / width * STEPS);
        Self { floor, loads, broadcast, aligned, offset, drawn }
    }

    /// Seconds for a subgroup's load, the device full of them.
    fn load(&self, case: CaseId) -> Expr {
        (case.above(self.floor) / case.scale() / self.loads).positive()
    }

    /// Seconds to issue a load.
    fn issue(&self) -> Expr {
        self.load(self.broadcast)
    }

    /// Lanes so far apart that none shares a line.
    fn scattered(&self) -> &Swept {
        self.aligned.last().expect("there are strides")
    }

    /// Seconds for a line.
    fn line(&self) -> Expr {
        let lanes = self.scattered().lines[0].1;
        self.load(self.scattered().case) / lanes
    }

    /// Bytes of a line, as a sweep of strides shows them: the shortest stride from which on each lane has a line of
    /// its own. Unknown where no stride is shorter than that, or all are.
    fn line_bytes(&self, swept: &[Swept]) -> Expr {
        let strides: Vec<f64> = swept.iter().map(|swept| f64::from(swept.x)).collect();
        let scattered = self.load(self.scattered().case);
        let times = swept.iter().map(|swept| self.load(swept.case));
        Expr::lenient("line_bytes", std::iter::once(scattered).chain(times), move |times| {
            let (scattered, times) = (times[0], &times[1..]);
            let sharing = times.iter().rposition(|&time| time < ALONE * scattered);
            let alone = sharing.and_then(|sharing| strides.get(sharing + 1));
            alone.map_or(f64::NAN, |stride| stride * WORD)
        })
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    if !width.is_power_of_two() || width > WORKGROUP_SIZE {
        return Err(Unsupported(format!(
            "a subgroup of {width} lanes does not divide {WORKGROUP_SIZE}"
        )));
    }
    let mut plan = Plan::default();
    plan.shorten_samples(2);
    let sweeps = Sweeps::add(&mut plan, context, width);
    let by_aligned = sweeps.line_bytes(&sweeps.aligned);
    let by_offset = sweeps.line_bytes(&sweeps.offset);
    let (issue, line) = (sweeps.issue(), sweeps.line());
    let time = |swept: &Swept, line_bytes: &Expr| {
        let of = [issue.clone(), line.clone(), swept.lines(line_bytes)];
        Expr::call("load_time", of, |[issue, line, lines]| load_time(issue, line, lines))
    };

    // Each sweep of strides predicts with the line that the other found, so that none is judged by itself.
    let last = sweeps.aligned.len() - 1;
    let x = ("words from lane to lane", "");
    let aligned = plan.series("aligned", x, "s");
    for swept in &sweeps.aligned[..last] {
        plan.judge(aligned, f64::from(swept.x), sweeps.load(swept.case), time(swept, &by_offset));
    }
    let offset = plan.series("one word off", x, "s");
    for swept in &sweeps.offset {
        plan.judge(offset, f64::from(swept.x), sweeps.load(swept.case), time(swept, &by_aligned));
    }
    let random = plan.series("random", ("words drawn from", ""), "s");
    for swept in &sweeps.drawn {
        plan.judge(random, f64::from(swept.x), sweeps.load(swept.case), time(swept, &by_aligned));
    }
    plan.compare_by(
        aligned,
        Curve::new("cost of a strided load", "time over a contiguous load's", "x")
            .over(Over::First)
            .logarithmic()
            .reference("as many as words apart"),
    );
    add_metrics(&mut plan, &sweeps, [&by_aligned, &by_offset]);
    let is_cpu = context.is_narrow();
    plan.diagnose(move |outcome| diagnose::diagnose(outcome, is_cpu));
    Ok(plan)
}

fn add_metrics(plan: &mut Plan, sweeps: &Sweeps, [by_aligned, by_offset]: [&Expr; 2]) {
    let agreed = Expr::call("agreed", [by_aligned.clone(), by_offset.clone()], |[a, b]| {
        if a == b { a } else { f64::NAN }
    });
    let contiguous = sweeps.load(sweeps.aligned[0].case);
    let scattered = sweeps.load(sweeps.scattered().case);
    plan.metric(
        About::new("scatter_cost", "cost of a fully scattered load over a contiguous one", "x")
            .lower()
            .headline()
            .note("lanes 256 bytes apart against neighbouring words"),
        scattered / contiguous,
    );
    plan.sure_metric(
        About::new("line_bytes", "line size by strided loads", "B")
            .headline()
            .note("the stride from which on each lane pays for a line of its own"),
        agreed,
    );
    let found = "line size by strided loads";
    plan.metric(About::new("line_bytes_aligned", format!("{found}, aligned"), "B"), by_aligned);
    plan.metric(About::new("line_bytes_offset", format!("{found}, one word off"), "B"), by_offset);
    plan.metric(
        About::new("t_line", "time of a line, device full of scattered loads", "s").lower(),
        sweeps.line(),
    );
    plan.metric(
        About::new("t_issue", "time to issue a subgroup load, all lanes at one word", "s").lower(),
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
        let mut session = Session::open(Box::new(device), Profile::QUICK, 5).expect("it opens");
        let outcome = run(&mut session, &EXPERIMENT, &AtomicBool::new(false), &mut |_| ());
        outcome.expect("it does not fail")
    }

    #[test]
    fn line_size_and_line_time_are_those_of_the_machine() {
        let machine = Machine::lawful(32);
        let outcome = measure(Simulator::new(machine));
        assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.points);
        // Its cost model serves a load in sectors of 32 bytes, each for the price of a load.
        assert_eq!(outcome.number("line_bytes"), Some(32.0));
        let line_s = outcome.number("t_line").expect("it is measured");
        assert!((line_s / machine.costs.load_s - 1.0).abs() < 0.05, "{line_s}");
        // 32 lines against 4.
        let scatter = outcome.number("scatter_cost").expect("it is measured");
        assert!((scatter - 8.0).abs() < 0.4, "{scatter}");
    }

    #[test]
    fn loads_that_pay_for_two_lines_at_a_time_deviate_and_are_named() {
        let device = Simulator::new(Machine::lawful(32)).distorting(|workload, sample| {
            if workload.label().contains("offset: 1") { 1.5 * sample } else { sample }
        });
        let outcome = measure(device);
        assert_eq!(outcome.verdict, Some(Verdict::Deviates));
        let named = |text: &String| text.contains("short strides cost more than the lines");
        assert!(outcome.diagnosis.iter().any(named), "{:?}", outcome.diagnosis);
    }

    /// On lavapipe, as `tests/lavapipe.rs`.
    #[cfg(target_os = "linux")]
    #[test]
    fn every_pattern_loads_what_its_reference_does() {
        use crate::gpu::{Hardware, Options, Selection};
        if std::env::var_os("WARPLAW_SKIP_LAVAPIPE").is_some() {
            println!("SKIPPED because WARPLAW_SKIP_LAVAPIPE is set");
            return;
        }
        let selection =
            Selection { adapter: Some("llvmpipe".to_owned()), backend: Some("vulkan".to_owned()) };
        let options = Options { selection, ..Options::default() };
        let device = Hardware::open(&options).expect("`sh setup.sh --lavapipe` installs it");
        let outcome = measure(device);
        assert_eq!(outcome.status, Status::Measured, "{:?}", outcome.reason);
        assert!(outcome.cases.iter().all(|case| case.verified));
        let times = ["t_line", "t_issue"].map(|id| outcome.number(id).expect("it is measured"));
        assert!(times.iter().all(|time| (1e-10..1e-5).contains(time)), "{times:?}");
    }
}
