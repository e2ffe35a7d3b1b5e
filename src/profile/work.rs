//! The distribution of work over invocations.

use crate::model::{Bin, Work};

/// Bins of a histogram, at most.
const BINS: u64 = 16;

/// Returns the distribution of `work`, in instructions of each invocation. Bins are equally wide, but for the last one.
pub(super) fn work_of(work: &[u32]) -> Work {
    let (Some(&least), Some(&most)) = (work.iter().min(), work.iter().max()) else {
        return Work::default();
    };
    let total: u64 = work.iter().map(|&instructions| u64::from(instructions)).sum();
    let width = (u64::from(most - least) + 1).div_ceil(BINS);
    let bin_of = |instructions: u32| (u64::from(instructions - least) / width) as usize;
    let mut counts = vec![0; bin_of(most) + 1];
    work.iter().for_each(|&instructions| counts[bin_of(instructions)] += 1);
    let bin = |(index, invocations): (u64, u64)| {
        let from = u64::from(least) + index * width;
        let to = (from + width - 1).min(most.into());
        Bin { from: from as u32, to: to as u32, invocations }
    };
    Work {
        invocations: work.len() as u64,
        least,
        mean: total as f64 / work.len() as f64,
        most,
        histogram: (0..).zip(counts).map(bin).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invocation_is_in_one_bin() {
        let work: Vec<u32> = (0..1000).map(|n| 7 + n * n % 331).collect();
        let found = work_of(&work);
        assert_eq!((found.invocations, found.least), (1000, 7));
        assert_eq!(found.histogram.iter().map(|bin| bin.invocations).sum::<u64>(), 1000);
        for bin in &found.histogram {
            let inside = |&&of: &&u32| (bin.from..=bin.to).contains(&of);
            assert_eq!(work.iter().filter(inside).count() as u64, bin.invocations);
        }
        assert_eq!(found.histogram.last().map(|bin| bin.to), Some(found.most));
        assert_eq!(work_of(&[3, 3]).histogram, [Bin { from: 3, to: 3, invocations: 2 }]);
        assert_eq!(work_of(&[]), Work::default());
        assert_eq!(work_of(&[0, u32::MAX]).histogram.len(), 16);
    }
}
