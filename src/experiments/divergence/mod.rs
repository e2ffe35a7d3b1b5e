//! `divergence`: the cost of a k-way branch.
//!
//! Each path is timed alone, with all lanes on it. A case that selects a path and runs none calibrates t₀.
//! The law then predicts branches of k paths in three patterns: neighbouring lanes on different paths, all
//! lanes of a subgroup on one path, and a random path for each lane.
//!
//! The floor case is the same launch without repeats, whose time is subtracted from the other cases.

pub mod law;
pub mod predict;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use law::{expected_distinct, time_of_paths};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::{WantedWorkers, Workload};
use crate::kernels::branch_paths::{BranchPaths, PATHS};
use crate::model::{self, About, Category, Curve, Over};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "divergence",
    category: Category::Uniformity,
    law: "T = t₀ + Σ (T_j − t₀) over the distinct paths that a subgroup takes; η = 1/k if t₀ = 0 and k ≤ W",
    about: "What does a k-way branch cost?",
    tolerance: Tolerance {
        ratio: 0.05,
        reason: "A path that is timed alone has the instruction cache and the loop entry to itself, so the \
                 sum over paths differs a little. A hidden if-conversion or a merged path changes the ratio \
                 by about 1/k, which the tolerance shows up to k = 20.",
    },
    shaders: Vec::new,
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Selectors in a random case. The number is small, so that every sample uses all selectors equally often.
const RANDOM_SELECTORS: u32 = 1024;
/// Random draws of selectors, of which the one closest to the expectation is used.
const DRAWS: usize = 64;

/// The assignment of branch paths to lanes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pattern {
    /// Each lane takes the path of its index modulo k, so every subgroup takes the largest possible number of
    /// paths.
    Interleaved,
    /// All lanes of a subgroup take one path. This control must cost the same as one path.
    Coherent,
    /// Each lane draws one of k paths at random.
    Random,
}

impl Pattern {
    const ALL: [Self; 3] = [Self::Interleaved, Self::Coherent, Self::Random];

    fn as_str(self) -> &'static str {
        match self {
            Self::Interleaved => "interleaved",
            Self::Coherent => "coherent",
            Self::Random => "random",
        }
    }

    /// Returns the path of each invocation, for at least one workgroup. The shader uses the paths cyclically.
    fn selectors(self, k: u32, width: u32, workgroup_size: u32, seed: u64) -> Arc<[u32]> {
        match self {
            Self::Interleaved => {
                (0..k.max(workgroup_size)).map(|invocation| invocation % k).collect()
            }
            Self::Coherent => {
                let count = (k * width).max(workgroup_size);
                (0..count).map(|invocation| invocation / width % k).collect()
            }
            Self::Random => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed ^ u64::from(k));
                let count = RANDOM_SELECTORS.max(workgroup_size);
                let draws = (0..DRAWS).map(|_| -> Arc<[u32]> {
                    (0..count).map(|_| rng.random_range(0..k)).collect()
                });
                // A sample has few subgroups, so a single draw may be far from the expectation.
                let expected = self.distinct(k, width);
                let miss = |draw: &Arc<[u32]>| {
                    let taken: f64 = paths_taken(draw, k, width).iter().sum();
                    (taken - expected).abs()
                };
                draws.min_by(|a, b| miss(a).total_cmp(&miss(b))).expect("`DRAWS` is positive")
            }
        }
    }

    /// Returns the mean number of distinct paths per subgroup.
    fn distinct(self, k: u32, width: u32) -> f64 {
        match self {
            Self::Interleaved => f64::from(k.min(width)),
            Self::Coherent => 1.0,
            Self::Random => expected_distinct(f64::from(k), f64::from(width)),
        }
    }
}

/// Returns, for each of the `k` paths, the share of subgroups that take the path.
fn paths_taken(selectors: &[u32], k: u32, width: u32) -> Vec<f64> {
    let mut taken = vec![0.0; k as usize];
    let subgroups = selectors.chunks(width as usize);
    let each = 1.0 / subgroups.len() as f64;
    for subgroup in subgroups {
        let mut paths = subgroup.to_vec();
        paths.sort_unstable();
        paths.dedup();
        for path in paths {
            taken[path as usize] += each;
        }
    }
    taken
}

