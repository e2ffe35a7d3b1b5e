//! `ring`: the time in which several processes compute a common sum, on one host or on many.
//!
//! Each process is a rank. The ranks send messages through a message library such as MPI, and add on the host or on the device of
//! each rank. Messages that every rank sends to its neighbour at the same time calibrate α and β, and additions alone
//! calibrate γ. From these the law predicts whole all-reduces by three algorithms. The collective operation of the library is
//! measured beside them.
//!
//! `allreduce` measures the same law among the workgroups of one device.

mod all_reduces;
mod alone;
mod diagnose;
mod figures;

pub mod law;
mod swept;
mod workload;

use all_reduces::AllReduces;
use alone::WORD_BYTES;
use diagnose::diagnose;

use swept::{KIB, SWEPT};
use workload::workload;

use crate::bench::{Context, Experiment, Plan, Tolerance, Unsupported};
use crate::gpu::{Algorithm, Exchange, Pattern, WantedWorkers};
use crate::model::Category;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "ring",
    category: Category::Coordination,
    law: "ring: 2(p−1)·α + 2((p−1)/p)·β·m + ((p−1)/p)·γ·m; doubling: log₂ p·(α + (β + γ)·m); naive: 2(p−1)·(α₁ + β₁·m) + \
          (p−1)·γ·m",
    about: "What does an all-reduce among processes, hosts and GPUs cost, and what does the message library make of it?",
    tolerance: Tolerance {
        ratio: 0.15,
        reason: "The parts of a message are sent as soon as both ends are ready, and ranks are never equally fast: the messages \
                 that calibrate the law wait for the slower rank in every step, those of an all-reduce in some. A second \
                 copy of each message, or a link that is shared, changes the time by far more.",
    },
    shaders: || vec![],
    workers: WantedWorkers::One,
    needs_ranks: true,
    plan,
    predict: None,
};

/// Bytes of the messages that the controls send.
const CONTROL_BYTES: u32 = 4 * KIB;

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let ranks = context.facts.ranks.as_ref().ok_or_else(|| {
        Unsupported(
            "the law needs several processes that send messages: mpirun -n 2 warplaw run --only ring"
                .to_owned(),
        )
    })?;
    let mut plan = Plan::default();
    add_controls(&mut plan, ranks.count);
    if ranks.links_differ {
        plan.note(
            "Some links are within a host and others between hosts. Recursive doubling and the naive algorithm are shown and \
             not judged, since their laws know one kind of link.",
        );
    }
    let mut all = AllReduces::new(plan, ranks);
    let dense = context.profile.dense;
    for swept in &SWEPT {
        if swept.algorithm == Algorithm::LibraryRing && !ranks.forces_ring {
            all.plan.note("The message library cannot be told to use a ring.");
            continue;
        }
        all.sweep(swept, swept.sizes[usize::from(!dense)]);
    }
    all.add_uneven();
    all.add_prices();
    all.add_library();
    all.add_crossings();
    all.add_bandwidths();
    let mut plan = all.plan;
    if let Some(reason) = &ranks.oversubscribed {
        plan.leave_undecided(reason.clone());
    }
    plan.diagnose(diagnose);
    Ok(plan)
}

/// Controls this experiment by messages instead of by work of the device.
fn add_controls(plan: &mut Plan, ranks: u32) {
    let pattern = Pattern::Shift { regions: 2 };
    let exchange = Exchange { pattern, words: CONTROL_BYTES / WORD_BYTES, traffic: None };
    let nothing = Exchange { pattern: Pattern::Nothing, ..exchange };
    plan.control_by(move |loops, scale| {
        let exchange = if loops == 0 { nothing } else { exchange };
        workload(exchange, loops.max(1) * scale, ranks)
    });
}
