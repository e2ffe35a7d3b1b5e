//! What a level's cases say: what a unit costs, what its content costs, and how much to batch.

use crate::bench::{CaseId, Expr};
use crate::experiments::batching::law::{
    batch_for_efficiency_on_parallel_hardware, batch_time_on_parallel_hardware,
    half_performance_batch, time_per_item,
};

/// How α is told from t.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Calibration {
    /// α from units with empty content, at the smallest and the largest batch.
    Empty,
    /// There is no empty content to be had: α and t from the batch of one and the largest.
    Ends,
    /// As `Empty`, and the batch of one gives the latency below which no batch falls.
    EmptyWithLatency,
}

/// What surrounds a level's units without being of it.
#[derive(Clone, Copy)]
pub(super) enum Floor {
    /// Nothing that counts.
    None,
    /// Once in a sample: the submission and the wait that every sample has.
    Sample(CaseId),
    /// Once in a step of scale: the dispatch that holds its units.
    Dispatch(CaseId),
}

impl Floor {
    /// Seconds of a step of scale of `case` beyond it.
    pub(super) fn beyond(self, case: CaseId) -> Expr {
        match self {
            Self::None => case.per_unit(),
            Self::Sample(floor) => case.per_unit_above(floor),
            Self::Dispatch(dispatch) => case.per_unit_beyond(dispatch),
        }
    }
}

/// A batch, and the seconds that an item of it costs.
pub(super) type Cost = (u32, Expr);

/// What a level costs.
pub(super) struct Costs {
    calibration: Calibration,
    /// With content, from the smallest batch to the largest.
    loaded: Vec<Cost>,
    /// Seconds that a unit costs itself.
    pub(super) alpha: Expr,
    /// Seconds that an item of the largest batch costs beyond that.
    pub(super) item: Expr,
    /// Seconds that a batch of one takes beyond α, where no batch takes less; else 0.
    latency: Expr,
}

impl Costs {
    /// From the costs with content, at least two of them, and those of empty content at the smallest and the largest
    /// batch, where there is such a thing.
    pub(super) fn new(
        calibration: Calibration,
        loaded: Vec<Cost>,
        empty: Option<[Cost; 2]>,
    ) -> Self {
        let [one, .., most] = loaded.as_slice() else {
            panic!("a sweep has a smallest and a largest batch");
        };
        let alpha = empty.map_or_else(|| alpha(one, most), |[one, most]| alpha(&one, &most));
        let item = &most.1 - &alpha / f64::from(most.0);
        let latency = match calibration {
            Calibration::EmptyWithLatency => &one.1 - &alpha,
            Calibration::Empty | Calibration::Ends => 0.0.into(),
        };
        Self { calibration, loaded, alpha, item, latency }
    }

    /// Those that the law is judged by: one that calibrates is not, the largest always, the smallest where nothing
    /// else gives α or the latency.
    pub(super) fn judged(&self) -> &[Cost] {
        let first = usize::from(self.calibration != Calibration::Empty);
        &self.loaded[first..self.loaded.len() - 1]
    }

    /// Seconds that the law says of an item.
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
            Calibration::Empty | Calibration::Ends => {
                Expr::call("time_per_item", [alpha, item], move |[alpha, item]| {
                    time_per_item(alpha, item, batch)
                })
            }
        }
    }

    /// The batch that reaches `efficiency`; NaN for noise about zero, which asks for none, and for
    /// batches far beyond the sweep's end, of which it says little.
    pub(super) fn batch_for(&self, efficiency: f64) -> Expr {
        let most = f64::from(self.loaded[self.loaded.len() - 1].0);
        let of = [self.alpha.clone(), self.item.clone(), self.latency.clone()];
        Expr::call("batch_for_efficiency", of, move |[alpha, item, latency]| {
            let half = half_performance_batch(alpha, item);
            if half > 0.0 && half < 4.0 * most {
                batch_for_efficiency_on_parallel_hardware(alpha, item, latency, efficiency)
            } else {
                f64::NAN
            }
        })
    }

    /// The smallest batch of the sweep that reaches `efficiency` of the largest one's rate; NaN where only the largest
    /// itself does.
    pub(super) fn batch_found_for(&self, efficiency: f64) -> Expr {
        let batches: Vec<f64> = self.loaded.iter().map(|&(batch, _)| f64::from(batch)).collect();
        let costs = self.loaded.iter().map(|(_, cost)| cost.clone());
        Expr::lenient("first_batch_of_efficiency", costs, move |costs: &[f64]| {
            let (most, smaller) = costs.split_last().expect("a sweep has batches");
            let enough = smaller.iter().position(|cost| *most >= efficiency * cost);
            enough.map_or(f64::NAN, |place| batches[place])
        })
    }
}

/// Seconds that a unit costs itself, from two batches of which one spreads them over more items.
fn alpha(one: &Cost, most: &Cost) -> Expr {
    let amortized = 1.0 / f64::from(one.0) - 1.0 / f64::from(most.0);
    (&one.1 - &most.1) / amortized
}
