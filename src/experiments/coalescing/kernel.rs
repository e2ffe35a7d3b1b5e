//! `coalescing`: loads that spread over few or many cache lines, with the lines counted lane by lane.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use crate::gpu::{CostModel, Shader, Workload};
use crate::kernels::{Kernel, Launch, module};

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("coalescing", include_str!("../../../shaders/coalescing.wgsl"), false)
    });
    Arc::clone(&SHADER)
}

/// Lanes in a workgroup.
pub const WORKGROUP_SIZE: u32 = 256;

/// Loads of each lane.
pub const STEPS: u32 = 32;

/// Workgroups after which loads come round to the same words.
const PERIOD: u32 = 64;

/// Words that no line is larger than: blocks begin at multiples of it, so that no two of them share a line.
pub const LONGEST_LINE: u32 = 64;

/// Bytes that present GPUs move at the least: what the cost model counts lines by.
const SECTOR: u32 = 32;

/// Instructions of a step, and before and after them, as one counts them in the WGSL.
const STEP_ISSUES: f64 = 13.0;
const SETUP_ISSUES: f64 = 16.0;

/// Where the lanes of a subgroup load from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// All from one word.
    Broadcast,
    /// From words so far apart, the first so many words after the beginning of a block.
    Strided {
        /// Words from one lane's to the next one's, a power of two.
        stride: u32,
        /// Words before the first lane's.
        offset: u32,
    },
    /// Each from one of so many words, drawn at random: a power of two.
    Random(u32),
}

/// One dispatch of loads.
#[derive(Debug, Clone)]
pub struct Loads {
    /// Where from.
    pub pattern: Pattern,
    /// Lanes in a subgroup, a power of two.
    pub width: u32,
    /// Workgroups.
    pub workgroups: u32,
    /// What is loaded, a power of two words.
    pub data: Arc<[u32]>,
    /// Of the draws.
    pub seed: u32,
}

impl Loads {
    /// The workload, timed as one pass.
    #[must_use]
    pub fn workload(self) -> Workload {
        let (stride, offset, random_mask) = self.places();
        Launch {
            label: format!("{:?} by {} lanes", self.pattern, self.width),
            shader: shader(),
            entry: "coalescing",
            workgroup_size: WORKGROUP_SIZE,
            workgroups: self.workgroups,
            params: vec![
                ("steps", STEPS),
                ("width", self.width),
                ("block", self.block()),
                ("stride", stride),
                ("offset", offset),
                ("random_mask", random_mask),
                ("words_mask", self.data.len() as u32 - 1),
                ("seed", self.seed),
            ],
            reads: Some(("data", Arc::clone(&self.data))),
        }
        .of(self)
    }

    /// Stride, offset, and the mask of draws.
    fn places(&self) -> (u32, u32, u32) {
        match self.pattern {
            Pattern::Broadcast => (0, 0, 0),
            Pattern::Strided { stride, offset } => (stride, offset, 0),
            Pattern::Random(words) => (0, 0, words - 1),
        }
    }

    /// Words that a subgroup loads from in a step.
    fn block(&self) -> u32 {
        match self.pattern {
            Pattern::Broadcast => 1,
            Pattern::Strided { stride, offset: 0 } => (self.width * stride).max(LONGEST_LINE),
            Pattern::Strided { stride, .. } => (2 * self.width * stride).max(2 * LONGEST_LINE),
            Pattern::Random(words) => words.max(LONGEST_LINE),
        }
    }

    /// The words that a lane loads, step by step.
    fn addresses(&self, workgroup: u32, lane: u32) -> impl Iterator<Item = u32> {
        let (stride, offset, random_mask) = self.places();
        let (block, words_mask) = (self.block(), self.data.len() as u32 - 1);
        let invocation = workgroup % PERIOD * WORKGROUP_SIZE + lane;
        let own = lane % self.width * stride + offset;
        let subgroup = invocation / self.width;
        let mut place = subgroup.wrapping_add(self.seed).wrapping_mul(2_654_435_761);
        let mut draw = (invocation ^ self.seed).wrapping_mul(2_246_822_519);
        (0..STEPS).map(move |_| {
            place = place.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let first = (place >> 12).wrapping_mul(block);
            first.wrapping_add(own + ((draw >> 16) & random_mask)) & words_mask
        })
    }

