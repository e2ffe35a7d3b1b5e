//! `divergence`: what a k-way branch costs a subgroup.

use std::rc::Rc;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::powers_of_two;
use crate::kernels::arms::{Arms, COMPILED_ARMS};
use crate::laws::divergence::{expected_distinct, subgroup_time};
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "divergence",
    idea: Idea::Uniformity,
    law: "T = t₀ + Σ (T_j − t₀) over the distinct arms a subgroup takes; η = 1/k where t₀ is nothing",
    about: "what a k-way branch costs",
    plan,
};

/// Loop trips of an arm: enough that running it is far dearer than reaching it.
const TRIPS: u32 = 320;
/// Selectors in a random case: few enough that every span uses all of them equally often.
const RANDOM_SELECTORS: u32 = 1024;
/// Draws from which the one nearest its expectation is taken.
const DRAWS: usize = 64;

/// Which arm each lane takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Series {
    /// Lane modulo k: every subgroup takes as many arms as it can.
    Interleaved,
    /// Whole subgroups take one arm: the control, which must cost what one arm costs.
    Coherent,
    /// Each lane draws one of k.
    Random,
}

impl Series {
    const ALL: [Self; 3] = [Self::Interleaved, Self::Coherent, Self::Random];

    fn word(self) -> &'static str {
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
                // A span holds few subgroups: of many draws the most typical one stands for all.
                let expected = self.distinct(k, width);
                let miss = |draw: &Arc<[u32]>| {
                    let taken: f64 = arms_taken(draw, k, width).iter().sum();
                    (taken - expected).abs()
                };
                draws.min_by(|a, b| miss(a).total_cmp(&miss(b))).expect("there are draws")
            }
        }
    }

    /// Distinct arms in an average subgroup.
    fn distinct(self, k: u32, width: u32) -> f64 {
        match self {
            Self::Interleaved => f64::from(k.min(width)),
            Self::Coherent => 1.0,
            Self::Random => expected_distinct(f64::from(k), f64::from(width)),
        }
    }
}

/// For each of `k` arms, the share of subgroups that take it.
fn arms_taken(selectors: &[u32], k: u32, width: u32) -> Vec<f64> {
    let mut taken = vec![0.0; k as usize];
    let subgroups = selectors.chunks(width as usize);
    let each = 1.0 / subgroups.len() as f64;
    for subgroup in subgroups {
        let mut arms = subgroup.to_vec();
        arms.sort_unstable();
        arms.dedup();
        for arm in arms {
            taken[arm as usize] += each;
        }
    }
    taken
}

/// The calibration that every prediction shares: each arm alone, and reaching an arm without running it.
struct Alone {
    arms: Vec<CaseId>,
    reach: CaseId,
    floor: CaseId,
    repeats: f64,
}

impl Alone {
    /// Seconds for one workgroup to choose and run once, all lanes taking `arm`.
    fn arm(&self, spans: &Spans<'_>, arm: usize) -> f64 {
        spans.unit_above(self.arms[arm], self.floor) / self.repeats
    }

    fn reach(&self, spans: &Spans<'_>) -> f64 {
        spans.unit_above(self.reach, self.floor) / self.repeats
    }

