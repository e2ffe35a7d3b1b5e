//! A plot as an SVG picture, inside a page or as a standalone file.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::pen::{LETTER, Pen, UNITS};
use super::words::escape;
use crate::model::figures;
use crate::report::plot::{Axis, Curve, Panel, Plot, Scale};

/// Style sheet of pictures: colours and strokes by class, for light, dark and print.
pub(super) const STYLE: &str = include_str!("picture.css");

// Lengths in pixels.

/// Width of a picture. A phone shows the letters of such a narrow picture almost at full size.
const WIDTH: i32 = 480;
const FIRST_PANEL: i32 = 230;
const FURTHER_PANEL: i32 = 96;
const TITLE: i32 = 24;
const LEGEND_ROW: i32 = 17;
const LEFT: i32 = 64;
const RIGHT: i32 = 14;
const BELOW: i32 = 38;
/// Height of the space above a panel for the name of its vertical axis.
const NAME_ABOVE: i32 = 31;
/// Height of the space's lower part, below the base line of the name. Labels of the axis extend into this part.
const NAME_FEET: i32 = 11;
const SWATCH: i32 = 16;
const FONT: i32 = 12;
/// Upper bound of the number of tick marks. The ruler chooses fewer.
const MAX_TICKS: usize = 100;

/// Number of paints for curves. The style sheet numbers all paints from 0, those of curves first.
const PAINTS: usize = 6;
const INK: RGBColor = RGBColor(0, 0, 6);
const MUTED: RGBColor = RGBColor(0, 0, 7);
const GRID: RGBColor = RGBColor(0, 0, 8);
const BAND: RGBColor = RGBColor(0, 0, 9);

/// Converts pixels to units of the pen.
const fn px(pixels: i32) -> i32 {
    pixels * UNITS
}

/// Returns the paint of a curve.
fn paint(curve: usize) -> RGBColor {
    RGBColor(0, 0, (curve % PAINTS) as u8)
}

/// Draws the picture for a page whose style sheet contains [`STYLE`]. `id` must be unique in the page.
///
/// Returns `None` if the plot has no finite value.
pub(super) fn draw(plot: &Plot, id: &str) -> Option<String> {
    picture(plot, &format!("-{id}"), "")
}

/// Draws the picture as a standalone file, light or dark as the reader's device.
pub(super) fn file(plot: &Plot) -> Option<String> {
    picture(plot, "", &format!("<style>{STYLE}</style>\n"))
}

/// Draws the picture. `id` completes the ids of its elements, and `style` is its own style element.
fn picture(plot: &Plot, id: &str, style: &str) -> Option<String> {
    let x = plot.scale()?.widened(0.04);
    let panels: Vec<(&Panel, Scale)> = plot
        .panels
        .iter()
        .filter_map(|panel| Some((panel, panel.scale()?.widened(0.06))))
        .collect();
    let legend = legend(&panels.first()?.0.curves);
    let rows = legend.iter().map(|entry| entry.row + 1).max().unwrap_or(0);
    let top = TITLE + rows * LEGEND_ROW + 4;
    let height_of = |index: usize| {
        NAME_ABOVE
            + if index == 0 { FIRST_PANEL } else { FURTHER_PANEL }
            + if index + 1 == panels.len() { BELOW } else { 0 }
    };
    let height = top + (0..panels.len()).map(height_of).sum::<i32>();
    let places = plot.places();
    let mut drawn = String::new();
    {
        let root = Pen::new(&mut drawn, (WIDTH, height)).into_drawing_area();
        let title = text_style(FONT + 1, INK, HPos::Left, VPos::Center);
        root.draw_text(&plot.title, &title, (px(8), px(TITLE / 2))).ok()?;
        for entry in &legend {
            let y = TITLE + entry.row * LEGEND_ROW + LEGEND_ROW / 2;
            let at = (px(entry.x), px(y));
            let name = text_style(FONT - 1, INK, HPos::Left, VPos::Center);
            root.draw_text(entry.name, &name, (px(entry.x + SWATCH), px(y))).ok()?;
            if entry.marked {
                for shape in marker(entry.curve, at, paint(entry.curve), false) {
                    root.draw(&shape).ok()?;
                }
            } else {
                let ends = [(at.0 - px(6), at.1), (at.0 + px(6), at.1)];
                root.draw(&PathElement::new(ends, line(MUTED, 16))).ok()?;
            }
        }
        let mut rest = root.split_vertically(px(top)).1;
        for (index, &(panel, y)) in panels.iter().enumerate() {
            let (area, below) = rest.split_vertically(px(height_of(index)));
            draw_panel(
                [&root, &area],
                (&plot.x, x, &places),
                (panel, y),
                index + 1 == panels.len(),
            )?;
            rest = below;
        }
    }
    let (title, about) = (escape(&plot.title), escape(&about(plot)));
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-labelledby=\"title{id} about{id}\">\n<title id=\"title{id}\">{title}</title>\n\
         <desc id=\"about{id}\">{about}</desc>\n{style}<path class=\"paper\" d=\"M0 0h{WIDTH}v{height}H0Z\"/>\n\
         {drawn}</svg>\n"
    ))
}

