//! Limits of a figure, computed from the limits of its inputs.

use crate::model::Interval;

/// Returns the interval of `figure`, a function of quantities that each have an estimate and an interval of the
/// same confidence.
///
/// `figure` receives all estimates, with at most one of them moved to an end of its interval. `parts`
/// contains the index and the interval of each quantity to move. Returns `None` if the figure is not finite
/// for one of these inputs.
///
/// # Formula
/// Square and add. Let f be the figure at the estimates. Let l_i and u_i be the least and the largest figure
/// while quantity i moves from one end of its interval to the other. The interval is
/// f − √Σ(f − l_i)² to f + √Σ(u_i − f)².
///
/// # Domain
/// The errors of the estimates are independent, and the figure is monotone in each quantity over its
/// interval. If the errors of two quantities agree and the figure divides one by the other, the interval is
/// wider than necessary. Asymmetric intervals of the quantities give an asymmetric interval of the figure.
/// O(parts).
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
    total(moves(estimates, parts, figure)?, |steps| {
        steps.map(|step| step * step).sum::<f64>().sqrt()
    })
}

/// Returns the range of `figure` if every quantity is at the worst end of its interval at once.
///
/// The range is f − Σ(f − l_i) to f + Σ(u_i − f), in the notation of [`square_and_add`]. Returns `None` under
/// the same condition.
#[must_use]
pub fn add_up(
    estimates: &[f64],
    parts: impl IntoIterator<Item = (usize, Interval)>,
    figure: impl Fn(&[f64]) -> f64,
) -> Option<Interval> {
    total(moves(estimates, parts, figure)?, |steps| steps.sum())
}

/// Returns the figure at the estimates, minus the `sum` of its decreases and plus the `sum` of its increases.
fn total(
    (centre, moves): (f64, Vec<Move>),
    sum: impl Fn(&mut dyn Iterator<Item = f64>) -> f64,
) -> Option<Interval> {
    let lo = centre - sum(&mut moves.iter().map(|of| of.down));
    let hi = centre + sum(&mut moves.iter().map(|of| of.up));
    (lo.is_finite() && hi.is_finite()).then_some(Interval { lo, hi })
}

/// Returns how much each quantity contributes to the width of the figure's interval: pairs of the index of the
/// quantity and its share of the sum Σ(u_i − l_i)², in the notation of [`square_and_add`].
///
/// Returns no pair if the figure is not finite at an end of an interval or does not move at all.
#[must_use]
pub fn contributions(
    estimates: &[f64],
    parts: impl IntoIterator<Item = (usize, Interval)>,
    figure: impl Fn(&[f64]) -> f64,
) -> Vec<(usize, f64)> {
    let moves = moves(estimates, parts, figure).map_or(Vec::new(), |(_, moves)| moves);
    let squares: Vec<(usize, f64)> =
        moves.iter().map(|of| (of.index, (of.down + of.up) * (of.down + of.up))).collect();
    let all: f64 = squares.iter().map(|&(_, square)| square).sum();
    squares.into_iter().filter(|_| all > 0.0).map(|(i, square)| (i, square / all)).collect()
}

/// How far the figure falls and rises while one quantity moves over its interval.
struct Move {
    index: usize,
    down: f64,
    up: f64,
}

/// Moves each part alone to both ends of its interval. Returns the figure at the estimates, and the moves.
fn moves(
    estimates: &[f64],
    parts: impl IntoIterator<Item = (usize, Interval)>,
    figure: impl Fn(&[f64]) -> f64,
) -> Option<(f64, Vec<Move>)> {
    let centre = figure(estimates);
    let mut found = Vec::new();
    let mut at = estimates.to_vec();
    for (index, Interval { lo, hi }) in parts {
        let ends = [lo, hi].map(|end| {
            at[index] = end;
            figure(&at)
        });
        at[index] = estimates[index];
        // `min` and `max` would ignore a NaN.
        if ends.iter().any(|end| !end.is_finite()) {
            return None;
        }
        let down = centre - ends[0].min(ends[1]).min(centre);
        let up = ends[0].max(ends[1]).max(centre) - centre;
        found.push(Move { index, down, up });
    }
    centre.is_finite().then_some((centre, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn interval(lo: f64, hi: f64) -> Interval {
        Interval { lo, hi }
    }

    #[test]
    fn a_sum_and_a_quotient_match_hand_computed_limits() {
        // 10 −3 +4 and 20 ±4 add up to 30 −√(9 + 16) +√(16 + 16).
        let parts = [(0, interval(7.0, 14.0)), (1, interval(16.0, 24.0))];
        let sum = square_and_add(&[10.0, 20.0], parts, |x| x[0] + x[1]);
        assert_eq!(sum, Some(interval(25.0, 30.0 + 32f64.sqrt())));
        assert_eq!(add_up(&[10.0, 20.0], parts, |x| x[0] + x[1]), Some(interval(23.0, 38.0)));
        // 1 / 2, with a divisor between 1 and 4: from 1/4 to 1.
        let quotient = square_and_add(&[1.0, 2.0], [(1, interval(1.0, 4.0))], |x| x[0] / x[1]);
        assert_eq!(quotient, Some(interval(0.25, 1.0)));
    }

    #[test]
    fn a_quantity_in_numerator_and_denominator_moves_in_both() {
        let part = [(0, interval(1.0, 3.0))];
        assert_eq!(square_and_add(&[2.0], part, |x| x[0] / x[0]), Some(interval(1.0, 1.0)));
    }

    #[test]
    fn contributions_are_shares_of_the_squared_width() {
        let parts = [(0, interval(9.0, 12.0)), (1, interval(18.0, 22.0)), (2, interval(0.0, 5.0))];
        let shares = contributions(&[10.0, 20.0, 1.0], parts, |x| x[0] + x[1]);
        assert_eq!(shares, [(0, 9.0 / 25.0), (1, 16.0 / 25.0), (2, 0.0)]);
        assert_eq!(contributions(&[1.0], [(0, interval(0.0, 2.0))], |_| 1.0), []);
    }

    #[test]
    fn a_figure_that_is_not_finite_at_an_end_has_no_limits() {
        let parts = [(0, interval(-1.0, 3.0))];
        assert_eq!(square_and_add(&[1.0], parts, |x| x[0].sqrt()), None);
        assert_eq!(square_and_add(&[f64::NAN], [], |x| x[0]), None);
    }
}
