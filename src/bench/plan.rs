//! What an experiment declares.

use std::sync::Arc;

use super::Profile;
use super::case::CaseId;
use super::expr::Expr;
use super::formula::Formula;
use super::search::Search;
use super::tuner::Tuner;
use crate::gpu::{AdapterFacts, Shader, Workload};
use crate::model::{About, Category, Curve, DeviceType, Experiment as Outcome, Status};
use crate::predict::Law;

/// An entry of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Experiment {
    /// Its name in records and on the command line.
    pub id: &'static str,
    /// Its family.
    pub category: Category,
    /// The law in one line.
    pub law: &'static str,
    /// The question it answers, in one line.
    pub about: &'static str,
    /// How far its points may lie from their predictions.
    pub tolerance: Tolerance,
    /// The modules that it brings, templates expanded, for tests that no workload is needed for.
    pub shaders: fn() -> Vec<Arc<Shader>>,
    /// Declares what to measure on the device at hand.
    pub plan: fn(&Context<'_>) -> Result<Plan, Unsupported>,
    /// What its law answers to "what if".
    pub predict: Option<&'static Law>,
}

impl Experiment {
    /// A result that says what was run and nothing yet of what came of it.
    pub(super) fn blank(&self, status: Status) -> Outcome {
        Outcome {
            id: self.id.to_owned(),
            category: self.category,
            law: self.law.to_owned(),
            status,
            reason: None,
            verdict: None,
            stopped_by: None,
            rounds: 0,
            duration_s: 0.0,
            costs: None,
            tolerance: None,
            tolerance_reason: None,
            searches: Vec::new(),
            metrics: Vec::new(),
            curves: Vec::new(),
            points: Vec::new(),
            controls: Vec::new(),
            diagnosis: Vec::new(),
            cases: Vec::new(),
        }
    }
}

/// How far a ratio may lie from 1, and why so far. It is not moved to make a run pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Largest |measured / predicted − 1| at which the law is said to hold.
    pub ratio: f64,
    /// Why this size.
    pub reason: &'static str,
}

/// Why the device at hand cannot do the experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported(pub String);

/// What a plan may depend on.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The adapter.
    pub facts: &'a AdapterFacts,
    /// Lanes in a subgroup: found by timing in this run, else seen by a shader, else reported.
    pub width: Option<u32>,
    /// Lanes in a subgroup as the driver or a shader says, never as timed.
    pub reported_width: Option<u32>,
    /// How much to measure.
    pub profile: &'a Profile,
    /// Seed of this experiment's random choices.
    pub seed: u64,
    /// Settles launch configurations.
    pub tuner: &'a dyn Tuner,
}

impl<'a> Context<'a> {
    /// A context whose launch configurations are settled by `tuner`.
    #[must_use]
    pub fn new(
        facts: &'a AdapterFacts,
        profile: &'a Profile,
        seed: u64,
        tuner: &'a dyn Tuner,
    ) -> Self {
        Self { facts, width: None, reported_width: None, profile, seed, tuner }
    }

    /// The subgroup width, or why the experiment cannot be planned.
    ///
    /// # Errors
    /// When neither a shader nor the driver says and `width` has not run.
    pub fn known_width(&self) -> Result<u32, Unsupported> {
        self.width.ok_or_else(|| {
            Unsupported(
                "the adapter does not report its subgroup size and no experiment of this run has found it: \
                 run all experiments, without --only"
                    .to_owned(),
            )
        })
    }

    /// Nothing, where a workgroup may hold so many invocations.
    ///
    /// # Errors
    /// Why the experiment cannot be planned, where it may not.
    pub fn require_workgroup_size(&self, lanes: u32) -> Result<(), Unsupported> {
        let most = self.facts.limits.max_workgroup_size;
        if lanes <= most {
            return Ok(());
        }
        Err(Unsupported(format!("a workgroup of {lanes} lanes is needed and {most} is the most")))
    }

    /// Whether a few workgroups fill the device.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.facts.device_type == DeviceType::Cpu
    }

    /// The fastest launch configuration, an option of each axis of `search`: as found before in this run, else by
    /// trying; the start of each axis where none works.
    #[must_use]
    pub fn tune(&self, search: &Search) -> Vec<u32> {
        self.tuner.tune(search)
    }
}

/// A series of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(usize);

