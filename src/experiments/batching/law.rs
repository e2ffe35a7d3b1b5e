//! Batching: many items share one control cost.
//!
//! # Formula
//! One batch of B items: T = α + B·t − o·min(α, B·t). N items take N/B times as long. If nothing overlaps, o = 0, a batch
//! of n½ = α / t items reaches half of peak, and a batch of B = (α / t)·e / (1 − e) items reaches the share e of peak.
//!
//! - α: fixed cost of one batch, seconds, α ≥ 0
//! - t: marginal cost of one item, seconds, t > 0
//! - o: share of the shorter of α and B·t that overlaps with the longer, 0 ≤ o ≤ 1. It is 0 where one batch runs after
//!   another. It is 1 where the hardware launches one batch while it executes others: T = max(α, B·t).
//! - B: items per batch, B > 0
//! - e: efficiency, the items' share of the time, 0 ≤ e < 1
//!
//! The formula is valid if each batch occupies the hardware. In a smaller
//! batch the latency of one item bounds the time, not the throughput of many items.
//! [`batch_time_on_parallel_hardware`] covers this case.
//!
//! # Source
//! R. W. Hockney, "The science of computer benchmarking", SIAM, 1996 (r∞ and n½).

/// Returns the seconds per item if each batch of `batch` items costs `alpha_s` once, of which the share `overlap` is hidden
/// behind the items or hides them.
///
/// ```
/// use warplaw::experiments::batching::law::time_per_item;
/// // A dispatch of 40 µs shared by 100 items of 1 µs: 1.4 µs per item.
/// assert!((time_per_item(40e-6, 1e-6, 0.0, 100.0) - 1.4e-6).abs() < 1e-18);
/// // If the next dispatch is launched meanwhile, the items take 1 µs each.
/// assert!((time_per_item(40e-6, 1e-6, 1.0, 100.0) - 1e-6).abs() < 1e-18);
/// ```
#[must_use]
pub fn time_per_item(alpha_s: f64, item_s: f64, overlap: f64, batch: f64) -> f64 {
    debug_assert!(batch > 0.0, "batch={batch}");
    let shared_s = alpha_s / batch;
    shared_s + item_s - overlap * shared_s.min(item_s)
}

/// Returns the seconds of one batch of `batch` items if a single item takes `latency_s` even on idle
/// hardware: T = α + max(latency, B·t).
///
/// ```
/// use warplaw::experiments::batching::law::batch_time_on_parallel_hardware;
/// // On hardware that runs a hundred items at the same time, two items take as long as one.
/// assert_eq!(batch_time_on_parallel_hardware(10.0, 1.0, 100.0, 2.0), 110.0);
/// assert_eq!(batch_time_on_parallel_hardware(10.0, 1.0, 100.0, 500.0), 510.0);
/// ```
#[must_use]
pub fn batch_time_on_parallel_hardware(
    alpha_s: f64,
    item_s: f64,
    latency_s: f64,
    batch: f64,
) -> f64 {
    alpha_s + latency_s.max(batch * item_s)
}

/// Returns the batch size n½ that reaches half of peak: α / t without overlap.
///
/// ```
/// use warplaw::experiments::batching::law::half_performance_batch;
/// assert_eq!(half_performance_batch(40.0, 2.0, 0.0), 20.0);
/// assert_eq!(half_performance_batch(40.0, 2.0, 1.0), 10.0);
/// ```
#[must_use]
pub fn half_performance_batch(alpha_s: f64, item_s: f64, overlap: f64) -> f64 {
    batch_for_efficiency(alpha_s, item_s, overlap, 0.5)
}

/// Returns the batch size at which the rate is the share `efficiency` of peak.
///
/// ```
/// use warplaw::experiments::batching::law::batch_for_efficiency;
/// // 90 % of peak needs nine times α / t. With full overlap, the items only have to take 90 % of α.
/// assert!((batch_for_efficiency(40.0, 2.0, 0.0, 0.9) - 180.0).abs() < 1e-9);
/// assert!((batch_for_efficiency(40.0, 2.0, 1.0, 0.9) - 18.0).abs() < 1e-9);
/// ```
#[must_use]
pub fn batch_for_efficiency(alpha_s: f64, item_s: f64, overlap: f64, efficiency: f64) -> f64 {
    debug_assert!((0.0..1.0).contains(&efficiency), "efficiency={efficiency}");
    debug_assert!((0.0..=1.0).contains(&overlap), "overlap={overlap}");
    let slower = 1.0 / efficiency - 1.0;
    // α / B in units of t: at most t, or more than t.
    let small = slower / (1.0 - overlap);
    let share = if small <= 1.0 { small } else { slower + overlap };
    alpha_s / item_s / share
}

/// Returns the batch size that reaches the share `efficiency` of the peak rate 1 / t, if a batch takes at
/// least `latency_s` beyond α.
///
/// A batch that is too small to fill the hardware takes α plus the latency, independent of its size.
///
/// ```
/// use warplaw::experiments::batching::law::batch_for_efficiency_on_parallel_hardware;
/// // α = 10, t = 1, latency 1000: 90 % of one item per unit of time needs 909 items in 1010 units of time.
/// let batch = batch_for_efficiency_on_parallel_hardware(10.0, 1.0, 1000.0, 0.9);
/// assert!((batch - 909.0).abs() < 1e-9);
/// ```
#[must_use]
pub fn batch_for_efficiency_on_parallel_hardware(
    alpha_s: f64,
    item_s: f64,
    latency_s: f64,
    efficiency: f64,
) -> f64 {
    let full = batch_for_efficiency(alpha_s, item_s, 0.0, efficiency);
    if full * item_s >= latency_s { full } else { efficiency * (alpha_s + latency_s) / item_s }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_batch_for_an_efficiency_has_that_efficiency(
            alpha in 1e-9..1.0f64, item in 1e-9..1.0f64, overlap in 0.0..=1.0f64, e in 0.01..0.99f64,
        ) {
            let batch = batch_for_efficiency(alpha, item, overlap, e);
            let share = item / time_per_item(alpha, item, overlap, batch);
            prop_assert!((share - e).abs() < 1e-9);
        }

        #[test]
        fn the_batch_for_an_efficiency_has_that_efficiency_with_latency(
            alpha in 1e-9..1.0f64, item in 1e-9..1.0f64, latency in 0.0..10.0f64, e in 0.01..0.99f64,
        ) {
            let batch = batch_for_efficiency_on_parallel_hardware(alpha, item, latency, e);
            let share = batch * item / batch_time_on_parallel_hardware(alpha, item, latency, batch);
            prop_assert!((share - e).abs() < 1e-9);
        }

        #[test]
        fn larger_batches_never_cost_more_per_item(
            alpha in 0.0..1.0f64, item in 1e-9..1.0f64, b in 1.0..1e6f64,
        ) {
            prop_assert!(time_per_item(alpha, item, 0.0, 2.0 * b) <= time_per_item(alpha, item, 0.0, b));
        }
    }
}
