//! The plot model: curves of predictions and measurements over one swept quantity.
//!
//! Terminals draw a plot in text characters. HTML pages draw a plot as a picture.

use super::safe::Safe;
use crate::model::{MAX_CHARS, figures};

/// An axis of a plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Name of the quantity.
    pub name: String,
    /// Unit of the quantity, as [`figures::quantity`] expects it.
    pub unit: String,
    /// Whether the axis is logarithmic.
    pub logarithmic: bool,
}

/// The mark of one measurement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// Value of the swept quantity.
    pub x: f64,
    /// Measured value.
    pub y: f64,
    /// Interval of `y`; `None` if the interval is unknown.
    pub interval: Option<(f64, f64)>,
    /// Values that follow from single samples.
    pub samples: Vec<f64>,
    /// Whether the mark is hollow, because the point is not judged.
    pub hollow: bool,
}

/// The prediction and the measurements of one series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// Name for the legend.
    pub name: String,
    /// Points of the prediction, by increasing `x`. Straight lines connect the points.
    pub line: Vec<(f64, f64)>,
    /// Measurements.
    pub marks: Vec<Mark>,
    /// Whether lines connect the marks, for a curve without a prediction.
    pub joined: bool,
}

/// Curves that share a vertical axis. Curves with equal index in the panels of a plot show the same series.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Vertical axis.
    pub y: Axis,
    /// Curves.
    pub curves: Vec<Curve>,
    /// Lower and upper end of the tolerance on the vertical axis.
    pub band: Option<(f64, f64)>,
}

/// Panels, one below the other, that share a horizontal axis.
///
/// A table near the plot contains the same values.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Title.
    pub title: String,
    /// Horizontal axis: the swept quantity.
    pub x: Axis,
    /// Panels, from top to bottom: the curves, then the ratios of measured to predicted values.
    pub panels: Vec<Panel>,
}

impl Axis {
    /// Returns the axis with every string safe to show.
    fn safe(&self, safe: Safe) -> Self {
        let [name, unit] = [&self.name, &self.unit].map(|text| safe(text, MAX_CHARS));
        Self { name, unit, logarithmic: self.logarithmic }
    }
}

impl Curve {
    /// Returns the points that a line connects: the marks if they are joined, else the prediction.
    pub(super) fn drawn(&self) -> Vec<(f64, f64)> {
        let marks = self.marks.iter().map(|mark| (mark.x, mark.y));
        if self.joined { marks.collect() } else { self.line.clone() }
    }
}

impl Panel {
    /// Returns the panel with every string safe to show.
    fn safe(&self, safe: Safe) -> Self {
        let curve = |curve: &Curve| Curve { name: safe(&curve.name, MAX_CHARS), ..curve.clone() };
        Self {
            y: self.y.safe(safe),
            curves: self.curves.iter().map(curve).collect(),
            band: self.band,
        }
    }

    /// Returns the range of the vertical axis, or `None` if the panel has no finite value.
    ///
    /// The range covers the predictions, the measurements with their intervals, and the band. Single samples
    /// do not extend the range.
    pub(super) fn scale(&self) -> Option<Scale> {
        let lines = self.curves.iter().flat_map(|curve| curve.line.iter().map(|&(_, y)| y));
        let marks = self.curves.iter().flat_map(|curve| {
            curve.marks.iter().flat_map(|mark| {
                let (lo, hi) = mark.interval.unwrap_or((mark.y, mark.y));
                [lo, mark.y, hi]
            })
        });
        let band = self.band.iter().flat_map(|&(lo, hi)| [lo, hi]);
        Scale::of(&self.y, lines.chain(marks).chain(band))
    }
}

impl Plot {
    /// Returns the plot with every string safe to show.
    pub(super) fn safe(&self, safe: Safe) -> Self {
        Self {
            title: safe(&self.title, MAX_CHARS),
            x: self.x.safe(safe),
            panels: self.panels.iter().map(|panel| panel.safe(safe)).collect(),
        }
    }