/// The calibration of all predictions, in seconds per workgroup and repeat.
struct Alone {
    /// For each path, the time to select and run it once, with all lanes on it.
    paths: Vec<Expr>,
    /// The time to select a path and run none.
    t0: Expr,
}

impl Alone {
    /// Returns the time of subgroups that take `distinct` paths by the law. `taken` has the share of
    /// subgroups that take each path, which is the weight of the path in the mean.
    fn predicted(&self, taken: &[f64], distinct: f64) -> Expr {
        let weighted = taken.iter().zip(&self.paths).map(|(&share, path)| share * path);
        let mean = Expr::sum(weighted) / taken.iter().sum::<f64>();
        Expr::call("time_of_paths", [self.t0.clone(), mean], move |[t0, mean]| {
            time_of_paths(t0, mean, distinct)
        })
    }
}

/// How the branches are launched.
#[derive(Clone, Copy)]
struct Shape {
    /// Invocations per workgroup.
    workgroup_size: u32,
    /// The number of workgroups is a multiple of this.
    granule: u32,
    /// Largest number of workgroups.
    most_workgroups: u32,
    /// Loop iterations of a branch path, so many that running a path takes far longer than selecting it.
    iterations: u32,
}

impl Shape {
    fn of(context: &Context<'_>, width: u32) -> Self {
        if context.is_narrow() {
            return Self {
                workgroup_size: width.max(64),
                granule: 16,
                most_workgroups: 16_384,
                iterations: 320,
            };
        }
        // A GPU gives the next workgroup to whatever scheduler is free. So each workgroup is one subgroup: in a larger one,
        // the same paths could fall to the same scheduler every time. And each is short and there are many, also on a slow
        // device, so that those that end last hardly count.
        let workgroup_size = width.next_power_of_two();
        Self { workgroup_size, granule: 1024, most_workgroups: 65_535, iterations: 64 }
    }
}

/// Series of the interleaved paths, predicted from whole subgroups.
const BY_CONTROL: &str = "interleaved, predicted by coherent";

/// Returns the number of paths that the kernel has: more than any subgroup takes, as far as modules exist.
fn most_paths(width: u32) -> u32 {
    (2 * width).clamp(PATHS[0], PATHS[PATHS.len() - 1])
}

