//! Kernel of `coalescing`: loads whose subgroups touch few or many cache lines. The lines are counted lane by
//! lane.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use crate::gpu::{CostModel, DeviceShape, Invariant, Property, Shader, Workload};
use crate::kernels::{Kernel, Launch, module};

const INVARIANTS: &[Invariant] =
    &[Invariant::new(&["coalescing"], Property::LoadsInLoop(1), "each step is one load")];

/// Returns the WGSL module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("coalescing", include_str!("../../../shaders/coalescing.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// Invocations per workgroup.
pub const WORKGROUP_SIZE: u32 = 256;

/// Loads per invocation.
pub const STEPS: u32 = 32;

/// Workgroups after which the addresses repeat.
const PERIOD: u32 = 64;

/// Upper bound of the line size, in words. Blocks begin at multiples of this size, so that no two blocks
/// share a line.
pub const LONGEST_LINE: u32 = 64;

/// Instructions per loop iteration.
const STEP_ISSUES: f64 = 17.0;
/// Instructions before and after the loop.
const SETUP_ISSUES: f64 = 20.0;

/// Addresses that the lanes of a subgroup load from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// All lanes load one word.
    Broadcast,
    /// Neighbouring lanes load words at a constant distance.
    Strided {
        /// Distance between the words of neighbouring lanes, in words: a power of two.
        stride: u32,
        /// Distance from the start of the block to the word of the first lane, in words.
        offset: u32,
    },
    /// Groups of four lanes load from a separate block of [`LONGEST_LINE`] words each. The number is the distance between
    /// the words of the lanes of a group, in words: a power of two.
    Grouped(u32),
    /// Each lane draws one of this many words at random. The number is a power of two.
    Random(u32),
}

/// Lanes of a group in [`Pattern::Grouped`].
const GROUP: u32 = 4;

/// The words of the lanes within the block of a subgroup, as the shader expects them.
struct Places {
    group: u32,
    stride: u32,
    far: u32,
    offset: u32,
    random_mask: u32,
}

/// One dispatch of loads.
#[derive(Debug, Clone)]
pub struct Loads {
    /// Access pattern.
    pub pattern: Pattern,
    /// Lanes per subgroup, a power of two.
    pub width: u32,
    /// Number of workgroups.
    pub workgroups: u32,
    /// Input array. The number of words is a power of two.
    pub data: Arc<[u32]>,
    /// Seed of the block positions and of the random draws.
    pub seed: u32,
}

impl Loads {
    /// Returns the workload, timed as one pass.
    #[must_use]
    pub fn workload(self) -> Workload {
        let Places { group, stride, far, offset, random_mask } = self.places();
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
                ("group", group),
                ("stride", stride),
                ("far", far),
                ("offset", offset),
                ("random_mask", random_mask),
                ("words_mask", self.data.len() as u32 - 1),
                ("seed", self.seed),
            ],
            reads: Some(("data", Arc::clone(&self.data))),
        }
        .of(self)
    }

    fn places(&self) -> Places {
        let none = Places { group: self.width, stride: 0, far: 0, offset: 0, random_mask: 0 };
        match self.pattern {
            Pattern::Broadcast => none,
            Pattern::Strided { stride, offset } => Places { stride, offset, ..none },
            Pattern::Grouped(stride) => {
                Places { group: GROUP.min(self.width), stride, far: LONGEST_LINE, ..none }
            }
            Pattern::Random(words) => Places { random_mask: words - 1, ..none },
        }
    }

    /// Returns the size of the block that a subgroup loads from in one loop iteration, in words.
    fn block(&self) -> u32 {
        match self.pattern {
            Pattern::Broadcast => 1,
            Pattern::Strided { stride, offset: 0 } => (self.width * stride).max(LONGEST_LINE),
            Pattern::Strided { stride, .. } => (2 * self.width * stride).max(2 * LONGEST_LINE),
            Pattern::Grouped(_) => self.width.div_ceil(GROUP) * LONGEST_LINE,
            Pattern::Random(words) => words.max(LONGEST_LINE),
        }
    }

    /// Returns the indices of the words that an invocation loads, in the order of its loop.
    fn addresses(&self, workgroup: u32, local_index: u32) -> impl Iterator<Item = u32> {
        let Places { group, stride, far, offset, random_mask } = self.places();
        let (block, words_mask) = (self.block(), self.data.len() as u32 - 1);
        let invocation = workgroup % PERIOD * WORKGROUP_SIZE + local_index;
        let lane = local_index % self.width;
        let own = lane % group * stride + lane / group * far + offset;
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

    /// Returns the number of lines of `line_bytes` bytes that a load of a subgroup touches, averaged over the
    /// loads of a workgroup.
    #[must_use]
    pub fn lines_per_load(&self, line_bytes: u32) -> f64 {
        self.lines_per_load_of(self.width, line_bytes)
    }

    /// Returns the same for subgroups of `width` lanes, whatever width the pattern is for.
    fn lines_per_load_of(&self, width: u32, line_bytes: u32) -> f64 {
        let words = line_bytes / 4;
        let firsts = (0..WORKGROUP_SIZE).step_by(width as usize);
        let touched = firsts.clone().map(|first| {
            let lanes = first..(first + width).min(WORKGROUP_SIZE);
            // The iteration is part of the key because every load fetches its lines again.
            let loads = lanes.flat_map(|lane| self.addresses(0, lane).enumerate());
            loads.map(|(step, word)| (step, word / words)).collect::<HashSet<_>>().len()
        });
        touched.sum::<usize>() as f64 / (firsts.len() as f64 * f64::from(STEPS))
    }
}

