//! Metrics in the formats of services that track benchmarks over time.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Better, Experiment, Interval, Metric, Record, Status};

/// Format of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// github-action-benchmark, tool `customSmallerIsBetter`: the metrics of which less is better.
    GithubSmaller,
    /// github-action-benchmark, tool `customBiggerIsBetter`: the metrics of which more is better.
    GithubBigger,
    /// Bencher Metric Format: all metrics with a better direction.
    Bencher,
}

/// A metric of github-action-benchmark.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    unit: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    /// Device and law, shown beside the value.
    extra: String,
}

/// A metric of Bencher.
#[derive(Debug, Serialize)]
struct Measure {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

/// Writes the metrics of the records as JSON in the format of a service.
///
/// The name of a metric is `experiment/id`, after the name of the device where there are several. Times are in
/// nanoseconds.
#[must_use]
pub fn export(records: &[Record], format: Export) -> String {
    let metrics = || records.iter().flat_map(|record| metrics(record, records.len() > 1));
    let json = match format {
        Export::Bencher => {
            let measures: BTreeMap<String, BTreeMap<String, Measure>> = metrics()
                .map(|metric| (metric.name.clone(), BTreeMap::from([metric.measure()])))
                .collect();
            serde_json::to_string_pretty(&measures)
        }
        Export::GithubSmaller | Export::GithubBigger => {
            let wanted =
                if format == Export::GithubSmaller { Better::Lower } else { Better::Higher };
            let wanted = metrics().filter(|metric| metric.metric.better == wanted);
            serde_json::to_string_pretty(&wanted.map(|metric| metric.entry()).collect::<Vec<_>>())
        }
    };
    json.expect("the metrics have only JSON types") + "\n"
}

/// A metric with its name in the export.
struct Named<'a> {
    name: String,
    device: &'a str,
    experiment: &'a Experiment,
    metric: &'a Metric,
    value: f64,
}

/// Returns the metrics of a record that have a value and a better direction.
fn metrics(record: &Record, with_device: bool) -> impl Iterator<Item = Named<'_>> {
    let device = &record.adapter.name;
    let measured = record.experiments.iter().filter(|e| e.status == Status::Measured);
    let all = measured.flat_map(|e| e.metrics.iter().map(move |metric| (e, metric)));
    all.filter(|(_, metric)| metric.better != Better::Neither).filter_map(
        move |(experiment, metric)| {
            let name = format!("{}/{}", experiment.id, metric.id);
            let name = if with_device { format!("{device}/{name}") } else { name };
            let value = metric.value.filter(|value| value.is_finite())?;
            Some(Named { name, device, experiment, metric, value })
        },
    )
}

impl Named<'_> {
    /// Returns the unit of the export and its size in units of the record.
    fn unit(&self) -> (&str, f64) {
        if self.metric.unit == "s" { ("ns", 1e-9) } else { (&self.metric.unit, 1.0) }
    }

    fn entry(&self) -> Entry {
        let (unit, size) = self.unit();
        let half = self.metric.ci.map(|Interval { lo, hi }| (hi - lo) / (2.0 * size));
        Entry {
            name: self.name.clone(),
            unit: unit.to_owned(),
            value: self.value / size,
            range: half.filter(|half| half.is_finite()).map(|half| format!("± {half:.3}")),
            extra: format!("{}: {}, {}", self.device, self.metric.label, self.experiment.law),
        }
    }

    fn measure(&self) -> (String, Measure) {
        let (unit, size) = self.unit();
        // Bencher knows these two measures, with the right direction.
        let name = match self.metric.better {
            Better::Lower if unit == "ns" => "latency".to_owned(),
            Better::Higher if unit.ends_with("/s") => "throughput".to_owned(),
            _ if unit.is_empty() => "value".to_owned(),
            _ => unit.to_owned(),
        };
        let end = |of: fn(Interval) -> f64| {
            self.metric.ci.map(of).filter(|end| end.is_finite()).map(|end| end / size)
        };
        let measure = Measure {
            value: self.value / size,
            lower_value: end(|ci| ci.lo),
            upper_value: end(|ci| ci.hi),
        };
        (name, measure)
    }
}
