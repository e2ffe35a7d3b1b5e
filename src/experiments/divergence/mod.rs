//! `divergence`: what a k-way branch costs a subgroup.

pub mod law;
pub mod predict;

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use law::{expected_distinct, time_of_paths};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::Workload;
use crate::kernels::branch_paths::{BranchPaths, COMPILED_PATHS};
use crate::model::{self, About, Category, Curve, Over};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "divergence",
    category: Category::Uniformity,
    law: "T = t₀ + Σ (T_j − t₀) over the distinct arms a subgroup takes; η = 1/k where t₀ is nothing",
    about: "what a k-way branch costs",
    tolerance: Tolerance {
        ratio: 0.05,
        reason: "branch paths timed alone keep their own instruction cache and loop entry, which the sum of paths \
                 counts a little differently; a hidden if-conversion or a merged path moves the ratio by 1/k and more",
    },
    shaders: Vec::new,
    plan,
    predict: Some(&predict::LAW),
};

/// Loop iterations of a branch path: enough that running it is far dearer than reaching it.
const ITERATIONS: u32 = 320;
/// Selectors in a random case: few enough that every sample uses all of them equally often.
const RANDOM_SELECTORS: u32 = 1024;
/// Draws from which the one nearest its expectation is taken.
const DRAWS: usize = 64;

/// Which branch path each lane takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pattern {
    /// Lane modulo k: every subgroup takes as many paths as it can.
    Interleaved,
    /// Whole subgroups take one path: the control, which must cost what one path costs.
    Coherent,
    /// Each lane draws one of k.
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

    fn selectors(self, k: u32, width: u32, lanes: u32, seed: u64) -> Arc<[u32]> {
        match self {
            Self::Interleaved => (0..k.max(lanes)).map(|lane| lane % k).collect(),
            Self::Coherent => (0..(k * width).max(lanes)).map(|lane| lane / width % k).collect(),
            Self::Random => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed ^ u64::from(k));
                let count = RANDOM_SELECTORS.max(lanes);
                let draws = (0..DRAWS).map(|_| -> Arc<[u32]> {
                    (0..count).map(|_| rng.random_range(0..k)).collect()
                });
                // A sample holds few subgroups: of many draws the most typical one stands for all.
                let expected = self.distinct(k, width);
                let miss = |draw: &Arc<[u32]>| {
                    let taken: f64 = paths_taken(draw, k, width).iter().sum();
                    (taken - expected).abs()
                };
                draws.min_by(|a, b| miss(a).total_cmp(&miss(b))).expect("there are draws")
            }
        }
    }

    /// Distinct paths in an average subgroup.
    fn distinct(self, k: u32, width: u32) -> f64 {
        match self {
            Self::Interleaved => f64::from(k.min(width)),
            Self::Coherent => 1.0,
            Self::Random => expected_distinct(f64::from(k), f64::from(width)),
        }
    }
}

/// For each of `k` paths, the share of subgroups that take it.
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

/// The calibration that every prediction shares, in seconds for a workgroup.
struct Alone {
    /// To choose and run once, all lanes taking the same path, by path.
    paths: Vec<Expr>,
    /// To choose and run none.
    reach: Expr,
}

