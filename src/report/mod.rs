//! Reports: documents about records, and their renderers.
//!
//! A report reads records and never a device. Any stored record can therefore be judged and drawn again
//! without the hardware.

mod answer;
mod check;
mod compare;
mod document;
mod export;
mod gallery;
mod judge;
mod listing;
mod plot;
mod profile;
mod render;
mod safe;
mod sections;

pub use answer::{answer, answer_table};
pub use check::{Checked, check};
pub use compare::{
    Comparison, Difference, Doubt, Named, are_of_one_device, compare, comparison, comparison_data,
    conditions_that_differ, has_changed, slower,
};
pub use document::{Align, Block, Column, Document, Link, Table};
pub use export::{Export, export};
pub use gallery::{Page, gallery};
pub use judge::{Judgement, decided_by, in_a_line, judged};
pub use listing::{ListedLine, Listing};
pub use plot::{Axis, Curve, Mark, Panel, Plot, is_spaced_by_factors};
pub use profile::{lcov, profile, profile_table};
pub use render::{Format, render, render_foot, render_head, render_part};
pub use sections::{points, report, summary, terminal_report};
