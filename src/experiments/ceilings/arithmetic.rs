//! Peak arithmetic throughput, in the launch configuration that autotuning finds fastest.

use super::launch::workgroup_sizes_alone;
use crate::bench::{Axis, CaseId, Context, Expr, Plan, Search, Sizing, Work};
use crate::gpu::ShaderFeature;
use crate::kernels::Step;
use crate::kernels::ilp::{Ilp, STEPS};
use crate::model::{About, DeviceType};

/// Workgroup size that the device must support.
pub(crate) const MIN_WORKGROUP_SIZE: u32 = 256;

/// The case that measures arithmetic throughput.
pub(crate) struct Arithmetic {
    case: CaseId,
    /// Operations per sample.
    ops: Expr,
}

impl Arithmetic {
    /// Adds the case. Autotuning chooses its launch configuration once per run. The device must support
    /// workgroups of [`MIN_WORKGROUP_SIZE`] invocations.
    pub(crate) fn add(plan: &mut Plan, context: &Context<'_>, step: Step) -> Self {
        let narrow = context.is_narrow();
        // The workgroups must fill the device, and each must have many iterations.
        let (workgroups, start): (&[u32], u32) = match context.facts.device_type {
            DeviceType::Cpu => (&[8, 32], 8),
            DeviceType::Discrete => (&[256, 1024, 4096, 16_384], 4096),
            _ => (&[64, 256, 1024], 256),
        };
        let chains: &[u32] = match (narrow, context.profile.dense) {
            (true, true) => &[4, 6, 8, 12],
            (true, false) => &[6, 8],
            (false, _) => &[1, 2, 4, 8, 12],
        };
        let axes = vec![
            Axis::numbers("chains", chains.iter().copied(), 8),
            Axis::numbers("chains per vector", step.vectors().iter().copied(), 1),
            Axis::numbers("invocations", workgroup_sizes_alone(context), MIN_WORKGROUP_SIZE),
            Axis::numbers("workgroups", workgroups.iter().copied(), start),
        ];
        let name = format!("arithmetic.{}", step.as_str());
        let seed = context.seed as u32;
        let configured = move |options: &[u32], amount| configured(step, options, amount, seed);
        let amounts = 1..=if narrow { 1 << 11 } else { 1 << 19 };
        let own = Sizing::Own { granule: 1, most: *amounts.end() };
        let search = Search::new(&name, "op", axes, amounts, move |options, amount| {
            let ilp = configured(options, amount)?;
            Some(Work { workload: ilp.workload(), units: ops(ilp) })
        });
        let options = context.tune(&search);
        let tuned = move |amount| {
            configured(&options, amount).expect("autotuning chooses a valid configuration")
        };
        let of = tuned.clone();
        let case = plan.case(name, own, move |amount| of(amount).workload());
        let ops =
            Expr::call("operations", [case.scale()], move |[amount]| ops(tuned(amount as u32)));
        Self { case, ops }
    }

    /// Returns the operations per second.
    pub(crate) fn ops_per_s(&self) -> Expr {
        &self.ops / self.case.time()
    }
}

/// Note of the throughput of scalar products. On Vulkan, wgpu passes them on only where the driver offers them, and tells
/// nobody. On DX12 that depends on the shader model, and for Metal wgpu always writes products of bytes.
const EMULATED: &str =
    "several instructions per scalar product where the driver has none; wgpu does not tell";

/// Adds the peak throughput of each kind of arithmetic. A sparse sweep has only the first two.
pub(super) fn add_arithmetic(plan: &mut Plan, context: &Context<'_>) {
    for (step, id, label) in [
        (
            Step::F32,
            "fma_f32_gop_per_s",
            "peak f32 throughput, multiply and add counted as two operations",
        ),
        (Step::U32, "u32_gop_per_s", "peak u32 throughput, add and xor counted as two operations"),
        (
            Step::MadU32,
            "mad_u32_gop_per_s",
            "peak u32 multiply-add throughput, multiply and add counted as two operations",
        ),
        (
            Step::F16,
            "fma_f16_gop_per_s",
            "peak f16 throughput, multiply and add counted as two operations",
        ),
        (
            Step::I8,
            "dot_i8_gop_per_s",
            "peak i8 throughput, dot product of four bytes counted as eight operations",
        ),
    ] {
        if [Step::MadU32, Step::F16, Step::I8].contains(&step) && !context.profile.dense {
            continue;
        }
        if step == Step::F16 && !context.facts.has(ShaderFeature::F16) {
            plan.note(format!("f16 throughput is absent: {}.", ShaderFeature::F16.missing()));
            continue;
        }
        let arithmetic = Arithmetic::add(plan, context, step);
        let note = if step == Step::I8 { EMULATED } else { "" };
        let about = About::new(id, label, "Gop/s").higher().headline().note(note);
        plan.metric(about, arithmetic.ops_per_s() * 1e-9);
    }
}

/// Returns the kernel in the configuration given by `options`, one option per axis. Returns `None` if the
/// chains do not fill whole vectors.
///
/// The kernel performs about `amount`·2^16 chain steps in every configuration. A fast GPU needs many such
/// units.
fn configured(step: Step, options: &[u32], amount: u32, seed: u32) -> Option<Ilp> {
    let &[chains, vector, workgroup_size, workgroups] = options else {
        unreachable!("there is one option per axis")
    };
    let iterations =
        (u64::from(amount) << 16) / u64::from(chains * STEPS * workgroup_size * workgroups);
    let iterations = iterations.max(1) as u32;
    let ilp = Ilp { step, chains, vector, iterations, workgroup_size, workgroups, seed };
    chains.is_multiple_of(vector).then_some(ilp)
}

/// Returns the operations of one dispatch.
fn ops(ilp: Ilp) -> f64 {
    let steps = f64::from(ilp.iterations * STEPS) * f64::from(ilp.chains);
    ilp.step.operations() * steps * f64::from(ilp.workgroup_size) * f64::from(ilp.workgroups)
}
