//! The experiments: what is swept, what calibrates, what the law predicts, what a deviation suggests.
//! No timing code: [`crate::measure`] does that for all of them.
//!
//! A new experiment is one file here and one line in [`REGISTRY`], and a row with its tolerance and the
//! reason for it in [`crate::stats::tolerance`].

mod allreduce;
mod amdahl;
mod arithmetic;
mod ceilings;
mod contention;
mod dependence;
mod divergence;
mod ilp;
mod imbalance;
mod knee;
mod ladder;
mod lanes;
mod occupancy;
mod overlap;
mod reduction;
mod select;
mod shapes;
mod width;

pub use reduction::fastest as fastest_reduction;

use crate::measure::{CaseId, Context, Experiment, Sizing};

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
    ceilings::EXPERIMENT,
    reduction::EXPERIMENT,
    contention::EXPERIMENT,
    dependence::EXPERIMENT,
    allreduce::EXPERIMENT,
    occupancy::EXPERIMENT,
    overlap::EXPERIMENT,
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

/// Of whole passes over an input, which are anything from microseconds to a large part of a second.
const TRAIN: Sizing = Sizing::Own { granule: 1, most: 512 };

/// The case of a sweep at `number`.
fn case_at(cases: &[(u32, CaseId)], number: u32) -> CaseId {
    cases.iter().find(|&&(n, _)| n == number).expect("every number of a sweep has its case").1
}

/// Seconds that were measured; NaN where noise leaves nothing of them.
fn positive(seconds: f64) -> f64 {
    if seconds > 0.0 { seconds } else { f64::NAN }
}

/// What a law says of two figures; NaN where either is unknown, since to a law the larger of a number and no
/// number would be the number.
fn of_known(a: f64, b: f64, law: impl Fn(f64, f64) -> f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { law(a, b) }
}

/// Whether a few workgroups fill the device.
fn is_narrow(context: &Context<'_>) -> bool {
    context.facts.device_type == "cpu"
}
