//! `ilp`: independent chains of dependent steps, side by side in each lane.
//!
//! A u32 step adds, then flips bits: two dependent instructions that nothing can merge. An f32 step
//! is a multiplication by −1 and an addition, fused where the hardware can: exact however it is rounded.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use super::{Kernel, Launch, Number, module};
use crate::gpu::{CostModel, Shader, Workload};

impl Number {
    /// The step of variable `x` in WGSL; `odd` steps differ in f32, so that two do not cancel.
    fn step(self, x: u32, odd: bool) -> String {
        match (self, odd) {
            (Self::U32, _) => format!("x{x} = (x{x} + a) ^ b;"),
            (Self::F32, false) => format!("x{x} = fma(x{x}, a, b);"),
            (Self::F32, true) => format!("x{x} = fma(x{x}, a, c);"),
        }
    }

    /// What the parameters `a`, `b` and `c` hold.
    fn operands(self) -> [u32; 3] {
        match self {
            Self::U32 => [0x9E37_79B9, 0x85EB_CA6B, 0],
            // x → 3 − x → 4 − (3 − x) = x + 1 in two steps: small whole numbers, which f32 holds exactly.
            Self::F32 => [(-1f32).to_bits(), 3f32.to_bits(), 4f32.to_bits()],
        }
    }
}

/// Chains in a lane that there are modules for.
pub const CHAINS: [u32; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 12];
/// Steps of each chain in a trip of the loop: many beside the loop's own instructions, few enough that the
/// most chains of them fit a small instruction cache.
pub const STEPS: u32 = 16;

/// Chains to a variable, so that a step is one instruction of a vector where the hardware has those.
pub const VECTORS: [u32; 3] = [1, 2, 4];

/// Number, chains and chains to a variable of each module, in order.
fn modules() -> impl Iterator<Item = (Number, u32, u32)> {
    let chains_in =
        |vector: u32| CHAINS.into_iter().filter(move |c| c % vector == 0).map(move |c| (c, vector));
    let of =
        move |number| VECTORS.into_iter().flat_map(chains_in).map(move |(c, v)| (number, c, v));
    Number::ALL.into_iter().flat_map(of)
}

fn source((number, chains, vector): (Number, u32, u32)) -> String {
    let word = number.as_str();
    let kind = if vector == 1 { word.to_owned() } else { format!("vec{vector}<{word}>") };
    let mut text = include_str!("../../shaders/ilp.wgsl").to_owned();
    let mut line = |words: String| {
        let _infallible = writeln!(text, "{words}");
    };
    line("\nfn run_chains(start: u32) -> u32 {".to_owned());
    for operand in ["a", "b", "c"] {
        line(format!("    let {operand} = {kind}(bitcast<{word}>(params.{operand}));"));
    }
    let variables = chains / vector;
    for variable in 0..variables {
        let of_variable = variable * vector..(variable + 1) * vector;
        let starts: Vec<String> =
            of_variable.map(|chain| format!("{word}(start + {}u)", first_of(chain))).collect();
        line(format!("    var x{variable} = {kind}({});", starts.join(", ")));
    }
    line("    let iterations = params.iterations;".to_owned());
    line("    for (var iteration = 0u; iteration < iterations; iteration++) {".to_owned());
    for step in 0..STEPS {
        for variable in 0..variables {
            line(format!("        {}", number.step(variable, step % 2 == 1)));
        }
    }
    line("    }".to_owned());
    let parts: &[&str] = if vector == 1 { &[""] } else { &[".x", ".y", ".z", ".w"] };
    let folded: Vec<String> = (0..variables)
        .flat_map(|x| {
            parts[..vector as usize].iter().map(move |part| format!("bitcast<u32>(x{x}{part})"))
        })
        .collect();
    line(format!("    return {};\n}}", folded.join(" ^ ")));
    text
}

/// Where a chain starts beyond its lane: chains that start alike would be one to a compiler.
fn first_of(chain: u32) -> u32 {
    chain * 11
}

