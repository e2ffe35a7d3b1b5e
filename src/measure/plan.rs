//! What an experiment declares.

use std::rc::Rc;
use std::sync::Arc;

use super::search::{Search, Tuned};
use super::{Profile, Spans};
use crate::gpu::{AdapterFacts, Workload};
use crate::record::{Experiment as Outcome, Value};

/// The five ideas, each a family of experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idea {
    /// Find independence.
    Independence,
    /// Preserve uniformity.
    Uniformity,
    /// Minimise coordination.
    Coordination,
    /// Amortize overhead.
    Amortization,
    /// Keep the hardware busy.
    Busy,
}

impl Idea {
    /// The five, as one thinks of them: what there is to run, how it runs, what holds it up, what it costs
    /// to start, and whether all of the hardware is at it.
    pub const ALL: [Self; 5] =
        [Self::Independence, Self::Uniformity, Self::Coordination, Self::Amortization, Self::Busy];

    /// The idea as advice, with its reason.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Independence => {
                "Find independence: only what does not wait for something else can run beside it."
            }
            Self::Uniformity => {
                "Preserve uniformity: lanes that do the same share one instruction stream."
            }
            Self::Coordination => {
                "Minimise coordination: whatever depends on something else waits for it."
            }
            Self::Amortization => {
                "Amortize overhead: one control cost carries as many items as it is given."
            }
            Self::Busy => {
                "Keep the hardware busy: what waits is hidden by other work, if there is enough."
            }
        }
    }

    /// The word used in records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Independence => "independence",
            Self::Uniformity => "uniformity",
            Self::Coordination => "coordination",
            Self::Amortization => "amortization",
            Self::Busy => "busy",
        }
    }
}

/// An entry of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Experiment {
    /// Its name in records and on the command line.
    pub id: &'static str,
    /// Its family.
    pub idea: Idea,
    /// The law in one line.
    pub law: &'static str,
    /// The question it answers, in one line.
    pub about: &'static str,
    /// Declares what to measure on the device at hand.
    pub plan: fn(&Context<'_>) -> Result<Plan, Unsupported>,
}

/// Why the device at hand cannot do the experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported(pub String);

/// What a plan may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The adapter.
    pub facts: &'a AdapterFacts,
    /// Lanes in a subgroup: found by `width` in this run, else seen by a shader, else reported.
    pub width: Option<u32>,
    /// Lanes in a subgroup as the driver or a shader says, never as timed.
    pub reported_width: Option<u32>,
    /// How much to measure.
    pub profile: &'a Profile,
    /// Seed of this experiment's random choices.
    pub seed: u64,
}

impl Context<'_> {
    /// The subgroup width, or why the experiment cannot be planned.
    ///
    /// # Errors
    /// When neither a shader nor the driver says and `width` has not run.
    pub fn known_width(&self) -> Result<u32, Unsupported> {
        self.width.ok_or_else(|| {
            Unsupported(
                "the adapter does not say how wide a subgroup is and `width` has not found it in this run: \
                 run both, `--only width,…`"
                    .to_owned(),
            )
        })
    }

    /// Nothing, where a workgroup may hold so many lanes.
    ///
    /// # Errors
    /// Why the experiment cannot be planned, where it may not.
    pub fn require_lanes(&self, lanes: u32) -> Result<(), Unsupported> {
        let most = self.facts.limits.workgroup_lanes;
        if lanes <= most {
            return Ok(());
        }
        Err(Unsupported(format!("a workgroup of {lanes} lanes is needed and {most} is the most")))
    }
}

/// A case of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseId(pub(super) usize);

/// How a case's amount of work is chosen. The scale is handed to the case's builder.
#[derive(Debug, Clone, PartialEq)]
pub enum Sizing {
    /// Its own scale, a multiple of `granule` up to `most`, towards the profile's span.
    Own {
        /// Scales are multiples of this.
        granule: u32,
        /// Largest scale.
        most: u32,
    },
    /// One scale for all cases that name the group: the largest with which none exceeds the profile's
    /// span. For cases that the law predicts equal times for at equal scale.
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

/// A figure computed from what its cases typically take, NaN where one of them was not timed.
pub type Estimator = Box<dyn Fn(&Spans<'_>) -> f64>;

pub(super) type Builder = Arc<dyn Fn(u32) -> Workload>;

pub(super) struct CaseSpec {
    pub(super) id: String,
    pub(super) build: Builder,
    pub(super) sizing: Sizing,
    /// A smaller case, and how many times as long this one takes at least.
    pub(super) smaller: Option<(CaseId, f64)>,
}

pub(super) struct ParameterSpec {
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) estimate: Estimator,
}

type Finder = Box<dyn Fn(&Spans<'_>) -> Option<Value>>;

pub(super) enum Find {
    /// A name, or a figure that no interval is known of.
    Any(Finder),
    /// Absent where it is not finite.
    Figure(Estimator),
    /// Absent where a case's interval leaves another figure possible.
    Sure(Estimator),
}

pub(super) struct FindingSpec {
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) find: Find,
}

/// A prediction to be judged.
pub struct PointSpec {
    /// Sweep it belongs to.
    pub series: String,
    /// Name, value and unit of where in the sweep.
    pub x: (&'static str, f64, &'static str),
    /// Unit of measured and predicted.
    pub unit: &'static str,
    /// What was measured.
    pub measured: Estimator,
    /// What the law says.
    pub predicted: Estimator,
    /// Whether the law claims this point.
    pub claimed: bool,
}

pub(super) type Diagnose = Box<dyn Fn(&Outcome) -> Vec<String>>;

/// An experiment on the device at hand.
#[derive(Default)]
pub struct Plan {
    pub(super) searches: Vec<Search>,
    pub(super) cases: Vec<CaseSpec>,
    pub(super) parameters: Vec<ParameterSpec>,
    pub(super) points: Vec<PointSpec>,
    pub(super) findings: Vec<FindingSpec>,
    pub(super) diagnose: Option<Diagnose>,
    pub(super) notes: Vec<String>,
    pub(super) brevity: u32,
}

impl Plan {
    /// Adds a search, which ends before any case is built. A run searches once for each name.
    pub fn search(&mut self, search: Search) -> Tuned {
        let tuned = search.tuned();
        self.searches.push(search);
        tuned
    }

