//! Measurement: the only module that times anything.
//!
//! An experiment declares a [`Plan`]: its cases, its metrics and its points. The metrics include the
//! calibrated parameters of its law. A point compares a measured figure with the figure that the law
//! predicts.
//!
//! This module handles every plan in the same way:
//!
//! 1. It chooses the amount of work in a sample of each case.
//! 2. It compares every output with its CPU reference.
//! 3. It times rounds. A round times every case once, and the control cases several times, in random order.
//! 4. It looks at the verdicts, and spends the time that is left on the cases that undecided points depend on.
//! 5. It estimates the typical sample time of each case, computes the figures and judges the points.

mod advice;
mod analysis;
mod attempt;
mod case;
mod controls;
mod diagnosis;
mod expr;
mod formula;
mod looks;
mod pause;
mod plan;
mod profile;
mod progress;
mod replay;
mod resolution;
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
