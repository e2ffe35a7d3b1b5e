//! `select`: whether to branch, or to run both sides and select.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::kernels::select::{ArmSize, Select, Way};
use crate::laws::divergence::at_least_one;
use crate::laws::speculation::Costs;
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record::{self, Value};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "select",
    idea: Idea::Uniformity,
    law: "branch: T = t_b + Σ P(arm j is taken in a subgroup)·T_j; select: T = t_s + Σ T_j",
    about: "where running both sides of a branch pays, and what the compiler did by itself",
    plan,
};

/// Words of 32 choices each.
const WORDS: u32 = 1024;
/// Draws from which the one nearest its expectation is taken.
const DRAWS: usize = 64;
/// Choices in a lane where subgroups take both arms; twice as many where they take about one.
const CHOICES: u32 = 32;
/// Of arms so short that choices are all there is.
const SHORT_CHOICES: u32 = 512;
/// A branch that costs this share of its divergent self with all lanes agreed has saved nothing: it is a
/// select. Two arms alike would save half of what they take.
const SAVES_NOTHING: f64 = 0.93;

/// What a branch has become that costs the same however lanes choose.
const BOTH_SIDES: &str = "both sides, as a select";

/// The choices of lanes by probability, each drawn once for all cases that want it.
struct Words {
    width: u32,
    seed: u64,
    drawn: BTreeMap<u64, Arc<[u32]>>,
}

impl Words {
    fn new(width: u32, seed: u64) -> Self {
        Self { width, seed, drawn: BTreeMap::new() }
    }

    fn of(&mut self, q: f64) -> Arc<[u32]> {
        let draw = || draw(q, self.width, self.seed);
        Arc::clone(self.drawn.entry(q.to_bits()).or_insert_with(draw))
    }
}

/// Bits that are 1 with probability `q`: of many draws the one whose subgroups take the arms most nearly
/// as often as expected, since a span holds few subgroups.
fn draw(q: f64, width: u32, seed: u64) -> Arc<[u32]> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ q.to_bits());
    let wide = f64::from(width);
    let miss = |words: &Arc<[u32]>| {
        let subgroups = words.chunks(width as usize);
        let all = f64::from(32 * WORDS / width);
        let taken = |bits: fn(&[u32]) -> u32| {
            f64::from(subgroups.clone().map(|words| bits(words).count_ones()).sum::<u32>()) / all
        };
        let one = taken(|words| words.iter().fold(0, |any, word| any | word));
        let zero = taken(|words| words.iter().fold(0, |any, word| any | !word));
        (one - at_least_one(q, wide)).abs() + (zero - at_least_one(1.0 - q, wide)).abs()
    };
    let mut one = || -> Arc<[u32]> {
        let mut word = || (0..32).fold(0, |word, _| word << 1 | u32::from(rng.random_bool(q)));
        (0..WORDS).map(|_| word()).collect()
    };
    let draws: Vec<_> = (0..DRAWS).map(|_| one()).collect();
    draws.into_iter().min_by(|a, b| miss(a).total_cmp(&miss(b))).expect("there are draws")
}

/// A case and how often each of its lanes chooses.
#[derive(Clone, Copy)]
struct Chosen {
    case: CaseId,
    floor: CaseId,
    choices: u32,
}

impl Chosen {
    /// Seconds per choice of a workgroup.
    fn cost(self, spans: &Spans<'_>) -> f64 {
        spans.unit_above(self.case, self.floor) / f64::from(self.choices)
    }
}

/// What cases have in common whose spans are of one scale.
struct Group<'a> {
    name: String,
    words: &'a mut Words,
}