    /// The law for subgroups that take `distinct` arms, each as often as its share in `taken`.
    fn predicted(&self, spans: &Spans<'_>, taken: &[f64], distinct: f64) -> f64 {
        let t0 = self.reach(spans);
        let arms: f64 = taken.iter().sum();
        let mean: f64 =
            taken.iter().enumerate().map(|(arm, share)| share * self.arm(spans, arm)).sum::<f64>()
                / arms;
        t0 + distinct * (subgroup_time(t0, [mean]) - t0)
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    let lanes = width.max(64);
    let most_arms = (2 * width).clamp(2, COMPILED_ARMS[1]);
    // Every case does the work of this many arms in a subgroup, by repeating what takes fewer.
    let arm_runs = width.min(most_arms).next_power_of_two();
    let sizing = Sizing::Shared { group: "arms".to_owned(), granule: 16, most: 16_384 };
    let seed = context.seed;
    let mut plan = Plan::default();

    let case = |plan: &mut Plan, id: String, repeats: u32, trips: u32, selectors: Arc<[u32]>| {
        plan.case(id, sizing.clone(), move |workgroups| {
            let selectors = Arc::clone(&selectors);
            Arms {
                lanes,
                workgroups,
                repeats,
                trips,
                arms: most_arms,
                selectors,
                seed: seed as u32,
            }
            .workload()
        })
    };
    let uniform = |arm: u32| -> Arc<[u32]> { vec![arm; lanes as usize].into() };
    let alone = Rc::new(Alone {
        arms: (0..most_arms)
            .map(|arm| case(&mut plan, format!("alone.{arm}"), arm_runs, TRIPS, uniform(arm)))
            .collect(),
        reach: case(&mut plan, "reach".to_owned(), arm_runs, 0, uniform(0)),
        floor: case(&mut plan, "floor".to_owned(), 0, TRIPS, uniform(0)),
        repeats: f64::from(arm_runs),
    });

    for series in Series::ALL {
        for k in powers_of_two(most_arms) {
            if series == Series::Random && k == 1 {
                continue; // one arm leaves nothing to draw
            }
            let distinct = series.distinct(k, width);
            let repeats = (arm_runs / (distinct.floor() as u32).next_power_of_two()).max(1);
            let selectors = series.selectors(k, width, lanes, seed);
            let taken: Rc<[f64]> = arms_taken(&selectors, k, width).into();
            let id = format!("{}.{k}", series.word());
            let measured = case(&mut plan, id, repeats, TRIPS, selectors);
            let (floor, law, shares) = (alone.floor, Rc::clone(&alone), Rc::clone(&taken));
            plan.point(PointSpec {
                series: series.word().to_owned(),
                x: ("paths", f64::from(k), ""),
                unit: "s",
                measured: Box::new(move |spans| {
                    spans.unit_above(measured, floor) / f64::from(repeats)
                }),
                predicted: Box::new(move |spans| law.predicted(spans, &shares, distinct)),
                // One path is what calibrates, measured again: shown, and no evidence for the law.
                claimed: k > 1,
            });
            if series == Series::Interleaved && [2, 4, width].contains(&k) {
                let law = Rc::clone(&alone);
                let cost = Rc::new(move |spans: &Spans<'_>| {
                    let one = law.predicted(spans, &taken, 1.0);
                    spans.unit_above(measured, floor) / f64::from(repeats) / one
                });
                let efficiency = Rc::clone(&cost);
                plan.figure(format!("cost_of_{k}_way_branch"), "x", move |spans| cost(spans));
                plan.figure(format!("efficiency.{k}"), "", move |spans| 1.0 / efficiency(spans));
            }
        }
    }

    let law = Rc::clone(&alone);
    plan.parameter("t_arm_mean", "s", move |spans| {
        (0..most_arms as usize).map(|arm| law.arm(spans, arm)).sum::<f64>() / f64::from(most_arms)
    });
    let law = Rc::clone(&alone);
    plan.parameter("t_reach", "s", move |spans| law.reach(spans));
    let law = alone;
    plan.figure("arm_spread", "x", move |spans| {
        let times = || (0..most_arms as usize).map(|arm| law.arm(spans, arm));
        times().fold(f64::NAN, f64::max) / times().fold(f64::NAN, f64::min)
    });
    plan.diagnose(move |outcome| diagnose(outcome, width));
    Ok(plan)
}

fn diagnose(outcome: &record::Experiment, width: u32) -> Vec<String> {
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
            "η > 1/k at small k: the compiler has turned arms into selects or merged them, or the \
             hardware overlaps diverged paths"
                .to_owned(),
        );
    }
    if off("interleaved", true, true) || off("interleaved", false, true) {
        text.push(
            "diverged arms cost more than each alone: their code competes for the instruction cache, \
             or reaching an arm grows with the number taken"
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
            "whole subgroups of {width} lanes pay for arms they do not take: subgroups may be wider, or \
             lanes are not packed in order"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_each_arm_once_a_subgroup() {
        assert_eq!(arms_taken(&[0, 0, 1, 1, 0, 1, 0, 1], 2, 2), [0.75, 0.75]);
    }

    #[test]
    fn a_random_draw_has_nearly_as_many_distinct_arms_as_expected() {
        for (k, width) in [(2, 4), (8, 8), (32, 16), (64, 32)] {
            let draw = Series::Random.selectors(k, width, 64, 5);
            let taken: f64 = arms_taken(&draw, k, width).iter().sum();
            let expected = Series::Random.distinct(k, width);
            assert!((taken / expected - 1.0).abs() < 0.002, "k={k} W={width}: {taken} {expected}");
        }
    }
}