/// Describes the picture for readers who do not see it.
fn about(plot: &Plot) -> String {
    let places = plot.places();
    let end = |x: Option<&f64>| x.map_or(String::new(), |&x| place(&plot.x, x));
    let panels = plot.panels.iter().map(|panel| {
        let curves: Vec<&str> = panel.curves.iter().map(|curve| curve.name.as_str()).collect();
        format!("{} of {}", panel.y.name, curves.join("; "))
    });
    format!(
        "Horizontal axis: {}, from {} to {}. Vertical axis: {}.",
        plot.x.name,
        end(places.first()),
        end(places.last()),
        panels.collect::<Vec<_>>().join(". Panel below: ")
    )
}

/// An entry of the legend.
struct Entry<'a> {
    /// Index of the curve.
    curve: usize,
    /// Whether the curve has marks. A curve without marks shows a law.
    marked: bool,
    name: &'a str,
    x: i32,
    row: i32,
}

/// Lays out the legend: each mark with the curve's name. A row contains as many entries as fit.
fn legend(curves: &[Curve]) -> Vec<Entry<'_>> {
    let (mut x, mut row) = (14, 0);
    let mut entries = Vec::new();
    for (index, curve) in curves.iter().enumerate() {
        let width = SWATCH + 14 + text_width(&curve.name, FONT - 1);
        if x > 14 && x + width > WIDTH {
            (x, row) = (14, row + 1);
        }
        let marked = !curve.marks.is_empty();
        entries.push(Entry { curve: index, marked, name: &curve.name, x, row });
        x += width;
    }
    entries
}

/// Estimates the width of a text in pixels.
fn text_width(text: &str, size: i32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * LETTER).ceil() as i32
}

/// Returns the style of a text.
fn text_style(size: i32, paint: RGBColor, h_pos: HPos, v_pos: VPos) -> TextStyle<'static> {
    let font = ("sans-serif", px(size)).into_font();
    font.color(&paint).pos(Pos::new(h_pos, v_pos))
}

/// Returns the style of a stroke. The width is in tenths of a pixel.
fn line(paint: RGBColor, width: u32) -> ShapeStyle {
    ShapeStyle { color: paint.into(), filled: false, stroke_width: width }
}

type Area<'a> = DrawingArea<Pen<'a>, plotters::coord::Shift>;

