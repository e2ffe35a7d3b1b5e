//! Measuring: the one place that times anything.
//!
//! An experiment declares a [`Plan`]: cases, what calibrates, and points with what each measures and
//! what the law predicts for it. This room does the rest, the same for all: sizes the spans, verifies
//! every output, runs rounds in random order with controls among them, stops, estimates, judges.

mod analysis;
mod controls;
mod plan;
mod profile;
mod remarks;
mod rounds;
mod run;
mod sampling;
mod search;
mod session;
mod sizing;
mod stopping;
mod suite;
mod traces;
mod typical;
mod verify;

pub use plan::{
    CaseId, Context, Estimator, Experiment, Idea, Plan, PointSpec, Sizing, Unsupported,
};
pub use profile::Profile;
pub use run::{Progress, Stage, run, seed_from_time, unmeasured};
pub use search::{Axis, Search, Thoroughness, Tuned, Work, search};
pub use session::Session;
pub use suite::{Opener, Origin, Suite};
pub use typical::Spans;
pub use verify::{Mismatch, compare};
