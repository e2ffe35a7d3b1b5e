//! Diagnosis of `coalescing`: the likely causes of deviations.

use super::law::WORD;
use crate::model::Experiment;

/// Returns one text for each effect that the metrics and the points show.
pub(super) fn diagnose(outcome: &Experiment, is_cpu: bool) -> Vec<String> {
    let mut text = Vec::new();
    let size = |id: &str| outcome.number(id);
    match (size("line_bytes_aligned"), size("line_bytes_offset")) {
        (Some(WORD), Some(WORD)) => text.push(format!(
            "Strided loads take nearly the same time at every stride, so each lane pays for its own word. {} \
             Coalescing gains little on this device.",
            if is_cpu {
                "A CPU issues one load per lane."
            } else {
                "Either the device issues loads lane by lane, or caches serve all of them."
            }
        )),
        (Some(a), Some(b)) if a != b => text.push(format!(
            "Aligned loads show lines of {a} bytes, and loads offset by one word show lines of {b} bytes. \
             The device probably fetches neighbouring lines together. Align the data of a subgroup to the \
             larger size."
        )),
        _ => (),
    }
    let off = |series: &str, over: bool| {
        outcome.points.iter().any(|point| point.series == series && point.deviates(over))
    };
    if off("aligned", true) || off("offset by one word", true) {
        text.push(
            "Short strides cost more than the lines and sectors that they touch. Either addresses at such distances use \
             the same bank of a cache, or the device issues these loads more slowly than loads of one word. Let \
             neighbouring lanes load neighbouring words."
                .to_owned(),
        );
    }
    if off("aligned", false) || off("offset by one word", false) {
        text.push(
            "Short strides cost less than the lines and sectors that they touch. Consecutive lines are probably cheaper \
             than lines far apart, so a short stride loses less time than the law predicts."
                .to_owned(),
        );
    }
    if off("random", true) {
        text.push(
            "Random loads cost more than the lines and sectors that they touch. Loads that use the same bank of a cache \
             probably wait for one another. If the algorithm allows, sort the indices so that a subgroup \
             touches fewer lines."
                .to_owned(),
        );
    }
    if off("random", false) {
        text.push(
            "Random loads cost less than the lines and sectors that they touch. Neighbouring loads probably find their \
             lines in a cache."
                .to_owned(),
        );
    }
    text
}
