//! One model of what is drawn: curves of predictions and measurements over one swept quantity. Terminals draw
//! it in letters, pages as a picture.

use crate::model::figures;
use crate::model::plain;

/// An axis of a plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// What runs along it.
    pub name: String,
    /// Its unit, as [`figures::quantity`] writes it.
    pub unit: String,
    /// Whether equal steps are equal factors.
    pub logarithmic: bool,
}

/// A measurement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// Where in the sweep.
    pub x: f64,
    /// What was measured.
    pub y: f64,
    /// Its 95 % interval, where there is one.
    pub interval: Option<(f64, f64)>,
    /// What single samples say.
    pub samples: Vec<f64>,
    /// Whether the law says nothing of it.
    pub hollow: bool,
}

/// A series: its prediction and its measurements.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// What it shows.
    pub name: String,
    /// The prediction, from left to right; straight between its points.
    pub line: Vec<(f64, f64)>,
    /// The measurements.
    pub marks: Vec<Mark>,
    /// Whether they are joined, for want of a prediction between them.
    pub joined: bool,
}

/// Curves over one axis. Those of the same place in all panels of a plot belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What follows.
    pub y: Axis,
    /// The curves.
    pub curves: Vec<Curve>,
    /// What is as good as predicted, from where to where.
    pub band: Option<(f64, f64)>,
}

/// Panels under one another that share what is swept. A table beside the plot holds its figures too.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows, in a line.
    pub title: String,
    /// What is swept.
    pub x: Axis,
    /// The curves; what they leave of what was predicted goes under them.
    pub panels: Vec<Panel>,
}

impl Axis {
    /// The axis with strings safe to show.
    fn plain(&self) -> Self {
        Self { name: plain(&self.name), unit: plain(&self.unit), logarithmic: self.logarithmic }
    }
}

impl Curve {
    /// What is drawn through: the prediction, or the marks where they are joined.
    pub(super) fn drawn(&self) -> Vec<(f64, f64)> {
        let marks = self.marks.iter().map(|mark| (mark.x, mark.y));
        if self.joined { marks.collect() } else { self.line.clone() }
    }
}

impl Panel {
    fn plain(&self) -> Self {
        let curve = |curve: &Curve| Curve { name: plain(&curve.name), ..curve.clone() };
        Self { y: self.y.plain(), curves: self.curves.iter().map(curve).collect(), band: self.band }
    }

    /// The axis from its least to its most; `None` where nothing can be drawn. Samples beyond what was predicted
    /// and measured do not stretch it.
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
    /// The plot with every string made safe to show.
    pub(super) fn plain(&self) -> Self {
        Self {
            title: plain(&self.title),
            x: self.x.plain(),
            panels: self.panels.iter().map(Panel::plain).collect(),
        }
    }

    /// Where anything is, each place once, from left to right.
    pub(super) fn places(&self) -> Vec<f64> {
        let curves = self.panels.iter().flat_map(|panel| &panel.curves);
        let of_one = |curve: &Curve| {
            let line = curve.line.iter().map(|&(x, _)| x);
            line.chain(curve.marks.iter().map(|mark| mark.x)).collect::<Vec<_>>()
        };
        let mut places: Vec<f64> = curves.flat_map(of_one).filter(|x| x.is_finite()).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }

    /// The swept axis from its least to its most; `None` where nothing can be drawn.
    pub(super) fn scale(&self) -> Option<Scale> {
        Scale::of(&self.x, self.places().into_iter())
    }
}

/// Whether values given in order are spaced by factors rather than by differences.
#[must_use]
pub fn is_spaced_by_factors(values: &[f64]) -> bool {
    if values.len() < 3 || values.iter().any(|value| value.is_nan() || *value <= 0.0) {
        return false;
    }
    // Least over greatest gap: 1 where all are equal.
    let evenness = |scale: fn(f64) -> f64| {
        let gaps = values.windows(2).map(|pair| scale(pair[1]) - scale(pair[0]));
        let (least, most) =
            gaps.fold((f64::INFINITY, 0.0), |(least, most), gap| (gap.min(least), gap.max(most)));
        least / most
    };
    evenness(f64::ln) > evenness(|value| value)
}

/// What an axis covers, in its own scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    least: f64,
    most: f64,
    logarithmic: bool,
}

impl Scale {
    fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Option<Self> {
        let logarithmic = axis.logarithmic;
        let scaled = values.map(|value| if logarithmic { value.log10() } else { value });
        let finite: Vec<f64> = scaled.filter(|value| value.is_finite()).collect();
        let least = finite.iter().copied().reduce(f64::min)?;
        let most = finite.iter().copied().reduce(f64::max)?;
        // A flat curve is drawn through the middle.
        let room =
            if most > least { 0.0 } else { 0.5 * if least == 0.0 { 1e-12 } else { least.abs() } };
        let scale = Self { least: least - room, most: most + room, logarithmic };
        (scale.most - scale.least).is_finite().then_some(scale)
    }

    /// The same with a part of itself more on both sides.
    pub(super) fn widened(self, by: f64) -> Self {
        let room = (self.most - self.least) * by;
        Self { least: self.least - room, most: self.most + room, ..self }
    }

    /// Where a value lies, 0 to 1 from end to end.
    pub(super) fn share(self, value: f64) -> f64 {
        let value = if self.logarithmic { value.log10() } else { value };
        (value - self.least) / (self.most - self.least)
    }

    /// The value that lies there.
    pub(super) fn value(self, share: f64) -> f64 {
        let value = self.least + (self.most - self.least) * share;
        let value = if self.logarithmic { 10f64.powf(value) } else { value };
        // No noise of the way there: half of 1e-17 is a zero to a reader.
        let noise = 1e-12 * (self.most - self.least);
        if !self.logarithmic && value.abs() < noise { 0.0 } else { value }
    }

    pub(super) fn label(self, axis: &Axis, share: f64) -> String {
        figures::quantity(self.value(share), &axis.unit)
    }

    /// Round values to mark the axis at, no more than `most`.
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
            // 1, 2, 5, 10, … of the largest power of ten that may be too fine.
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
        Scale::of(&axis, values.iter().copied()).expect("there are values")
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
    fn sweeps_are_told_apart_by_their_gaps() {
        for factors in [vec![1.0, 2.0, 4.0, 8.0], vec![2.0, 3.0, 4.0, 6.0, 8.0, 16.0, 32.0]] {
            assert!(is_spaced_by_factors(&factors), "{factors:?}");
        }
        for differences in [vec![1.0, 2.0, 3.0, 4.0], vec![0.0, 1.0, 10.0], vec![1.0, 100.0]] {
            assert!(!is_spaced_by_factors(&differences), "{differences:?}");
        }
    }
}
