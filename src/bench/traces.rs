//! Traces: how a figure follows from single samples of one case, so that reports can draw the samples in its
//! unit.

use std::collections::BTreeMap;

use super::formula::Line;
use super::plan::{Plan, PointSpec};
use super::typical::Typical;
use crate::model::Trace;

/// Finds the case that a point is mainly about, and how the point's figure follows from a sample of that
/// case.
pub(super) struct Traces<'a> {
    plan: &'a Plan,
    typical: &'a Typical,
    /// Number of points that are computed from each case. Many points share a floor case; a point's main case
    /// usually belongs to that point alone.
    uses: BTreeMap<usize, usize>,
}

impl<'a> Traces<'a> {
    /// Counts the uses of each case.
    pub(super) fn of(plan: &'a Plan, typical: &'a Typical) -> Self {
        let mut uses = BTreeMap::new();
        for case in plan.points.iter().flat_map(|point| typical.needed_by(&point.measured)) {
            *uses.entry(case).or_insert(0) += 1;
        }
        Self { plan, typical, uses }
    }

    /// Returns the trace of a point through the case from which the fewest points are computed.
    ///
    /// Among several such cases, one in which the figure is linear precedes one in which only its inverse is
    /// linear. After that, the case that contributes most to the figure comes first. Returns `None` if
    /// neither the figure nor its inverse is linear in the sample time of that case.
    pub(super) fn of_point(&self, point: &PointSpec) -> Option<Trace> {
        let values = self.typical.at_estimates();
        let gradient = point.measured.gradient(values);
        let share = |case: usize| {
            gradient.get(&case).map_or(0.0, |slope| (slope * self.typical.time_s(case)).abs())
        };
        let needed = self.typical.needed_by(&point.measured);
        let fewest = needed.iter().map(|case| self.uses[case]).min()?;
        let rarest = needed.into_iter().filter(|case| self.uses[case] == fewest);
        let lines = rarest.map(|case| (case, point.measured.line(case, values)));
        let (case, line) = lines.max_by(|(a, of_a), (b, of_b)| {
            let power = |line: &Option<Line>| line.map_or(i32::MIN, |line| line.power);
            power(of_a).cmp(&power(of_b)).then(share(*a).total_cmp(&share(*b)))
        })?;
        let Line { offset, factor, power } = line?;
        Some(Trace { case: self.plan.cases[case].id.clone(), offset, factor, power })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rounds::Samples;
    use crate::bench::{CaseId, Expr, Sizing};
    use crate::gpu::Workload;
    use crate::kernels::empty;

    const SIZING: Sizing = Sizing::Own { granule: 1, most: 1 };

    fn workload(scale: u32) -> Workload {
        empty::workload(scale)
    }

    #[test]
    fn the_trace_of_a_figure_uses_its_main_case() {
        let mut plan = Plan::default();
        let [one, own, other, floor] =
            ["one", "own", "other", "floor"].map(|id| plan.case(id, SIZING, workload));
        let cost = |case: CaseId| case.above(floor) / 4.0;
        let series = plan.series("s", ("n", ""), "s");
        plan.judge(series, 1.0, cost(own), 1.0);
        plan.judge(series, 2.0, cost(one) / cost(other), 1.0);
        let root = Expr::call("√", [Expr::max([cost(own), cost(one)])], |[x]| x.sqrt());
        plan.judge(series, 3.0, root, 1.0);
        let mut samples = Samples::default();
        samples.push([8.0, 5.0, 3.0, 1.0].map(Ok).into_iter().enumerate().collect());
        let typical = Typical::of(&samples, vec![1; 4], 0.0);
        let traces = Traces::of(&plan, &typical);

        let linear = traces.of_point(&plan.points[0]).expect("the figure is linear");
        assert_eq!((linear.case.as_str(), linear.power), ("own", 1));
        assert!((linear.at(5.0) - 1.0).abs() < 1e-12 && (linear.at(9.0) - 2.0).abs() < 1e-12);
        let falls = traces.of_point(&plan.points[1]).expect("the inverse of the figure is linear");
        assert_eq!((falls.case.as_str(), falls.power), ("other", -1));
        assert!((falls.at(3.0) - 3.5).abs() < 1e-12 && (falls.at(8.0) - 1.0).abs() < 1e-12);
        assert_eq!(
            traces.of_point(&plan.points[2]),
            None,
            "neither a square root nor its inverse is linear"
        );
    }
}
