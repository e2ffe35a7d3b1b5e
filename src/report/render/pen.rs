//! A drawing back end for plotters that writes SVG.
//!
//! The elements have classes in place of colours, so that one style sheet makes a picture light or dark.
//! Consecutive dots of one colour become one path, so that the file stays small.

use std::convert::Infallible;
use std::fmt::{self, Write};

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontTransform,
};

use super::words::escape;

/// Average width of a letter as a share of the font size, in the fonts of the pages.
pub(super) const LETTER: f64 = 0.56;

/// Units per pixel. plotters counts in whole units, which are finer than a pixel.
pub(super) const UNITS: i32 = 10;

/// A back end that appends SVG elements to a string.
pub(super) struct Pen<'a> {
    svg: &'a mut String,
    size: (u32, u32),
    /// Paint of the open path of dots, if there is one.
    dots: Option<usize>,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl<'a> Pen<'a> {
    /// Creates a back end for a picture of this size in pixels.
    pub(super) fn new(svg: &'a mut String, (width, height): (i32, i32)) -> Self {
        Self { svg, size: ((width * UNITS) as u32, (height * UNITS) as u32), dots: None }
    }

    /// Writes an element, after the end of an open path of dots.
    fn element(&mut self, element: &str) -> Drawn {
        self.end_dots();
        self.svg.push_str(element);
        self.svg.push('\n');
        Ok(())
    }

    /// Closes the path of dots, if one is open.
    fn end_dots(&mut self) {
        if self.dots.take().is_some() {
            self.svg.push_str("\"/>\n");
        }
    }
}

/// Returns the number of a paint in the style sheet, which the blue channel contains.
fn paint(color: BackendColor) -> usize {
    usize::from(color.rgb.2)
}

/// A length in units, shown in pixels.
struct Pixels(i32);

impl fmt::Display for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenths) = (self.0 / UNITS, (self.0 % UNITS).abs());
        let sign = if self.0 < 0 && whole == 0 { "-" } else { "" };
        if tenths == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{tenths}") }
    }
}

/// Returns the path data of straight lines through the points.
fn path(points: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.into_iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{} {}", Pixels(x), Pixels(y));
    }
    path
}

impl DrawingBackend for Pen<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        self.end_dots();
        Ok(())
    }

    /// Draws a dot. Consecutive dots of one paint become one path.
    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        if self.dots != Some(paint(color)) {
            self.end_dots();
            self.dots = Some(paint(color));
            let _ = write!(self.svg, "<path class=\"dots p{}\" d=\"", paint(color));
        }
        let _ = write!(self.svg, "M{} {}h0", Pixels(x), Pixels(y));
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        points: I,
        style: &S,
    ) -> Drawn {
        if style.color().alpha == 0.0 {
            return Ok(());
        }
        let (paint, width) = (paint(style.color()), Pixels(style.stroke_width() as i32));
        self.element(&format!(
            "<path class=\"line p{paint}\" stroke-width=\"{width}\" d=\"{}\"/>",
            path(points)
        ))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        if fill {
            self.fill_polygon(corners, style)
        } else {
            self.draw_path(corners.into_iter().chain([(left, top)]), style)
        }
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        self.element(&format!(
            "<circle class=\"{} p{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
            if fill { "fill" } else { "line" },
            paint(style.color()),
            Pixels(x),
            Pixels(y),
            Pixels(radius as i32)
        ))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        points: I,
        style: &S,
    ) -> Drawn {
        let paint = paint(style.color());
        self.element(&format!("<path class=\"fill p{paint}\" d=\"{}Z\"/>", path(points)))
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let down = match style.anchor().v_pos {
            VPos::Top => ".8em",
            VPos::Center => ".35em",
            VPos::Bottom => "0",
        };
        let (x, y) = (Pixels(x), Pixels(y));
        let rotation = match style.transform() {
            FontTransform::Rotate270 => format!(" transform=\"rotate(-90 {x} {y})\""),
            _ => String::new(),
        };
        self.element(&format!(
            "<text class=\"fill p{}\" x=\"{x}\" y=\"{y}\" dy=\"{down}\" text-anchor=\"{anchor}\" \
             font-size=\"{}\"{rotation}>{}</text>",
            paint(style.color()),
            style.size() / f64::from(UNITS),
            escape(text)
        ))
    }

    /// Estimates the size of a text from the average width of a letter, in the unit of the font size.
    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let width = text.chars().count() as f64 * style.size() * LETTER;
        Ok((width as u32, style.size() as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_tenths_of_a_pixel() {
        let written = [0, 5, -5, 120, 123, -123].map(|units| Pixels(units).to_string());
        assert_eq!(written, ["0", "0.5", "-0.5", "12", "12.3", "-12.3"]);
    }

    #[test]
    fn dots_of_one_paint_are_one_path() {
        let mut svg = String::new();
        let mut pen = Pen::new(&mut svg, (10, 10));
        let paint = |n: u8| BackendColor { alpha: 1.0, rgb: (0, 0, n) };
        for (x, n) in [(10, 3), (20, 3), (30, 4)] {
            pen.draw_pixel((x, 10), paint(n)).expect("the error type is infallible");
        }
        pen.present().expect("the error type is infallible");
        assert_eq!(
            svg,
            "<path class=\"dots p3\" d=\"M1 1h0M2 1h0\"/>\n<path class=\"dots p4\" d=\"M3 1h0\"/>\n"
        );
    }
}