    /// Adds a case; `build` makes its workload for a scale.
    pub fn case(
        &mut self,
        id: impl Into<String>,
        sizing: Sizing,
        build: impl Fn(u32) -> Workload + 'static,
    ) -> CaseId {
        self.cases.push(CaseSpec { id: id.into(), build: Arc::new(build), sizing, smaller: None });
        CaseId(self.cases.len() - 1)
    }

    /// Says that `case` has `times` the work of `smaller`, added before it, so that it need not be tried
    /// to know that it is too long, and is never run where it would near a watchdog. Half of that is taken for sure,
    /// since both may be a dispatch's cost for the most part.
    pub fn grows_from(&mut self, case: CaseId, smaller: CaseId, times: f64) {
        debug_assert!(smaller.0 < case.0);
        self.cases[case.0].smaller = Some((smaller, times / 2.0));
    }

    /// Adds a calibrated parameter.
    pub fn parameter(
        &mut self,
        name: impl Into<String>,
        unit: &'static str,
        estimate: impl Fn(&Spans<'_>) -> f64 + 'static,
    ) {
        self.parameters.push(ParameterSpec {
            name: name.into(),
            unit,
            estimate: Box::new(estimate),
        });
    }

    /// Adds a prediction.
    pub fn point(&mut self, point: PointSpec) {
        self.points.push(point);
    }

    /// Adds a finding; absent when `None`.
    pub fn finding(
        &mut self,
        name: impl Into<String>,
        unit: &'static str,
        find: impl Fn(&Spans<'_>) -> Option<Value> + 'static,
    ) {
        let find = Find::Any(Box::new(find));
        self.findings.push(FindingSpec { name: name.into(), unit, find });
    }

    /// Adds a finding that later experiments build on: absent where any case could change it by lying
    /// anywhere else in its 95 % interval.
    pub fn sure_figure(
        &mut self,
        name: impl Into<String>,
        unit: &'static str,
        find: impl Fn(&Spans<'_>) -> f64 + 'static,
    ) {
        let find = Find::Sure(Box::new(find));
        self.findings.push(FindingSpec { name: name.into(), unit, find });
    }

    /// Adds a finding that is a figure; absent when not finite.
    pub fn figure(
        &mut self,
        name: impl Into<String>,
        unit: &'static str,
        find: impl Fn(&Spans<'_>) -> f64 + 'static,
    ) {
        let find = Find::Figure(Box::new(find));
        self.findings.push(FindingSpec { name: name.into(), unit, find });
    }

    /// Adds a calibrated parameter that several share what it is computed from with.
    pub fn parameter_of<T: 'static>(
        &mut self,
        of: &Rc<T>,
        name: impl Into<String>,
        unit: &'static str,
        estimate: impl Fn(&T, &Spans<'_>) -> f64 + 'static,
    ) {
        let of = Rc::clone(of);
        self.parameter(name, unit, move |spans| estimate(&of, spans));
    }

    /// Adds a finding that is a figure, likewise.
    pub fn figure_of<T: 'static>(
        &mut self,
        of: &Rc<T>,
        name: impl Into<String>,
        unit: &'static str,
        find: impl Fn(&T, &Spans<'_>) -> f64 + 'static,
    ) {
        let of = Rc::clone(of);
        self.figure(name, unit, move |spans| find(&of, spans));
    }

    /// Says what the result's points and findings suggest about the mechanism.
    pub fn diagnose(&mut self, diagnose: impl Fn(&Outcome) -> Vec<String> + 'static) {
        self.diagnose = Some(Box::new(diagnose));
    }

    /// Makes spans this many times shorter than the profile's, for a wide sweep with a wide tolerance.
    pub fn shorten_spans(&mut self, times: u32) {
        self.brevity = times;
    }

    /// Adds a remark on what was left out and why.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}
