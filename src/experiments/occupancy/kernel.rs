//! `occupancy`: loads that each wait for the one before, along one seeded cycle through all of a buffer.

use std::sync::{Arc, LazyLock};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::gpu::{Contents, CostModel, Shader, Workload};
use crate::kernels::{Kernel, Launch, module};

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("occupancy", include_str!("../../../shaders/occupancy.wgsl"), false)
    });
    Arc::clone(&SHADER)
}

/// Words from one link to the next in memory, as in the shader.
const STRIDE: u32 = 32;
/// What scatters lanes over links, as in the shader.
const SCATTER: u32 = 0x9E37_79B1;

/// One cycle through every link of a buffer in random order.
#[derive(Debug, Clone)]
pub struct Cycle {
    /// Each link holds the word at which the next one lies; the words between links are zero.
    pub words: Arc<[u32]>,
    /// Links in the order in which the cycle visits them.
    order: Arc<[u32]>,
    /// Where in that order each link stands.
    rank: Arc<[u32]>,
}

impl Cycle {
    /// A cycle through a buffer of `bytes`.
    ///
    /// # Panics
    /// When the bytes are not a power of two or hold no link.
    #[must_use]
    pub fn random(bytes: u64, seed: u64) -> Self {
        let links =
            u32::try_from(bytes / u64::from(4 * STRIDE)).expect("a buffer has 32-bit places");
        assert!(links.is_power_of_two(), "lanes are scattered over links by mask");
        let mut order: Vec<u32> = (0..links).collect();
        // Any order of all links, closed to a ring, is one cycle.
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut words = vec![0; (links * STRIDE) as usize];
        let mut rank = vec![0; links as usize];
        for (place, (&from, &to)) in order.iter().zip(order.iter().cycle().skip(1)).enumerate() {
            words[(from * STRIDE) as usize] = to * STRIDE;
            rank[from as usize] = place as u32;
        }
        Self { words: words.into(), order: order.into(), rank: rank.into() }
    }

    /// Links.
    #[must_use]
    pub fn links(&self) -> u32 {
        self.order.len() as u32
    }

    /// The word at which a walk from `link` ends after so many steps: counted along the order and not
    /// walked, since walks are long.
    fn after(&self, link: u32, steps: u32) -> u32 {
        let place = u64::from(self.rank[link as usize]) + u64::from(steps);
        self.order[(place % u64::from(self.links())) as usize] * STRIDE
    }
}

/// One dispatch of walks.
#[derive(Debug, Clone)]
pub struct Chase {
    /// What they walk along.
    pub cycle: Cycle,
    /// Steps of each lane.
    pub steps: u32,
    /// Lanes in a workgroup.
    pub workgroup_size: u32,
    /// Workgroups.
    pub workgroups: u32,
}

impl Chase {
    /// The workload, timed as one pass. Each time it is run, lanes go on from where they stopped.
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
            .map(|lane| lane.wrapping_mul(SCATTER) & mask);
        starts.map(|link| self.cycle.after(link, self.steps)).collect()
    }

    fn cost_model(&self, width: u32) -> CostModel {
        let workgroups = f64::from(self.workgroups);
        let subgroups = workgroups * f64::from(self.workgroup_size.div_ceil(width));
        CostModel {
            workgroups,
            subgroups,
            loads: subgroups * f64::from(self.steps),
            load_chain: f64::from(self.steps),
            ..CostModel::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_is_on_the_one_cycle_whatever_the_seed() {
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
    fn the_reference_follows_the_walk() {
        let cycle = Cycle::random(4096, 3);
        let chase = Chase { cycle: cycle.clone(), steps: 45, workgroup_size: 4, workgroups: 2 };
        for (lane, &end) in chase.reference().iter().enumerate() {
            let start = (lane as u32).wrapping_mul(SCATTER) % 32 * STRIDE;
            let walked = (0..45).fold(start, |at, _| cycle.words[at as usize]);
            assert_eq!(end, walked, "lane {lane}");
        }
    }

    #[test]
    fn seeds_give_other_cycles() {
        let words = |seed| Cycle::random(4096, seed).words;
        assert_eq!(words(1), words(1));
        assert_ne!(words(1), words(2));
    }
}