    /// Lines of so many bytes that a subgroup's load touches, on average over those of a workgroup.
    #[must_use]
    pub fn lines_per_load(&self, line_bytes: u32) -> f64 {
        let subgroups = WORKGROUP_SIZE / self.width;
        let words = line_bytes / 4;
        let touched = (0..subgroups).map(|subgroup| {
            let lanes = subgroup * self.width..(subgroup + 1) * self.width;
            // With the step, as a line is brought for each load anew.
            let loads = lanes.flat_map(|lane| self.addresses(0, lane).enumerate());
            loads.map(|(step, word)| (step, word / words)).collect::<HashSet<_>>().len()
        });
        touched.sum::<usize>() as f64 / f64::from(subgroups * STEPS)
    }
}

impl Kernel for Loads {
    /// One period's outputs, or all if there are fewer.
    fn reference(&self) -> Vec<u32> {
        let workgroups = 0..PERIOD.min(self.workgroups);
        let lanes =
            workgroups.flat_map(|workgroup| (0..WORKGROUP_SIZE).map(move |lane| (workgroup, lane)));
        lanes
            .map(|(workgroup, lane)| {
                self.addresses(workgroup, lane)
                    .fold(0, |sum: u32, word| (sum ^ self.data[word as usize]).wrapping_mul(3))
            })
            .collect()
    }

    /// A line is a load: what the hardware serves one after another.
    fn cost_model(&self, width: u32) -> CostModel {
        let (workgroups, subgroups) =
            (f64::from(self.workgroups), f64::from(WORKGROUP_SIZE.div_ceil(width)));
        let loads = subgroups * f64::from(STEPS);
        CostModel {
            workgroups,
            subgroups: workgroups * subgroups,
            issues: workgroups * (subgroups * SETUP_ISSUES + loads * STEP_ISSUES),
            loads: workgroups * loads * self.lines_per_load(SECTOR),
            ..CostModel::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::random_words;

    fn loads(pattern: Pattern, width: u32) -> Loads {
        Loads { pattern, width, workgroups: 2, data: random_words(1, 1 << 18), seed: 3 }
    }

    #[test]
    fn lines_are_counted_as_by_hand() {
        let strided = |stride, offset| loads(Pattern::Strided { stride, offset }, 32);
        assert_eq!(strided(1, 0).lines_per_load(128), 1.0);
        assert_eq!(strided(1, 0).lines_per_load(32), 4.0);
        assert_eq!(strided(64, 0).lines_per_load(128), 32.0);
        // One word further, a load needs one line more.
        assert_eq!(strided(1, 1).lines_per_load(128), 2.0);
        assert_eq!(strided(2, 1).lines_per_load(128), 2.0);
        // Four lanes take an eighth of a line, and yet one.
        let few = loads(Pattern::Strided { stride: 1, offset: 0 }, 4);
        assert_eq!(few.lines_per_load(128), 1.0);
        assert_eq!(loads(Pattern::Broadcast, 32).lines_per_load(128), 1.0);
    }

    #[test]
    fn the_reference_loads_by_hand() {
        let loads = loads(Pattern::Strided { stride: 2, offset: 0 }, 32);
        // Of the first subgroup, with the seed 3: 3·2654435761 stepped once is 428555892, whose upper 20 bits are 104627:
        // the block of 64 words that begins at word 142528 of 2^18.
        assert_eq!(loads.addresses(0, 5).next(), Some(142_528 + 10));
        let sum = loads
            .addresses(0, 5)
            .fold(0, |sum: u32, word| (sum ^ loads.data[word as usize]).wrapping_mul(3));
        assert_eq!(loads.reference()[5], sum);
    }
}