impl Group<'_> {
    fn add(
        &mut self,
        plan: &mut Plan,
        name: &str,
        (way, arms): (Way, ArmSize),
        choices: u32,
        q: f64,
    ) -> CaseId {
        let lanes = self.words.width.max(64);
        let sizing =
            Sizing::Shared { group: self.name.clone(), granule: WORDS / lanes, most: 16_384 };
        let (words, seed) = (self.words.of(q), self.words.seed as u32);
        plan.case(format!("{}.{name}", self.name), sizing, move |workgroups| {
            let words = Arc::clone(&words);
            Select { way, arms, lanes, workgroups, choices, words, seed }.workload()
        })
    }

    /// What surrounds the choices.
    fn floor(&mut self, plan: &mut Plan) -> CaseId {
        self.add(plan, "floor", (Way::Branch, ArmSize::Short), 0, 0.0)
    }
}

/// Everything about arms of one length.
struct Arms {
    /// By divergence probability, from 0 to 1.
    branches: Vec<(f64, Chosen)>,
    selects: Vec<(f64, Chosen)>,
    /// Choosing with arms of no trips, by branch and by select.
    empty: [Chosen; 2],
    /// A select of which only the one arm, or only the other, has trips.
    halves: [Chosen; 2],
    width: f64,
}

impl Arms {
    fn add(plan: &mut Plan, words: &mut Words, trips: u32, dense: bool) -> Self {
        let long = ArmSize::Long { trips: [trips; 2] };
        let none = ArmSize::Long { trips: [0; 2] };
        let halves = [[trips, 0], [0, trips]];
        let wide = f64::from(words.width);
        let mut group = Group { name: format!("{trips}_trips"), words };
        let floor = group.floor(plan);
        let mut chosen = |name: &str, what: (Way, ArmSize), choices: u32, q: f64| Chosen {
            case: group.add(plan, name, what, choices, q),
            floor,
            choices,
        };
        let mut sweep = vec![0.0, 0.5 / wide, 1.0 / wide, 0.5, 1.0];
        if dense {
            sweep.extend([0.25 / wide, 2.0 / wide, 1.0 - 1.0 / wide]);
        }
        sweep.sort_by(f64::total_cmp);
        sweep.dedup();
        let both = CHOICES;
        let branches = sweep.into_iter().map(|q| {
            let arms_run = at_least_one(q, wide) + at_least_one(1.0 - q, wide);
            let choices = if arms_run < 1.5 { 2 * both } else { both };
            (q, chosen(&format!("branch.{q}"), (Way::Branch, long), choices, q))
        });
        let branches: Vec<_> = branches.collect();
        let mut selected = vec![1.0 / wide, 0.5];
        selected.dedup();
        let selects = selected
            .into_iter()
            .map(|q| (q, chosen(&format!("select.{q}"), (Way::Select, long), both, q)));
        Self {
            branches,
            selects: selects.collect(),
            empty: [
                chosen("branch.empty", (Way::Branch, none), 2 * both, 0.0),
                chosen("select.empty", (Way::Select, none), 2 * both, 0.0),
            ],
            halves: [0, 1].map(|arm| {
                let half = ArmSize::Long { trips: halves[arm] };
                // The lanes want the arm that runs, so that it is verified.
                chosen(&format!("select.only_{arm}"), (Way::Select, half), 2 * both, arm as f64)
            }),
            width: wide,
        }
    }

    /// What the law is told: each arm and each way of choosing, timed apart.
    fn costs(&self, spans: &Spans<'_>) -> Costs {
        let [branch_s, select_s] = self.empty.map(|case| case.cost(spans));
        let ends = [self.branches[0], self.branches[self.branches.len() - 1]];
        Costs {
            branch_s,
            select_s,
            branched_s: ends.map(|(_, end)| end.cost(spans) - branch_s),
            straight_s: self.halves.map(|half| half.cost(spans) - select_s),
        }
    }

    fn select_s(&self, spans: &Spans<'_>) -> f64 {
        let costs = self.selects.iter().map(|(_, case)| case.cost(spans));
        costs.sum::<f64>() / self.selects.len() as f64
    }

