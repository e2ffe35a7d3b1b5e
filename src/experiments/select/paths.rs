//! What branch paths cost, by branch and by select: the cases of `select` and the figures that follow from them.

use super::kernel::{PathSize, Select, Way};
use super::law::{Costs, branch_time, select_time};
use super::words::{WORDS, Words};
use crate::bench::{CaseId, Expr, Plan, Sizing};
use crate::experiments::divergence::law::at_least_one;

/// Choices in a lane where subgroups take both paths; twice as many where they take about one.
const CHOICES: u32 = 32;
/// Of paths so short that choices are all there is.
const SHORT_CHOICES: u32 = 512;

/// What cases have in common whose samples are of one scale.
struct Group<'a> {
    name: String,
    words: &'a mut Words,
    /// What surrounds the choices.
    floor: CaseId,
}

impl<'a> Group<'a> {
    fn new(plan: &mut Plan, name: String, words: &'a mut Words) -> Self {
        let floor = add(plan, &name, "floor", words, (Way::Branch, PathSize::Short), 0, 0.0);
        Self { name, words, floor }
    }

    /// Seconds per choice of a workgroup, of a case of its own.
    fn cost(
        &mut self,
        plan: &mut Plan,
        name: &str,
        what: (Way, PathSize),
        choices: u32,
        q: f64,
    ) -> Expr {
        let case = add(plan, &self.name, name, self.words, what, choices, q);
        case.per_unit_above(self.floor) / f64::from(choices)
    }
}

/// A case, or the floor where nothing is chosen.
fn add(
    plan: &mut Plan,
    group: &str,
    name: &str,
    words: &mut Words,
    (way, paths): (Way, PathSize),
    choices: u32,
    q: f64,
) -> CaseId {
    let lanes = words.width.max(64);
    let sizing = Sizing::Shared { group: group.to_owned(), granule: WORDS / lanes, most: 16_384 };
    let (words, seed) = (words.of(q), words.seed as u32);
    let kernel = Select { way, paths, workgroup_size: lanes, workgroups: 0, choices, words, seed };
    let build = move |workgroups| Select { workgroups, ..kernel.clone() }.workload();
    let id = format!("{group}.{name}");
    if choices == 0 { plan.floor(id, sizing, build) } else { plan.case(id, sizing, build) }
}

/// Everything about paths of one length, in seconds per choice of a workgroup.
pub(super) struct Paths {
    /// By divergence probability, from 0 to 1.
    pub(super) branches: Vec<(f64, Expr)>,
    pub(super) selects: Vec<(f64, Expr)>,
    /// Choosing by branch, no path run.
    pub(super) branch: Expr,
    /// Choosing by select, no path run.
    pub(super) select: Expr,
    /// Path 0 and path 1 under a branch.
    pub(super) branched: [Expr; 2],
    /// Path 0 and path 1 with no branch around them.
    pub(super) straight: [Expr; 2],
    width: f64,
}

impl Paths {
    /// Adds the cases of loops of so many iterations.
    pub(super) fn add(plan: &mut Plan, words: &mut Words, iterations: u32, dense: bool) -> Self {
        let long = PathSize::Long { iterations: [iterations; 2] };
        let none = PathSize::Long { iterations: [0; 2] };
        let halves = [[iterations, 0], [0, iterations]];
        let wide = f64::from(words.width);
        let mut group = Group::new(plan, format!("{iterations}_trips"), words);
        let mut cost = |name: &str, what: (Way, PathSize), choices: u32, q: f64| {
            group.cost(plan, name, what, choices, q)
        };
        let mut sweep = vec![0.0, 0.5 / wide, 1.0 / wide, 0.5, 1.0];
        if dense {
            sweep.extend([0.25 / wide, 2.0 / wide, 1.0 - 1.0 / wide]);
        }
        sweep.sort_by(f64::total_cmp);
        sweep.dedup();
        let both = CHOICES;
        let branches = sweep.into_iter().map(|q| {
            let paths_run = at_least_one(q, wide) + at_least_one(1.0 - q, wide);
            let choices = if paths_run < 1.5 { 2 * both } else { both };
            (q, cost(&format!("branch.{q}"), (Way::Branch, long), choices, q))
        });
        let branches: Vec<_> = branches.collect();
        let mut selected = vec![1.0 / wide, 0.5];
        selected.dedup();
        let selects = selected
            .into_iter()
            .map(|q| (q, cost(&format!("select.{q}"), (Way::Select, long), both, q)));
        let selects = selects.collect();
        // Each path and each way of choosing, timed apart, is what the law is told.
        let branch = cost("branch.empty", (Way::Branch, none), 2 * both, 0.0);
        let select = cost("select.empty", (Way::Select, none), 2 * both, 0.0);
        let straight = [0, 1].map(|path| {
            let half = PathSize::Long { iterations: halves[path] };
            // The lanes want the path that runs, so that it is verified.
            let half =
                cost(&format!("select.only_{path}"), (Way::Select, half), 2 * both, path as f64);
            half - &select
        });
        let ends = [&branches[0], &branches[branches.len() - 1]];
        let branched = ends.map(|(_, end)| end - &branch);
        Self { branches, selects, branch, select, branched, straight, width: wide }
    }

