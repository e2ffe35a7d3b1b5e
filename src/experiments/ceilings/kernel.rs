//! `ceilings`: reads of workgroup memory without bank conflicts.

use std::sync::{Arc, LazyLock};

use crate::gpu::{CostModel, DeviceShape, Invariant, Property, Shader, Workload};
use crate::kernels::{Kernel, Launch, module};

/// Vector sizes for which modules exist, in words.
pub const VECTORS: [u32; 3] = [1, 2, 4];
/// Loads of each invocation in one loop iteration.
const LOADS: u32 = 4;
/// Odd factors that make the components of an element differ.
const FACTORS: [u32; 4] = [2_654_435_769, 2_246_822_519, 3_266_489_917, 668_265_263];

/// Returns the WGSL modules, one for each of [`VECTORS`].
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    static SHADERS: LazyLock<Vec<Arc<Shader>>> = LazyLock::new(|| {
        let of = |vector: u32| {
            let invariant = Invariant::new(
                &["read_workgroup_memory"],
                Property::WorkgroupBytesInLoop(LOADS * 4 * vector),
                "a load that is dropped or reused costs nothing",
            );
            module(&format!("ceilings.vec{vector}"), source(vector), &[], &[invariant])
        };
        VECTORS.map(of).into()
    });
    SHADERS.clone()
}

/// Returns the WGSL with elements of `vector` words.
fn source(vector: u32) -> String {
    let factors: Vec<String> =
        FACTORS[..vector as usize].iter().map(|factor| format!("{factor}u")).collect();
    let (element, sum) = match vector {
        1 => ("u32".to_owned(), "sums".to_owned()),
        _ => {
            let parts: Vec<String> = ["x", "y", "z", "w"][..vector as usize]
                .iter()
                .map(|c| format!("sums.{c}"))
                .collect();
            (format!("vec{vector}<u32>"), parts.join(" + "))
        }
    };
    format!(
        "alias Element = {element};\n\nfn factors() -> Element {{\n    return Element({});\n}}\n\nfn sum_of(sums: Element) -> u32 {{\n    return \
         {sum};\n}}\n\n{}",
        factors.join(", "),
        include_str!("../../../shaders/ceilings.wgsl")
    )
}

/// One dispatch that reads workgroup memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkgroupMemory {
    /// Loop iterations of each invocation, with four loads each; at most 65,535.
    pub iterations: u32,
    /// Invocations per workgroup, a power of two.
    pub workgroup_size: u32,
    /// Number of workgroups.
    pub workgroups: u32,
    /// Words of each load, one of [`VECTORS`].
    pub vector: u32,
    /// Seed of the words in workgroup memory.
    pub seed: u32,
}

impl WorkgroupMemory {
    /// Builds the workload, timed as one pass.
    ///
    /// # Panics
    /// Panics if the workgroup size is not a power of two, or if no module has this vector size.
    #[must_use]
    pub fn workload(self) -> Workload {
        assert!(
            self.workgroup_size.is_power_of_two(),
            "indices are masked, so the workgroup size must be a power of two"
        );
        let module = VECTORS
            .iter()
            .position(|&vector| vector == self.vector)
            .expect("a module exists for this vector size");
        Launch {
            label: format!("{self:?}"),
            shader: Arc::clone(&shaders()[module]),
            entry: "read_workgroup_memory",
            workgroup_size: self.workgroup_size,
            workgroups: self.workgroups,
            params: vec![("iterations", self.iterations), ("seed", self.seed)],
            reads: None,
        }
        .of(self)
    }

    /// Returns the bytes that the dispatch reads from workgroup memory.
    #[must_use]
    pub fn bytes(self) -> f64 {
        f64::from(self.iterations * LOADS * 4 * self.vector)
            * f64::from(self.workgroup_size)
            * f64::from(self.workgroups)
    }

    /// Returns a component of the vector at index `place` of workgroup memory. Indices wrap at the workgroup
    /// size.
    fn word(self, place: u32, component: usize) -> u32 {
        ((place & (self.workgroup_size - 1)) ^ self.seed).wrapping_mul(FACTORS[component])
    }
}

impl Kernel for WorkgroupMemory {
    /// Returns the outputs of one workgroup. The outputs of all workgroups are equal.
    fn reference(&self) -> Vec<u32> {
        // The sum of one iteration depends only on the index of its first load, so each sum is computed once.
        let at: Vec<u32> = (0..self.workgroup_size)
            .map(|first| {
                let pair = |i: u32, c: usize| self.word(first + i, c) ^ self.word(first + i + 1, c);
                let parts = 0..self.vector as usize;
                parts.fold(0u32, |sum, c| sum.wrapping_add(pair(0, c)).wrapping_add(pair(2, c)))
            })
            .collect();
        let iteration = |local_index: u32, iteration: u32| {
            at[((local_index + LOADS * iteration) & (self.workgroup_size - 1)) as usize]
        };
        let output =
            |l: u32| (0..self.iterations).fold(0u32, |sum, t| sum.wrapping_add(iteration(l, t)));
        (0..self.workgroup_size).map(output).collect()
    }

    fn cost_model(&self, shape: DeviceShape) -> CostModel {
        // Instructions of a subgroup before and after its loop, and in each iteration with its four loads. Each component
        // of an element has instructions of its own.
        let vector = f64::from(self.vector);
        let (setup_issues, iteration_issues) = (7.0 + 2.0 * vector, 16.0 + 4.0 * vector);
        let slots = f64::from(self.workgroups * shape.issue_slots(self.workgroup_size));
        let subgroups = f64::from(self.workgroups * self.workgroup_size.div_ceil(shape.width));
        CostModel {
            workgroups: f64::from(self.workgroups),
            subgroups,
            issues: slots * (setup_issues + iteration_issues * f64::from(self.iterations)),
            barriers: f64::from(self.workgroups),
            ..CostModel::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_matches_a_computation_by_hand() {
        let memory =
            WorkgroupMemory { iterations: 2, workgroup_size: 4, workgroups: 1, vector: 4, seed: 3 };
        // Every iteration reads all four vectors. An even first index pairs them differently from an odd one.
        let words = |c: usize| [0, 1, 2, 3].map(|place| memory.word(place, c));
        let even = (0..4).fold(0u32, |sum, c| {
            let [p, q, r, s] = words(c);
            sum.wrapping_add(p ^ q).wrapping_add(r ^ s)
        });
        let odd = (0..4).fold(0u32, |sum, c| {
            let [p, q, r, s] = words(c);
            sum.wrapping_add(q ^ r).wrapping_add(s ^ p)
        });
        let both = [even, odd].map(|sum| sum.wrapping_mul(2));
        assert_eq!(memory.reference(), [both[0], both[1], both[0], both[1]]);

        let [p, q, r, s] = words(0);
        let [even, odd] = [(p ^ q).wrapping_add(r ^ s), (q ^ r).wrapping_add(s ^ p)]
            .map(|sum| sum.wrapping_mul(2));
        let scalar = WorkgroupMemory { vector: 1, ..memory };
        assert_eq!(scalar.reference(), [even, odd, even, odd]);
    }
}
