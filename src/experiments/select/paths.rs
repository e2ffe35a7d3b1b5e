//! The cases of `select`, and the costs of branches and selects that follow from the cases.

use super::kernel::{PathSize, Select, Way};
use super::law::{Costs, branch_time, select_time};
use super::words::{WORDS, Words};
use crate::bench::{CaseId, Expr, Plan, Sizing};
use crate::experiments::divergence::law::at_least_one;
use crate::gpu::Workload;

/// Choices per invocation in cases whose subgroups take both paths. Cases whose subgroups take about one path
/// make twice this number.
const CHOICES: u32 = 32;
/// Choices per invocation in cases of short paths, which have almost no work apart from the choices.
const SHORT_CHOICES: u32 = 512;

/// Cases that share one scale and one floor case.
struct Group<'a> {
    /// Name of the sizing group, and prefix of the case ids.
    name: String,
    words: &'a mut Words,
    /// Floor case, without choices.
    floor: CaseId,
}

impl<'a> Group<'a> {
    /// Adds the floor case of the group.
    fn new(plan: &mut Plan, name: String, words: &'a mut Words) -> Self {
        let floor = add(plan, &name, "floor", words, (Way::Branch, PathSize::Short), 0, 0.0);
        Self { name, words, floor }
    }

    /// Adds a case and returns the seconds of a workgroup per choice.
    fn cost(
        &mut self,
        plan: &mut Plan,
        name: &str,
        kernel: (Way, PathSize),
        choices: u32,
        q: f64,
    ) -> Expr {
        let case = add(plan, &self.name, name, self.words, kernel, choices, q);
        case.per_unit_above(self.floor) / f64::from(choices)
    }
}

/// Returns the invocations per workgroup for subgroups of `width` lanes.
fn workgroup_size(width: u32) -> u32 {
    width.next_power_of_two().max(64)
}

/// Returns a workload of the kernel without choices, to see its subgroup size.
pub(super) fn probe(width: u32) -> Workload {
    let (way, paths) = (Way::Branch, PathSize::Long { iterations: [0; 2] });
    let workgroup_size = workgroup_size(width);
    let words = vec![0; workgroup_size as usize].into();
    Select { way, paths, workgroup_size, workgroups: 1, choices: 0, words, seed: 0 }.workload()
}

/// Adds a case, or a floor case if `choices` is zero.
fn add(
    plan: &mut Plan,
    group: &str,
    name: &str,
    words: &mut Words,
    (way, paths): (Way, PathSize),
    choices: u32,
    q: f64,
) -> CaseId {
    let workgroup_size = workgroup_size(words.width);
    let granule = WORDS / workgroup_size;
    let sizing = Sizing::Shared { group: group.to_owned(), granule, most: 16_384 };
    let (words, seed) = (words.of(q), words.seed as u32);
    let kernel = Select { way, paths, workgroup_size, workgroups: 0, choices, words, seed };
    let build = move |workgroups| Select { workgroups, ..kernel.clone() }.workload();
    let id = format!("{group}.{name}");
    if choices == 0 { plan.floor(id, sizing, build) } else { plan.case(id, sizing, build) }
}

/// Costs of paths of one length, in seconds of a workgroup per choice.
pub(super) struct Paths {
    /// Cost of the branch by divergence probability, in ascending order from 0 to 1.
    pub(super) branches: Vec<(f64, Expr)>,
    /// Cost of the select by divergence probability.
    pub(super) selects: Vec<(f64, Expr)>,
    /// Cost to choose by branch, with paths of zero iterations.
    pub(super) branch: Expr,
    /// Cost to choose by select, with paths of zero iterations.
    pub(super) select: Expr,
    /// Costs of path 0 and path 1 under a branch.
    pub(super) branched: [Expr; 2],
    /// Costs of path 0 and path 1 without a branch.
    pub(super) straight: [Expr; 2],
    /// Lanes per subgroup.
    width: f64,
}

