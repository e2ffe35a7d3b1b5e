//! Declarations of experiments, and the plans that they make for a device.

use std::rc::Rc;
use std::sync::Arc;

use super::Profile;
use super::case::CaseId;
use super::expr::Expr;
use super::formula::Formula;
use super::search::Search;
use super::tuner::Tuner;
use crate::gpu::{AdapterFacts, Shader, WantedWorkers, Workers, Workload};
use crate::model::{About, Category, Curve, DeviceType, Experiment as Outcome, Status};
use crate::predict::Law;

/// An experiment of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Experiment {
    /// Name in records and on the command line.
    pub id: &'static str,
    /// Category under which reports list the experiment.
    pub category: Category,
    /// The law in one line.
    pub law: &'static str,
    /// The question that the experiment answers, in one line.
    pub about: &'static str,
    /// Largest accepted deviation of a measurement from its prediction.
    pub tolerance: Tolerance,
    /// Returns the experiment's own WGSL modules, with templates expanded, for tests that need no workload.
    pub shaders: fn() -> Vec<Arc<Shader>>,
    /// How many workers the law needs. A run opens software devices with that many for this experiment.
    pub workers: WantedWorkers,
    /// Whether several processes run the experiment together.
    pub needs_ranks: bool,
    /// Declares what to measure on this device.
    pub plan: fn(&Context<'_>) -> Result<Plan, Unsupported>,
    /// The law as `warplaw predict` evaluates it, for "what if" questions.
    pub predict: Option<&'static Law>,
}

impl Experiment {
    /// Returns a result that identifies the experiment and contains no measurements yet.
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
            workers: None,
            width: None,
            states: None,
            other_load: None,
            costs: None,
            tolerance: None,
            tolerance_reason: None,
            searches: Vec::new(),
            metrics: Vec::new(),
            curves: Vec::new(),
            points: Vec::new(),
            controls: Vec::new(),
            diagnosis: Vec::new(),
            advice: Vec::new(),
            cases: Vec::new(),
        }
    }
}

/// Largest accepted deviation of a ratio from 1, with the reason for its size.
///
/// A tolerance is never changed to make a run pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Largest |measured / predicted − 1| at which the law holds.
    pub ratio: f64,
    /// Reason for this size.
    pub reason: &'static str,
}

/// Reason why this device cannot run the experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported(pub String);

/// Everything that a plan may depend on.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Facts about the adapter.
    pub facts: &'a AdapterFacts,
    /// Subgroup width in lanes: found by timing in this run, else observed by a shader, else reported by the
    /// driver.
    pub width: Option<u32>,
    /// Subgroup width in lanes as a shader observed it or the driver reports it, never as found by timing.
    pub reported_width: Option<u32>,
    /// Time limits and precision of the run.
    pub profile: &'a Profile,
    /// Seed for the random choices of this experiment.
    pub seed: u64,
    /// Chooses launch configurations, and tells the subgroup sizes of kernels.
    pub tuner: &'a dyn Tuner,
}

impl<'a> Context<'a> {
    /// Creates a context without a known subgroup width, in which `tuner` chooses launch configurations.
    #[must_use]
    pub fn new(
        facts: &'a AdapterFacts,
        profile: &'a Profile,
        seed: u64,
        tuner: &'a dyn Tuner,
    ) -> Self {
        Self { facts, width: None, reported_width: None, profile, seed, tuner }
    }

    /// Returns the subgroup width in lanes.
    ///
    /// # Errors
    /// Returns [`Unsupported`] if neither a shader nor the driver gives the width and the experiment `width`
    /// has not found it in this run.
    pub fn known_width(&self) -> Result<u32, Unsupported> {
        self.width.ok_or_else(|| {
            Unsupported(
                "the adapter does not report its subgroup size, and no experiment of this run has found it: \
                 run all experiments, without --only"
                    .to_owned(),
            )
        })
    }

