//! The curves that tell devices apart, laid over one another.

use super::{Named, letter};
use crate::record::{Experiment, Point, Record};
use crate::report::plot::{Axis, Curve, Mark, Panel, Plot, is_spaced_by_factors};
use crate::report::sections::MOST_CURVES;

/// What a curve shows of a point.
#[derive(Clone, Copy)]
enum Shown {
    /// What was measured.
    Measured,
    /// The same, a speed-up over one, which is 1 by its definition.
    SpeedUp,
    /// What was measured over the same at the first, or at the last, place of the sweep.
    OverFirst,
    OverLast,
    /// Bytes a second, of points over items of four bytes: the best of all series.
    BestRate,
}

/// A curve that every device has.
struct Overlay {
    experiment: &'static str,
    /// The series, or how its name begins.
    series: &'static str,
    shown: Shown,
    title: &'static str,
    y: (&'static str, &'static str),
    logarithmic: bool,
    /// What the law alone would have, on hardware of any width.
    law: Option<Law>,
}

/// A curve in words and as a figure of the sweep.
type Law = (&'static str, fn(f64) -> f64);

#[rustfmt::skip]
const OVERLAYS: [Overlay; 6] = [
    Overlay { experiment: "divergence", series: "interleaved", shown: Shown::OverFirst, title: "what a k-way branch costs", y: ("time over one path's", "x"), logarithmic: true, law: Some(("1/η = k", |k| k)) },
    Overlay { experiment: "lanes", series: "speed-up", shown: Shown::SpeedUp, title: "what each further lane buys", y: ("speed-up over one lane", "x"), logarithmic: true, law: Some(("as many as lanes", |lanes| lanes)) },
    Overlay { experiment: "width", series: "granularity", shown: Shown::OverLast, title: "how many lanes take a branch together", y: ("time over one arm's", "x"), logarithmic: false, law: None },
    Overlay { experiment: "amdahl", series: "f = 1, ideal workers", shown: Shown::SpeedUp, title: "what further workgroups buy", y: ("speed-up over one", "x"), logarithmic: true, law: None },
    Overlay { experiment: "reduction", series: "", shown: Shown::BestRate, title: "the best reduction at each size", y: ("read", "B/s"), logarithmic: true, law: None },
    Overlay { experiment: "contention", series: "add, in turn", shown: Shown::Measured, title: "atomics on more and more counters", y: ("time", "s"), logarithmic: true, law: None },
];

/// One plot for each curve that a record has, with a curve a record; of the first six records, which is as many as
/// can be told apart.
pub(in crate::report) fn overlaid(records: &[Named<'_>]) -> Vec<Plot> {
    OVERLAYS.iter().filter_map(|overlay| plot(overlay, records)).collect()
}

fn plot(overlay: &Overlay, records: &[Named<'_>]) -> Option<Plot> {
    let records = &records[..records.len().min(MOST_CURVES)];
    let mut curves = Vec::new();
    let (mut places, mut name) = (Vec::new(), None);
    for (index, named) in records.iter().enumerate() {
        let marks = overlay.marks(named.record);
        places.extend(marks.iter().map(|mark| mark.x));
        name = name.or_else(|| overlay.swept(named.record));
        let name = format!("{}: {}", letter(index), named.record.adapter.name);
        curves.push(Curve { name, line: Vec::new(), marks, joined: true });
    }
    places.sort_by(f64::total_cmp);
    places.dedup();
    if let Some((law, at)) = overlay.law {
        let line = places.iter().map(|&x| (x, at(x))).collect();
        curves.push(Curve { name: law.to_owned(), line, ..Curve::default() });
    }
    let (y, unit) = overlay.y;
    Some(Plot {
        title: format!("{}: {}", overlay.experiment, overlay.title),
        x: Axis { name: name?, unit: String::new(), logarithmic: is_spaced_by_factors(&places) },
        panels: vec![Panel {
            y: Axis { name: y.to_owned(), unit: unit.to_owned(), logarithmic: overlay.logarithmic },
            curves,
            band: None,
        }],
    })
}

impl Overlay {
    fn experiment<'a>(&self, record: &'a Record) -> Option<&'a Experiment> {
        record.experiments.iter().find(|experiment| experiment.id == self.experiment)
    }

    fn points<'a>(&self, record: &'a Record) -> Vec<&'a Point> {
        let all = self.experiment(record).into_iter().flat_map(|experiment| &experiment.points);
        let own = all.filter(|point| match self.shown {
            Shown::BestRate => point.series.ends_with(" u32"),
            _ => point.series == self.series,
        });
        let mut points: Vec<&Point> = own.collect();
        points.sort_by(|a, b| a.x.value.total_cmp(&b.x.value));
        points
    }

    fn swept(&self, record: &Record) -> Option<String> {
        self.points(record).first().map(|point| point.x.name.clone())
    }

    fn marks(&self, record: &Record) -> Vec<Mark> {
        let points = self.points(record);
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Vec::new();
        };
        let over = match self.shown {
            Shown::OverFirst => first.measured,
            Shown::OverLast => last.measured,
            Shown::Measured | Shown::SpeedUp => 1.0,
            Shown::BestRate => return best_rates(&points),
        };
        let mark =
            |point: &&Point| Mark { x: point.x.value, y: point.measured / over, ..Mark::default() };
        let one = Mark { x: 1.0, y: 1.0, ..Mark::default() };
        let one = matches!(self.shown, Shown::SpeedUp).then_some(one);
        one.into_iter().chain(points.iter().map(mark)).collect()
    }
}

/// The most that any series reads at each size.
fn best_rates(points: &[&Point]) -> Vec<Mark> {
    const ITEM_BYTES: f64 = 4.0;
    let mut marks: Vec<Mark> = Vec::new();
    for point in points {
        let (x, rate) = (point.x.value, ITEM_BYTES * point.x.value / point.measured);
        match marks.last_mut().filter(|mark| mark.x == x) {
            Some(mark) => mark.y = mark.y.max(rate),
            None => marks.push(Mark { x, y: rate, ..Mark::default() }),
        }
    }
    marks
}
