//! What points that deviate suggest, by whether latency or bandwidth rules them.

use super::extent::FEWEST;
use crate::model;

/// β that grows by more than this from the fewest workers to more shows that they share what moves bytes.
const SHARED: f64 = 1.5;

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
            "a byte costs each of {most} workers {:.1} times what it costs each of {FEWEST}: so many share what moves \
             bytes, which separate devices would not",
            of_most / two
        ));
    }
    let of = |id: &str, p: u32| outcome.number(&format!("{id}.{p}")).or(outcome.number(id));
    let (alpha, beta) = (|p| of("alpha", p), |p| of("beta", p));
    let off = |over: bool, by_latency: bool| {
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
            p.deviates(over) && (alpha > beta * sent) == by_latency
        };
        let off: Vec<&model::Point> = outcome.points.iter().filter(here).collect();
        let worst = off.iter().max_by(|a, b| a.residual().total_cmp(&b.residual()))?;
        let points =
            if off.len() == 1 { "1 point".to_owned() } else { format!("{} points", off.len()) };
        Some(format!(
            "{points}, worst {:.2} times: {}, {} bytes",
            worst.ratio, worst.series, worst.x.value
        ))
    };
    for (over, by_latency, says) in [
        (
            true,
            true,
            "where latency rules, steps take longer than the one of a word that α is read from: a little work may wake \
             cores that next to none leaves asleep",
        ),
        (
            false,
            true,
            "where latency rules, steps take less than the one of a word that α is read from: launching one may overlap \
             with the end of the one before",
        ),
        (
            true,
            false,
            "where bandwidth rules, bytes cost more than in the stream that β is read from: they come from farther away, \
             another worker's cache or memory",
        ),
        (
            false,
            false,
            "where bandwidth rules, bytes cost less than in the stream that β is read from: a nearer cache may hold them",
        ),
    ] {
        if let Some(points) = off(over, by_latency) {
            text.push(format!("{says} ({points})"));
        }
    }
    text
}