/// Returns a workload of the kernel that does nothing, to see its subgroup size.
fn probe(shape: Shape, width: u32) -> Workload {
    let workgroup_size = shape.workgroup_size;
    let selectors = vec![0; workgroup_size as usize].into();
    let (workgroups, repeats, iterations, paths) = (1, 0, 0, most_paths(width));
    BranchPaths { workgroup_size, workgroups, repeats, iterations, paths, selectors, seed: 0 }
        .workload()
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let known = context.known_width()?;
    let width = context.width_of(&probe(Shape::of(context, known), known))?;
    let shape = Shape::of(context, width);
    let Shape { workgroup_size, granule, most_workgroups, iterations: each } = shape;
    let most_paths = most_paths(width);
    // Every case runs this many paths per subgroup. A case with fewer distinct paths has more repeats.
    let path_runs = width.min(most_paths).next_power_of_two();
    let sizing = Sizing::Shared { group: "paths".to_owned(), granule, most: most_workgroups };
    let seed = context.seed;
    let branches = |repeats: u32, iterations: u32, selectors: Arc<[u32]>| {
        move |workgroups: u32| -> Workload {
            let (paths, selectors, seed) = (most_paths, Arc::clone(&selectors), seed as u32);
            BranchPaths { workgroup_size, workgroups, repeats, iterations, paths, selectors, seed }
                .workload()
        }
    };
    let mut plan = Plan::default();

    let uniform = |path: u32| -> Arc<[u32]> { vec![path; workgroup_size as usize].into() };
    let paths: Vec<CaseId> = (0..most_paths)
        .map(|path| {
            let build = branches(path_runs, each, uniform(path));
            plan.case(format!("alone.{path}"), sizing.clone(), build)
        })
        .collect();
    let t0 = plan.case("reach", sizing.clone(), branches(path_runs, 0, uniform(0)));
    let floor = plan.floor("floor", sizing.clone(), branches(0, each, uniform(0)));
    let cost = |case: CaseId, repeats: u32| case.per_unit_above(floor) / f64::from(repeats);
    let alone = Alone {
        paths: paths.into_iter().map(|path| cost(path, path_runs)).collect(),
        t0: cost(t0, path_runs),
    };

    let mut by_pattern: BTreeMap<(Pattern, u32), Expr> = BTreeMap::new();
    for pattern in Pattern::ALL {
        let series = plan.series(pattern.as_str(), ("paths", ""), "s");
        if pattern == Pattern::Interleaved {
            plan.compare_by(
                series,
                Curve::new("cost of a k-way branch", "time relative to one path", "x")
                    .over(Over::First)
                    .logarithmic()
                    .reference("1/η = k"),
            );
        }
        for k in powers_of_two(most_paths) {
            if pattern == Pattern::Random && k == 1 {
                continue; // With one path, there is nothing to draw.
            }
            let distinct = pattern.distinct(k, width);
            let repeats = (path_runs / (distinct.floor() as u32).next_power_of_two()).max(1);
            let selectors = pattern.selectors(k, width, workgroup_size, seed);
            let taken = paths_taken(&selectors, k, width);
            let id = format!("{}.{k}", pattern.as_str());
            let case = plan.case(id, sizing.clone(), branches(repeats, each, selectors));
            let measured = cost(case, repeats);
            let predicted = alone.predicted(&taken, distinct);
            if k > 1 {
                plan.judge(series, f64::from(k), &measured, predicted);
            } else {
                // A single path repeats the calibration, so this point is no evidence for the law.
                plan.show(series, f64::from(k), &measured, predicted);
            }
            if pattern == Pattern::Interleaved && [2, 4, width].contains(&k) {
                add_cost(&mut plan, k, &measured / alone.predicted(&taken, 1.0));
            }
            by_pattern.insert((pattern, k), measured);
        }
    }
    add_prediction_by_control(&mut plan, &alone.t0, &by_pattern, width);
    add_calibration(&mut plan, alone);
    plan.diagnose(move |outcome| diagnose(outcome, width));
    Ok(plan)
}

/// Adds the prediction of interleaved paths from the control: whole subgroups that take as many different paths.
///
/// Their code competes for the instruction cache too, and no lane diverges. So a cost that this predicts and that paths alone
/// do not is that of the code.
fn add_prediction_by_control(
    plan: &mut Plan,
    t0: &Expr,
    measured: &BTreeMap<(Pattern, u32), Expr>,
    width: u32,
) {
    let series = plan.series(BY_CONTROL, ("paths", ""), "s");
    for (&(pattern, k), interleaved) in measured {
        let distinct = f64::from(k.min(width));
        if let (Pattern::Interleaved, Some(control)) =
            (pattern, measured.get(&(Pattern::Coherent, k)).filter(|_| k > 1))
        {
            let of = [t0.clone(), control.clone()];
            let predicted = Expr::call("time_of_paths", of, move |[t0, path]| {
                time_of_paths(t0, path, distinct)
            });
            plan.show(series, f64::from(k), interleaved, predicted);
        }
    }
}

/// Adds the cost of a branch of `k` paths relative to one path, with neighbouring lanes on different paths.
fn add_cost(plan: &mut Plan, k: u32, over_one: Expr) {
    let efficiency = 1.0 / &over_one;
    let label =
        format!("time of a {k}-way branch over one path, neighbouring lanes on different paths");
    plan.metric(About::new(format!("cost_of_{k}_way_branch"), label, "x").headline(), over_one);
    let label = format!("SIMT efficiency η, {k}-way branch");
    plan.metric(About::new(format!("efficiency.{k}"), label, "%").higher(), efficiency);
}

