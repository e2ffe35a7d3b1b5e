//! Loops of launches, each of a stated length: the time of a launch in such a loop.
//!
//! The overhead α of a level is a slope: what another unit adds to many. A loop also contains what happens once, such as
//! the submission of its passes, so that other programs that time such a loop must find the same.

use super::level::Level;
use crate::bench::{CaseId, Plan, Sizing};
use crate::gpu::{Timing, Workload};
use crate::kernels::empty;
use crate::model::{self, About, figures};

/// Dispatches of a loop, in one pass.
const DISPATCHES: u32 = 256;
/// Passes of a loop, in one submission.
const PASSES: u32 = 64;
/// Submissions of a loop, before one wait.
const SUBMITS: u32 = 32;
/// Waits of a loop, each for one submission.
const WAITS: u32 = 32;
/// Wake-ups of a thread of the host in a sample.
const WAKE_UPS: u32 = 8;
/// Id of the time in which the host wakes a thread.
const WAKE_UP: &str = "host_wake_up";

/// Times `workload` by the host's clock: `dispatches` per pass, `passes` per submission, `submits` before
/// each of `waits` waits.
pub(super) fn batched(
    workload: Workload,
    dispatches: u32,
    passes: u32,
    submits: u32,
    waits: u32,
) -> Workload {
    workload.timed(Timing::Host { dispatches, passes, submits, waits })
}

/// Adds the loops and the wake-up of a thread of the host. `one` is a case of a single dispatch, submission and wait.
pub(super) fn add_loops(plan: &mut Plan, one: CaseId) {
    let loops = |n| Sizing::Own { granule: n, most: n };
    let dispatches =
        plan.case("loop.dispatches", loops(DISPATCHES), |n| empty::workload(1).repeated(n));
    let of_host = |plan: &mut Plan, id: &str, n, [passes, submits, waits]: [u32; 3]| {
        plan.case(format!("loop.{id}"), loops(n), move |_| {
            batched(empty::workload(1), 1, passes, submits, waits)
        })
    };
    let passes = of_host(plan, "passes", PASSES, [PASSES, 1, 1]);
    let submits = of_host(plan, "submits", SUBMITS, [1, SUBMITS, 1]);
    let waits = of_host(plan, "waits", WAITS, [1, 1, WAITS]);
    let wake_ups = plan.case("host wake-ups", loops(WAKE_UPS), |count| {
        empty::workload(1).timed(Timing::WakeUps { count })
    });

    let mut of_each = |id: &str, label: String, case: CaseId| {
        plan.metric(About::new(format!("loop.{id}"), label, "s").lower(), case.per_unit());
    };
    of_each("dispatch", format!("time per dispatch, loop of {DISPATCHES} in one pass"), dispatches);
    of_each("pass", format!("time per pass, loop of {PASSES} in one submission"), passes);
    of_each("submit", format!("time per submission, loop of {SUBMITS} before one wait"), submits);
    plan.metric(
        About::new(
            "round_trip",
            format!("round trip of submission and wait, loop of {WAITS}"),
            "s",
        )
        .lower()
        .headline()
        .note("one empty dispatch each"),
        waits.per_unit(),
    );
    plan.metric(
        About::new("round_trip_alone", "round trip of submission and wait, a single one", "s")
            .lower(),
        one.per_unit(),
    );
    plan.metric(
        About::new(WAKE_UP, "wake-up of a sleeping host thread", "s")
            .lower()
            .note("no work of the device"),
        wake_ups.per_unit(),
    );
}

/// Returns a text if an overhead is about as long as the host takes to wake a thread.
pub(super) fn diagnose_wake_ups(outcome: &model::Experiment) -> Option<String> {
    // One or two threads wake up. A shorter overhead has no wake-up, and most of a longer one is something else.
    const SHARES: std::ops::RangeInclusive<f64> = 0.4..=1.2;
    let wake_up_s = outcome.number(WAKE_UP)?;
    // Dispatches and passes are only recorded, so that they wake nobody.
    let hidden: Vec<&str> = [Level::PassesPerSubmit, Level::SubmitsPerWait, Level::ChunksPerMap]
        .into_iter()
        .filter(|level| {
            let alpha_s = outcome.number(&format!("{}.alpha", level.id()));
            alpha_s.is_some_and(|alpha_s| SHARES.contains(&(wake_up_s / alpha_s)))
        })
        .filter_map(Level::unit)
        .collect();
    (!hidden.is_empty()).then(|| {
        format!(
            "The host takes {} to wake a sleeping thread, which is at least two fifths of the overhead of a {}. So most of it may \
             be waking up, and it is shorter on a busy host, which keeps its threads awake.",
            figures::short(wake_up_s, "s"),
            hidden.join(" and a ")
        )
    })
}
