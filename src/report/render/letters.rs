//! A small plot of the first panel, in text characters.
//!
//! Each curve has its own mark, because pipes and Markdown pages have no colours. For the same reason the
//! module does not use a crate that draws in braille dots.

use crate::report::plot::{Panel, Plot, Scale};

/// Rows of the plot area.
const ROWS: usize = 13;
/// Maximum number of columns of the plot area.
const COLUMNS: usize = 60;
/// Minimum number of columns for the labels left of the plot area.
const MIN_LABEL: usize = 9;
/// Minimum number of columns of the plot area. A narrower plot would be unreadable.
const MIN_COLUMNS: usize = 16;
/// Marks of the curves, by index.
const MARKS: [char; 6] = ['*', 'o', '+', 'x', '#', '@'];
/// Mark of all predictions.
const PREDICTED: char = '·';

/// Draws the plot in at most `width` columns. Returns an empty string if the plot has no finite value.
pub(super) fn draw(plot: &Plot, width: Option<u16>) -> String {
    let Some(panel) = plot.panels.first() else {
        return String::new();
    };
    let (Some(x), Some(y)) = (plot.scale(), panel.scale()) else {
        return String::new();
    };
    let [top, middle, bottom] = [1.0, 0.5, 0.0].map(|share| y.label(&panel.y, share));
    let widest = [&top, &middle, &bottom].map(|label| label.chars().count());
    let margin = widest.into_iter().fold(MIN_LABEL, usize::max) + 1;
    let available = width.map_or(COLUMNS, |width| usize::from(width).saturating_sub(margin + 1));
    let columns = available.clamp(MIN_COLUMNS, COLUMNS);
    let mut cells = vec![vec![' '; columns]; ROWS];
    let mut put = |column: usize, height: f64, mark: char| {
        if (0.0..=1.0).contains(&height) {
            let row = ((1.0 - height) * (ROWS - 1) as f64).round() as usize;
            cells[row.min(ROWS - 1)][column] = mark;
        }
    };
    // Later characters cover earlier ones: measurements cover predictions, the first curve covers the others.
    for (curve, mark) in panel.curves.iter().zip(MARKS).rev() {
        let of_line = if curve.marks.is_empty() { mark } else { PREDICTED };
        for (column, height) in heights(&curve.drawn(), x, y, columns) {
            put(column, height, of_line);
        }
    }
    for (curve, mark) in panel.curves.iter().zip(MARKS).rev() {
        for (share, height) in curve.marks.iter().map(|m| (x.share(m.x), y.share(m.y))) {
            if (0.0..=1.0).contains(&share) {
                put((share * (columns - 1) as f64).round() as usize, height, mark);
            }
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
    text.push_str(&format!("{:>margin$} {below}\n", ""));
    let available = width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(margin + 1));
    for note in [legend(panel), scales(plot, panel)] {
        for line in textwrap::wrap(&note, available.max(MIN_COLUMNS)) {
            text.push_str(&format!("{:>margin$} {line}\n", ""));
        }
    }
    text
}

/// Returns the marks with the names of their curves.
fn legend(panel: &Panel) -> String {
    let curves = panel.curves.iter().zip(MARKS).map(|(curve, mark)| {
        // No-break spaces keep an entry on one line.
        format!("{mark}\u{a0}{}", curve.name.replace(' ', "\u{a0}"))
    });
    let predicted = panel.curves.iter().any(|c| !c.marks.is_empty() && !c.line.is_empty());
    let predicted = predicted.then(|| format!("{PREDICTED}\u{a0}predicted"));
    curves.chain(predicted).collect::<Vec<_>>().join("   ")
}

/// Returns the name of the horizontal axis, and which axes are logarithmic.
fn scales(plot: &Plot, panel: &Panel) -> String {
    let scale = match (plot.x.logarithmic, panel.y.logarithmic) {
        (true, true) => "; both axes logarithmic",
        (true, false) => ", logarithmic",
        (false, true) => "; vertical axis logarithmic",
        (false, false) => "",
    };
    format!("horizontal axis: {}{scale}", plot.x.name)
}

/// Returns the columns that a curve covers, with its height in each, 0 to 1.
///
/// Straight lines connect the points.
fn heights(line: &[(f64, f64)], x: Scale, y: Scale, columns: usize) -> Vec<(usize, f64)> {
    let scaled: Vec<(f64, f64)> = line
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
    use crate::report::plot::{Axis, Curve, Mark};

    fn plot(line: Vec<(f64, f64)>, logarithmic: bool) -> Plot {
        let axis = || Axis { name: "n".to_owned(), unit: String::new(), logarithmic };
        let curve = Curve { name: "c".to_owned(), line, ..Curve::default() };
        let panel = Panel { y: axis(), curves: vec![curve], band: None };
        Plot { title: "t".to_owned(), x: axis(), panels: vec![panel] }
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
    fn a_plot_keeps_to_the_width_even_with_little_data() {
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

    #[test]
    fn measurements_cover_predictions() {
        let mut plot = plot(vec![(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)], false);
        let mark = |x, y| Mark { x, y, ..Mark::default() };
        plot.panels[0].curves[0].marks = vec![mark(1.0, 1.0), mark(2.0, 3.0), mark(3.0, 3.0)];
        let text = draw(&plot, Some(80));
        let drawn: String = text.lines().take(ROWS).collect();
        assert_eq!(drawn.matches('*').count(), 3, "{text}");
        assert!(drawn.matches('·').count() > 20, "{text}");
        assert!(text.contains("*\u{a0}c") && text.contains("·\u{a0}predicted"), "{text}");
    }
}
