//! Levels of rows of measurements: the factor by which all measurements of a row are larger or smaller.

use super::robust::{UNDISTURBED, undisturbed, weighted_quantile};

/// Passes over rows and columns. If the level steps once, half-way through the rows, two passes
/// find the step.
const PASSES: usize = 3;
/// A column weighs at most as much as the other columns of its row together divided by this number, so that no
/// column sets the level of a row alone.
const OTHERS: f64 = 3.0;

/// Measurements that were taken together: pairs of a column, which measures one quantity, and a value.
pub type Row = Vec<(usize, f64)>;

/// Returns the level of each row, as a factor whose lower third is 1; NaN for a row without a finite value.
///
/// A row may contain a column any number of times. Division by the level of a row removes the slowdown that the
/// row shares, so measurements of different rows can be compared.
///
/// # Formula
/// Median polish of a product, with lower thirds in place of medians, because disturbances only lengthen
/// measurements. Each pass computes typical_c = lower third of x / level_r over the values x of column c, then
/// level_r = weighted lower third of x / typical_c over the values of row r. A column that a row contains n times
/// weighs n · typical_c there, up to a limit. For times, this is the share of the row that the column takes.
/// O(passes · values · log).
///
/// # Source
/// J. W. Tukey, "Exploratory data analysis", Addison-Wesley, 1977, chapter 11.
#[must_use]
pub fn levels(rows: &[Row]) -> Vec<f64> {
    let columns = rows.iter().flatten().map(|&(column, _)| column + 1).max().unwrap_or(0);
    let mut levels = vec![1.0; rows.len()];
    for _ in 0..PASSES {
        let typical: Vec<f64> = columns_of(rows, &levels, columns)
            .iter()
            .map(|column| undisturbed(column).unwrap_or(f64::NAN))
            .collect();
        levels = rows.iter().map(|row| level(row, &typical).unwrap_or(f64::NAN)).collect();
        let centre = undisturbed(&levels).unwrap_or(1.0);
        levels.iter_mut().for_each(|level| *level /= centre);
    }
    levels
}

/// Returns the level of one row, given the typical value of each column; `None` for a row without a finite value.
fn level(row: &Row, typical: &[f64]) -> Option<f64> {
    let finite = || row.iter().copied().filter(|&(column, x)| (x / typical[column]).is_finite());
    let mut counts = vec![0.0; typical.len()];
    finite().for_each(|(column, _)| counts[column] += 1.0);
    let all: f64 = finite().map(|(column, _)| typical[column]).sum();
    let weighed = finite().map(|(column, x)| {
        let own = counts[column] * typical[column];
        (x / typical[column], own.min((all - own) / OTHERS) / counts[column])
    });
    weighted_quantile(weighed, UNDISTURBED)
}

/// Returns the values of each of `columns` columns, divided by the levels of their rows.
#[must_use]
pub fn columns_of(rows: &[Row], levels: &[f64], columns: usize) -> Vec<Vec<f64>> {
    let mut found = vec![Vec::new(); columns];
    for (row, level) in rows.iter().zip(levels) {
        for &(column, x) in row {
            found[column].push(x / level);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f64]) -> Row {
        values.iter().copied().enumerate().collect()
    }

    #[test]
    fn a_step_that_all_columns_share_is_found_exactly() {
        let typical = [1.0, 3.0, 10.0, 2.0, 5.0];
        let at = |level: f64| row(&typical.map(|typical| typical * level));
        let rows: Vec<Row> = [1.0, 1.0, 1.0, 1.0, 1.5, 1.5, 1.5].map(at).into();
        assert_eq!(levels(&rows), [1.0, 1.0, 1.0, 1.0, 1.5, 1.5, 1.5]);
    }

    #[test]
    fn outliers_do_not_change_the_level_of_their_row() {
        let rows = vec![
            row(&[1.0, 1.0, 1.0, 1.0, 1.0]),
            row(&[1.0, 9.0, 1.0, f64::NAN, 4.0]),
            row(&[2.0, 2.0, 2.0, 2.0, 0.1]),
            row(&[1.0, 1.0, 1.0, 1.0, 1.0]),
            row(&[f64::NAN; 5]),
        ];
        let found = levels(&rows);
        assert_eq!(found[..4], [1.0, 1.0, 2.0, 1.0]);
        assert!(found[4].is_nan());
    }

    #[test]
    fn one_long_column_does_not_set_the_level_alone() {
        let mut rows = vec![row(&[100.0, 1.0, 1.0, 1.0]); 5];
        rows[4][0].1 = 150.0;
        assert_eq!(levels(&rows), [1.0; 5]);
    }

    #[test]
    fn a_long_column_that_a_row_repeats_does_not_set_the_level_alone() {
        let mut rows = vec![row(&[100.0, 1.0, 1.0, 1.0]); 12];
        rows[11] = [vec![(0, 150.0); 7], vec![(1, 1.0), (2, 1.0), (3, 1.0)]].concat();
        assert_eq!(levels(&rows), [1.0; 12]);
        // Other rows have a second long column. It adds no weight to the first one here.
        let mut rows = vec![row(&[100.0, 1.0, 1.0, 1.0, 100.0]); 5];
        rows[4] = vec![(0, 150.0), (1, 1.0), (2, 1.0), (3, 1.0)];
        assert_eq!(levels(&rows), [1.0; 5]);
    }

    #[test]
    fn long_columns_outweigh_short_ones() {
        // Three short columns stay unchanged. Two long columns agree on a slowdown by 1.3.
        let mut rows = vec![row(&[0.01, 0.01, 0.01, 1.0, 1.0]); 5];
        rows[4] = row(&[0.01, 0.01, 0.01, 1.3, 1.3]);
        assert_eq!(levels(&rows), [1.0, 1.0, 1.0, 1.0, 1.3]);
    }

    #[test]
    fn a_row_may_lack_a_column_or_repeat_it() {
        let mut rows = vec![row(&[1.0, 3.0, 2.0]); 6];
        rows[4] = vec![(1, 6.0), (1, 6.0), (2, 4.0)];
        let found = levels(&rows);
        assert_eq!(found, [1.0, 1.0, 1.0, 1.0, 2.0, 1.0]);
        let columns = columns_of(&rows, &found, 3);
        assert_eq!(columns, [vec![1.0; 5], vec![3.0; 7], vec![2.0; 6]]);
    }
}
