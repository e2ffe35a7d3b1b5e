//! Diagnoses of points that deviate, separately for latency-bound and bandwidth-bound points.

use super::extent::FEWEST;
use crate::model;

/// Growth factor of β, from the smallest to the largest number of workers, above which the diagnosis reports
/// that the workers share memory bandwidth.
const SHARED: f64 = 1.5;

/// Returns the diagnosis of the experiment's result.
pub(super) fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    let betas = outcome.metrics.iter().filter_map(|metric| {
        let workers = metric.id.strip_prefix("beta.")?.parse::<u32>().ok()?;
        Some((workers, metric.value?))
    });
    if let (Some(two), Some((most, of_most))) =
        (outcome.number("beta"), betas.max_by_key(|&(p, _)| p))
        && of_most > SHARED * two
    {
        text.push(format!(
            "The time per byte with {most} workers is {:.1} times the time with {FEWEST} workers. The \
             workers share the memory bandwidth of this device; separate devices would not. To predict \
             separate devices, use the β of {FEWEST} workers.",
            of_most / two
        ));
    }
    let of = |id: &str, p: u32| outcome.number(&format!("{id}.{p}")).or(outcome.number(id));
    let (alpha, beta) = (|p| of("alpha", p), |p| of("beta", p));
    let deviating = |over: bool, latency_bound: bool| {
        let here = |p: &&model::Point| {
            let workers = p.series.split(' ').nth(1).and_then(|p| p.parse::<u32>().ok());
            let at_once = if p.series.starts_with("naive") { Some(1) } else { workers };
            let (Some(alpha), Some(beta)) = (at_once.and_then(alpha), at_once.and_then(beta))
            else {
                return false;
            };
            let sent = if p.series.starts_with("ring") {
                p.x.value / f64::from(workers.unwrap_or(1))
            } else {
                p.x.value
            };
            p.deviates(over) && (alpha > beta * sent) == latency_bound
        };
        let found: Vec<&model::Point> = outcome.points.iter().filter(here).collect();
        let worst = found.iter().max_by(|a, b| a.residual().total_cmp(&b.residual()))?;
        let points =
            if found.len() == 1 { "1 point".to_owned() } else { format!("{} points", found.len()) };
        Some(format!(
            "{points}; worst: {}, {} bytes, {:.2} times the prediction",
            worst.series, worst.x.value, worst.ratio
        ))
    };
    for (over, latency_bound, finding, cause) in [
        (
            true,
            true,
            "Latency-bound all-reduces are slower than predicted",
            "α comes from steps of one vector. A step with a little more work may wake cores that a step of \
             one vector leaves asleep. An algorithm with fewer steps pays this cost less often.",
        ),
        (
            false,
            true,
            "Latency-bound all-reduces are faster than predicted",
            "The launch of a step may overlap with the end of the previous step, so α is an upper bound of \
             the time per step.",
        ),
        (
            true,
            false,
            "Bandwidth-bound all-reduces are slower than predicted",
            "Their bytes may come from farther away than the bytes that calibrate β: from another worker's \
             cache or from memory. Smaller messages may stay in a nearer cache.",
        ),
        (
            false,
            false,
            "Bandwidth-bound all-reduces are faster than predicted",
            "Their bytes may come from a nearer cache than the bytes that calibrate β, so β is an upper \
             bound of the time per byte.",
        ),
    ] {
        if let Some(points) = deviating(over, latency_bound) {
            text.push(format!("{finding} ({points}). {cause}"));
        }
    }
    text
}
