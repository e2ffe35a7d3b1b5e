//! Measuring: the one place that times anything.
//!
//! An experiment declares a [`Plan`]: cases, what calibrates, and points with what each measures and
//! what the law predicts for it. This room does the rest, the same for all: sizes the spans, verifies
//! every output, runs rounds in random order with controls among them, stops, estimates, judges.

mod analysis;
mod attempt;
mod case;
mod controls;
mod diagnosis;
mod expr;
mod formula;
mod plan;
mod profile;
mod progress;
mod replay;
mod rounds;
mod run;
mod sampling;
mod search;
mod seed;
mod session;
mod sizing;
mod stopping;
mod suite;
mod throughput;
mod traces;
mod tuner;
mod typical;
mod verify;

pub use case::CaseId;
pub use controls::tolerance_of;
pub use expr::Expr;
pub use plan::{Context, Experiment, Plan, SeriesId, Sizing, Tolerance, Unsupported};
pub use profile::Profile;
pub use progress::{Progress, Stage};
pub use replay::replay;
pub use run::{run, unmeasured};
pub use search::{Axis, Search, Thoroughness, Work, search};
pub use seed::{seed_from_time, seed_of};
pub use session::Session;
pub use suite::{Opener, Origin, Suite};
pub use tuner::{Recorded, Tuner, Untuned};
pub use verify::{Mismatch, compare};
