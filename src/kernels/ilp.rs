//! `ilp`: independent chains in each invocation, whose steps depend on one another.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use super::{Kernel, Launch, Step, module};
use crate::gpu::{CostModel, DeviceShape, Invariant, Property, Shader, ShaderFeature, Workload};

/// Numbers of chains per invocation for which modules exist.
pub const CHAINS: [u32; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 12];

/// Steps of each chain per loop iteration, an even number.
///
/// The number is large compared with the loop's own instructions. It is small enough that the loop with the
/// most chains fits a small instruction cache.
pub const STEPS: u32 = 16;

/// Returns the step, the number of chains and the chains per variable of each module, in order.
fn modules() -> impl Iterator<Item = (Step, u32, u32)> {
    let chains_in =
        |vector: u32| CHAINS.into_iter().filter(move |c| c % vector == 0).map(move |c| (c, vector));
    let of = move |step: Step| {
        step.vectors().iter().copied().flat_map(chains_in).map(move |(c, v)| (step, c, v))
    };
    Step::ALL.into_iter().flat_map(of)
}

/// Returns what the machine code of the chains must be like.
fn invariant(step: Step, chains: u32) -> Invariant {
    let (instructions, is_exact) = step.instructions();
    // Two chains may share an instruction for pairs of 16-bit numbers.
    let all = (STEPS * chains * instructions) / if step == Step::F16 { 2 } else { 1 };
    let property = if is_exact { Property::Computes(all) } else { Property::ComputesAtLeast(all) };
    Invariant::new(&["ilp"], property, "a step that a GPU fuses or drops is no unit of work")
}

/// Generates the module for a step, a number of chains and the chains per variable.
fn source((step, chains, vector): (Step, u32, u32)) -> String {
    let vector_of = |scalar: &str| match vector {
        1 => scalar.to_owned(),
        _ => format!("vec{vector}<{scalar}>"),
    };
    let kind = vector_of(step.scalar());
    let enable = if step == Step::F16 { "enable f16;\n\n" } else { "" };
    let mut text = format!("{enable}{}", include_str!("../../shaders/ilp.wgsl"));
    let mut line = |words: String| {
        let _infallible = writeln!(text, "{words}");
    };
    line("\nfn run_chains(start: u32) -> u32 {".to_owned());
    for operand in ["a", "b", "c"] {
        let (kind, value) = (vector_of(step.operand_type()), step.operand(operand));
        let keyword = if step.after_iteration().is_empty() { "let" } else { "var" };
        line(format!("    {keyword} {operand} = {kind}({value});"));
    }
    let variables = chains / vector;
    for variable in 0..variables {
        let of_variable = variable * vector..(variable + 1) * vector;
        let starts: Vec<String> =
            of_variable.map(|chain| step.start(&format!("start + {}u", first_of(chain)))).collect();
        line(format!("    var x{variable} = {kind}({});", starts.join(", ")));
    }
    line("    let iterations = params.iterations;".to_owned());
    line("    for (var iteration = 0u; iteration < iterations; iteration++) {".to_owned());
    for index in 0..STEPS {
        for variable in 0..variables {
            line(format!("        {}", step.code(variable, index % 2 == 1)));
        }
    }
    line(format!("        {}", step.after_iteration()));
    line("    }".to_owned());
    let parts: &[&str] = if vector == 1 { &[""] } else { &[".x", ".y", ".z", ".w"] };
    let folded: Vec<String> = (0..variables)
        .flat_map(|x| {
            parts[..vector as usize].iter().map(move |part| step.word(&format!("x{x}{part}")))
        })
        .collect();
    line(format!("    return {};\n}}", folded.join(" ^ ")));
    text
}

/// Returns the offset of a chain's start value. A compiler could merge chains with equal start values, and a product
/// with zero stays zero.
fn first_of(chain: u32) -> u32 {
    1 + chain * 11
}

/// Returns the modules: each step and number of chains, as scalars and in each vector size that divides the number
/// of chains.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    static SHADERS: LazyLock<Vec<Arc<Shader>>> = LazyLock::new(|| {
        let named = |(step, chains, vector): (Step, u32, u32)| {
            let name = format!("ilp.{}.{chains}.vec{vector}", step.as_str());
            let needs = (step == Step::F16).then_some(ShaderFeature::F16);
            let invariants = [invariant(step, chains)];
            module(&name, source((step, chains, vector)), needs.as_slice(), &invariants)
        };
        modules().map(named).collect()
    });
    SHADERS.clone()
}

/// One dispatch of independent chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ilp {
    /// Step of the chains.
    pub step: Step,
    /// Chains per invocation, one of [`CHAINS`].
    pub chains: u32,
    /// Chains per variable, one of [`Step::vectors`]. It divides `chains`.
    pub vector: u32,
    /// Loop iterations of each invocation, with [`STEPS`] steps of each chain. At most 65,535.
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
    /// Panics if no module has this combination of `step`, `chains` and `vector`.
    #[must_use]
    pub fn workload(self) -> Workload {
        let wanted = (self.step, self.chains, self.vector);
        let module = modules()
            .position(|module| module == wanted)
            .expect("a module exists for these chains");
        let [a, b, c] = self.step.operands();
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
        let chain = |chain: u32| self.step.result(start + first_of(chain), self.iterations, STEPS);
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

    fn cost_model(&self, shape: DeviceShape) -> CostModel {
        // Instructions of a subgroup before and after its loop, of the first and the last number of a chain, and of the
        // loop in each iteration.
        const SETUP_ISSUES: u32 = 6;
        const CHAIN_ISSUES: u32 = 2;
        const LOOP_ISSUES: u32 = 3;
        let subgroups = f64::from(self.workgroups * self.workgroup_size.div_ceil(shape.width));
        let slots = f64::from(self.workgroups * shape.issue_slots(self.workgroup_size));
        let Self { step, chains, iterations, .. } = self;
        let [operands, conversions] = step.issues_of_conversions();
        let setup = SETUP_ISSUES + operands + chains * (CHAIN_ISSUES + conversions);
        let steps = STEPS * step.issues();
        let iteration = steps * chains + step.issues_after_iteration() + LOOP_ISSUES;
        let [multiplies, first] = step.multiplies();
        // The index of the output takes one too.
        let multiplies = 1 + chains * (first + STEPS * multiplies * iterations);
        CostModel {
            workgroups: f64::from(self.workgroups),
            subgroups,
            issues: slots * f64::from(setup + iteration * iterations),
            multiplies: slots * f64::from(multiplies),
            dependent: subgroups * f64::from(iterations * steps),
            ..CostModel::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_folds_the_results_of_all_chains() {
        let ilp = Ilp {
            step: Step::U32,
            chains: 2,
            vector: 1,
            iterations: 0,
            workgroup_size: 1,
            workgroups: 1,
            seed: 5,
        };
        assert_eq!(ilp.reference(), [6 ^ (6 + 11)]);
        let result = |start| Step::U32.result(start, 1, STEPS);
        assert_eq!(Ilp { iterations: 1, ..ilp }.reference(), [result(6) ^ result(17)]);
    }
}
