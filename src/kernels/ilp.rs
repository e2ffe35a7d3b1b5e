//! `ilp`: independent chains of dependent operations in each invocation.
//!
//! A u32 operation adds and then flips bits: two dependent instructions that no compiler can merge. An f32
//! operation multiplies by −1 and adds, fused if the hardware supports fused multiply-add. Its result is
//! exact with and without intermediate rounding.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use super::{Kernel, Launch, Number, module};
use crate::gpu::{CostModel, Shader, Workload};

impl Number {
    /// Returns the WGSL of one operation on variable `x`.
    ///
    /// In f32, operations with odd index add another constant, so that two successive operations do not
    /// cancel.
    fn operation(self, x: u32, odd: bool) -> String {
        match (self, odd) {
            (Self::U32, _) => format!("x{x} = (x{x} + a) ^ b;"),
            (Self::F32, false) => format!("x{x} = fma(x{x}, a, b);"),
            (Self::F32, true) => format!("x{x} = fma(x{x}, a, c);"),
        }
    }

    /// Returns the bit patterns of the parameters `a`, `b` and `c`.
    fn operands(self) -> [u32; 3] {
        match self {
            Self::U32 => [0x9E37_79B9, 0x85EB_CA6B, 0],
            // Two operations map x to 3 − x and then to 4 − (3 − x) = x + 1. All values are small integers,
            // which f32 represents exactly.
            Self::F32 => [(-1f32).to_bits(), 3f32.to_bits(), 4f32.to_bits()],
        }
    }
}

/// Numbers of chains per invocation for which modules exist.
pub const CHAINS: [u32; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 12];

/// Operations of each chain per loop iteration.
///
/// The number is large compared with the loop's own instructions. It is small enough that the loop with the
/// most chains fits a small instruction cache.
pub const STEPS: u32 = 16;

/// Numbers of chains per variable. On hardware with vector instructions, one instruction advances all chains
/// of a variable.
pub const VECTORS: [u32; 3] = [1, 2, 4];

/// Returns the number type, the number of chains and the chains per variable of each module, in order.
fn modules() -> impl Iterator<Item = (Number, u32, u32)> {
    let chains_in =
        |vector: u32| CHAINS.into_iter().filter(move |c| c % vector == 0).map(move |c| (c, vector));
    let of =
        move |number| VECTORS.into_iter().flat_map(chains_in).map(move |(c, v)| (number, c, v));
    Number::ALL.into_iter().flat_map(of)
}

/// Generates the module for a number type, a number of chains and the chains per variable.
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
    for operation in 0..STEPS {
        for variable in 0..variables {
            line(format!("        {}", number.operation(variable, operation % 2 == 1)));
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

/// Returns the offset of a chain's start value. A compiler could merge chains with equal start values.
fn first_of(chain: u32) -> u32 {
    chain * 11
}

/// Returns the modules: each number type and number of chains, as scalars and in each vector size that
/// divides the number of chains.
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

/// One dispatch of independent chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ilp {
    /// Number type of the chains.
    pub number: Number,
    /// Chains per invocation, one of [`CHAINS`].
    pub chains: u32,
    /// Chains per variable, one of [`VECTORS`]. It divides `chains`.
    pub vector: u32,
    /// Loop iterations of each invocation, with [`STEPS`] operations of each chain. At most 65,535.
    pub iterations: u32,
    /// Invocations per workgroup.
    pub workgroup_size: u32,
    /// Number of workgroups.
    pub workgroups: u32,
    /// Seed of the start values.
    pub seed: u32,
}

impl Ilp {
    /// Returns the workload, timed as one pass.
    ///
    /// # Panics
    /// Panics if no module has this combination of `number`, `chains` and `vector`.
    #[must_use]
    pub fn workload(self) -> Workload {
        let wanted = (self.number, self.chains, self.vector);
        let module = modules()
            .position(|module| module == wanted)
            .expect("a module exists for these chains");
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

    /// Returns the output of an invocation whose chains start from `start`.
    fn output(self, start: u32) -> u32 {
        let operations = self.iterations * STEPS;
        let chain = |chain: u32| match self.number {
            Number::U32 => {
                let [a, b, _] = self.number.operands();
                (0..operations).fold(start + first_of(chain), |x, _| x.wrapping_add(a) ^ b)
            }
            // Two operations add one, and the number of operations is even.
            Number::F32 => ((start + first_of(chain) + operations / 2) as f32).to_bits(),
        };
        (0..self.chains).fold(0, |folded, c| folded ^ chain(c))
    }
}

impl Kernel for Ilp {
    /// Returns the outputs of one workgroup. All workgroups have equal outputs.
    fn reference(&self) -> Vec<u32> {
        (0..self.workgroup_size)
            .map(|index| self.output(index.wrapping_add(self.seed) & 0xff))
            .collect()
    }

    fn cost_model(&self, width: u32) -> CostModel {
        // Instructions per operation.
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
    fn the_references_match_calculations_by_hand() {
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
        let operations = |x: u32| (0..16).fold(x, |x, _| x.wrapping_add(a) ^ b);
        assert_eq!(Ilp { iterations: 1, ..ilp }.reference(), [operations(5) ^ operations(16)]);

        // In f32: 3 − 5 = −2, 4 + 2 = 6, 3 − 6 = −3, 4 + 3 = 7. After 16 operations, the value is 5 + 8.
        let float = Ilp { number: Number::F32, chains: 1, iterations: 1, ..ilp };
        let [a, b, c] = Number::F32.operands().map(f32::from_bits);
        let expected = (0..8).fold(5f32, |x, _| (x * a + b) * a + c);
        assert_eq!(expected, 13.0);
        assert_eq!(float.reference(), [expected.to_bits()]);
    }
}
