//! Diagnoses of points that deviate.

use crate::model;

/// Smallest number of items that counts as a large input.
const LARGE: u32 = 65_536;

/// Returns the diagnosis of the experiment's result.
pub(super) fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let deviating = |over: bool, large: bool| {
        let here = |p: &&model::Point| {
            p.judged && p.deviates(over) && (p.x.value >= f64::from(LARGE)) == large
        };
        let points = outcome.points.iter().filter(here);
        let mut series: Vec<&str> = points.map(|p| p.series.as_str()).collect();
        series.dedup();
        (!series.is_empty()).then(|| series.join(", "))
    };
    let mut text = Vec::new();
    if let Some(series) = deviating(false, true) {
        text.push(format!(
            "Some reductions of large inputs take less time than the sum of their parts: {series}. The \
             hardware overlaps reading with coordination."
        ));
    }
    if let Some(series) = deviating(true, true) {
        text.push(format!(
            "Some reductions of large inputs take longer than the sum of their parts: {series}. The parts \
             compete for the hardware when they run together. The metric `best_variant` names the fastest \
             reduction."
        ));
    }
    if let Some(series) = deviating(true, false) {
        text.push(format!(
            "Some reductions of fewer than {LARGE} items take longer than predicted: {series}. The latency \
             of a single workgroup dominates them, but most costs are calibrated on a full device."
        ));
    }
    if let Some(series) = deviating(false, false) {
        text.push(format!(
            "Some reductions of fewer than {LARGE} items take less time than predicted: {series}. Reading \
             and coordination overlap, or a dispatch costs less than an empty one in a sequence."
        ));
    }
    text
}