/// The modules: every number of chains, in scalars and in such vectors as it fills.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    static SHADERS: LazyLock<Vec<Arc<Shader>>> = LazyLock::new(|| {
        let named = |(number, chains, vector): (Number, u32, u32)| {
            let name = format!("ilp.{}.{chains}.vec{vector}", number.as_str());
            module(&name, source((number, chains, vector)), false)
        };
        modules().map(named).collect()
    });
    SHADERS.clone()
}

/// One dispatch of chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ilp {
    /// What they are of.
    pub number: Number,
    /// Chains in a lane, one of [`CHAINS`].
    pub chains: u32,
    /// Chains to a variable, one of [`VECTORS`] that divides them.
    pub vector: u32,
    /// Trips of [`STEPS`] steps of each chain; at most 65,535.
    pub iterations: u32,
    /// Lanes in a workgroup.
    pub workgroup_size: u32,
    /// Workgroups.
    pub workgroups: u32,
    /// Where the lanes start.
    pub seed: u32,
}

impl Ilp {
    /// The workload, timed as one pass.
    ///
    /// # Panics
    /// When there is no module of so many chains in such vectors.
    #[must_use]
    pub fn workload(self) -> Workload {
        let wanted = (self.number, self.chains, self.vector);
        let module =
            modules().position(|module| module == wanted).expect("a module of such chains");
        let [a, b, c] = self.number.operands();
        Launch {
            label: format!("{self:?}"),
            shader: Arc::clone(&shaders()[module]),
            entry: "ilp",
            workgroup_size: self.workgroup_size,
            workgroups: self.workgroups,
            params: vec![
                ("iterations", self.iterations),
                ("seed", self.seed),
                ("a", a),
                ("b", b),
                ("c", c),
            ],
            reads: None,
        }
        .of(self)
    }

    fn lane(self, start: u32) -> u32 {
        let steps = self.iterations * STEPS;
        let chain = |chain: u32| match self.number {
            Number::U32 => {
                let [a, b, _] = self.number.operands();
                (0..steps).fold(start + first_of(chain), |x, _| x.wrapping_add(a) ^ b)
            }
            // An even number of steps, of which two add one.
            Number::F32 => ((start + first_of(chain) + steps / 2) as f32).to_bits(),
        };
        (0..self.chains).fold(0, |folded, c| folded ^ chain(c))
    }
}

impl Kernel for Ilp {
    /// One workgroup's outputs; every workgroup's are alike.
    fn reference(&self) -> Vec<u32> {
        (0..self.workgroup_size)
            .map(|lane| self.lane(lane.wrapping_add(self.seed) & 0xff))
            .collect()
    }

    fn cost_model(&self, width: u32) -> CostModel {
        const INSTRUCTIONS: f64 = 2.0;
        let subgroups = f64::from(self.workgroups * self.workgroup_size.div_ceil(width));
        let dependent = subgroups * f64::from(self.iterations * STEPS) * INSTRUCTIONS;
        CostModel {
            workgroups: f64::from(self.workgroups),
            subgroups,
            issues: dependent * f64::from(self.chains),
            dependent,
            ..CostModel::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_references_step_by_hand() {
        let ilp = Ilp {
            number: Number::U32,
            chains: 2,
            vector: 1,
            iterations: 0,
            workgroup_size: 1,
            workgroups: 1,
            seed: 5,
        };
        assert_eq!(ilp.reference(), [5 ^ (5 + 11)]);
        let [a, b, _] = Number::U32.operands();
        let steps = |x: u32| (0..16).fold(x, |x, _| x.wrapping_add(a) ^ b);
        assert_eq!(Ilp { iterations: 1, ..ilp }.reference(), [steps(5) ^ steps(16)]);

        // By hand in f32: 3 − 5 = −2, 4 + 2 = 6, 3 − 6 = −3, 4 + 3 = 7: after 16 steps, 5 + 8.
        let float = Ilp { number: Number::F32, chains: 1, iterations: 1, ..ilp };
        let [a, b, c] = Number::F32.operands().map(f32::from_bits);
        let stepped = (0..8).fold(5f32, |x, _| (x * a + b) * a + c);
        assert_eq!(stepped, 13.0);
        assert_eq!(float.reference(), [stepped.to_bits()]);
    }
}
