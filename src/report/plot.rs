//! A small plot in letters. Curves are told apart by their marks, since a pipe or a page has no colours; that
//! is why this is not one of the crates that draw in braille dots.

use super::document::{Axis, Curve, Plot};
use super::figures;

/// Rows of the plot itself.
const ROWS: usize = 13;
/// Columns of it where there is room.
const COLUMNS: usize = 60;
/// Columns of the labels left of it, unless one is wider.
const LEAST_LABEL: usize = 9;
/// Columns below which nothing could be told.
const LEAST_COLUMNS: usize = 16;
/// Marks of the curves in turn.
const MARKS: [char; 4] = ['*', 'o', '+', 'x'];

/// The plot in at most `width` columns; nothing where there is nothing to see.
pub(super) fn draw(plot: &Plot, width: Option<u16>) -> String {
    let points = || plot.curves.iter().flat_map(|curve| curve.points.iter());
    let (Some(x), Some(y)) = (
        Span::of(&plot.x, points().map(|&(x, _)| x)),
        Span::of(&plot.y, points().map(|&(_, y)| y)),
    ) else {
        return String::new();
    };
    let [top, middle, bottom] = [1.0, 0.5, 0.0].map(|share| y.label(&plot.y, share));
    let widest = [&top, &middle, &bottom].map(|label| label.chars().count());
    let margin = widest.into_iter().fold(LEAST_LABEL, usize::max) + 1;
    let room = width.map_or(COLUMNS, |width| usize::from(width).saturating_sub(margin + 1));
    let columns = room.clamp(LEAST_COLUMNS, COLUMNS);
    let mut cells = vec![vec![' '; columns]; ROWS];
    // The first curve is drawn last, over the others.
    for (curve, mark) in plot.curves.iter().zip(MARKS).rev() {
        for (column, height) in heights(curve, x, y, columns) {
            let row = ((1.0 - height) * (ROWS - 1) as f64).round() as usize;
            cells[row.min(ROWS - 1)][column] = mark;
        }
    }
    let mut text = String::new();
    for (row, cells) in cells.iter().enumerate() {
        let label = match row {
            0 => top.as_str(),
            row if row == ROWS / 2 => &middle,
            row if row == ROWS - 1 => &bottom,
            _ => "",
        };
        let line: String = cells.iter().collect();
        text.push_str(&format!("{label:>width$} ┤{}\n", line.trim_end(), width = margin - 1));
    }
    text.push_str(&format!("{:>margin$}└{}\n", "", "─".repeat(columns)));
    let labels = [0.0, 0.5, 1.0].map(|share| x.label(&plot.x, share));
    let gap = columns.saturating_sub(labels.iter().map(|label| label.chars().count()).sum());
    let gaps = [gap / 2, gap - gap / 2].map(|spaces| " ".repeat(spaces));
    let [first, middle, last] = labels;
    let below = format!("{first}{}{middle}{}{last}", gaps[0], gaps[1]);
    for line in [below, legend(plot), scales(plot)] {
        text.push_str(&format!("{:>margin$} {line}\n", ""));
    }
    text
}

fn legend(plot: &Plot) -> String {
    let curves =
        plot.curves.iter().zip(MARKS).map(|(curve, mark)| format!("{mark} {}", curve.name));
    curves.collect::<Vec<_>>().join("   ")
}

fn scales(plot: &Plot) -> String {
    let scale = match (plot.x.logarithmic, plot.y.logarithmic) {
        (true, true) => ", both axes log",
        (true, false) => ", log to the right",
        (false, true) => ", log upwards",
        (false, false) => "",
    };
    format!("over {}{scale}", plot.x.name)
}

/// What an axis covers, in its own scale.
#[derive(Clone, Copy)]
struct Span {
    least: f64,
    most: f64,
    logarithmic: bool,
}

