//! The most arithmetic that the device does, in the launch configuration that a short search finds the fastest.

use super::launch::workgroup_sizes_alone;
use crate::bench::{Axis, CaseId, Context, Expr, Plan, Search, Sizing, Work};
use crate::kernels::Number;
use crate::kernels::ilp::{Ilp, STEPS, VECTORS};

/// Lanes of a workgroup that a device must allow.
pub(crate) const MIN_WORKGROUP_SIZE: u32 = 256;

/// A step is a multiplication and an addition, or an addition and an exclusive or.
pub(crate) const OPS_A_STEP: f64 = 2.0;

/// A case of it.
pub(crate) struct Arithmetic {
    case: CaseId,
    /// Operations in a sample.
    ops: Expr,
}

impl Arithmetic {
    /// With the search for its launch configuration, once in a run. The device must allow [`MIN_WORKGROUP_SIZE`].
    pub(crate) fn add(plan: &mut Plan, context: &Context<'_>, number: Number) -> Self {
        let narrow = context.is_narrow();
        let (workgroups, start): (&[u32], u32) =
            if narrow { (&[8, 32], 8) } else { (&[256, 1024, 4096, 16_384], 4096) };
        let chains: &[u32] = match (narrow, context.profile.dense) {
            (true, true) => &[4, 6, 8, 12],
            (true, false) => &[6, 8],
            (false, _) => &[1, 2, 4, 8, 12],
        };
        let axes = vec![
            Axis::numbers("chains", chains.iter().copied(), 8),
            Axis::numbers("to a vector", VECTORS, 1),
            Axis::numbers("invocations", workgroup_sizes_alone(context), MIN_WORKGROUP_SIZE),
            Axis::numbers("workgroups", workgroups.iter().copied(), start),
        ];
        let name = format!("arithmetic.{}", number.as_str());
        let seed = context.seed as u32;
        let configured = move |options: &[u32], amount| configured(number, options, amount, seed);
        let amounts = 1..=if narrow { 1 << 11 } else { 1 << 19 };
        let own = Sizing::Own { granule: 1, most: *amounts.end() };
        let search = Search::new(&name, "op", axes, amounts, move |options, amount| {
            let ilp = configured(options, amount)?;
            Some(Work { workload: ilp.workload(), units: ops(ilp) })
        });
        let options = context.tune(&search);
        let tuned =
            move |amount| configured(&options, amount).expect("a search finds what can be built");
        let of = tuned.clone();
        let case = plan.case(name, own, move |amount| of(amount).workload());
        let ops =
            Expr::call("operations", [case.scale()], move |[amount]| ops(tuned(amount as u32)));
        Self { case, ops }
    }

    /// Operations in a second.
    pub(crate) fn ops_per_s(&self) -> Expr {
        &self.ops / self.case.time()
    }
}

/// As many steps in all whatever the configuration, in units that a fast GPU needs many of. `None` where chains do
/// not fill vectors.
fn configured(number: Number, options: &[u32], amount: u32, seed: u32) -> Option<Ilp> {
    let &[chains, vector, workgroup_size, workgroups] = options else {
        unreachable!("as many options as axes")
    };
    let iterations =
        (u64::from(amount) << 16) / u64::from(chains * STEPS * workgroup_size * workgroups);
    let iterations = iterations.max(1) as u32;
    let ilp = Ilp { number, chains, vector, iterations, workgroup_size, workgroups, seed };
    chains.is_multiple_of(vector).then_some(ilp)
}

fn ops(ilp: Ilp) -> f64 {
    let steps = f64::from(ilp.iterations * STEPS) * f64::from(ilp.chains);
    OPS_A_STEP * steps * f64::from(ilp.workgroup_size) * f64::from(ilp.workgroups)
}
