//! The costs of one level, computed from its cases: the cost of a unit, the cost of an item, and the batch
//! size that amortizes the unit.

use crate::bench::{CaseId, Expr};
use crate::experiments::batching::law::{
    batch_for_efficiency, batch_for_efficiency_on_parallel_hardware,
    batch_time_on_parallel_hardware, half_performance_batch, time_per_item,
};

/// The method that separates α from t.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Calibration {
    /// α comes from units with empty content, at the smallest and the largest batch.
    Empty,
    /// Like `Empty`, where the hardware launches units while it executes others. So the costs of a unit and of its content
    /// overlap.
    EmptyOverlapped,
    /// The content of a unit cannot be empty. α and t come from the batch of one and the largest batch.
    Ends,
    /// Like `Empty`, except that the batch of one also gives the latency. No batch takes less time than the
    /// latency.
    EmptyWithLatency,
}

impl Calibration {
    /// Returns the share of the shorter of the costs of a unit and its content that overlaps with the longer.
    pub(super) fn overlap(self) -> f64 {
        if self == Self::EmptyOverlapped { 1.0 } else { 0.0 }
    }
}

/// The floor case of a level: work around the units that is timed alone and subtracted, because it is not
/// part of the level.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Floor {
    /// No floor case, because the work around the units is negligible.
    None,
    /// Subtracted once per sample: the submission and the wait that every sample contains.
    Sample(CaseId),
    /// Subtracted once per unit of scale: the dispatch that contains the units.
    Dispatch(CaseId),
    /// A case of its own for each batch size: a sample with a single unit. What follows the first unit of a sample begins
    /// while the device still executes it, so the units of a sample are a stream, and the cost of a unit is the time by
    /// which another one makes the stream longer.
    First,
}

impl Floor {
    /// Returns the seconds of `case` per unit of scale, without the floor case. `first` is a sample with a single unit.
    pub(super) fn beyond(self, case: CaseId, first: Option<CaseId>) -> Expr {
        match self {
            Self::First => {
                let first = first.expect("streams have a case with a single unit");
                case.above(first) / (case.scale() - 1.0)
            }
            Self::None => case.per_unit(),
            Self::Sample(floor) => case.per_unit_above(floor),
            Self::Dispatch(dispatch) => case.per_unit_beyond(dispatch),
        }
    }
}

/// A batch size and the seconds per item of a batch of that size.
pub(super) type Cost = (u32, Expr);

/// The costs of one level.
pub(super) struct Costs {
    calibration: Calibration,
    /// Costs of units with content, from the smallest to the largest batch.
    loaded: Vec<Cost>,
    /// Seconds per unit, without its content.
    pub(super) alpha: Expr,
    /// Seconds per item of the largest batch, without the unit.
    pub(super) item: Expr,
    /// Seconds of a batch of one beyond α, if this is a lower bound for all batches; otherwise 0.
    latency: Expr,
}

impl Costs {
    /// Computes the costs of a level.
    ///
    /// `loaded` contains the costs of units with content, in ascending order of batch size. `empty` contains
    /// the costs of units without content at the smallest and the largest batch. It is `None` if the content
    /// cannot be empty.
    ///
    /// # Panics
    /// Panics if `loaded` contains fewer than two costs.
    pub(super) fn new(
        calibration: Calibration,
        loaded: Vec<Cost>,
        empty: Option<[Cost; 2]>,
    ) -> Self {
        let [one, .., most] = loaded.as_slice() else {
            panic!("a sweep has at least two batch sizes");
        };
        let alpha = empty.map_or_else(|| alpha(one, most), |[one, most]| alpha(&one, &most));
        let item = match calibration {
            // The largest batch hides its unit.
            Calibration::EmptyOverlapped => most.1.clone(),
            _ => &most.1 - &alpha / f64::from(most.0),
        };
        let latency = match calibration {
            Calibration::EmptyWithLatency => &one.1 - &alpha,
            _ => 0.0.into(),
        };
        Self { calibration, loaded, alpha, item, latency }
    }

    /// Returns the costs by which the law is judged.
    ///
    /// Costs that calibrate the law are not judged: always the largest batch, and also the smallest batch if
    /// α or the latency comes from it.
    pub(super) fn judged(&self) -> &[Cost] {
        let one_calibrates =
            matches!(self.calibration, Calibration::Ends | Calibration::EmptyWithLatency);
        &self.loaded[usize::from(one_calibrates)..self.loaded.len() - 1]
    }

    /// Returns the predicted seconds per item.
    pub(super) fn predicted(&self, batch: u32) -> Expr {
        let batch = f64::from(batch);
        let (alpha, item) = (self.alpha.clone(), self.item.clone());
        match self.calibration {
            Calibration::EmptyWithLatency => {
                let of = [alpha, item, self.latency.clone()];
                let time = Expr::call("batch_time", of, move |[alpha, item, latency]| {
                    batch_time_on_parallel_hardware(alpha, item, latency, batch)
                });
                time / batch
            }
            calibration => Expr::call("time_per_item", [alpha, item], move |[alpha, item]| {
                time_per_item(alpha, item, calibration.overlap(), batch)
            }),
        }
    }

    /// Returns the predicted batch size at which items take the share `efficiency` of the time.
    ///
    /// The figure is NaN if n½ is not positive, which happens if α is noise around zero. The figure is also
    /// NaN if n½ is at least four times the largest batch, because the sweep is too short to predict such
    /// batches.
    pub(super) fn batch_for(&self, efficiency: f64) -> Expr {
        let most = f64::from(self.loaded[self.loaded.len() - 1].0);
        let of = [self.alpha.clone(), self.item.clone(), self.latency.clone()];
        let overlap = self.calibration.overlap();
        Expr::call("batch_for_efficiency", of, move |[alpha, item, latency]| {
            let half = half_performance_batch(alpha, item, overlap);
            if half <= 0.0 || half >= 4.0 * most {
                f64::NAN
            } else if latency > 0.0 {
                batch_for_efficiency_on_parallel_hardware(alpha, item, latency, efficiency)
            } else {
                batch_for_efficiency(alpha, item, overlap, efficiency)
            }
        })
    }

    /// Returns the smallest batch size of the sweep whose rate is at least the share `efficiency` of the
    /// largest batch's rate. The figure is NaN if no batch below the largest has this rate.
    pub(super) fn batch_found_for(&self, efficiency: f64) -> Expr {
        let batches: Vec<f64> = self.loaded.iter().map(|&(batch, _)| f64::from(batch)).collect();
        let costs = self.loaded.iter().map(|(_, cost)| cost.clone());
        Expr::lenient("first_batch_of_efficiency", costs, move |costs: &[f64]| {
            let (most, smaller) = costs.split_last().expect("a sweep has at least two batch sizes");
            let enough = smaller.iter().position(|cost| *most >= efficiency * cost);
            enough.map_or(f64::NAN, |place| batches[place])
        })
    }
}

/// Returns the seconds per unit, from the costs per item of two batch sizes. The larger batch divides the
/// cost of the unit among more items.
fn alpha(one: &Cost, most: &Cost) -> Expr {
    let amortized = 1.0 / f64::from(one.0) - 1.0 / f64::from(most.0);
    (&one.1 - &most.1) / amortized
}
