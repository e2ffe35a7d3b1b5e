//! Workloads of messages between ranks.

use crate::gpu::{Check, Contents, Exchange, Timing, Workload};
use crate::ranks;

/// Returns the workload of `repeats` exchanges among `count` ranks.
///
/// Each rank compares every element of what it received or computed with what it must be, and the ranks together what they
/// sent with `exchange.traffic`. The expected output here is the sum that an all-reduce gives every rank.
#[must_use]
pub(super) fn workload(exchange: Exchange, repeats: u32, count: u32) -> Workload {
    let expected = move || ranks::values(ranks::sum(count)).into_iter().map(f32::to_bits).collect();
    Workload::new(
        format!("{:?}, {} words", exchange.pattern, exchange.words),
        Vec::new(),
        vec![Contents::Zeroed(exchange.words as usize)],
        Check::new(vec![0], expected),
    )
    .timed(Timing::Exchange { exchange, repeats })
}