impl Alone {
    /// The law for subgroups that take `distinct` paths, each as often as its share in `taken`.
    fn predicted(&self, taken: &[f64], distinct: f64) -> Expr {
        let weighted = taken.iter().zip(&self.paths).map(|(&share, path)| share * path);
        let mean = Expr::sum(weighted) / taken.iter().sum::<f64>();
        Expr::call("time_of_paths", [self.reach.clone(), mean], move |[t0, mean]| {
            time_of_paths(t0, mean, distinct)
        })
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    let lanes = width.max(64);
    let most_paths = (2 * width).clamp(2, COMPILED_PATHS[1]);
    // Every case does the work of this many paths in a subgroup, by repeating what takes fewer.
    let path_runs = width.min(most_paths).next_power_of_two();
    let sizing = Sizing::Shared { group: "arms".to_owned(), granule: 16, most: 16_384 };
    let seed = context.seed;
    let branches = |repeats: u32, iterations: u32, selectors: Arc<[u32]>| {
        move |workgroups: u32| -> Workload {
            let (paths, selectors, seed) = (most_paths, Arc::clone(&selectors), seed as u32);
            BranchPaths {
                workgroup_size: lanes,
                workgroups,
                repeats,
                iterations,
                paths,
                selectors,
                seed,
            }
            .workload()
        }
    };
    let mut plan = Plan::default();

    let uniform = |path: u32| -> Arc<[u32]> { vec![path; lanes as usize].into() };
    let paths: Vec<CaseId> = (0..most_paths)
        .map(|path| {
            let build = branches(path_runs, ITERATIONS, uniform(path));
            plan.case(format!("alone.{path}"), sizing.clone(), build)
        })
        .collect();
    let reach = plan.case("reach", sizing.clone(), branches(path_runs, 0, uniform(0)));
    let floor = plan.floor("floor", sizing.clone(), branches(0, ITERATIONS, uniform(0)));
    let cost = |case: CaseId, repeats: u32| case.per_unit_above(floor) / f64::from(repeats);
    let alone = Alone {
        paths: paths.into_iter().map(|path| cost(path, path_runs)).collect(),
        reach: cost(reach, path_runs),
    };

    for pattern in Pattern::ALL {
        let series = plan.series(pattern.as_str(), ("paths", ""), "s");
        if pattern == Pattern::Interleaved {
            plan.compare_by(
                series,
                Curve::new("cost of a k-way branch", "time over one path's", "x")
                    .over(Over::First)
                    .logarithmic()
                    .reference("1/η = k"),
            );
        }
        for k in powers_of_two(most_paths) {
            if pattern == Pattern::Random && k == 1 {
                continue; // one path leaves nothing to draw
            }
            let distinct = pattern.distinct(k, width);
            let repeats = (path_runs / (distinct.floor() as u32).next_power_of_two()).max(1);
            let selectors = pattern.selectors(k, width, lanes, seed);
            let taken = paths_taken(&selectors, k, width);
            let id = format!("{}.{k}", pattern.as_str());
            let case = plan.case(id, sizing.clone(), branches(repeats, ITERATIONS, selectors));
            let measured = cost(case, repeats);
            let predicted = alone.predicted(&taken, distinct);
            if k > 1 {
                plan.judge(series, f64::from(k), &measured, predicted);
            } else {
                // One path is what calibrates, measured again: shown, and no evidence for the law.
                plan.show(series, f64::from(k), &measured, predicted);
            }
            if pattern == Pattern::Interleaved && [2, 4, width].contains(&k) {
                add_cost(&mut plan, k, measured / alone.predicted(&taken, 1.0));
            }
        }
    }
    add_calibration(&mut plan, alone);
    plan.diagnose(move |outcome| diagnose(outcome, width));
    Ok(plan)
}

/// Adds what a branch of `k` paths costs over one path, where neighbouring lanes take different ones.
fn add_cost(plan: &mut Plan, k: u32, over_one: Expr) {
    let efficiency = 1.0 / &over_one;
    let label = format!("{k}-way branch over one path, neighbouring lanes apart");
    plan.metric(About::new(format!("cost_of_{k}_way_branch"), label, "x").headline(), over_one);
    let label = format!("SIMT efficiency η, {k}-way branch");
    plan.metric(About::new(format!("efficiency.{k}"), label, "%").higher(), efficiency);
}

/// Adds what the paths cost alone.
fn add_calibration(plan: &mut Plan, Alone { paths, reach }: Alone) {
    let mean = Expr::sum(paths.clone()) / paths.len() as f64;
    plan.metric(About::new("t_arm_mean", "time of a branch path, mean", "s").lower(), mean);
    let about = About::new("t_reach", "time to select a branch path, none run", "s");
    plan.metric(about.lower(), reach);
    let spread = Expr::max_known(paths.clone()) / Expr::min_known(paths);
    plan.metric(About::new("arm_spread", "slowest branch path over the fastest", "x"), spread);
}

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
            "η > 1/k at small k: the compiler has turned paths into selects or merged them, or the \
             hardware overlaps diverged paths"
                .to_owned(),
        );
    }
    if off("interleaved", true, true) || off("interleaved", false, true) {
        text.push(
            "diverged paths cost more than each alone: their code competes for the instruction cache, \
             or reaching a path grows with the number taken"
                .to_owned(),
        );
    }
    if off("interleaved", false, false) {
        text.push(format!(
            "many paths cost less than their sum: subgroups may be narrower than {width} lanes"
        ));
    }
    if off("coherent", true, true) || off("coherent", false, true) {
        text.push(format!(
            "whole subgroups of {width} lanes pay for paths they do not take: subgroups may be wider, or \
             lanes are not packed in order"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_each_path_once_a_subgroup() {
        assert_eq!(paths_taken(&[0, 0, 1, 1, 0, 1, 0, 1], 2, 2), [0.75, 0.75]);
    }

    #[test]
    fn a_random_draw_has_nearly_as_many_distinct_paths_as_expected() {
        for (k, width) in [(2, 4), (8, 8), (32, 16), (64, 32)] {
            let draw = Pattern::Random.selectors(k, width, 64, 5);
            let taken: f64 = paths_taken(&draw, k, width).iter().sum();
            let expected = Pattern::Random.distinct(k, width);
            assert!((taken / expected - 1.0).abs() < 0.002, "k={k} W={width}: {taken} {expected}");
        }
    }
}
