//! What rows of measurements have in common: how fast or slow everything was in each of them.

use super::{median, weighted_median};

/// Passes over rows and columns; the levels of a step half-way settle in two.
const PASSES: usize = 3;
/// A column weighs at most as much as a third of all others: a row's level is what many have in common.
const OTHERS: f64 = 3.0;

/// The level of each row, as a factor whose median is 1; NaN for a row without a finite value.
///
/// Column c of `rows` holds the measurements of one thing, row r what was measured together, NaN where
/// something was not. Divided by their row's level, measurements of different rows can be compared: what
/// slows a whole row is gone.
///
/// # Formula
/// Median polish of a product: in turn, typical_c = median over r of x_rc / level_r, and level_r = median over
/// c of x_rc / typical_c, in which each column weighs as much as it is long: of a row of times, the share that
/// the clock spent on it. O(passes · rows · columns · log).
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
    fn a_step_half_way_is_found_and_nothing_else() {
        let things = [1.0, 3.0, 10.0, 2.0, 5.0];
        let row = |level: f64| things.iter().map(|thing| thing * level).collect::<Vec<f64>>();
        let rows: Vec<Vec<f64>> = [1.0, 1.0, 1.0, 1.0, 1.5, 1.5, 1.5].map(row).into();
        let levels = levels(&rows);
        assert!(levels.iter().zip([1.0, 1.0, 1.0, 1.0, 1.5, 1.5, 1.5]).all(|(a, b)| a == &b));
    }

    #[test]
    fn one_thing_out_of_line_is_not_the_rows_level() {
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
    fn no_thing_alone_is_the_level_however_long() {
        let mut rows = vec![vec![100.0, 1.0, 1.0, 1.0]; 5];
        rows[4][0] = 150.0;
        assert_eq!(levels(&rows), [1.0; 5]);
    }

    #[test]
    fn long_things_outweigh_short_ones() {
        // Three short things by which nothing can be told, and two long ones that agree.
        let mut rows = vec![vec![0.01, 0.01, 0.01, 1.0, 1.0]; 5];
        rows[4] = vec![0.01, 0.01, 0.01, 1.3, 1.3];
        assert_eq!(levels(&rows), [1.0, 1.0, 1.0, 1.0, 1.3]);
    }
}