impl Span {
    fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Option<Self> {
        let logarithmic = axis.logarithmic;
        let scaled = values.map(|value| if logarithmic { value.log10() } else { value });
        let finite: Vec<f64> = scaled.filter(|value| value.is_finite()).collect();
        let least = finite.iter().copied().reduce(f64::min)?;
        let most = finite.iter().copied().reduce(f64::max)?;
        // A flat curve is drawn through the middle.
        let room = if most > least { 0.0 } else { 0.5 * least.abs().max(1e-12) };
        Some(Self { least: least - room, most: most + room, logarithmic })
    }

    /// Where a value lies, 0 to 1.
    fn share(self, value: f64) -> f64 {
        let value = if self.logarithmic { value.log10() } else { value };
        (value - self.least) / (self.most - self.least)
    }

    fn label(self, axis: &Axis, share: f64) -> String {
        let value = self.least + (self.most - self.least) * share;
        let value = if self.logarithmic { 10f64.powf(value) } else { value };
        // No noise of the way there: half of 1e-17 is a zero to a reader.
        let value = if value.abs() < 1e-12 * 10f64.powf(self.most.min(0.0)) { 0.0 } else { value };
        figures::quantity(value, &axis.unit)
    }
}

/// The curve's height in each column that it reaches, 0 to 1: straight lines between its points.
fn heights(curve: &Curve, x: Span, y: Span, columns: usize) -> Vec<(usize, f64)> {
    let scaled: Vec<(f64, f64)> = curve
        .points
        .iter()
        .map(|&(px, py)| (x.share(px), y.share(py)))
        .filter(|(px, py)| px.is_finite() && py.is_finite())
        .collect();
    let at = |share: f64| {
        let pair = scaled.windows(2).find(|pair| pair[0].0 <= share && share <= pair[1].0);
        pair.map(|pair| {
            let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
            if x1 > x0 { y0 + (y1 - y0) * (share - x0) / (x1 - x0) } else { y1 }
        })
    };
    let lone = scaled.first().filter(|_| scaled.len() == 1);
    let lone = lone.map(|&(x, y)| ((x * (columns - 1) as f64).round() as usize, y));
    let all =
        (0..columns).filter_map(|column| Some((column, at(column as f64 / (columns - 1) as f64)?)));
    all.chain(lone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(logarithmic: bool) -> Axis {
        Axis { name: "n".to_owned(), unit: String::new(), logarithmic }
    }

    fn plot(points: Vec<(f64, f64)>, logarithmic: bool) -> Plot {
        Plot {
            x: axis(logarithmic),
            y: axis(logarithmic),
            curves: vec![Curve { name: "c".to_owned(), points }],
        }
    }

    #[test]
    fn a_power_law_is_a_straight_line_on_log_axes() {
        let text = draw(&plot(vec![(1.0, 1.0), (10.0, 10.0), (100.0, 100.0)], true), Some(80));
        let marks: Vec<(usize, usize)> = text
            .lines()
            .take(ROWS)
            .enumerate()
            .filter_map(|(row, line)| Some((row, line.chars().position(|c| c == '*')?)))
            .collect();
        assert_eq!(marks.len(), ROWS, "every row is crossed:\n{text}");
        let slopes: Vec<isize> =
            marks.windows(2).map(|pair| pair[0].1 as isize - pair[1].1 as isize).collect();
        assert!(slopes.iter().all(|slope| (3..=7).contains(slope)), "{slopes:?}\n{text}");
        assert!(
            text.contains("100 ┤") && text.contains(" 10 ┤") && text.contains(" 1 ┤"),
            "{text}"
        );
    }

    #[test]
    fn it_keeps_to_the_width_and_survives_little_data() {
        for points in [vec![], vec![(1.0, 1.0)], vec![(1.0, 0.0), (2.0, 0.0)]] {
            for logarithmic in [false, true] {
                for width in [40, 60, 80, 200] {
                    let text = draw(&plot(points.clone(), logarithmic), Some(width));
                    let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
                    assert!(longest <= usize::from(width), "{longest} > {width}:\n{text}");
                }
            }
        }
    }
}