/// How a case's amount of work is chosen. The scale is handed to the case's builder.
#[derive(Debug, Clone, PartialEq)]
pub enum Sizing {
    /// Its own scale, a multiple of `granule` up to `most`, towards the profile's sample time.
    Own {
        /// Scales are multiples of this.
        granule: u32,
        /// Largest scale.
        most: u32,
    },
    /// One scale for all cases that name the group: the largest with which none exceeds the profile's
    /// sample time. For cases that the law predicts equal times for at equal scale.
    Shared {
        /// The group.
        group: String,
        /// Scales are multiples of this.
        granule: u32,
        /// Largest scale.
        most: u32,
    },
    /// The scale of another case, which this one does not influence.
    Follow(CaseId),
}

pub(super) type Builder = Box<dyn Fn(u32) -> Workload>;

pub(super) struct CaseSpec {
    pub(super) id: String,
    pub(super) build: Builder,
    pub(super) sizing: Sizing,
    /// A smaller case, and how many times as long this one takes at least.
    pub(super) smaller: Option<(CaseId, f64)>,
    /// Whether it is short by nature: what other cases have in common, timed alone.
    pub(super) is_floor: bool,
}

pub(super) enum Value {
    /// A figure; absent where it is not finite.
    Figure(Formula),
    /// Absent where a case's interval leaves another figure possible.
    Sure(Formula),
    /// The word at this place.
    Word(Formula, Vec<String>),
    /// A figure that is known without measuring.
    Known(f64),
}

pub(super) struct MetricSpec {
    pub(super) about: About,
    pub(super) value: Value,
}

pub(super) struct SeriesSpec {
    pub(super) name: String,
    pub(super) x: (&'static str, &'static str),
    pub(super) unit: &'static str,
}

/// A prediction beside its measurement.
pub(super) struct PointSpec {
    pub(super) series: SeriesId,
    pub(super) x: f64,
    pub(super) measured: Formula,
    pub(super) predicted: Formula,
    /// Measured over predicted.
    pub(super) ratio: Formula,
    /// Whether the law claims this point.
    pub(super) judged: bool,
}

pub(super) type Diagnose = Box<dyn Fn(&Outcome) -> Vec<String>>;

/// An experiment on the device at hand.
#[derive(Default)]
pub struct Plan {
    pub(super) cases: Vec<CaseSpec>,
    pub(super) metrics: Vec<MetricSpec>,
    pub(super) series: Vec<SeriesSpec>,
    pub(super) curves: Vec<Curve>,
    pub(super) points: Vec<PointSpec>,
    /// Lanes in lockstep, for the experiments that come after.
    pub(super) width: Option<Formula>,
    pub(super) diagnose: Option<Diagnose>,
    pub(super) notes: Vec<String>,
    pub(super) sample_divisor: u32,
}

impl Plan {
    /// Adds a case; `build` makes its workload for a scale.
    ///
    /// # Panics
    /// When `sizing` has a granule of zero or one larger than the largest scale.
    pub fn case(
        &mut self,
        id: impl Into<String>,
        sizing: Sizing,
        build: impl Fn(u32) -> Workload + 'static,
    ) -> CaseId {
        self.add(id.into(), sizing, Box::new(build), false)
    }

    /// Adds a case that is short by nature: what others have in common, to be subtracted from them.
    ///
    /// # Panics
    /// As [`Plan::case`].
    pub fn floor(
        &mut self,
        id: impl Into<String>,
        sizing: Sizing,
        build: impl Fn(u32) -> Workload + 'static,
    ) -> CaseId {
        self.add(id.into(), sizing, Box::new(build), true)
    }

    fn add(&mut self, id: String, sizing: Sizing, build: Builder, is_floor: bool) -> CaseId {
        if let Sizing::Own { granule, most } | Sizing::Shared { granule, most, .. } = &sizing {
            assert!((1..=*most).contains(granule), "case {id}: granule {granule} of {most}");
        }
        self.cases.push(CaseSpec { id, build, sizing, smaller: None, is_floor });
        CaseId(self.cases.len() - 1)
    }

    /// Says that `case` has `times` the work of `smaller`, added before it, so that it need not be tried
    /// to know that it is too long, and is never run where it would near a watchdog. Half of that is taken for sure,
    /// since both may be a dispatch's cost for the most part.
    pub fn grows_from(&mut self, case: CaseId, smaller: CaseId, times: f64) {
        debug_assert!(smaller.0 < case.0);
        self.cases[case.0].smaller = Some((smaller, times / 2.0));
    }