impl Paths {
    /// Adds the cases whose paths are loops of `iterations` iterations.
    pub(super) fn add(plan: &mut Plan, words: &mut Words, iterations: u32, dense: bool) -> Self {
        let long = PathSize::Long { iterations: [iterations; 2] };
        let none = PathSize::Long { iterations: [0; 2] };
        let halves = [[iterations, 0], [0, iterations]];
        let wide = f64::from(words.width);
        let mut group = Group::new(plan, format!("{iterations}_trips"), words);
        let mut cost = |name: &str, kernel: (Way, PathSize), choices: u32, q: f64| {
            group.cost(plan, name, kernel, choices, q)
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
        // Each way to choose and each path, timed alone, calibrates the law.
        let branch = cost("branch.empty", (Way::Branch, none), 2 * both, 0.0);
        let select = cost("select.empty", (Way::Select, none), 2 * both, 0.0);
        let straight = [0, 1].map(|path| {
            let half = PathSize::Long { iterations: halves[path] };
            // All lanes choose the path with iterations, so that the CPU reference verifies that path.
            let half =
                cost(&format!("select.only_{path}"), (Way::Select, half), 2 * both, path as f64);
            half - &select
        });
        let ends = [&branches[0], &branches[branches.len() - 1]];
        let branched = ends.map(|(_, end)| end - &branch);
        Self { branches, selects, branch, select, branched, straight, width: wide }
    }

    /// Returns the cost of the branch that the law predicts.
    pub(super) fn branch_time(&self, q: f64) -> Expr {
        let ([zero, one], width) = (self.branched.clone(), self.width);
        Expr::call("branch_time", [self.branch.clone(), zero, one], move |[branch_s, zero, one]| {
            branch_time(branch_s, [zero, one], q, width)
        })
    }

    /// Returns the cost of the select that the law predicts.
    pub(super) fn select_time(&self) -> Expr {
        let [zero, one] = self.straight.clone();
        Expr::call("select_time", [self.select.clone(), zero, one], |[select_s, zero, one]| {
            select_time(select_s, [zero, one])
        })
    }

    /// Returns the mean measured cost of the select.
    fn mean_select(&self) -> Expr {
        let costs = self.selects.iter().map(|(_, cost)| cost.clone());
        Expr::sum(costs) / self.selects.len() as f64
    }

    /// Returns the measured cost of the select over that of the branch, with half of the lanes on each path.
    /// The ratio shows the possible gain of a select.
    pub(super) fn at_half(&self) -> Expr {
        let half = self.branches.iter().find(|(q, _)| *q == 0.5);
        let (_, branch) = half.expect("the sweep contains q = 0.5");
        self.mean_select() / branch
    }

    /// Returns the predicted divergence probability from which a select pays, or NaN if it never does.
    pub(super) fn crossover_predicted(&self) -> Expr {
        let ([b0, b1], [s0, s1]) = (self.branched.clone(), self.straight.clone());
        let costs = [self.branch.clone(), self.select.clone(), b0, b1, s0, s1];
        let width = self.width;
        Expr::call("selecting_pays", costs, move |[branch_s, select_s, b0, b1, s0, s1]| {
            let costs = Costs { branch_s, select_s, branched_s: [b0, b1], straight_s: [s0, s1] };
            costs.selecting_pays(width).map_or(f64::NAN, |[from, _]| from)
        })
    }

    /// Returns the smallest divergence probability up to 1/2 at which the measured branch costs the same as
    /// the measured select, or NaN if there is none. Between two measured points, the cost is interpolated
    /// linearly in the share of subgroups that take path 1, because the cost grows with that share.
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

/// Returns the divergence probability at which `costs` first reach `select_s`: 0 if the first cost does, and
/// NaN if no cost does. `shares` are the shares of subgroups that take path 1, one per cost.
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

/// Ratios for paths of four operations, whose branch the compiler may have turned into a select.
pub(super) struct Short {
    /// Cost of the branch with all lanes on path 0 over its cost with divergent lanes. The ratio is 1 if the
    /// compiled code always runs both paths.
    pub(super) agreed_share: Expr,
    /// Cost of the branch with divergent lanes over the cost of an explicit select.
    pub(super) over_select: Expr,
}

impl Short {
    /// Adds the cases of the short paths.
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
    fn the_crossing_is_interpolated_between_costs() {
        // With one lane per subgroup, the share of subgroups equals q.
        let at = |select_s, costs: &[f64]| crossing(select_s, &[0.0, 0.25, 0.5], costs, 1.0);
        assert_eq!(at(3.0, &[4.0, 5.0, 6.0]), 0.0);
        assert_eq!(at(4.5, &[4.0, 5.0, 6.0]), 0.125);
        assert_eq!(at(6.0, &[4.0, 5.0, 6.0]), 0.5);
        assert!(at(7.0, &[4.0, 5.0, 6.0]).is_nan());
        assert!(at(f64::NAN, &[4.0, 5.0, 6.0]).is_nan());
        assert!(at(5.5, &[4.0, f64::NAN, 6.0]).is_nan());
    }
}
