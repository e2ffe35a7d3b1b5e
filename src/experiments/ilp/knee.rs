//! What `ilp` and `occupancy` share: a latency that ever more of something hides, up to a knee.

use crate::model;

/// What takes up to this many times the least has its latency hidden.
pub(crate) const NEAR: f64 = 1.1;
/// A knee beyond this share of the most that was tried leaves no plateau to read the least from.
pub(crate) const STILL_FALLING: f64 = 0.8;

/// Where in a series points deviate, to more or to less, within a factor of two of the knee or beyond it.
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
