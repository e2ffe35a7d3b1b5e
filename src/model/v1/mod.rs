//! Reader of records of version 1.
//!
//! These records contain no labels of their figures, so a frozen table supplies the labels.

mod labels;
mod words;

pub(super) use words::translate;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::Deserialize;

use super::{
    Adapter, Better, Case, Category, Clock, Control, Costs, Curve, Experiment, Interval, Machine,
    Metric, Over, Point, Record, Schema, Search, Status, StoppedBy, Tool, Verdict, nanoseconds,
    point::usual_confidence,
};

/// Former ids of experiments, each with the present id.
pub const ALIASES: &[(&str, &str)] = &[("ladder", "batching")];

#[derive(Deserialize)]
struct OldRecord {
    tool: Tool,
    started_at: String,
    duration_s: f64,
    seed: u64,
    machine: Machine,
    adapter: Adapter,
    clock: Clock,
    experiments: Vec<OldExperiment>,
    cases: Vec<OldCase>,
}

#[derive(Deserialize)]
struct OldExperiment {
    id: String,
    idea: Category,
    law: String,
    status: Status,
    reason: Option<String>,
    verdict: Option<Verdict>,
    stopped_by: Option<StoppedBy>,
    #[serde(default)]
    rounds: u32,
    #[serde(default)]
    duration_s: f64,
    costs: Option<Costs>,
    tolerance: Option<f64>,
    #[serde(default)]
    searches: Vec<Search>,
    #[serde(default)]
    parameters: Vec<OldParameter>,
    #[serde(default)]
    findings: Vec<OldFinding>,
    #[serde(default)]
    points: Vec<Point>,
    #[serde(default)]
    controls: Vec<Control>,
    #[serde(default)]
    diagnosis: Vec<String>,
}

#[derive(Deserialize)]
struct OldParameter {
    name: String,
    value: f64,
    unit: String,
    ci: Option<Interval>,
    reach: Option<Interval>,
}

