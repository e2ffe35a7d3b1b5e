//! Reports: documents about records, and their renderers.
//!
//! A report reads records and never a device. Any stored record can therefore be judged and drawn again
//! without the hardware.

mod answer;
mod check;
mod compare;
mod document;
mod gallery;
mod judge;
mod plot;
mod render;
mod sections;

pub use answer::answer;
pub use check::check;
pub use compare::{Difference, Doubt, Named, compare, comparison, differences, slower};
pub use document::{Align, Block, Column, Document, Link, Table};
pub use gallery::{Page, gallery};
pub use judge::{Judgement, decided_by, in_a_line};
pub use plot::{Axis, Curve, Mark, Panel, Plot, is_spaced_by_factors};
pub use render::{Format, render};
pub use sections::{points, report, summary};
