//! Advice for an experiment that decides nothing: what would decide it.

use crate::model::figures::{counted, per_cent, quantity, short};
use crate::model::{Experiment, Interval, Point, StoppedBy, Verdict};
use crate::stats::judge;

/// Multiple of the time for samples beyond which more time is no advice.
const MOST_TIMES: f64 = 60.0;
/// Multiple of the time for a point that has no interval yet.
const UNKNOWN_TIMES: f64 = 4.0;
/// Multiple of the estimated time that is advised, because later looks judge by wider intervals.
const RESERVE: f64 = 2.0;
/// Number of cores that other processes may keep busy without being named as a cause.
const QUIET: f64 = 0.1;

/// Adds what would decide an experiment that decides nothing. `sampling_s` is the time that its samples took.
///
/// # Formula
/// The width of an interval falls with the square root of the number of samples. A point with the ratio r, the
/// half-width h towards an edge of the tolerance and the distance d from that edge needs (h / d)² times the samples.
pub(super) fn add_advice(sampling_s: f64, outcome: &mut Experiment) {
    let Some(tolerance) = outcome.tolerance else { return };
    if outcome.verdict != Some(Verdict::Inconclusive) {
        return;
    }
    if let Some(cores) = outcome.other_load.filter(|&cores| cores > QUIET) {
        outcome.advice.push(format!(
            "End other processes, which kept {} of the host busy, and run again.",
            quantity(cores, "cores")
        ));
    }
    // What a spread bound keeps undecided is not open: no number of samples narrows the bound. Neither is a point that
    // has no interval after sampling ended because more samples would not help.
    let is_unknown = |point: &Point| {
        point.ratio_ci.is_none() && outcome.stopped_by == Some(StoppedBy::Exhausted)
    };
    let is_open = |point: &&Point| {
        !is_unknown(point) && judge(point.ratio_ci, None, tolerance) == Verdict::Inconclusive
    };
    let open: Vec<&Point> = outcome.judged().filter(is_open).collect();
    let (decidable, hopeless): (Vec<&Point>, Vec<&Point>) =
        open.into_iter().partition(|point| RESERVE * times(point, tolerance) <= MOST_TIMES);
    let most = decidable.iter().map(|point| times(point, tolerance)).fold(0.0, f64::max);
    let mut advice = Vec::new();
    if !decidable.is_empty() {
        let needed_s = RESERVE * most * sampling_s;
        advice.push(format!(
            "Run again with `--only {} --budget {:.0}s`: sampling for about {} instead of {} would decide {}.",
            outcome.id,
            needed_s.ceil(),
            quantity(needed_s, "s"),
            quantity(sampling_s, "s"),
            counted(decidable.len(), "point"),
        ));
    }
    if let Some(point) = hopeless.first() {
        advice.push(format!(
            "More time would not decide {}, because the ratio is too near an edge of the tolerance of ±{}: for \
             example {:.3} for {}, {} = {}.",
            counted(hopeless.len(), "point"),
            per_cent(tolerance),
            point.ratio,
            point.series,
            point.x.name,
            short(point.x.value, "")
        ));
    }
    outcome.advice.extend(advice);
}

/// Returns how many times the samples of a point would decide it.
fn times(point: &Point, tolerance: f64) -> f64 {
    let Some(Interval { lo, hi }) = point.ratio_ci else { return UNKNOWN_TIMES };
    let (ratio, low, high) = (point.ratio, 1.0 - tolerance, 1.0 + tolerance);
    let needed =
        |half: f64, distance: f64| if distance > 0.0 { half / distance } else { f64::INFINITY };
    let narrower = if ratio > high {
        needed(ratio - lo, ratio - high)
    } else if ratio < low {
        needed(hi - ratio, low - ratio)
    } else {
        needed(hi - ratio, high - ratio).max(needed(ratio - lo, ratio - low))
    };
    (narrower * narrower).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Quantity;

    fn point(ratio: f64, lo: f64, hi: f64) -> Point {
        Point {
            series: "s".to_owned(),
            x: Quantity { name: "n".to_owned(), value: 4.0, unit: String::new() },
            measured: ratio,
            predicted: 1.0,
            unit: "s".to_owned(),
            ratio,
            ratio_ci: Some(Interval { lo, hi }),
            confidence: 0.97,
            ratio_spread: None,
            verdict: Verdict::Inconclusive,
            judged: true,
            trace: None,
        }
    }

    #[test]
    fn the_samples_needed_grow_with_the_square_of_the_missing_precision() {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        // 0.12 above, and the tolerance is 0.06 further up.
        assert!(near(times(&point(1.04, 0.98, 1.16), 0.10), 4.0));
        // 0.03 below, and the tolerance ends 0.02 below.
        assert!(near(times(&point(1.12, 1.09, 1.20), 0.10), 2.25));
        assert!(near(times(&point(0.80, 0.70, 0.95), 0.10), 2.25));
        assert!(times(&point(1.10, 1.05, 1.15), 0.10).is_infinite());
    }
}