impl Kernel for Loads {
    /// Returns the outputs of one period, or of all workgroups if there are fewer.
    fn reference(&self) -> Vec<u32> {
        let workgroups = 0..PERIOD.min(self.workgroups);
        let invocations = workgroups.flat_map(|workgroup| {
            (0..WORKGROUP_SIZE).map(move |local_index| (workgroup, local_index))
        });
        invocations
            .map(|(workgroup, local_index)| {
                self.addresses(workgroup, local_index)
                    .fold(0, |sum: u32, word| (sum ^ self.data[word as usize]).wrapping_mul(3))
            })
            .collect()
    }

    fn cost_model(&self, shape: DeviceShape) -> CostModel {
        let workgroups = f64::from(self.workgroups);
        let slots = workgroups * f64::from(shape.issue_slots(WORKGROUP_SIZE));
        let steps = f64::from(STEPS);
        let subgroups = workgroups * f64::from(WORKGROUP_SIZE.div_ceil(shape.width));
        let loads = subgroups * steps;
        CostModel {
            workgroups,
            subgroups,
            issues: slots * (SETUP_ISSUES + steps * STEP_ISSUES),
            footprint: self.data.len() as f64 * 4.0,
            lines: loads * self.lines_per_load_of(shape.width, shape.line_bytes),
            sectors: loads * self.lines_per_load_of(shape.width, shape.sector_bytes),
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
    fn lines_per_load_agrees_with_a_count_by_hand() {
        let strided = |stride, offset| loads(Pattern::Strided { stride, offset }, 32);
        assert_eq!(strided(1, 0).lines_per_load(128), 1.0);
        assert_eq!(strided(1, 0).lines_per_load(32), 4.0);
        assert_eq!(strided(64, 0).lines_per_load(128), 32.0);
        // Offset by one word, a contiguous load touches one more line.
        assert_eq!(strided(1, 1).lines_per_load(128), 2.0);
        assert_eq!(strided(2, 1).lines_per_load(128), 2.0);
        // Four lanes load an eighth of a line, which still counts as one line.
        let few = loads(Pattern::Strided { stride: 1, offset: 0 }, 4);
        assert_eq!(few.lines_per_load(128), 1.0);
        assert_eq!(loads(Pattern::Broadcast, 32).lines_per_load(128), 1.0);
        // Eight groups of four lanes each touch one line, and one to four sectors of it.
        let grouped = |stride| loads(Pattern::Grouped(stride), 32);
        assert_eq!([1, 2, 4, 8].map(|stride| grouped(stride).lines_per_load(128)), [8.0; 4]);
        let sectors = [1, 2, 4, 8].map(|stride| grouped(stride).lines_per_load(32));
        assert_eq!(sectors, [8.0, 8.0, 16.0, 32.0]);
    }

    #[test]
    fn the_reference_agrees_with_loads_by_hand() {
        let loads = loads(Pattern::Strided { stride: 2, offset: 0 }, 32);
        // The first subgroup with seed 3: one step of the generator takes 3·2654435761 to 428555892. The
        // upper 20 bits are 104627, so the block of 64 words begins at word 142528 of 2^18.
        assert_eq!(loads.addresses(0, 5).next(), Some(142_528 + 10));
        let sum = loads
            .addresses(0, 5)
            .fold(0, |sum: u32, word| (sum ^ loads.data[word as usize]).wrapping_mul(3));
        assert_eq!(loads.reference()[5], sum);
    }
}
