//! `reduction`, `reduction_items` and `reduction_subgroup`: workloads that combine many items into one
//! ([`reduce()`]), and workloads that perform one kind of coordination alone ([`alone`]).
//!
//! Both item types must give the exact sum. Items are random integers of ten bits and a sign. The sum of 2^24
//! items has a standard deviation of 2.4 million, and f32 addition is exact up to 2^24. In any order of
//! summation that does not depend on the values, a partial sum exceeds 2^24 in less than one of 10^11 runs.

pub mod alone;
mod build;
mod items;
mod reduce;
mod source;
mod variant;

pub use build::{BARRIERS_OF_A_TREE, WORKGROUP_SIZE};
pub use items::Items;
pub use reduce::reduce;
pub use source::shaders;
pub use variant::Variant;
