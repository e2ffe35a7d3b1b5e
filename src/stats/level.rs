//! Levels of rows of measurements: the factor by which all measurements of a row are larger or smaller.

use super::{median, weighted_median};

/// Passes over rows and columns. If the level steps once, half-way through the rows, two passes
/// find the step.
const PASSES: usize = 3;
/// A column weighs at most as much as the other columns together divided by this number, so that no column
/// sets the level of a row alone.
const OTHERS: f64 = 3.0;

/// Returns the level of each row, as a factor whose median is 1; NaN for a row without a finite value.
///
/// Column c of `rows` contains the measurements of one quantity. Row r contains the measurements that were
/// taken together, with NaN for a missing one. Division by the level of a row removes the slowdown that the
/// row shares, so measurements of different rows can be compared.
///
/// # Formula
/// Median polish of a product. Each pass computes typical_c = median over r of x_rc / level_r, then level_r =
/// weighted median over c of x_rc / typical_c. The weight of a column is typical_c, up to a limit. For times,
/// this is the share of a row that the column takes. O(passes · rows · columns · log).
///
/// # Source
/// J. W. Tukey, "Exploratory data analysis", Addison-Wesley, 1977, chapter 11.
#[must_use]
pub fn levels(rows: &[Vec<f64>]) -> Vec<f64> {
    let columns = rows.first().map_or(0, Vec::len);
    let mut levels = vec![1.0; rows.len()];
    for _ in 0..PASSES {
        let typical: Vec<f64> = (0..columns)
            .map(|column| {
                let column = rows.iter().zip(&levels).map(|(row, level)| row[column] / level);
                median(&column.collect::<Vec<_>>()).unwrap_or(f64::NAN)
            })
            .collect();
        let all: f64 = typical.iter().filter(|typical| typical.is_finite()).sum();
        let level = |row: &Vec<f64>| {
            let pairs = row.iter().zip(&typical);
            weighted_median(
                pairs.map(|(x, typical)| (x / typical, typical.min((all - typical) / OTHERS))),
            )
        };
        levels = rows.iter().map(|row| level(row).unwrap_or(f64::NAN)).collect();
        let centre = median(&levels).unwrap_or(1.0);
        levels.iter_mut().for_each(|level| *level /= centre);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_all_columns_share_is_found_exactly() {
        let typical = [1.0, 3.0, 10.0, 2.0, 5.0];
        let row = |level: f64| typical.iter().map(|typical| typical * level).collect::<Vec<f64>>();
        let rows: Vec<Vec<f64>> = [1.0, 1.0, 1.0, 1.0, 1.5, 1.5, 1.5].map(row).into();
        let levels = levels(&rows);
        assert!(levels.iter().zip([1.0, 1.0, 1.0, 1.0, 1.5, 1.5, 1.5]).all(|(a, b)| a == &b));
    }

    #[test]
    fn one_outlier_does_not_change_the_level_of_its_row() {
        let rows = vec![
            vec![1.0, 1.0, 1.0, 1.0, 1.0],
            vec![1.0, 9.0, 1.0, f64::NAN, 1.0],
            vec![2.0, 2.0, 2.0, 2.0, 0.1],
            vec![f64::NAN; 5],
        ];
        let found = levels(&rows);
        assert_eq!(found[..3], [1.0, 1.0, 2.0]);
        assert!(found[3].is_nan());
    }

    #[test]
    fn one_long_column_does_not_set_the_level_alone() {
        let mut rows = vec![vec![100.0, 1.0, 1.0, 1.0]; 5];
        rows[4][0] = 150.0;
        assert_eq!(levels(&rows), [1.0; 5]);
    }

    #[test]
    fn long_columns_outweigh_short_ones() {
        // Three short columns stay unchanged. Two long columns agree on a slowdown by 1.3.
        let mut rows = vec![vec![0.01, 0.01, 0.01, 1.0, 1.0]; 5];
        rows[4] = vec![0.01, 0.01, 0.01, 1.3, 1.3];
        assert_eq!(levels(&rows), [1.0, 1.0, 1.0, 1.0, 1.3]);
    }
}
