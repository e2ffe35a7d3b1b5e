//! The time of a dispatch from the lengths of its subgroups, by Little's law.

/// A device that issues instructions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Issue {
    /// Subgroups that issue at the same time: schedulers of a GPU, or cores.
    pub(super) schedulers: usize,
    /// Seconds from one instruction to the next, of a scheduler with many subgroups.
    pub(super) issue_s: f64,
    /// Seconds from one instruction of a subgroup to the next one that depends on it.
    pub(super) latency_s: f64,
}

impl Issue {
    /// Returns the seconds in which a device executes subgroups of these lengths in instructions, in this order.
    ///
    /// Subgroups are dealt to the schedulers in turn. A scheduler with n subgroups issues min(n / latency, 1 / issue)
    /// instructions a second, shared equally, so that with fewer and fewer subgroups the last ones run at the latency of their
    /// instructions. The last scheduler to finish decides.
    pub(super) fn time_s(self, lengths: &[u64]) -> f64 {
        let schedulers = self.schedulers.clamp(1, lengths.len().max(1));
        let mut of_each: Vec<Vec<u64>> = vec![Vec::new(); schedulers];
        for (index, &length) in lengths.iter().enumerate() {
            of_each[index % schedulers].push(length);
        }
        of_each.into_iter().map(|lengths| self.of_scheduler(lengths)).fold(0.0, f64::max)
    }

    /// Returns the seconds of one scheduler.
    fn of_scheduler(self, mut lengths: Vec<u64>) -> f64 {
        lengths.sort_unstable();
        let mut done = 0;
        let mut time_s = 0.0;
        for (ended, &length) in lengths.iter().enumerate() {
            let running = (lengths.len() - ended) as f64;
            time_s += (length - done) as f64 * (running * self.issue_s).max(self.latency_s);
            done = length;
        }
        time_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPU: Issue = Issue { schedulers: 2, issue_s: 1.0, latency_s: 4.0 };

    #[test]
    fn few_subgroups_run_at_their_latency_and_many_share_the_issue() {
        assert_eq!(GPU.time_s(&[100]), 400.0);
        assert_eq!(GPU.time_s(&[100, 10, 100, 10]), 400.0);
        // Eight on each scheduler issue all the time.
        assert_eq!(GPU.time_s(&[100; 16]), 800.0);
        // Seven end, then the eighth is alone.
        let mut uneven = [10; 16];
        uneven[0] = 110;
        assert_eq!(GPU.time_s(&uneven), 80.0 + 400.0);
        assert_eq!(GPU.time_s(&[]), 0.0);
    }
}