/// Adds the times that calibrate the law.
fn add_calibration(plan: &mut Plan, Alone { paths, t0 }: Alone) {
    let mean = Expr::sum(paths.clone()) / paths.len() as f64;
    plan.metric(
        About::new("t_arm_mean", "time of a branch path alone, mean over paths", "s").lower(),
        mean,
    );
    let about = About::new("t_reach", "time to select a branch path, no path run", "s");
    plan.metric(about.lower(), t0);
    let spread = Expr::max_known(paths.clone()) / Expr::min_known(paths);
    plan.metric(
        About::new("arm_spread", "time of the slowest branch path over the fastest", "x"),
        spread,
    );
}

/// Returns what the control predicts of the interleaved points that take longer than their paths alone: as much as they take,
/// less, or more. `None` if they differ in this, or if the control says nothing.
fn by_control(outcome: &model::Experiment) -> Option<Ordering> {
    let control = |k: f64| {
        outcome.points.iter().find(|point| point.series == BY_CONTROL && point.x.value == k)
    };
    let mut slow = outcome
        .points
        .iter()
        .filter(|point| point.series == Pattern::Interleaved.as_str() && point.deviates(true))
        .map(|point| {
            let over = control(point.x.value)?.ratio - 1.0;
            let tolerance = EXPERIMENT.tolerance.ratio;
            Some(match over {
                over if over.abs() <= tolerance => Ordering::Equal,
                over if over > tolerance => Ordering::Less,
                _ => Ordering::Greater,
            })
        });
    let first = slow.next()??;
    slow.all(|other| other == Some(first)).then_some(first)
}

/// Returns one text for each effect that the points show.
fn diagnose(outcome: &model::Experiment, width: u32) -> Vec<String> {
    let off = |series: &str, small_k: bool, over: bool| {
        outcome.points.iter().any(|p| {
            p.series == series
                && p.deviates(over)
                && (p.x.value <= f64::from(width) / 2.0) == small_k
        })
    };
    let mut text = Vec::new();
    if off("interleaved", true, false) {
        text.push(
            "At small k, a branch costs less than its paths predict (η > 1/k). Either the compiler has \
             turned paths into selects or merged them, or the hardware overlaps diverged paths."
                .to_owned(),
        );
    }
    if off("interleaved", true, true) || off("interleaved", false, true) {
        let cause = match by_control(outcome) {
            Some(Ordering::Equal) => {
                " Whole subgroups that take as many different paths pay as much for each, so the cause is not divergence: the \
                 code of the paths competes for the instruction cache. Fewer or shorter paths reduce this."
            }
            Some(Ordering::Less) => {
                " Whole subgroups that take as many different paths pay less for each, so the cause is not the instruction cache \
                 alone. The time to select a path may grow with the number of paths taken. Branches with fewer paths reduce \
                 this."
            }
            Some(Ordering::Greater) | None => "",
        };
        text.push(format!("Diverged paths cost more than the sum of their times alone.{cause}"));
    }
    if off("interleaved", false, false) {
        text.push(format!(
            "A branch of many paths costs less than the sum of its paths. Subgroups may be narrower than \
             {width} lanes. Compare with the effective width that `width` finds by timing."
        ));
    }
    if off("coherent", true, true) || off("coherent", false, true) {
        text.push(format!(
            "Subgroups of {width} lanes that take one path also pay for other paths. Subgroups may be wider, \
             or invocations are not assigned to subgroups in order. Compare with the effective width that \
             `width` finds by timing."
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subgroup_counts_a_path_once() {
        assert_eq!(paths_taken(&[0, 0, 1, 1, 0, 1, 0, 1], 2, 2), [0.75, 0.75]);
    }

    #[test]
    fn a_random_draw_has_nearly_the_expected_number_of_distinct_paths() {
        for (k, width) in [(2, 4), (8, 8), (32, 16), (64, 32)] {
            let draw = Pattern::Random.selectors(k, width, 64, 5);
            let taken: f64 = paths_taken(&draw, k, width).iter().sum();
            let expected = Pattern::Random.distinct(k, width);
            assert!((taken / expected - 1.0).abs() < 0.002, "k={k} W={width}: {taken} {expected}");
        }
    }
}
