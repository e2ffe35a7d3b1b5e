//! Metrics of a record in the form that comparisons use.

use crate::model::{Better, DeviceType, Experiment, Interval, Metric, Record, Status, figures};

/// What other programs share with a device, on which the value of a metric depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shared {
    /// Nothing: the device is no CPU, or the metric does not follow from times.
    Nothing,
    /// The cores of a CPU.
    Cores,
    /// Caches and memory, which all cores of a host share, those of other virtual machines too.
    Memory,
}

impl Shared {
    fn of(record: &Record, metric: &Metric) -> Self {
        if record.adapter.device_type != DeviceType::Cpu || !is_of_time(metric) {
            Self::Nothing
        } else if metric.is_of_memory() {
            Self::Memory
        } else {
            Self::Cores
        }
    }

    /// Returns what the points of an experiment on a CPU depend on.
    #[must_use]
    pub fn of_points(experiment: &Experiment) -> Self {
        if experiment.metrics.iter().any(Metric::is_of_memory) { Self::Memory } else { Self::Cores }
    }
}

/// A metric with all that a comparison needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure<'a> {
    /// Id of the experiment.
    pub(super) experiment: &'a str,
    /// Id of the metric in records.
    pub(super) id: &'a str,
    pub(super) label: &'a str,
    pub(super) value: f64,
    pub(super) unit: &'a str,
    pub(super) ci: Option<Interval>,
    pub(super) spread: Option<Interval>,
    pub(super) better: Better,
    /// Tolerance of the experiment's law; 0 if the record has none.
    pub(super) tolerance: f64,
    /// Whether the experiment has controls and all of them passed.
    pub(super) sound: bool,
    /// What the metric depends on that other programs share.
    pub(super) shared: Shared,
    /// Identity of the run: start, seed and device name.
    pub(super) run: (&'a str, u64, &'a str),
}

impl Figure<'_> {
    /// Formats the value with its interval.
    pub(super) fn text(&self) -> String {
        figures::with_interval(self.value, self.unit, self.ci)
    }

    /// Returns whether both values are equal and come from the same run.
    pub(super) fn is_of_one_run_with(&self, other: &Self) -> bool {
        self.run == other.run && self.value.to_bits() == other.value.to_bits()
    }
}

/// Returns the metrics for which higher or lower is better, in the order of the record.
pub(super) fn ranked(record: &Record) -> Vec<Figure<'_>> {
    let measured = record.experiments.iter().filter(|e| e.status == Status::Measured);
    let all = measured.flat_map(|experiment| of_experiment(record, experiment));
    all.filter(|figure| figure.better != Better::Neither).collect()
}

/// Returns the metrics of an experiment that have a value.
fn of_experiment<'a>(
    record: &'a Record,
    experiment: &'a Experiment,
) -> impl Iterator<Item = Figure<'a>> {
    let sound = !experiment.controls.is_empty() && experiment.controls.iter().all(|c| c.passed);
    let figure = move |metric: &'a Metric| {
        Some(Figure {
            experiment: &experiment.id,
            id: &metric.id,
            label: &metric.label,
            value: metric.value?,
            unit: &metric.unit,
            ci: metric.ci,
            spread: metric.spread,
            better: metric.better,
            tolerance: experiment.tolerance.unwrap_or(0.0),
            sound,
            shared: Shared::of(record, metric),
            run: (&record.started_at, record.seed, &record.adapter.name),
        })
    };
    experiment.metrics.iter().filter_map(figure)
}

/// Returns whether a metric follows from times: nearly all do, but a subgroup width or a size in bytes does not.
fn is_of_time(metric: &Metric) -> bool {
    metric.unit != "B" && !metric.unit.starts_with("lane")
}

#[cfg(test)]
impl Figure<'static> {
    /// Returns a metric for tests, of a law with this tolerance.
    pub(super) fn example(tolerance: f64) -> Self {
        Self {
            experiment: "batching",
            id: "alpha",
            label: "α",
            value: 1.0,
            unit: "s",
            ci: None,
            spread: None,
            better: Better::Lower,
            tolerance,
            sound: true,
            shared: Shared::Nothing,
            run: ("2026-11-24T00:00:00Z", 1, "a"),
        }
    }
}