    /// Adds a figure; absent from the record where it is not finite.
    pub fn metric(&mut self, about: About, value: impl Into<Expr>) {
        self.metrics.push(MetricSpec { about, value: Value::Figure((&value.into()).into()) });
    }

    /// Adds a whole number; absent where any case could change it by lying anywhere else in its 95 % interval.
    pub fn sure_metric(&mut self, about: About, value: impl Into<Expr>) {
        self.metrics.push(MetricSpec { about, value: Value::Sure((&value.into()).into()) });
    }

    /// Adds a figure that is known without measuring.
    pub fn known_metric(&mut self, about: About, value: f64) {
        self.metrics.push(MetricSpec { about, value: Value::Known(value) });
    }

    /// Adds one of `words`, by its place among them; absent where that is not finite.
    pub fn text_metric(&mut self, about: About, place: impl Into<Expr>, words: Vec<String>) {
        self.metrics.push(MetricSpec { about, value: Value::Word((&place.into()).into(), words) });
    }

    /// Says how many lanes go in lockstep, for the experiments that come after: known where any case's interval
    /// leaves no other width possible and every control passed.
    pub fn establishes_width(&mut self, width: impl Into<Expr>) {
        self.width = Some((&width.into()).into());
    }

    /// Adds a series: its name, the name and unit of what is swept, and the unit of what is measured.
    pub fn series(
        &mut self,
        name: impl Into<String>,
        x: (&'static str, &'static str),
        unit: &'static str,
    ) -> SeriesId {
        self.series.push(SeriesSpec { name: name.into(), x, unit });
        SeriesId(self.series.len() - 1)
    }

    /// Has several devices compared by a series.
    pub fn compare_by(&mut self, series: SeriesId, curve: Curve) {
        let series = self.series[series.0].name.clone();
        self.curves.push(Curve { series, ..curve });
    }

    /// Adds a prediction that the law is judged by.
    pub fn judge(
        &mut self,
        series: SeriesId,
        x: f64,
        measured: impl Into<Expr>,
        predicted: impl Into<Expr>,
    ) {
        self.point(series, x, &measured.into(), &predicted.into(), true);
    }

    /// Adds a prediction that is shown and not judged, since the law does not claim it.
    pub fn show(
        &mut self,
        series: SeriesId,
        x: f64,
        measured: impl Into<Expr>,
        predicted: impl Into<Expr>,
    ) {
        self.point(series, x, &measured.into(), &predicted.into(), false);
    }

    fn point(&mut self, series: SeriesId, x: f64, measured: &Expr, predicted: &Expr, judged: bool) {
        let ratio = Formula::from(&(measured / predicted));
        let (measured, predicted) = (measured.into(), predicted.into());
        self.points.push(PointSpec { series, x, measured, predicted, ratio, judged });
    }

    pub(super) fn series_of(&self, point: &PointSpec) -> &SeriesSpec {
        &self.series[point.series.0]
    }

    /// Says what the result's points and metrics suggest about the mechanism.
    pub fn diagnose(&mut self, diagnose: impl Fn(&Outcome) -> Vec<String> + 'static) {
        self.diagnose = Some(Box::new(diagnose));
    }

    /// Makes samples this many times shorter than the profile's, for a wide sweep with a wide tolerance.
    pub fn shorten_samples(&mut self, divisor: u32) {
        self.sample_divisor = divisor;
    }

    /// Adds a remark on what was left out and why.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Every figure as a formula of its cases' times T and scales n: metrics by their id, points by series and place.
    #[must_use]
    pub fn formulas(&self) -> Vec<(String, String)> {
        let names: Vec<&str> = self.cases.iter().map(|case| case.id.as_str()).collect();
        let metrics = self.metrics.iter().filter_map(|metric| match &metric.value {
            Value::Figure(formula) | Value::Sure(formula) | Value::Word(formula, _) => {
                Some((metric.about.id.clone(), formula.text(&names)))
            }
            Value::Known(_) => None,
        });
        let points = self.points.iter().flat_map(|point| {
            let place = format!("{}, {}", self.series_of(point).name, point.x);
            [("measured", &point.measured), ("predicted", &point.predicted)]
                .map(|(what, formula)| (format!("{place}, {what}"), formula.text(&names)))
        });
        metrics.chain(points).collect()
    }
}
