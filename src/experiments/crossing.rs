//! Sign changes of a measured quantity.

use crate::bench::Expr;

/// Returns the size at which a figure changes from negative to positive. The result is unknown if the figure
/// does not change its sign in this way.
pub(super) fn crossing_of(figures: impl IntoIterator<Item = (u32, Expr)>) -> Expr {
    let (sizes, figures): (Vec<u32>, Vec<Expr>) = figures.into_iter().unzip();
    Expr::lenient("crossing", figures, move |values| {
        crossing(sizes.iter().copied().zip(values.iter().copied()))
    })
}

/// Returns the size at which a quantity changes from negative to positive, by linear interpolation between
/// adjacent sizes. Returns NaN if no adjacent sizes enclose such a change.
fn crossing(known: impl Iterator<Item = (u32, f64)>) -> f64 {
    let known: Vec<(f64, f64)> = known.map(|(m, value)| (f64::from(m), value)).collect();
    let turn = known.windows(2).find(|pair| pair[0].1 < 0.0 && pair[1].1 >= 0.0);
    turn.map_or(f64::NAN, |pair| {
        let [(m0, before), (m1, after)] = [pair[0], pair[1]];
        m0 + (m1 - m0) * -before / (after - before)
    })
}

#[cfg(test)]
mod tests {
    use super::crossing;

    #[test]
    fn a_crossing_is_found_between_the_sizes_that_enclose_it() {
        assert_eq!(crossing([(10, -1.0), (20, 3.0), (30, 5.0)].into_iter()), 12.5);
        assert!(crossing([(10, 1.0), (20, 3.0)].into_iter()).is_nan());
        assert!(crossing([(10, f64::NAN), (20, 3.0)].into_iter()).is_nan());
    }
}