#[derive(Deserialize)]
struct OldFinding {
    name: String,
    value: OldValue,
    unit: String,
    ci: Option<Interval>,
    reach: Option<Interval>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OldValue {
    Number(f64),
    Text(String),
}

#[derive(Deserialize)]
struct OldCase {
    id: String,
    #[serde(deserialize_with = "nanoseconds::deserialize_seconds")]
    samples_s: Vec<Option<f64>>,
    verified: bool,
    #[serde(default)]
    scale: u32,
    failure: Option<String>,
}

/// Parses a record of version 1 and converts it to the present version.
pub(super) fn parse(bytes: &[u8]) -> Result<Record, serde_json::Error> {
    let old: OldRecord = serde_json::from_slice(bytes)?;
    let mut cases: HashMap<String, Vec<OldCase>> = HashMap::new();
    for case in old.cases {
        let experiment = case.id.split_once('.').map_or("", |(experiment, _)| experiment);
        cases.entry(experiment.to_owned()).or_default().push(case);
    }
    let experiments = old.experiments.into_iter().map(|experiment| {
        let own = cases.remove(&experiment.id).unwrap_or_default();
        experiment.today(own)
    });
    let experiments = experiments.collect();
    Ok(Record {
        schema: Schema::current(),
        tool: old.tool,
        started_at: old.started_at,
        duration_s: old.duration_s,
        seed: old.seed,
        machine: old.machine,
        adapter: old.adapter,
        clock: old.clock,
        ranks: None,
        experiments,
    })
}

impl OldExperiment {
    /// Converts the experiment to the present version.
    fn today(self, cases: Vec<OldCase>) -> Experiment {
        let alias = ALIASES.iter().find(|(old, _)| *old == self.id);
        let id = alias.map_or(self.id.clone(), |(_, present)| (*present).to_owned());
        let local = |case: &str| case.split_once('.').map_or(case, |(_, local)| local).to_owned();
        let parameters =
            self.parameters.into_iter().map(|OldParameter { name, value, unit, ci, reach }| {
                OldFinding { name, value: OldValue::Number(value), unit, ci, reach }
            });
        let metrics = parameters.chain(self.findings).map(|finding| finding.today(&id));
        let mut metrics: Vec<Metric> = metrics.collect();
        metrics.sort_by_key(|metric| labels::place(&id, &metric.id));
        let mut points = self.points;
        for trace in points.iter_mut().filter_map(|point| point.trace.as_mut()) {
            trace.case = local(&trace.case);
        }
        points.extend(best_rates(&id, &points));
        let case = |case: OldCase| Case {
            id: local(&case.id),
            verified: case.verified,
            scale: case.scale,
            failure: case.failure,
            rounds: Vec::new(),
            samples_s: case.samples_s,
            subgroup_sizes: Vec::new(),
        };
        Experiment {
            category: self.idea,
            workers: None,
            width: None,
            states: None,
            other_load: None,
            law: self.law,
            status: self.status,
            reason: self.reason,
            verdict: self.verdict,
            stopped_by: self.stopped_by,
            rounds: self.rounds,
            duration_s: self.duration_s,
            costs: self.costs,
            tolerance: self.tolerance,
            tolerance_reason: None,
            searches: self.searches,
            metrics,
            curves: curves(&id),
            points,
            controls: self.controls,
            diagnosis: self.diagnosis,
            advice: Vec::new(),
            cases: cases.into_iter().map(case).collect(),
            id,
        }
    }
}

/// Beginnings of the names of figures that are shares, to which version 1 gave no unit.
const SHARES: &[&str] = &[
    "efficiency",
    "crossover_",
    "short_branch_agreed_share",
    "serial_share",
    "best_share_of_ceiling",
    "share_of_copy_ceiling",
    "hidden_share",
];

impl OldFinding {
    /// Converts a parameter or finding to a metric.
    fn today(self, experiment: &str) -> Metric {
        let is_share =
            self.unit.is_empty() && SHARES.iter().any(|share| self.name.starts_with(share));
        let found = labels::find(experiment, &self.name);
        let (label, better, headline) = found.map_or_else(
            || (self.name.replace('_', " "), by_unit(&self.unit), false),
            |(label, known)| (label, known.better, known.headline),
        );
        let (value, text) = match self.value {
            OldValue::Number(number) => (Some(number), None),
            OldValue::Text(text) => (None, Some(text)),
        };
        let (ci, spread) = (self.ci, self.reach);
        Metric {
            id: self.name,
            label,
            unit: if is_share { "%".to_owned() } else { self.unit },
            better,
            headline,
            note: String::new(),
            memory: false,
            value,
            text,
            ci,
            spread,
        }
    }
}

/// Returns the direction in which a figure improves that is not in the table: less time, or a higher rate.
fn by_unit(unit: &str) -> Better {
    match unit {
        "s" | "s/B" => Better::Lower,
        "B/s" | "GB/s" => Better::Higher,
        _ => Better::Neither,
    }
}

/// Returns the curves of an experiment, because records of version 1 contain none.
fn curves(experiment: &str) -> Vec<Curve> {
    let curve = |series: &str,
                 title: &str,
                 [y, unit]: [&str; 2],
                 over,
                 logarithmic,
                 reference: Option<&str>| {
        let [series, title, y, unit] = [series, title, y, unit].map(str::to_owned);
        vec![Curve {
            series,
            title,
            y,
            unit,
            over,
            logarithmic,
            reference: reference.map(str::to_owned),
        }]
    };
    match experiment {
        "divergence" => curve(
            "interleaved",
            "cost of a k-way branch",
            ["time relative to one path", "x"],
            Over::First,
            true,
            Some("1/η = k"),
        ),
        "lanes" => curve(
            "speed-up",
            "speed-up by active lanes",
            ["speed-up over one lane", "x"],
            Over::One,
            true,
            Some("ideal: number of active lanes"),
        ),
        "width" => curve(
            "granularity",
            "cost of two branch paths by granularity",
            ["time relative to one path", "x"],
            Over::Last,
            false,
            None,
        ),
        "amdahl" => curve(
            "f = 1, ideal workers",
            "speed-up by number of workgroups",
            ["speed-up over one workgroup", "x"],
            Over::One,
            true,
            None,
        ),
        "reduction" => curve(
            BEST,
            "fastest reduction by input size",
            ["input bandwidth", "B/s"],
            Over::Nothing,
            true,
            None,
        ),
        "contention" => curve(
            "add, in turn",
            "time of an atomic by number of counters",
            ["time per atomic", "s"],
            Over::Nothing,
            true,
            None,
        ),
        _ => Vec::new(),
    }
}

/// Series of the points of [`best_rates`].
const BEST: &str = "best u32";

/// Returns the highest read rate of all u32 reductions at each size, in bytes per second.
fn best_rates(experiment: &str, points: &[Point]) -> Vec<Point> {
    const ITEM_BYTES: f64 = 4.0;
    if experiment != "reduction" {
        return Vec::new();
    }
    let mut best: Vec<Point> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    for point in points.iter().filter(|point| point.series.ends_with(" u32")) {
        let bytes = ITEM_BYTES * point.x.value;
        let (measured, predicted) = (bytes / point.measured, bytes / point.predicted);
        match places.entry(point.x.value.to_bits()) {
            Entry::Occupied(place) => {
                let known = &mut best[*place.get()];
                known.measured = known.measured.max(measured);
                known.predicted = known.predicted.max(predicted);
                known.ratio = known.measured / known.predicted;
            }
            Entry::Vacant(place) => {
                place.insert(best.len());
                best.push(Point {
                    series: BEST.to_owned(),
                    x: point.x.clone(),
                    measured,
                    predicted,
                    unit: "B/s".to_owned(),
                    ratio: measured / predicted,
                    ratio_ci: None,
                    confidence: usual_confidence(),
                    ratio_spread: None,
                    verdict: Verdict::Inconclusive,
                    judged: false,
                    trace: None,
                });
            }
        }
    }
    best
}