    /// Returns the lanes per subgroup of the kernel of `workload`, whose first dispatch runs once to tell it.
    ///
    /// On some GPUs, the compiler chooses the subgroup size for each pipeline. If timing found another width than
    /// shaders observe, the width is the one that timing found.
    ///
    /// # Errors
    /// Returns [`Unsupported`] if the width is not known.
    pub fn width_of(&self, workload: &Workload) -> Result<u32, Unsupported> {
        let width = self.tuner.width_of(workload, self.width, self.reported_width);
        Self { width, ..*self }.known_width()
    }

    /// Returns the lanes per subgroup of the kernel of `workload` that a shader observes. Atomics are merged by these, even
    /// if timing finds another width.
    #[must_use]
    pub fn subgroup_size_of(&self, workload: &Workload) -> Option<u32> {
        self.tuner.width_of(workload, self.reported_width, self.reported_width).or(self.width)
    }

    /// Returns `Ok` if the device allows workgroups of `size` invocations.
    ///
    /// # Errors
    /// Returns [`Unsupported`] with the limit of the device if it does not.
    pub fn require_workgroup_size(&self, size: u32) -> Result<(), Unsupported> {
        let most = self.facts.limits.max_workgroup_size;
        if size <= most {
            return Ok(());
        }
        Err(Unsupported(format!(
            "the experiment needs workgroups of {size} invocations, and the device allows at most {most}"
        )))
    }

    /// Returns `Ok` if the device may run several workgroups at the same time.
    ///
    /// # Errors
    /// Returns [`Unsupported`] if it is known to run one workgroup after the other.
    pub fn require_several_workers(&self) -> Result<(), Unsupported> {
        let one = |workers: Workers| workers.count == 1;
        if !self.facts.workers.is_some_and(one) {
            return Ok(());
        }
        Err(Unsupported(
            "the law needs workgroups that run at the same time, and this software device runs one after the \
             other: unset LP_NUM_THREADS, or use a machine with more cores"
                .to_owned(),
        ))
    }

    /// Returns whether a few workgroups fill the device, as on a CPU.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.facts.device_type == DeviceType::Cpu
    }

    /// Returns the launch configuration that the tuner chooses: one option for each axis of `search`.
    ///
    /// In a run, this is the fastest configuration that autotuning finds. A later search with the same name
    /// reuses that configuration. If no configuration works, the result is the start of each axis.
    #[must_use]
    pub fn tune(&self, search: &Search) -> Vec<u32> {
        self.tuner.tune(search)
    }
}

/// Identifies a series of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(usize);

/// How the amount of work in a sample of a case is chosen.
///
/// The amount is the case's *scale*, a whole number that the case's builder receives.
#[derive(Debug, Clone, PartialEq)]
pub enum Sizing {
    /// A scale for this case alone, chosen so that a sample approaches the profile's sample time.
    Own {
        /// Scales are multiples of this.
        granule: u32,
        /// Largest scale.
        most: u32,
    },
    /// One scale for all cases of the group, chosen so that the longest sample of the group approaches the
    /// profile's sample time. Use this for cases whose predicted times are equal at equal scale.
    Shared {
        /// Name of the group.
        group: String,
        /// Scales are multiples of this.
        granule: u32,
        /// Largest scale.
        most: u32,
    },
    /// One scale for all cases of the group, chosen so that the longest sample of the group is as long as the longest
    /// sample of all other cases.
    Longest {
        /// Name of the group.
        group: String,
        /// Scales are multiples of this.
        granule: u32,
        /// Largest scale.
        most: u32,
    },
    /// The scale of another case. This case does not influence that scale.
    Follow(CaseId),
}

pub(super) type Builder = Box<dyn Fn(u32) -> Workload>;

pub(super) struct CaseSpec {
    pub(super) id: String,
    pub(super) build: Builder,
    pub(super) sizing: Sizing,
    /// A case with less work, and the least factor by which this case takes longer.
    pub(super) smaller: Option<(CaseId, f64)>,
    /// Whether this is a floor case: short by nature, since it times only the cost that other cases share.
    pub(super) is_floor: bool,
}