/// Draws a panel with its axes, or returns `None` if plotters fails.
fn draw_panel(
    [root, area]: [&Area<'_>; 2],
    (x_axis, x, places): (&Axis, Scale, &[f64]),
    (panel, y): (&Panel, Scale),
    is_last: bool,
) -> Option<()> {
    let (width, height) = area.dim_in_pixel();
    let columns = f64::from(width as i32 - px(LEFT + RIGHT));
    let ruler =
        Ruler { axis: x_axis.clone(), scale: x, ticks: thinned(x_axis, x, places, columns) };
    let ticks = y.ticks(height as usize / px(34) as usize);
    let upright = Ruler { axis: panel.y.clone(), scale: y, ticks };
    let mut chart = ChartBuilder::on(area)
        .margin_right(px(RIGHT))
        .margin_top(px(NAME_ABOVE))
        .set_label_area_size(LabelAreaPosition::Left, px(LEFT))
        .set_label_area_size(LabelAreaPosition::Bottom, px(if is_last { BELOW } else { 1 }))
        .build_cartesian_2d(ruler, upright)
        .ok()?;
    let label = text_style(FONT - 1, MUTED, HPos::Center, VPos::Center);
    chart
        .configure_mesh()
        .bold_line_style(line(GRID, 10))
        .light_line_style(TRANSPARENT)
        .axis_style(line(MUTED, 10))
        .set_all_tick_mark_size(px(3))
        .label_style(label)
        .x_labels(MAX_TICKS)
        .x_label_formatter(&|value| if is_last { place(x_axis, *value) } else { String::new() })
        .draw()
        .ok()?;
    let name = text_style(FONT - 1, MUTED, HPos::Left, VPos::Bottom);
    area.draw_text(&panel.y.name, &name, (px(8), px(NAME_ABOVE - NAME_FEET))).ok()?;
    if is_last {
        let name = text_style(FONT - 1, MUTED, HPos::Center, VPos::Bottom);
        let middle = px(LEFT) + (width as i32 - px(LEFT + RIGHT)) / 2;
        area.draw_text(&x_axis.name, &name, (middle, height as i32 - px(6))).ok()?;
    }
    let dodge = |curve: usize, x_value: f64, aside: f64| {
        let middle = (panel.curves.len() - 1) as f64 / 2.0;
        x.value(
            x.share(x_value) + f64::from(UNITS) * (4.0 * (curve as f64 - middle) + aside) / columns,
        )
    };
    if let Some((lo, hi)) = panel.band {
        let corners = [(x.value(0.0), lo), (x.value(1.0), hi)];
        chart.draw_series([Rectangle::new(corners, BAND.filled())]).ok()?;
    }
    let mut beyond = 0;
    for (index, curve) in panel.curves.iter().enumerate() {
        let dots = curve.marks.iter().flat_map(|mark| {
            mark.samples.iter().enumerate().map(move |(n, &sample)| {
                // Five columns of dots keep many equal samples visible.
                (dodge(index, mark.x, (n % 5) as f64 * 0.8 - 1.6), sample)
            })
        });
        let (within, outside): (Vec<_>, Vec<_>) =
            dots.partition(|&(_, sample)| (0.0..=1.0).contains(&y.share(sample)));
        beyond += outside.len();
        let dots = within.into_iter().map(|at| Pixel::new(at, paint(index)));
        chart.draw_series(dots).ok()?;
    }
    for (index, curve) in panel.curves.iter().enumerate() {
        let paint = if curve.marks.is_empty() { MUTED } else { paint(index) };
        let drawn = curve.drawn().into_iter().filter(|(x, y)| x.is_finite() && y.is_finite());
        // Lines that join marks are shifted as the marks are.
        let drawn = drawn.map(|(x, y)| (if curve.joined { dodge(index, x, 0.0) } else { x }, y));
        chart.draw_series(LineSeries::new(drawn, line(paint, 16))).ok()?;
    }
    for (index, curve) in panel.curves.iter().enumerate() {
        for mark in curve.marks.iter().filter(|mark| mark.x.is_finite() && mark.y.is_finite()) {
            let at = dodge(index, mark.x, 0.0);
            if let Some((lo, hi)) = mark.interval {
                let (lo, hi) = (y.value(y.share(lo).max(0.0)), y.value(y.share(hi).min(1.0)));
                let ends = vec![(at, lo), (at, hi)];
                chart.draw_series([PathElement::new(ends, line(paint(index), 12))]).ok()?;
            }
            let at = chart.backend_coord(&(at, mark.y));
            for shape in marker(index, at, paint(index), mark.hollow) {
                root.draw(&shape).ok()?;
            }
        }
    }
    if beyond > 0 {
        let note = text_style(FONT - 2, MUTED, HPos::Right, VPos::Bottom);
        let text = format!("{} outside the plot", figures::counted(beyond, "sample"));
        area.draw_text(&text, &note, (width as i32 - px(RIGHT), px(NAME_ABOVE - NAME_FEET)))
            .ok()?;
    }
    Some(())
}

/// Returns the mark of a curve.
///
/// Each curve has its own mark shape, because some readers cannot distinguish the colours.
fn marker<'a>(
    curve: usize,
    (x, y): (i32, i32),
    paint: RGBColor,
    hollow: bool,
) -> Vec<DynElement<'static, Pen<'a>, (i32, i32)>> {
    let corners: &[(i32, i32)] = match curve % PAINTS {
        0 => return vec![circle((x, y), paint, hollow)],
        1 => &[(-3, -3), (3, -3), (3, 3), (-3, 3)],
        2 => &[(0, -4), (4, 3), (-4, 3)],
        3 => &[(0, -5), (5, 0), (0, 5), (-5, 0)],
        4 => &[(0, 4), (4, -3), (-4, -3)],
        _ => &[
            (-1, -4),
            (1, -4),
            (1, -1),
            (4, -1),
            (4, 1),
            (1, 1),
            (1, 4),
            (-1, 4),
            (-1, 1),
            (-4, 1),
            (-4, -1),
            (-1, -1),
        ],
    };
    let mut points: Vec<_> = corners.iter().map(|&(dx, dy)| (x + px(dx), y + px(dy))).collect();
    if hollow {
        points.push(points[0]);
        return vec![PathElement::new(points, line(paint, 12)).into_dyn()];
    }
    vec![Polygon::new(points, paint.filled()).into_dyn()]
}

