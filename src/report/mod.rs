//! Reports: what people read of records. They see records alone, so any stored one can be judged and drawn again
//! without the hardware.

mod check;
mod compare;
mod document;
pub mod figures;
mod gallery;
mod judge;
pub mod levels;
mod names;
mod plot;
mod render;
mod sections;

pub use crate::stats::Interval;

pub use check::check;
pub use compare::{Difference, Doubt, Named, compare, comparison, differences, slower};
pub use document::{Align, Block, Column, Document, Link, Table};
pub use gallery::{Page, gallery};
pub use judge::{Judgement, decided_by, in_a_line, rejudge, word};
pub use plot::{Axis, Curve, Mark, Panel, Plot, is_spaced_by_factors};
pub use render::{Format, render};
pub use sections::{closing_with_verdicts, performance, points, report, summary};