pub(super) enum Value {
    /// A figure; omitted if it is not finite.
    Figure(Formula),
    /// A whole number; omitted if a case's interval allows another value.
    Sure(Formula),
    /// The text at the index that the formula gives; omitted if that is not a valid index.
    Word(Formula, Vec<String>),
    /// A figure that is known without measurement.
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

/// A measured figure and its prediction.
pub(super) struct PointSpec {
    pub(super) series: SeriesId,
    pub(super) x: f64,
    pub(super) measured: Formula,
    pub(super) predicted: Formula,
    /// Measured / predicted.
    pub(super) ratio: Formula,
    /// Whether the law applies to this point, so that it is judged.
    pub(super) judged: bool,
}

/// Builds the workload of a control from a number of loops, which may be 0, and a scale.
pub(super) type ControlBuilder = Rc<dyn Fn(u32, u32) -> Workload>;

pub(super) type Diagnose = Box<dyn Fn(&Outcome) -> Vec<String>>;

/// The cases, metrics and points of an experiment on this device.
#[derive(Default)]
pub struct Plan {
    pub(super) cases: Vec<CaseSpec>,
    pub(super) metrics: Vec<MetricSpec>,
    pub(super) series: Vec<SeriesSpec>,
    pub(super) curves: Vec<Curve>,
    pub(super) points: Vec<PointSpec>,
    /// Subgroup width in lanes, for the later experiments of the run.
    pub(super) width: Option<Formula>,
    pub(super) diagnose: Option<Diagnose>,
    pub(super) notes: Vec<String>,
    /// Reasons why nothing can be decided.
    pub(super) undecided: Vec<String>,
    /// What the controls run; a chain of dependent operations on the device if it is `None`.
    pub(super) control: Option<ControlBuilder>,
    pub(super) sample_divisor: u32,
}

impl Plan {
    /// Adds a case. `build` returns its workload for a given scale.
    ///
    /// # Panics
    /// Panics if the granule of `sizing` is zero or larger than the largest scale.
    pub fn case(
        &mut self,
        id: impl Into<String>,
        sizing: Sizing,
        build: impl Fn(u32) -> Workload + 'static,
    ) -> CaseId {
        self.add(id.into(), sizing, Box::new(build), false)
    }

    /// Adds a floor case: a baseline such as an empty loop or an empty dispatch.
    ///
    /// A floor case times the cost that other cases have in common, so that figures can subtract it. It is
    /// short by nature, so the diagnosis does not warn if its samples are too short for the clock.
    ///
    /// # Panics
    /// Panics under the same conditions as [`Plan::case`].
    pub fn floor(
        &mut self,
        id: impl Into<String>,
        sizing: Sizing,
        build: impl Fn(u32) -> Workload + 'static,
    ) -> CaseId {
        self.add(id.into(), sizing, Box::new(build), true)
    }

    fn add(&mut self, id: String, sizing: Sizing, build: Builder, is_floor: bool) -> CaseId {
        if let Sizing::Own { granule, most }
        | Sizing::Shared { granule, most, .. }
        | Sizing::Longest { granule, most, .. } = &sizing
        {
            assert!(
                (1..=*most).contains(granule),
                "case {id}: granule {granule} is not in 1..={most}"
            );
        }
        self.cases.push(CaseSpec { id, build, sizing, smaller: None, is_floor });
        CaseId(self.cases.len() - 1)
    }

    /// Declares that `case` has `times` the work of `smaller`, which was added before it.
    ///
    /// If the samples of `smaller` show that `case` is too long, `case` is not tried. So a case that could
    /// come near a watchdog never runs. Sizing relies on only half of `times`, since dispatch overhead
    /// may dominate both cases.
    pub fn grows_from(&mut self, case: CaseId, smaller: CaseId, times: f64) {
        debug_assert!(smaller.0 < case.0);
        self.cases[case.0].smaller = Some((smaller, times / 2.0));
    }

