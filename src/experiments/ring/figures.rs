//! The figures of the experiment: what a message and an addition cost, bandwidths, crossings, and what the library makes of it.

use super::all_reduces::AllReduces;
use super::alone::{AllReduce, Calibration, WORD_BYTES};
use super::law;
use crate::bench::{CaseId, Expr};
use crate::experiments::crossing::crossing_of;
use crate::gpu::{Algorithm, Arithmetic};
use crate::model::{About, Curve, figures};
use crate::ranks::longest_part;

/// Returns a figure of the largest of the rings that were timed. `of` gives it for the words of a message.
fn of_the_largest(rings: &[(u32, CaseId)], of: &dyn Fn(u32) -> Expr) -> Expr {
    let figures = rings.iter().map(|&(bytes, _)| of(bytes / WORD_BYTES));
    let times = rings.iter().map(|&(_, case)| case.time());
    let count = rings.len();
    Expr::lenient("of_the_largest", figures.chain(times), move |values| {
        let (figures, times) = values.split_at(count);
        let of_timed = figures.iter().zip(times).rev().filter(|(_, time)| time.is_finite());
        let mut known = of_timed.map(|(&figure, _)| figure).filter(|figure| figure.is_finite());
        known.next().unwrap_or(f64::NAN)
    })
}