/// Returns a circular mark.
fn circle<'a>(
    at: (i32, i32),
    paint: RGBColor,
    hollow: bool,
) -> DynElement<'static, Pen<'a>, (i32, i32)> {
    let style = ShapeStyle { color: paint.into(), filled: !hollow, stroke_width: 12 };
    Circle::new(at, 34, style).into_dyn()
}

/// Returns the swept values to label at the axis.
///
/// From left to right, a value is left out if its label would overlap the previous label.
fn thinned(axis: &Axis, scale: Scale, places: &[f64], columns: f64) -> Vec<f64> {
    let mut ticks: Vec<f64> = Vec::new();
    let mut free_from = f64::NEG_INFINITY;
    for &at in places {
        let half = f64::from(px(text_width(&place(axis, at), FONT - 1))) / 2.0;
        let middle = scale.share(at) * columns;
        if middle - half >= free_from {
            ticks.push(at);
            free_from = middle + half + f64::from(px(6));
        }
    }
    ticks
}

/// Formats a value on an axis.
fn place(axis: &Axis, value: f64) -> String {
    figures::short(value, &axis.unit)
}

/// An axis in the form that plotters needs.
#[derive(Clone)]
struct Ruler {
    axis: Axis,
    scale: Scale,
    ticks: Vec<f64>,
}

impl Ranged for Ruler {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        // Positions far outside the picture are all equivalent.
        let share = self.scale.share(*value).clamp(-10.0, 10.0);
        from + (f64::from(to - from) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.scale.value(0.0)..self.scale.value(1.0)
    }
}

impl ValueFormatter<f64> for Ruler {
    fn format_ext(&self, value: &f64) -> String {
        place(&self.axis, *value)
    }
}
