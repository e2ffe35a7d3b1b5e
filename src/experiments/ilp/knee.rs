//! Constants and a helper for sweeps in which concurrency hides a latency up to a knee. `ilp` and `occupancy`
//! use them.

use crate::model;

/// Ratio to the shortest time up to which the latency counts as hidden.
pub(crate) const NEAR: f64 = 1.1;
/// Share of the largest value in the sweep. If the knee is beyond this share, the sweep has no plateau that
/// shows the shortest time.
pub(crate) const STILL_FALLING: f64 = 0.8;

/// Returns the x values of the points of `series` that deviate.
///
/// `over` selects points above (`true`) or below (`false`) their prediction. `near` selects points within a
/// factor of two of `knee` (`true`) or all others (`false`).
pub(crate) fn deviating(
    outcome: &model::Experiment,
    series: &str,
    knee: f64,
    near: bool,
    over: bool,
) -> Vec<f64> {
    let here = |p: &&model::Point| {
        p.series == series
            && p.deviates(over)
            && (p.x.value >= knee / 2.0 && p.x.value <= knee * 2.0) == near
    };
    outcome.points.iter().filter(here).map(|p| p.x.value).collect()
}
