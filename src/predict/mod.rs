//! Evaluates laws with parameters that the user gives or that a record contains.
//!
//! Each experiment declares its [`Law`] in a file `predict.rs`. The declaration contains:
//!
//! - the parameters, each with its domain and the metrics of a record that contain a measured value, and
//! - a function that computes an [`Answer`] from the parameters, with the formulas in the experiment's
//!   `law.rs`.
//!
//! To add a law, add this file and refer to the law in the declaration of the experiment.

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