    /// The select's cost over the branch's where half of the lanes go either way: what there is to win.
    fn at_half(&self, spans: &Spans<'_>) -> f64 {
        let half = self.branches.iter().find(|(q, _)| *q == 0.5);
        half.map_or(f64::NAN, |(_, branch)| self.select_s(spans) / branch.cost(spans))
    }

    /// Where the measured branch first costs what the measured select does, up to q = 1/2; NaN where it
    /// never does. Between two measured points the cost grows with the share of subgroups that take arm 1.
    fn crossover(&self, spans: &Spans<'_>) -> f64 {
        let select_s = self.select_s(spans);
        let points: Vec<(f64, f64)> = self
            .branches
            .iter()
            .filter(|(q, _)| *q <= 0.5)
            .map(|&(q, case)| (at_least_one(q, self.width), case.cost(spans)))
            .collect();
        if points[0].1 >= select_s {
            return 0.0;
        }
        let crossed = points.windows(2).find(|pair| pair[1].1 >= select_s);
        crossed.map_or(f64::NAN, |pair| {
            let [(p0, t0), (p1, t1)] = [pair[0], pair[1]];
            let share = p0 + (p1 - p0) * (select_s - t0) / (t1 - t0);
            1.0 - (1.0 - share).powf(1.0 / self.width)
        })
    }
}

/// Arms of a few operations, which the compiler may have turned into a select.
struct Short {
    agreed: Chosen,
    divergent: Chosen,
    select: Chosen,
}

impl Short {
    fn add(plan: &mut Plan, words: &mut Words) -> Self {
        let mut group = Group { name: "short".to_owned(), words };
        let floor = group.floor(plan);
        let mut chosen = |name: &str, way: Way, q: f64| Chosen {
            case: group.add(plan, name, (way, ArmSize::Short), SHORT_CHOICES, q),
            floor,
            choices: SHORT_CHOICES,
        };
        Self {
            agreed: chosen("branch.0", Way::Branch, 0.0),
            divergent: chosen("branch.0.5", Way::Branch, 0.5),
            select: chosen("select.0.5", Way::Select, 0.5),
        }
    }

