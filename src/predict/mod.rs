//! What if: any law evaluated from parameters that are given, or that a record holds.
//!
//! A law here is a declaration beside its experiment: its parameters, each with its domain and the place in a record where a
//! measured value stands, and a function that makes an [`Answer`] of them. Adding one is one file and
//! one line in its experiment. The formulas themselves stay beside it, in the experiment's `law.rs`.

pub(crate) mod answer;
pub(crate) mod domain;
pub(crate) mod given;
mod law;
mod parameter;
pub(crate) mod steps;

pub use answer::{Answer, Column, Figure};
pub use domain::Domain;
pub use given::{Given, Source, Unanswered, Used};
pub use law::Law;
pub(crate) use parameter::REPORTED_WIDTH;
pub use parameter::{Choice, Parameter};
