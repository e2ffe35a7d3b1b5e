//! Diagnosis: which calibration the law needs, and where it deviates.

use super::swept::{BY_PING_PONG, RING};
use crate::model::{self, figures};

/// Number of bytes from which messages count as long.
const LONG: f64 = 65_536.0;

/// Ratio of the medians of two calibrations from which one is clearly better.
const BETTER: f64 = 2.0;

/// Difference from a prediction below which it is as good as none.
const CLOSE: f64 = 0.01;

/// Returns the diagnosis of the experiment's result.
pub(super) fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    let median = |name: &str| {
        // The number of ranks follows the name. Other series begin with the same words.
        let is_of = |series: &str| {
            series
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let is_here = |p: &&model::Point| is_of(&p.series) && p.x.value >= LONG;
        let mut off: Vec<f64> =
            outcome.points.iter().filter(is_here).map(|p| (p.ratio - 1.0).abs()).collect();
        off.sort_by(f64::total_cmp);
        let n = off.len();
        (n > 0).then(|| (f64::midpoint(off[(n - 1) / 2], off[n / 2]), n))
    };
    if let (Some((shift, n)), Some((ping_pong, _))) = (median(RING), median(BY_PING_PONG)) {
        let finding = if outcome.tolerance.is_some_and(|most| shift.min(ping_pong) > most) {
            "Neither predicts within the tolerance."
        } else if ping_pong > BETTER * shift.max(CLOSE) {
            "So the law needs α and β of a ring shift."
        } else if shift > BETTER * ping_pong.max(CLOSE) {
            "So the law needs α and β of a ping-pong."
        } else {
            "So both calibrations predict about equally well here."
        };
        text.push(format!(
            "Rings of 64 KiB and more, median difference from the prediction over {n} sizes: {} by a ring shift, in which \
             every rank sends and receives at the same time, and {} by a ping-pong. {finding}",
            figures::quantity(shift, "%"),
            figures::quantity(ping_pong, "%")
        ));
    }
    for (over, how, cause) in [
        (
            true,
            "slower",
            "A rank that is late delays all others: check whether other programs run, and whether each rank is bound to a core of \
             its own. And arrays that fit a cache in the calibration may not fit it when messages and additions alternate.",
        ),
        (
            false,
            "faster",
            "Messages of one all-reduce may overlap with those of the next one, or parts that a rank has just added are \
             still in its cache.",
        ),
    ] {
        let found: Vec<&model::Point> =
            outcome.judged().filter(|point| point.deviates(over)).collect();
        let worst = found.iter().max_by(|a, b| a.residual().total_cmp(&b.residual()));
        if let Some(worst) = worst {
            text.push(format!(
                "{} {how} than predicted; worst: {}, {} bytes, {:.2} times the prediction. {cause}",
                figures::counted(found.len(), "all-reduce"),
                worst.series,
                worst.x.value,
                worst.ratio
            ));
        }
    }
    text
}
