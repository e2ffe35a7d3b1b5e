//! Kernel of `occupancy`: pointer chases along one seeded cycle through a buffer.
//!
//! The result of each load is the address of the next one, so the loads of an invocation never overlap.

use std::sync::{Arc, LazyLock};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::gpu::{
    Contents, CostModel, DeviceShape, Dispatch, Invariant, Property, Shader, Workload,
};
use crate::kernels::{Kernel, Launch, module};

const INVARIANTS: &[Invariant] =
    &[Invariant::new(&["chase"], Property::LoadsInLoop(1), "each step is one load")];

/// Returns the WGSL module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("occupancy", include_str!("../../../shaders/occupancy.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// Words between the starts of two neighbouring links in memory, as in the shader.
const STRIDE: u32 = 32;
/// Odd factor that scatters the invocations over the links, as in the shader.
const SCATTER: u32 = 0x9E37_79B1;

/// Invocations per workgroup of the kernel that loads every link, and its largest number of workgroups.
const TOUCHING: u32 = 64;
const MOST_TOUCHING: u32 = 4096;

/// One cycle that visits every link of a buffer in random order.
#[derive(Debug, Clone)]
pub struct Cycle {
    /// Contents of the buffer. The first word of each link is the word index of the next link. All other
    /// words are zero.
    pub words: Arc<[u32]>,
    /// Link numbers in the order in which the cycle visits them.
    order: Arc<[u32]>,
    /// Position of each link in `order`.
    rank: Arc<[u32]>,
}

impl Cycle {
    /// Builds the cycle of `seed` through a buffer of `bytes` bytes.
    ///
    /// # Panics
    /// Panics if the number of links, `bytes` / 128, is not a power of two or does not fit in 32 bits.
    #[must_use]
    pub fn random(bytes: u64, seed: u64) -> Self {
        let links = u32::try_from(bytes / u64::from(4 * STRIDE))
            .expect("the number of links fits in 32 bits");
        assert!(
            links.is_power_of_two(),
            "a mask selects links, so their number must be a power of two"
        );
        let mut order: Vec<u32> = (0..links).collect();
        // Every permutation of all links, closed from its end to its start, is a single cycle.
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut words = vec![0; (links * STRIDE) as usize];
        let mut rank = vec![0; links as usize];
        for (position, (&from, &to)) in order.iter().zip(order.iter().cycle().skip(1)).enumerate() {
            words[(from * STRIDE) as usize] = to * STRIDE;
            rank[from as usize] = position as u32;
        }
        Self { words: words.into(), order: order.into(), rank: rank.into() }
    }

    /// Returns the number of links.
    #[must_use]
    pub fn links(&self) -> u32 {
        self.order.len() as u32
    }

    /// Returns the word index at which a walk of `steps` loads from `link` ends. The function indexes `order`
    /// instead of following the links, because walks are long.
    fn after(&self, link: u32, steps: u32) -> u32 {
        let position = u64::from(self.rank[link as usize]) + u64::from(steps);
        self.order[(position % u64::from(self.links())) as usize] * STRIDE
    }
}

/// One dispatch of pointer chases.
#[derive(Debug, Clone)]
pub struct Chase {
    /// Cycle that the invocations follow.
    pub cycle: Cycle,
    /// Loads per invocation.
    pub steps: u32,
    /// Invocations per workgroup.
    pub workgroup_size: u32,
    /// Number of workgroups.
    pub workgroups: u32,
}

impl Chase {
    /// Returns the workload after a load of every link.
    #[must_use]
    pub fn warmed(self) -> Workload {
        let links = self.cycle.links();
        let workload = self.workload();
        let chase = &workload.dispatches[0];
        let bindings = chase.bindings.iter().filter(|(name, _)| *name != "stopped").copied();
        let touch = Dispatch {
            entry: "touch",
            constants: vec![("WORKGROUP_SIZE", TOUCHING)],
            bindings: bindings.collect(),
            workgroups: [(links / TOUCHING).clamp(1, MOST_TOUCHING), 1],
            cost_model: Arc::new(move |_| CostModel {
                lines: f64::from(links),
                sectors: f64::from(links),
                ..CostModel::default()
            }),
            ..chase.clone()
        };
        Workload { warm_up: vec![touch], ..workload }
    }

    /// Returns the workload, timed as one pass. Each run continues where the previous run stopped, because a
    /// second walk along the same links would find them in a cache.
    #[must_use]
    pub fn workload(self) -> Workload {
        let Self { steps, workgroup_size, workgroups, .. } = self;
        let links = self.cycle.links();
        let mut workload = Launch {
            label: format!(
                "chase of {workgroups} × {workgroup_size} invocations along {links} links"
            ),
            shader: shader(),
            entry: "chase",
            workgroup_size,
            workgroups,
            params: vec![("steps", steps), ("mask", links - 1)],
            reads: Some(("links", Arc::clone(&self.cycle.words))),
        }
        .of(self);
        workload.dispatches[0].bindings.push(("stopped", workload.buffers.len()));
        workload.buffers.push(Contents::Zeroed((workgroups * workgroup_size) as usize));
        workload
    }
}

impl Kernel for Chase {
    fn reference(&self) -> Vec<u32> {
        let mask = self.cycle.links() - 1;
        let starts = (0..self.workgroups * self.workgroup_size)
            .map(|invocation| invocation.wrapping_mul(SCATTER) & mask);
        starts.map(|link| self.cycle.after(link, self.steps)).collect()
    }

    /// Counts every load of every invocation as one line, because the links are scattered.
    fn cost_model(&self, shape: DeviceShape) -> CostModel {
        let workgroups = f64::from(self.workgroups);
        let loads = workgroups * f64::from(self.workgroup_size) * f64::from(self.steps);
        CostModel {
            workgroups,
            subgroups: workgroups * f64::from(self.workgroup_size.div_ceil(shape.width)),
            footprint: self.cycle.words.len() as f64 * 4.0,
            lines: loads,
            sectors: loads,
            load_chain: f64::from(self.steps),
            ..CostModel::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cycle_visits_every_link_for_every_seed() {
        for seed in 0..20 {
            let cycle = Cycle::random(64 << 10, seed);
            let (mut at, mut steps) = (0, 0);
            loop {
                at = cycle.words[at as usize];
                steps += 1;
                if at == 0 {
                    break;
                }
            }
            assert_eq!(steps, 512, "seed {seed}");
        }
    }

    #[test]
    fn the_reference_equals_a_walk_along_the_links() {
        let cycle = Cycle::random(4096, 3);
        let chase = Chase { cycle: cycle.clone(), steps: 45, workgroup_size: 4, workgroups: 2 };
        for (invocation, &end) in chase.reference().iter().enumerate() {
            let start = (invocation as u32).wrapping_mul(SCATTER) % 32 * STRIDE;
            let walked = (0..45).fold(start, |at, _| cycle.words[at as usize]);
            assert_eq!(end, walked, "invocation {invocation}");
        }
    }

    #[test]
    fn different_seeds_give_different_cycles() {
        let words = |seed| Cycle::random(4096, seed).words;
        assert_eq!(words(1), words(1));
        assert_ne!(words(1), words(2));
    }
}