    /// What the law says that a branch costs.
    pub(super) fn branch_time(&self, q: f64) -> Expr {
        let ([zero, one], width) = (self.branched.clone(), self.width);
        Expr::call("branch_time", [self.branch.clone(), zero, one], move |[branch_s, zero, one]| {
            branch_time(branch_s, [zero, one], q, width)
        })
    }

    /// What the law says that a select costs.
    pub(super) fn select_time(&self) -> Expr {
        let [zero, one] = self.straight.clone();
        Expr::call("select_time", [self.select.clone(), zero, one], |[select_s, zero, one]| {
            select_time(select_s, [zero, one])
        })
    }

    fn mean_select(&self) -> Expr {
        let costs = self.selects.iter().map(|(_, cost)| cost.clone());
        Expr::sum(costs) / self.selects.len() as f64
    }

    /// The select's cost over the branch's where half of the lanes go either way: what there is to win.
    pub(super) fn at_half(&self) -> Expr {
        let half = self.branches.iter().find(|(q, _)| *q == 0.5);
        let (_, branch) = half.expect("half of the lanes is swept");
        self.mean_select() / branch
    }

    /// From which divergence probability on selecting pays by the law; NaN where it never does.
    pub(super) fn crossover_predicted(&self) -> Expr {
        let ([b0, b1], [s0, s1]) = (self.branched.clone(), self.straight.clone());
        let costs = [self.branch.clone(), self.select.clone(), b0, b1, s0, s1];
        let width = self.width;
        Expr::call("selecting_pays", costs, move |[branch_s, select_s, b0, b1, s0, s1]| {
            let costs = Costs { branch_s, select_s, branched_s: [b0, b1], straight_s: [s0, s1] };
            costs.selecting_pays(width).map_or(f64::NAN, |[from, _]| from)
        })
    }

    /// Where the measured branch first costs what the measured select does, up to q = 1/2; NaN where it
    /// never does. Between two measured points the cost grows with the share of subgroups that take path 1.
    pub(super) fn crossover_measured(&self) -> Expr {
        let width = self.width;
        let points = self.branches.iter().filter(|(q, _)| *q <= 0.5);
        let (shares, costs): (Vec<f64>, Vec<Expr>) =
            points.map(|(q, cost)| (at_least_one(*q, width), cost.clone())).unzip();
        let select_and_branches = std::iter::once(self.mean_select()).chain(costs);
        Expr::lenient("crossing", select_and_branches, move |costs| {
            crossing(costs[0], &shares, &costs[1..], width)
        })
    }
}

/// The q at which costs that are given at `shares` of the subgroups first reach `select_s`.
fn crossing(select_s: f64, shares: &[f64], costs: &[f64], width: f64) -> f64 {
    if costs[0] >= select_s {
        return 0.0;
    }
    let crossed = (1..costs.len()).find(|&point| costs[point] >= select_s);
    crossed.map_or(f64::NAN, |point| {
        let ([p0, p1], [t0, t1]) =
            ([shares[point - 1], shares[point]], [costs[point - 1], costs[point]]);
        let share = p0 + (p1 - p0) * (select_s - t0) / (t1 - t0);
        1.0 - (1.0 - share).powf(1.0 / width)
    })
}

/// Paths of a few operations, which the compiler may have turned into a select.
pub(super) struct Short {
    /// What agreement leaves of a divergent branch's cost: 1 where a select runs both paths whatever lanes
    /// want.
    pub(super) agreed_share: Expr,
    /// The divergent branch's cost over that of a select written out.
    pub(super) over_select: Expr,
}

impl Short {
    pub(super) fn add(plan: &mut Plan, words: &mut Words) -> Self {
        let mut group = Group::new(plan, "short".to_owned(), words);
        let mut cost = |name: &str, way: Way, q: f64| {
            group.cost(plan, name, (way, PathSize::Short), SHORT_CHOICES, q)
        };
        let agreed = cost("branch.0", Way::Branch, 0.0);
        let divergent = cost("branch.0.5", Way::Branch, 0.5);
        let select = cost("select.0.5", Way::Select, 0.5);
        Self { agreed_share: agreed / &divergent, over_select: divergent / select }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crossing_lies_where_the_costs_say() {
        // One lane, so that the share of subgroups is q.
        let at = |select_s, costs: &[f64]| crossing(select_s, &[0.0, 0.25, 0.5], costs, 1.0);
        assert_eq!(at(3.0, &[4.0, 5.0, 6.0]), 0.0);
        assert_eq!(at(4.5, &[4.0, 5.0, 6.0]), 0.125);
        assert_eq!(at(6.0, &[4.0, 5.0, 6.0]), 0.5);
        assert!(at(7.0, &[4.0, 5.0, 6.0]).is_nan());
        assert!(at(f64::NAN, &[4.0, 5.0, 6.0]).is_nan());
        assert!(at(5.5, &[4.0, f64::NAN, 6.0]).is_nan());
    }
}
