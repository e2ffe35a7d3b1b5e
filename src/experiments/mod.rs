//! The experiments: what is swept, what calibrates, what the law predicts, what a deviation suggests.
//! No timing code: [`crate::measure`] does that for all of them.
//!
//! A new experiment is one file here and one line in [`REGISTRY`], and a row with its tolerance and the
//! reason for it in [`crate::stats::tolerance`].

mod amdahl;
mod divergence;
mod ilp;
mod imbalance;
mod ladder;
mod lanes;
mod reduction;
mod select;
mod width;

use crate::measure::{Context, Experiment};

/// Every experiment, in the order run: `width` first, since the others want to know it.
pub const REGISTRY: &[Experiment] = &[
    width::EXPERIMENT,
    divergence::EXPERIMENT,
    imbalance::EXPERIMENT,
    select::EXPERIMENT,
    amdahl::EXPERIMENT,
    ilp::EXPERIMENT,
    lanes::EXPERIMENT,
    ladder::EXPERIMENT,
    reduction::EXPERIMENT,
];

/// The experiment of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Experiment> {
    REGISTRY.iter().find(|experiment| experiment.id == id)
}

/// 1, 2, 4 … up to and including `last` where it is a power of two.
fn powers_of_two(last: u32) -> impl Iterator<Item = u32> {
    (0..32).map(|exponent| 1u32 << exponent).take_while(move |&power| power <= last)
}

/// Whether a few workgroups fill the device.
fn is_narrow(context: &Context<'_>) -> bool {
    context.facts.device_type == "cpu"
}