    /// Returns the distinct horizontal positions of all points and marks, in increasing order.
    pub(super) fn places(&self) -> Vec<f64> {
        let curves = self.panels.iter().flat_map(|panel| &panel.curves);
        let positions = |curve: &Curve| {
            let line = curve.line.iter().map(|&(x, _)| x);
            line.chain(curve.marks.iter().map(|mark| mark.x)).collect::<Vec<_>>()
        };
        let mut places: Vec<f64> = curves.flat_map(positions).filter(|x| x.is_finite()).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }

    /// Returns whether a terminal draws the plot: whether the first panel has finite values and positions.
    pub(super) fn is_drawn_in_letters(&self) -> bool {
        let has_values = self.panels.first().is_some_and(|panel| panel.scale().is_some());
        has_values && self.scale().is_some()
    }

    /// Returns the range of the horizontal axis, or `None` if the plot has no finite position.
    pub(super) fn scale(&self) -> Option<Scale> {
        Scale::of(&self.x, self.places().into_iter())
    }
}

/// Returns whether increasing values are spaced by equal factors rather than by equal differences.
#[must_use]
pub fn is_spaced_by_factors(values: &[f64]) -> bool {
    if values.len() < 3 || values.iter().any(|value| value.is_nan() || *value <= 0.0) {
        return false;
    }
    // The smallest gap over the largest gap: 1 if all gaps are equal.
    let evenness = |scale: fn(f64) -> f64| {
        let gaps = values.windows(2).map(|pair| scale(pair[1]) - scale(pair[0]));
        let (least, most) =
            gaps.fold((f64::INFINITY, 0.0), |(least, most), gap| (gap.min(least), gap.max(most)));
        least / most
    };
    evenness(f64::ln) > evenness(|value| value)
}

/// The range of an axis. The ends of a logarithmic axis are stored as decimal logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    least: f64,
    most: f64,
    logarithmic: bool,
}

impl Scale {
    /// Returns the range of the finite values, or `None` if there is no finite value or the range overflows.
    fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Option<Self> {
        let logarithmic = axis.logarithmic;
        let scaled = values.map(|value| if logarithmic { value.log10() } else { value });
        let finite: Vec<f64> = scaled.filter(|value| value.is_finite()).collect();
        let least = finite.iter().copied().reduce(f64::min)?;
        let most = finite.iter().copied().reduce(f64::max)?;
        // Margins put a flat curve in the middle of the axis.
        let margin =
            if most > least { 0.0 } else { 0.5 * if least == 0.0 { 1e-12 } else { least.abs() } };
        let scale = Self { least: least - margin, most: most + margin, logarithmic };
        (scale.most - scale.least).is_finite().then_some(scale)
    }

    /// Returns the range extended on both sides by the share `by` of its length.
    #[cfg(feature = "plots")]
    pub(super) fn widened(self, by: f64) -> Self {
        let margin = (self.most - self.least) * by;
        Self { least: self.least - margin, most: self.most + margin, ..self }
    }

    /// Returns the position of a value on the axis: 0 at the lower end, 1 at the upper end.
    pub(super) fn share(self, value: f64) -> f64 {
        let value = if self.logarithmic { value.log10() } else { value };
        (value - self.least) / (self.most - self.least)
    }

    /// Returns the value at a position on the axis.
    pub(super) fn value(self, share: f64) -> f64 {
        let value = self.least + (self.most - self.least) * share;
        let value = if self.logarithmic { 10f64.powf(value) } else { value };
        // Rounding may leave 1e-17 in place of 0. The label must read 0.
        let noise = 1e-12 * (self.most - self.least);
        if !self.logarithmic && value.abs() < noise { 0.0 } else { value }
    }

    /// Formats the value at a position on the axis.
    pub(super) fn label(self, axis: &Axis, share: f64) -> String {
        figures::quantity(self.value(share), &axis.unit)
    }

