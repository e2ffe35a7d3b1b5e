//! What points that deviate suggest.

use crate::model;

pub(super) fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let off = |over: bool, large: bool| {
        let here =
            |p: &&model::Point| p.judged && p.deviates(over) && (p.x.value >= 65_536.0) == large;
        let points = outcome.points.iter().filter(here);
        let mut series: Vec<&str> = points.map(|p| p.series.as_str()).collect();
        series.dedup();
        (!series.is_empty()).then(|| series.join(", "))
    };
    let mut text = Vec::new();
    if let Some(series) = off(false, true) {
        text.push(format!(
            "cheaper than the sum of its parts, so the hardware overlaps them: {series}"
        ));
    }
    if let Some(series) = off(true, true) {
        text.push(format!(
            "dearer than the sum of its parts, which compete when together: {series}"
        ));
    }
    if let Some(series) = off(true, false) {
        text.push(format!(
            "at small sizes the latency of one workgroup shows, which prices at full load leave out: {series}"
        ));
    }
    if let Some(series) = off(false, false) {
        text.push(format!("at small sizes cheaper than a train of empty dispatches: {series}"));
    }
    text
}
