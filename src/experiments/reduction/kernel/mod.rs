//! `reduction`, `reduction_items` and `reduction_subgroup`: many items to one ([`reduce()`]), and the price
//! of each kind of coordination alone ([`alone`]).
//!
//! Items are random integers of ten bits and a sign. The sum of 2²⁴ of them has a standard deviation of
//! 2.4 million, so that a partial sum, in any order that does not look at the values, leaves the 2²⁴
//! within which f32 addition is exact less than once in 10¹¹ runs: both types must give the exact answer.

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
