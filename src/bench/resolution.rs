//! The resolution of a clock, from durations that it measured.

/// Gaps between durations that rounding alone can cause, in ticks: each duration is the difference of two timestamps.
const ROUNDING: u64 = 2;
/// Least resolution that is told from a finer one although timestamps are rounded. Below, too many numbers are close to a
/// multiple of it.
const LEAST_ROUNDED: u64 = 8;
/// Least number of gaps that must fit.
const LEAST_GAPS: usize = 4;

/// Returns the number of ticks in which a clock advances, from durations in ticks.
///
/// If all durations are multiples of a number, it is this number. A driver may count in nanoseconds a clock that ticks
/// every 41.67 ns; then the gaps between durations are multiples up to rounding. Otherwise, the result is one tick.
pub(super) fn resolution(mut durations: Vec<u64>) -> f64 {
    let exact = durations.iter().copied().fold(0, greatest_common_divisor);
    if exact > 1 {
        return exact as f64;
    }
    durations.sort_unstable();
    let gaps = durations.windows(2).map(|pair| pair[1] - pair[0]);
    let mut gaps: Vec<u64> = gaps.filter(|&gap| gap > ROUNDING).collect();
    gaps.sort_unstable();
    common_step(&gaps).unwrap_or(1.0)
}

/// Returns the step of which all `gaps` are multiples up to rounding. They are in ascending order, and each one tells the
/// step more exactly.
fn common_step(gaps: &[u64]) -> Option<f64> {
    let first = *gaps.first().filter(|&&gap| gap >= LEAST_ROUNDED)?;
    if gaps.len() < LEAST_GAPS {
        return None;
    }
    let mut step = first as f64;
    for &gap in gaps {
        let times = (gap as f64 / step).round();
        if (gap as f64 - times * step).abs() > ROUNDING as f64 {
            return None;
        }
        step = gap as f64 / times;
    }
    Some(step)
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Returns what timestamps of `step` ns, rounded to whole nanoseconds, say about 100 durations of about 20 µs.
    fn measured(step: f64, seed: u64) -> Vec<u64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let stamp = |at: f64| ((at / step).floor() * step).round() as u64;
        let mut at = 0.0;
        (0..100)
            .map(|_| {
                let begin = stamp(at);
                at += 20_000.0 + 800.0 * rng.random::<f64>();
                let end = stamp(at);
                at += 3_000.0 * rng.random::<f64>();
                end - begin
            })
            .collect()
    }

    #[test]
    fn a_step_that_is_no_whole_number_of_nanoseconds_is_found() {
        for seed in 0..20 {
            for step in [41.666_667, 52.083, 83.333] {
                let found = resolution(measured(step, seed));
                assert!((found / step - 1.0).abs() < 0.05, "{step} ns: {found}, seed {seed}");
            }
        }
    }

    #[test]
    fn whole_steps_are_found_exactly_and_one_tick_is_not_taken_for_more() {
        for seed in 0..50 {
            for step in [1.0, 10.0, 32.0, 1000.0] {
                assert_eq!(resolution(measured(step, seed)), step, "seed {seed}");
            }
        }
        assert_eq!(resolution(Vec::new()), 1.0);
    }
}