impl AllReduces<'_> {
    /// Adds α, β and γ. β and γ are those of the largest ring that was timed.
    pub(super) fn add_prices(&mut self) {
        let largest = |of: &dyn Fn(u32) -> Expr| of_the_largest(&self.rings(), of);
        let link = |by| largest(&|words| self.alone.beta_of_parts(by, words));
        let (shift, ping_pong) = (link(Calibration::Shift), link(Calibration::PingPong));
        let gamma = largest(&|words| self.alone.gamma_of_parts(words));
        let (alpha, alpha_1) =
            (self.alone.alpha(Calibration::Shift), self.alone.alpha(Calibration::PingPong));
        let of = |id: &str, label: &str, unit| {
            About::new(id, format!("{label}, {} ranks", self.ranks.count), unit)
        };
        let metrics = [
            (of("alpha", "message latency α, ring shift", "s").lower().headline(), alpha),
            (of("alpha.ping_pong", "message latency α₁, ping-pong", "s").lower(), alpha_1),
            (
                of("beta", "all-reduce time per byte β, half an addition included", "s/B")
                    .lower()
                    .headline()
                    .note("of the largest message that was timed"),
                &shift + &gamma / 2.0,
            ),
            (of("beta.shift", "message time per byte, ring shift", "s/B").lower(), shift.clone()),
            (
                of("beta.ping_pong", "message time per byte, ping-pong", "s/B").lower(),
                ping_pong.clone(),
            ),
            (
                of("shift_over_ping_pong", "time per byte of a ring shift over a ping-pong", "x")
                    .lower(),
                shift / ping_pong,
            ),
            (of("gamma", "time for adding a byte on the host, γ", "s/B").lower(), gamma),
        ];
        for (about, value) in metrics {
            self.plan.metric(about, value);
        }
        for (bytes, _) in self.rings() {
            let words = bytes / WORD_BYTES;
            let part = longest_part(words, self.ranks.count) * WORD_BYTES;
            let label = format!(
                "all-reduce time per byte β, parts of {}",
                figures::quantity(f64::from(part), "B")
            );
            let value = self.alone.beta_of_parts(Calibration::Shift, words)
                + self.alone.gamma_of_parts(words) / 2.0;
            self.plan.metric(of(&format!("beta.part.{part}"), &label, "s/B").lower(), value);
        }
        let of_device: Vec<(u32, AllReduce)> = self
            .cases
            .iter()
            .filter(|((word, _), _)| *word == "device")
            .map(|(&(_, bytes), &(reduce, _))| (bytes, reduce))
            .collect();
        for (bytes, reduce) in of_device {
            let part = figures::quantity(f64::from(bytes) / f64::from(self.ranks.count), "B");
            for (name, label) in [
                ("upload", "upload to the device and a wait"),
                ("read_back", "readback from the device"),
                ("step", "upload, addition on the device and readback"),
            ] {
                let about =
                    About::new(format!("device.{name}.{bytes}"), format!("{label}, {part}"), "s");
                let value = self.alone.device_of_parts(name, reduce.words);
                self.plan.metric(about.lower(), value);
            }
        }
    }

    /// Adds how the library's collective operation compares with this ring, at each size.
    pub(super) fn add_library(&mut self) {
        for (word, label) in [("library", "all-reduce"), ("library_ring", "ring")] {
            for (bytes, ring) in self.rings() {
                let Some(&(_, library)) = self.cases.get(&(word, bytes)) else { continue };
                let size = figures::quantity(f64::from(bytes), "B");
                let label = format!("time of the library's {label} over this ring's, {size}");
                let about = About::new(format!("{word}_over_ring.{bytes}"), label, "x");
                self.plan.metric(about, library.per_unit() / ring.per_unit());
            }
        }
    }

    /// Adds the message sizes at which half of a ring's time is latency, and above which a ring is faster than recursive
    /// doubling.
    pub(super) fn add_crossings(&mut self) {
        let rings = self.rings();
        let count = self.ranks.count;
        let ring_of = |bytes: u32| AllReduce {
            algorithm: Algorithm::Ring,
            arithmetic: Arithmetic::Host,
            words: bytes / WORD_BYTES,
        };
        let predicted = |bytes: u32| self.alone.predicted(ring_of(bytes), Calibration::Shift);
        let twice_latency =
            2.0 * (2.0 * f64::from(count - 1)) * self.alone.alpha(Calibration::Shift);
        let half = [
            crossing_of(rings.iter().map(|&(m, ring)| (m, ring.per_unit() - &twice_latency))),
            crossing_of(rings.iter().map(|&(m, _)| (m, predicted(m) - &twice_latency))),
        ];
        let mut both =
            vec![("half_latency", "message size at which half of a ring's time is latency", half)];
        if count > 2 {
            // Between two ranks both algorithms send as much, so a crossing would be noise.
            let doubling = |m: u32| self.cases.get(&("doubling", m));
            let measured = rings
                .iter()
                .filter_map(|&(m, ring)| Some((m, doubling(m)?.1.per_unit() - ring.per_unit())));
            let by_law =
                rings.iter().filter_map(|&(m, _)| Some((m, self.doubling(m)? - predicted(m))));
            let label = "message size above which a ring is faster than recursive doubling";
            both.push((
                "ring_overtakes_doubling",
                label,
                [crossing_of(measured), crossing_of(by_law)],
            ));
        }
        for (id, label, [measured, predicted]) in both {
            let label_of = |how: &str| format!("{label}{how}, {count} ranks");
            let about = About::new(format!("{id}_measured"), label_of(""), "B");
            self.plan.metric(about.headline(), measured);
            let about = About::new(format!("{id}_predicted"), label_of(", predicted"), "B");
            self.plan.metric(about, predicted);
        }
    }

    /// Adds bandwidths as nccl-tests define them.
    pub(super) fn add_bandwidths(&mut self) {
        let p = f64::from(self.ranks.count);
        let bus = move |m: u32, time: Expr| {
            Expr::call("bus_bandwidth", [time], move |[time_s]| {
                law::bus_bandwidth(p, f64::from(m), time_s)
            })
        };
        let series = self.plan.series("bus bandwidth of a ring", ("bytes", ""), "B/s");
        let title = "bus bandwidth of a ring all-reduce by message size";
        self.plan.compare_by(series, Curve::new(title, "bus bandwidth", "B/s").logarithmic());
        for (m, ring) in self.rings() {
            let reduce = self.cases[&("ring", m)].0;
            let predicted = bus(m, self.alone.predicted(reduce, Calibration::Shift));
            self.plan.show(series, f64::from(m), bus(m, ring.per_unit()), predicted);
        }
        for (word, whose) in [("ring", "this ring"), ("library", "the library's all-reduce")] {
            let of = |figure: &dyn Fn(u32, Expr) -> Expr| {
                let all = self
                    .rings()
                    .into_iter()
                    .filter_map(|(m, _)| Some(figure(m, self.cases.get(&(word, m))?.1.per_unit())));
                Expr::max_known(all.collect::<Vec<_>>())
            };
            let algorithm = of(&|m, time| f64::from(m) / time);
            let suffix = if word == "ring" { String::new() } else { format!(".{word}") };
            for (id, label, value) in [
                ("bus_bandwidth", "highest bus bandwidth", of(&bus)),
                ("algorithm_bandwidth", "highest algorithm bandwidth", algorithm),
            ] {
                let label = format!("{label} of {whose}, {} ranks", self.ranks.count);
                let about = About::new(format!("{id}{suffix}"), label, "B/s").higher();
                let is_headline = id == "bus_bandwidth";
                self.plan.metric(if is_headline { about.headline() } else { about }, value);
            }
        }
    }
}