    /// Returns at most `most` round values for the tick marks of the axis.
    #[cfg(feature = "plots")]
    pub(super) fn ticks(self, most: usize) -> Vec<f64> {
        let within = |value: &f64| (-1e-9..=1.0 + 1e-9).contains(&self.share(*value));
        let candidates = |step: &dyn Fn(i32) -> Option<Vec<f64>>| {
            (0..60).find_map(|n| {
                let ticks: Vec<f64> = step(n)?.into_iter().filter(within).collect();
                (ticks.len() <= most && ticks.len() > 1).then_some(ticks)
            })
        };
        let (least, most) = (self.least, self.most);
        let linear = |n: i32| {
            // Steps of 1, 2, 5, 10, … times a power of ten that is too fine at first.
            let finest = ((most - least).log10().floor() - 2.0) as i32;
            let step = [1.0, 2.0, 5.0][n as usize % 3] * 10f64.powi(finest + n / 3);
            let (from, to) = ((least / step).ceil(), (most / step).floor());
            let count = to - from + 1.0;
            (0.0..1e4).contains(&count).then(|| {
                (0..count as i32).map(|i| (from + f64::from(i)) * step).collect::<Vec<_>>()
            })
        };
        let decades = |n: i32| {
            let (from, to) = (least.floor() as i32, most.ceil() as i32);
            let of = |mantissas: &'static [f64], every: i32| {
                let powers = (from..=to).filter(move |power| power.rem_euclid(every) == 0);
                powers
                    .flat_map(|power| mantissas.iter().map(move |m| m * 10f64.powi(power)))
                    .collect::<Vec<_>>()
            };
            Some(match n {
                0 => of(&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 1),
                1 => of(&[1.0, 2.0, 5.0], 1),
                2 => of(&[1.0, 3.0], 1),
                n => of(&[1.0], n - 2),
            })
        };
        let ticks = if self.logarithmic { candidates(&decades) } else { candidates(&linear) };
        ticks.unwrap_or_else(|| vec![self.value(0.0), self.value(1.0)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(values: &[f64], logarithmic: bool) -> Scale {
        let axis = Axis { name: "n".to_owned(), unit: String::new(), logarithmic };
        Scale::of(&axis, values.iter().copied()).expect("the values are finite")
    }

    #[test]
    fn ticks_are_round_few_and_within() {
        assert_eq!(scale(&[0.0, 10.0], false).ticks(6), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        let near_one = scale(&[0.93, 1.07], false).ticks(3);
        assert_eq!(
            near_one.iter().map(|t| format!("{t:.3}")).collect::<Vec<_>>(),
            ["0.950", "1.000", "1.050"]
        );
        assert_eq!(scale(&[1.0, 1000.0], true).ticks(4), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(scale(&[1.0, 1e9], true).ticks(4), [1.0, 1e3, 1e6, 1e9]);
        assert_eq!(scale(&[0.9, 11.0], true).ticks(5), [1.0, 2.0, 5.0, 10.0]);
        for (least, most) in [(1e-9, 3e-9), (-2.0, 5e6), (1.0, 1.0 + 1e-9), (3.0, 3.0)] {
            let scale = scale(&[least, most], false);
            let ticks = scale.ticks(5);
            assert!((2..=5).contains(&ticks.len()), "{least} {most}: {ticks:?}");
        }
    }

    #[test]
    fn gaps_decide_whether_a_sweep_is_spaced_by_factors() {
        for factors in [vec![1.0, 2.0, 4.0, 8.0], vec![2.0, 3.0, 4.0, 6.0, 8.0, 16.0, 32.0]] {
            assert!(is_spaced_by_factors(&factors), "{factors:?}");
        }
        for differences in [vec![1.0, 2.0, 3.0, 4.0], vec![0.0, 1.0, 10.0], vec![1.0, 100.0]] {
            assert!(!is_spaced_by_factors(&differences), "{differences:?}");
        }
    }
}
