//! Limits of a figure from those of what it is computed from.

use crate::model::Interval;

/// 95 % interval of `figure`, a function of quantities of which each has an estimate and a 95 % interval.
///
/// `figure` is handed all estimates, of which one may be moved to an end of its interval; `parts` says
/// which are moved, each with its interval. `None` where the figure is not finite anywhere on the way.
///
/// # Formula
/// Square and add: with f the figure at the estimates, u_i the most and l_i the least that it becomes while
/// quantity i goes from end to end, the interval is f − √Σ(f − l_i)² to f + √Σ(u_i − f)².
///
/// # Domain
/// Estimates that err independently of one another, and a figure that is monotone in each over its interval.
/// Where they err alike and the figure divides one by another, the interval is wider than it need be. It
/// keeps the lopsidedness of the intervals that it is made from. O(parts).
///
/// # Source
/// G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures: a general approach",
/// Statistics in Medicine 27 (2008), 1693–1702.
#[must_use]
pub fn square_and_add(
    estimates: &[f64],
    parts: impl IntoIterator<Item = (usize, Interval)>,
    figure: impl Fn(&[f64]) -> f64,
) -> Option<Interval> {
    let root = |steps: &[f64]| steps.iter().map(|step| step * step).sum::<f64>().sqrt();
    propagate(estimates, parts, figure, root)
}

/// How far `figure` goes if every quantity lies at the worst place of its interval at once: f − Σ(f − l_i) to
/// f + Σ(u_i − f), with the words of [`square_and_add`].
#[must_use]
pub fn add_up(
    estimates: &[f64],
    parts: impl IntoIterator<Item = (usize, Interval)>,
    figure: impl Fn(&[f64]) -> f64,
) -> Option<Interval> {
    propagate(estimates, parts, figure, |steps| steps.iter().sum())
}

/// The figure at the estimates, less and plus the `total` of its steps down and up as each part is moved alone.
fn propagate(
    estimates: &[f64],
    parts: impl IntoIterator<Item = (usize, Interval)>,
    figure: impl Fn(&[f64]) -> f64,
    total: impl Fn(&[f64]) -> f64,
) -> Option<Interval> {
    let centre = figure(estimates);
    let (mut down, mut up) = (Vec::new(), Vec::new());
    let mut at = estimates.to_vec();
    for (index, Interval { lo, hi }) in parts {
        let ends = [lo, hi].map(|end| {
            at[index] = end;
            figure(&at)
        });
        at[index] = estimates[index];
        // `min` and `max` would pass over a NaN.
        if ends.iter().any(|end| !end.is_finite()) {
            return None;
        }
        down.push(centre - ends[0].min(ends[1]).min(centre));
        up.push(ends[0].max(ends[1]).max(centre) - centre);
    }
    let interval = Interval { lo: centre - total(&down), hi: centre + total(&up) };
    (interval.lo.is_finite() && interval.hi.is_finite()).then_some(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn interval(lo: f64, hi: f64) -> Interval {
        Interval { lo, hi }
    }

    #[test]
    fn hand_worked_for_a_sum_and_a_quotient() {
        // 10 −3 +4 and 20 ±4 add up to 30 −√(9 + 16) +√(16 + 16).
        let parts = [(0, interval(7.0, 14.0)), (1, interval(16.0, 24.0))];
        let sum = square_and_add(&[10.0, 20.0], parts, |x| x[0] + x[1]);
        assert_eq!(sum, Some(interval(25.0, 30.0 + 32f64.sqrt())));
        assert_eq!(add_up(&[10.0, 20.0], parts, |x| x[0] + x[1]), Some(interval(23.0, 38.0)));
        // 1 / 2, the divisor between 1 and 4: from a quarter to one.
        let quotient = square_and_add(&[1.0, 2.0], [(1, interval(1.0, 4.0))], |x| x[0] / x[1]);
        assert_eq!(quotient, Some(interval(0.25, 1.0)));
    }

    #[test]
    fn what_appears_above_and_below_the_line_moves_once() {
        let part = [(0, interval(1.0, 3.0))];
        assert_eq!(square_and_add(&[2.0], part, |x| x[0] / x[0]), Some(interval(1.0, 1.0)));
    }

    #[test]
    fn a_figure_that_is_none_somewhere_has_no_limits() {
        let parts = [(0, interval(-1.0, 3.0))];
        assert_eq!(square_and_add(&[1.0], parts, |x| x[0].sqrt()), None);
        assert_eq!(square_and_add(&[f64::NAN], [], |x| x[0]), None);
    }
}
