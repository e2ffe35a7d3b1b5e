//! Amdahl's law: the serial part of the work limits the speed-up.
//!
//! # Formula
//! S(p) = 1 / ((1 − f) + f / p), and S(p) → 1 / (1 − f) as p → ∞.
//!
//! - f: the fraction of the work that can run in parallel, 0 ≤ f ≤ 1, no unit
//! - p: the number of workers, p ≥ 1, no unit
//!
//! # Source
//! G. M. Amdahl, "Validity of the single processor approach to achieving large scale computing
//! capabilities", AFIPS Spring Joint Computer Conference, 1967.

/// Returns the speed-up of `p` workers over one worker if a fraction `f` of the work is parallel.
///
/// ```
/// use warplaw::experiments::amdahl::law::speed_up;
/// // Half of the work is parallel, on two workers: 1 / (0.5 + 0.25).
/// assert!((speed_up(0.5, 2.0) - 4.0 / 3.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn speed_up(f: f64, p: f64) -> f64 {
    debug_assert!((0.0..=1.0).contains(&f) && p >= 1.0, "f={f} p={p}");
    1.0 / ((1.0 - f) + f / p)
}

/// Returns the upper limit of the speed-up for any number of workers. The limit is infinite if all of the
/// work is parallel.
///
/// ```
/// use warplaw::experiments::amdahl::law::ceiling;
/// // One per cent of serial work limits the speed-up to 100.
/// assert!((ceiling(0.99) - 100.0).abs() < 1e-9);
/// ```
#[must_use]
pub fn ceiling(f: f64) -> f64 {
    debug_assert!((0.0..=1.0).contains(&f), "f={f}");
    1.0 / (1.0 - f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn speed_up_is_between_one_and_both_limits(f in 0.0..1.0f64, p in 1.0..1e9f64) {
            let s = speed_up(f, p);
            prop_assert!((1.0 - 1e-12..=p * (1.0 + 1e-9)).contains(&s));
            prop_assert!(s <= ceiling(f) * (1.0 + 1e-9));
        }

        #[test]
        fn the_speed_up_approaches_the_ceiling_as_workers_increase(f in 0.0..0.999_9f64) {
            prop_assert!((speed_up(f, 1e12) / ceiling(f) - 1.0).abs() < 1e-6);
        }

        #[test]
        fn more_workers_never_reduce_the_speed_up(f in 0.0..1.0f64, p in 1.0..1e6f64) {
            prop_assert!(speed_up(f, p + 1.0) >= speed_up(f, p) - 1e-12);
        }
    }

    #[test]
    fn the_speed_up_of_a_billion_workers_is_the_ceiling_to_four_digits() {
        assert_eq!(format!("{:.1}", speed_up(0.99, 1e9)), "100.0");
        assert_eq!(speed_up(1.0, 64.0), 64.0);
        assert_eq!(speed_up(0.0, 64.0), 1.0);
    }
}
