//! Parameter values of the rows of a table.

/// Number of steps between the rows of [`even`].
const EVEN_STEPS: usize = 10;
/// Upper bound of the number of rows, including both ends.
const MAX_ROWS: usize = 14;

/// Returns round numbers from `first` to `last`, both included, in at most [`MAX_ROWS`] rows.
///
/// The numbers are 1, 2, 5, 10, … if these fit, else powers of 10, else every n-th power of 10 with the
/// smallest n that fits. Returns `first` alone if `last` is infinite.
pub(crate) fn round_numbers(first: f64, last: f64) -> Vec<f64> {
    debug_assert!(first > 0.0 && first <= last, "{first}..{last}");
    if !last.is_finite() {
        return vec![first];
    }
    let decades = (first.log10().floor() as i32)..=(last.log10().ceil() as i32);
    let of = |mantissas: &[f64], every: i32| -> Vec<f64> {
        let start = *decades.start();
        let exponents = decades.clone().filter(|exponent| (exponent - start) % every == 0);
        let all = exponents.flat_map(|e| mantissas.iter().map(move |m| m * 10f64.powi(e)));
        with_ends(first, last, all)
    };
    let finest = of(&[1.0, 2.0, 5.0], 1);
    if finest.len() <= MAX_ROWS {
        return finest;
    }
    (1..).map(|every| of(&[1.0], every)).find(|rows| rows.len() <= MAX_ROWS).unwrap_or_default()
}

/// Returns powers of two from `first` to `last`, both included, in at most [`MAX_ROWS`] rows.
///
/// Omits powers in equal steps if all of them do not fit.
pub(crate) fn doublings(first: f64, last: f64) -> Vec<f64> {
    debug_assert!(first > 0.0 && first <= last, "{first}..{last}");
    let exponents = (first.log2().floor() as i32)..=(last.log2().ceil() as i32);
    let all = |every: usize| exponents.clone().step_by(every).map(|e| 2f64.powi(e));
    let rows = |every| with_ends(first, last, all(every));
    (1..).map(rows).find(|rows| rows.len() <= MAX_ROWS).unwrap_or_default()
}

/// Returns numbers in equal steps from `first` to `last`, both included.
pub(crate) fn even(first: f64, last: f64) -> Vec<f64> {
    let steps = if first < last { EVEN_STEPS } else { 0 };
    let at = |step: usize| first + (last - first) * step as f64 / steps.max(1) as f64;
    with_ends(first, last, (0..=steps).map(at))
}

/// Returns `first`, the numbers of `all` between `first` and `last`, and `last`. Returns equal ends once.
fn with_ends(first: f64, last: f64, all: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut rows: Vec<f64> = all.filter(|&x| x > first && x < last).collect();
    rows.insert(0, first);
    if last > first {
        rows.push(last);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_few_round_numbers_and_include_both_ends() {
        assert_eq!(round_numbers(1.0, 10.0), [1.0, 2.0, 5.0, 10.0]);
        assert_eq!(round_numbers(3.0, 3.0), [3.0]);
        assert_eq!(round_numbers(1.0, 1e9).len(), 10);
        let far = round_numbers(1.0, 1e30);
        assert!(far.len() <= MAX_ROWS && far[0] == 1.0 && far[far.len() - 1] == 1e30, "{far:?}");
        assert_eq!(doublings(1.0, 12.0), [1.0, 2.0, 4.0, 8.0, 12.0]);
        assert!(doublings(1.0, 1e9).len() <= MAX_ROWS);
        assert_eq!(even(0.0, 1.0).len(), 11);
        assert_eq!(even(0.5, 0.5), [0.5]);
    }
}