    /// Adds a metric. The record omits it if its value is not finite.
    pub fn metric(&mut self, about: About, value: impl Into<Expr>) {
        self.metrics.push(MetricSpec { about, value: Value::Figure((&value.into()).into()) });
    }

    /// Adds a metric whose value is a whole number.
    ///
    /// The record omits it if another time within the 95 % interval of a case would give another number.
    pub fn sure_metric(&mut self, about: About, value: impl Into<Expr>) {
        self.metrics.push(MetricSpec { about, value: Value::Sure((&value.into()).into()) });
    }

    /// Adds a metric whose value is known without measurement.
    pub fn known_metric(&mut self, about: About, value: f64) {
        self.metrics.push(MetricSpec { about, value: Value::Known(value) });
    }

    /// Adds a metric whose value is the entry of `words` at index `place`. The record omits it if there is no
    /// such entry.
    pub fn text_metric(&mut self, about: About, place: impl Into<Expr>, words: Vec<String>) {
        self.metrics.push(MetricSpec { about, value: Value::Word((&place.into()).into(), words) });
    }

    /// Declares the subgroup width in lanes, for the later experiments of the run.
    ///
    /// The run uses the width only if no case's interval allows another width and every control passed.
    pub fn establishes_width(&mut self, width: impl Into<Expr>) {
        self.width = Some((&width.into()).into());
    }

    /// Adds a series with its name, the name and unit of the swept parameter `x`, and the unit of its
    /// measurements.
    pub fn series(
        &mut self,
        name: impl Into<String>,
        x: (&'static str, &'static str),
        unit: &'static str,
    ) -> SeriesId {
        self.series.push(SeriesSpec { name: name.into(), x, unit });
        SeriesId(self.series.len() - 1)
    }

    /// Selects a series for comparisons of several devices. `curve` describes how reports draw it.
    pub fn compare_by(&mut self, series: SeriesId, curve: Curve) {
        let series = self.series[series.0].name.clone();
        self.curves.push(Curve { series, ..curve });
    }

    /// Adds a point that is judged: the figure measured at `x` and the figure predicted by the law.
    pub fn judge(
        &mut self,
        series: SeriesId,
        x: f64,
        measured: impl Into<Expr>,
        predicted: impl Into<Expr>,
    ) {
        self.point(series, x, &measured.into(), &predicted.into(), true);
    }

    /// Adds a point that is shown but not judged, because the law does not apply to it.
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

    /// Sets the function that derives a diagnosis from the result: the mechanisms that its points and metrics
    /// suggest.
    pub fn diagnose(&mut self, diagnose: impl Fn(&Outcome) -> Vec<String> + 'static) {
        self.diagnose = Some(Box::new(diagnose));
    }

    /// Divides the profile's sample time by `divisor`, for a wide sweep with a wide tolerance.
    pub fn shorten_samples(&mut self, divisor: u32) {
        self.sample_divisor = divisor;
    }

    /// Sets what the controls run, for an experiment whose times are not those of the device. `build` returns the workload of a
    /// number of loops, which may be 0, in each of `scale` units.
    pub fn control_by(&mut self, build: impl Fn(u32, u32) -> Workload + 'static) {
        self.control = Some(Rc::new(build));
    }

    /// Makes the verdict inconclusive for this reason, whatever the points say.
    pub fn leave_undecided(&mut self, reason: impl Into<String>) {
        self.undecided.push(reason.into());
    }

    /// Adds a line to the diagnosis, for example on what the plan leaves out and why.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Returns the name and the formula of every figure.
    ///
    /// In a formula, `T[case]` is the typical sample time of a case and `n[case]` is its scale. A metric is
    /// named by its id. A point is named by its series and x value, once for the measured and once for the
    /// predicted figure.
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
            let name = format!("{}, {}", self.series_of(point).name, point.x);
            [("measured", &point.measured), ("predicted", &point.predicted)]
                .map(|(side, formula)| (format!("{name}, {side}"), formula.text(&names)))
        });
        metrics.chain(points).collect()
    }
}
