//! Where along a range a table has its rows.

/// Equal steps of a table that has them.
const EVEN: usize = 10;
/// Rows that a table has at most, its ends included.
const MOST: usize = 14;

/// Round numbers (1, 2, 5, 10, …) from `first` to `last`, both included: the finest such steps that fit.
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
    if finest.len() <= MOST {
        return finest;
    }
    (1..).map(|every| of(&[1.0], every)).find(|rows| rows.len() <= MOST).unwrap_or_default()
}

/// Powers of two from `first` to `last`, both included.
pub(crate) fn doublings(first: f64, last: f64) -> Vec<f64> {
    debug_assert!(first > 0.0 && first <= last, "{first}..{last}");
    let exponents = (first.log2().floor() as i32)..=(last.log2().ceil() as i32);
    let all = |every: usize| exponents.clone().step_by(every).map(|e| 2f64.powi(e));
    let rows = |every| with_ends(first, last, all(every));
    (1..).map(rows).find(|rows| rows.len() <= MOST).unwrap_or_default()
}

/// Equal steps from `first` to `last`, both included.
pub(crate) fn even(first: f64, last: f64) -> Vec<f64> {
    let steps = if first < last { EVEN } else { 0 };
    let at = |step: usize| first + (last - first) * step as f64 / steps.max(1) as f64;
    with_ends(first, last, (0..=steps).map(at))
}

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
    fn rows_are_round_few_and_include_both_ends() {
        assert_eq!(round_numbers(1.0, 10.0), [1.0, 2.0, 5.0, 10.0]);
        assert_eq!(round_numbers(3.0, 3.0), [3.0]);
        assert_eq!(round_numbers(1.0, 1e9).len(), 10);
        let far = round_numbers(1.0, 1e30);
        assert!(far.len() <= MOST && far[0] == 1.0 && far[far.len() - 1] == 1e30, "{far:?}");
        assert_eq!(doublings(1.0, 12.0), [1.0, 2.0, 4.0, 8.0, 12.0]);
        assert!(doublings(1.0, 1e9).len() <= MOST);
        assert_eq!(even(0.0, 1.0).len(), 11);
        assert_eq!(even(0.5, 0.5), [0.5]);
    }
}