    /// What agreement leaves of a divergent branch's cost: 1 where a select runs both arms whatever lanes
    /// want.
    fn agreed_share(&self, spans: &Spans<'_>) -> f64 {
        self.agreed.cost(spans) / self.divergent.cost(spans)
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    if !width.is_power_of_two() || width < 2 {
        return Err(Unsupported(format!("{width} lanes cannot diverge in halves")));
    }
    let mut plan = Plan::default();
    let mut words = Words::new(width, context.seed);
    let dense = context.profile.dense;
    let lengths: &[u32] = if dense { &[64, 256] } else { &[64] };
    for &trips in lengths {
        let arms = Rc::new(Arms::add(&mut plan, &mut words, trips, dense));
        add_points(&mut plan, &arms, trips);
    }
    let short = Rc::new(Short::add(&mut plan, &mut words));
    let (share, select) = (Rc::clone(&short), Rc::clone(&short));
    plan.finding("short_branch_runs", "", move |spans| {
        let share = short.agreed_share(spans);
        let word = if share > SAVES_NOTHING { BOTH_SIDES } else { "a branch" };
        share.is_finite().then(|| Value::Text(word.to_owned()))
    });
    plan.figure("short_branch_agreed_share", "", move |spans| share.agreed_share(spans));
    plan.figure("short_branch_over_select", "x", move |spans| {
        select.divergent.cost(spans) / select.select.cost(spans)
    });
    plan.diagnose(diagnose);
    Ok(plan)
}

fn add_points(plan: &mut Plan, arms: &Rc<Arms>, trips: u32) {
    let point = |series: String, q: f64, case: Chosen, predicted: fn(Costs, f64, f64) -> f64| {
        let law = Rc::clone(arms);
        PointSpec {
            series,
            x: ("share of lanes in arm 1", q, ""),
            unit: "s",
            measured: Box::new(move |spans| case.cost(spans)),
            predicted: Box::new(move |spans| predicted(law.costs(spans), q, law.width)),
            // The ends calibrate the arms: shown, and no evidence for the law.
            claimed: q > 0.0 && q < 1.0,
        }
    };
    for &(q, case) in &arms.branches {
        let series = format!("branch, arms of {trips} trips");
        plan.point(point(series, q, case, Costs::branch_time));
    }
    for &(q, case) in &arms.selects {
        let series = format!("select, arms of {trips} trips");
        plan.point(point(series, q, case, |costs, _, _| costs.select_time()));
    }
    let mut parameter = |name: &str, read: fn(Costs) -> f64| {
        let arms = Rc::clone(arms);
        plan.parameter(format!("{name}.{trips}_trips"), "s", move |spans| read(arms.costs(spans)));
    };
    parameter("t_branch", |costs| costs.branch_s);
    parameter("t_select", |costs| costs.select_s);
    parameter("t_arm_0", |costs| costs.branched_s[0]);
    parameter("t_arm_1", |costs| costs.branched_s[1]);
    parameter("t_straight_0", |costs| costs.straight_s[0]);
    parameter("t_straight_1", |costs| costs.straight_s[1]);
    let (law, own, half) = (Rc::clone(arms), Rc::clone(arms), Rc::clone(arms));
    plan.figure(format!("select_over_branch_at_half.{trips}_trips"), "x", move |spans| {
        half.at_half(spans)
    });
    plan.figure(format!("crossover_predicted.{trips}_trips"), "", move |spans| {
        law.costs(spans).selecting_pays(law.width).map_or(f64::NAN, |[from, _]| from)
    });
    plan.figure(format!("crossover_measured.{trips}_trips"), "", move |spans| own.crossover(spans));
}

fn diagnose(outcome: &record::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    if let Some(Value::Text(word)) = outcome.finding("short_branch_runs").map(|f| &f.value) {
        let times = outcome.number("short_branch_over_select").map_or(String::new(), |times| {
            format!(", in {times:.1} times the time of a select written out")
        });
        text.push(if word == BOTH_SIDES {
            format!(
                "a branch between arms of four operations costs the same whether lanes agree or not: compiled, it \
                 runs both sides as a select does{times}"
            )
        } else {
            "a branch between arms of four operations is cheaper where lanes agree: it is a branch still"
                .to_owned()
        });
    }
    for finding in outcome.parameters.iter().filter_map(|p| p.name.strip_prefix("t_branch.")) {
        let never = |how: &str| outcome.finding(&format!("crossover_{how}.{finding}")).is_none();
        // A crossover that could not be measured is none, too.
        let dearer = outcome
            .number(&format!("select_over_branch_at_half.{finding}"))
            .is_some_and(|x| x > 1.0);
        if dearer && never("predicted") && never("measured") {
            text.push(format!(
                "arms of {}: the branch stays cheaper than the select at every divergence",
                finding.replace('_', " ")
            ));
        }
    }
    let off = |series: &str, over: bool| {
        outcome.points.iter().any(|p| p.claimed && p.series.starts_with(series) && p.deviates(over))
    };
    if off("branch", true) {
        text.push(
            "divergent branches cost more than the arms that subgroups take: diverging itself has a price, or \
             lockstep is wider than said"
                .to_owned(),
        );
    }
    if off("branch", false) {
        text.push(
            "divergent branches cost less than the arms that subgroups take: lockstep is narrower than said, \
             or arms were merged"
                .to_owned(),
        );
    }
    if off("select", false) {
        text.push("both arms cost less together than one after the other: they overlap".to_owned());
    }
    if off("select", true) {
        text.push(
            "both arms cost more together than one after the other: they compete for registers or cache"
                .to_owned(),
        );
    }
    text
}
