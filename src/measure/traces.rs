//! What single spans make of a figure: so that a report can draw the samples in the figure's unit.

use std::collections::BTreeMap;

use super::plan::{Plan, PointSpec};
use super::typical::{Spans, Typical};
use crate::record::Trace;

/// Finds the case that a point is about, and how its figure follows from that case's span.
pub(super) struct Traces<'a> {
    experiment: &'a str,
    plan: &'a Plan,
    typical: &'a Typical,
    /// How many points are computed from each case: a floor serves many, a point's own case one.
    uses: BTreeMap<usize, usize>,
}

impl<'a> Traces<'a> {
    pub(super) fn of(experiment: &'a str, plan: &'a Plan, typical: &'a Typical) -> Self {
        let mut uses = BTreeMap::new();
        for case in plan.points.iter().flat_map(|point| typical.needed_by(&*point.measured)) {
            *uses.entry(case).or_insert(0) += 1;
        }
        Self { experiment, plan, typical, uses }
    }

    /// By the case that fewest others are computed from; of several, the one that most depends on. `None` where
    /// neither the figure nor its inverse is linear in that case's span.
    pub(super) fn of_point(&self, point: &PointSpec) -> Option<Trace> {
        let figure = &*point.measured;
        let needed = self.typical.needed_by(figure).into_iter();
        let weight = |&case: &usize| {
            let moved = self.typical.with(case, 1.25, figure) - self.typical.read(figure);
            (std::cmp::Reverse(self.uses[&case]), moved.abs())
        };
        let own = needed.max_by(|a, b| {
            let ((a_uses, a_moved), (b_uses, b_moved)) = (weight(a), weight(b));
            a_uses.cmp(&b_uses).then(a_moved.total_cmp(&b_moved))
        })?;
        let id = format!("{}.{}", self.experiment, self.plan.cases[own].id);
        [1, -1].into_iter().find_map(|power| self.fitted(own, figure, power, &id))
    }

    /// Through two spans, if a third lies on it too.
    fn fitted(
        &self,
        case: usize,
        figure: &dyn Fn(&Spans<'_>) -> f64,
        power: i32,
        id: &str,
    ) -> Option<Trace> {
        let span_s = self.typical.span_s(case);
        let at = |times: f64| self.typical.with(case, times, figure).powi(power);
        let [y0, y1, y2] = [1.0, 1.5, 2.0].map(at);
        let factor = (y1 - y0) / (0.5 * span_s);
        let offset = y0 - factor * span_s;
        let misses = (offset + 2.0 * factor * span_s - y2).abs();
        let fits = factor != 0.0 && misses <= 1e-6 * (y2 - y0).abs();
        fits.then(|| Trace { case: id.to_owned(), offset, factor, power })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Workload;
    use crate::kernels::empty;
    use crate::measure::rounds::Samples;
    use crate::measure::{CaseId, Sizing};

    const SIZING: Sizing = Sizing::Own { granule: 1, most: 1 };

    fn workload(scale: u32) -> Workload {
        empty::workload(scale)
    }

    fn point(measured: impl Fn(&Spans<'_>) -> f64 + 'static) -> PointSpec {
        PointSpec {
            series: "s".to_owned(),
            x: ("n", 1.0, ""),
            unit: "s",
            measured: Box::new(measured),
            predicted: Box::new(|_| 1.0),
            claimed: true,
        }
    }

    #[test]
    fn a_figure_is_traced_to_its_own_case_and_back() {
        let mut plan = Plan::default();
        let [one, own, other, floor] =
            ["one", "own", "other", "floor"].map(|id| plan.case(id, SIZING, workload));
        let cost = move |spans: &Spans<'_>, case: CaseId| spans.above(case, floor) / 4.0;
        plan.point(point(move |spans| cost(spans, own)));
        plan.point(point(move |spans| cost(spans, one) / cost(spans, other)));
        plan.point(point(move |spans| cost(spans, own).max(cost(spans, one)).sqrt()));
        let mut samples = Samples::default();
        samples.push([8.0, 5.0, 3.0, 1.0].map(|s| Some(Ok(s))).into(), false);
        let typical = Typical::of(&samples, vec![1; 4], 0.0);
        let traces = Traces::of("e", &plan, &typical);

        let linear = traces.of_point(&plan.points[0]).expect("it is linear");
        assert_eq!((linear.case.as_str(), linear.power), ("e.own", 1));
        assert!((linear.at(5.0) - 1.0).abs() < 1e-12 && (linear.at(9.0) - 2.0).abs() < 1e-12);
        let falls = traces.of_point(&plan.points[1]).expect("its inverse is");
        assert_eq!((falls.case.as_str(), falls.power), ("e.other", -1));
        assert!((falls.at(3.0) - 3.5).abs() < 1e-12 && (falls.at(8.0) - 1.0).abs() < 1e-12);
        assert_eq!(traces.of_point(&plan.points[2]), None, "a root is neither");
    }
}
