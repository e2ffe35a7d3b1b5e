//! The one table of tolerances, each with its reason. None is moved to make a run pass.

/// How far a ratio may lie from 1, and why so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Experiment or control this applies to.
    pub id: &'static str,
    /// Largest |measured / predicted − 1| at which the law is said to hold.
    pub ratio: f64,
    /// Why this size.
    pub reason: &'static str,
}

/// Every tolerance there is.
pub const TABLE: &[Tolerance] = &[
    Tolerance {
        id: "divergence",
        ratio: 0.05,
        reason: "arms timed alone keep their own instruction cache and loop entry, which the sum of \
                 arms counts a little differently; a hidden if-conversion or a merged arm moves \
                 the ratio by 1/k and more",
    },
    Tolerance {
        id: "width",
        ratio: 0.10,
        reason: "the nearest wrong width is a factor of two away, so a tenth tells them apart with \
                 room for the launch cost of small workgroups",
    },
    Tolerance {
        id: "lanes",
        ratio: 0.05,
        reason: "the same instruction stream runs in every case: only loop masks differ",
    },
    Tolerance {
        id: "imbalance",
        ratio: 0.05,
        reason: "the same loop runs in every case and only how long differs: leaving it at a trip that no \
                 predictor foresees is a hundredth or two of the shortest item",
    },
    Tolerance {
        id: "select",
        ratio: 0.08,
        reason: "an arm timed alone, always taken, is foreseen by branch predictors as it is not among \
                 random choices, and starts with its predecessor's loop still in flight",
    },
    Tolerance {
        id: "amdahl",
        ratio: 0.10,
        reason: "stages are timed alone and predicted together: waking all workers after one, and \
                 sending them to sleep, is tens of microseconds beside milliseconds either way",
    },
    Tolerance {
        id: "ilp",
        ratio: 0.10,
        reason: "a roofline of two lines: a tenth is room for a loop's own instructions, and far less \
                 than an instruction's latency more or less",
    },
    Tolerance {
        id: "ladder",
        ratio: 0.25,
        reason: "two parameters stand for a whole level of driver and hardware; a quarter still \
                 names the right batch within a step of the sweep",
    },
    Tolerance {
        id: "ceilings",
        ratio: 0.25,
        reason: "a bus that turns round between reads and writes, and caches that do both at once, move the sum by a \
                 tenth or two either way; an array counted once too often moves it by a third",
    },
    Tolerance {
        id: "reduction",
        ratio: 0.50,
        reason: "costs measured apart are laid end to end, and hardware that overlaps reading with \
                 coordinating may hide the cheaper of the two, up to half of the sum",
    },
    Tolerance {
        id: "contention",
        ratio: 0.10,
        reason: "a roofline of two serial resources: a tenth is room for the loop around an atomic, and far \
                 less than one counter more or less where it matters",
    },
    Tolerance {
        id: "dependence",
        ratio: 0.15,
        reason: "two launches and one piece of work stand for a train: a launch is tens of microseconds on \
                 some drivers and varies by half, and one slot more or less shows as far more",
    },
    Tolerance {
        id: "allreduce",
        ratio: 0.25,
        reason: "one α and one β stand for steps that add and steps that copy, from caches or from memory; a \
                 quarter still tells the algorithms apart away from where they cross",
    },
    Tolerance {
        id: "occupancy",
        ratio: 0.10,
        reason: "a roofline of two lines, as `ilp`: a tenth is room for loads that meet by chance in one bank or \
                 row, and far less than one subgroup more or less below the knee",
    },
    Tolerance {
        id: "overlap",
        ratio: 0.15,
        reason: "timed by the host: waking the thread that waits, and a driver's own threads, come and go \
                 with tens of microseconds beside batches of half a millisecond",
    },
    Tolerance {
        id: "control.same",
        ratio: 0.02,
        reason: "one case under two names differs by noise alone",
    },
    Tolerance {
        id: "control.linear",
        ratio: 0.05,
        reason: "four times the work takes four times as long; preemption of long spans shows as \
                 more",
    },
    Tolerance {
        id: "control.drift",
        ratio: 0.10,
        reason: "what slows a whole round is divided out; a tenth across the run leaves well under a \
                 hundredth within one",
    },
    Tolerance {
        id: "control.clock",
        ratio: 0.25,
        reason: "the host's view of a long dispatch includes submission and wait; stamps taken at \
                 dispatch or a wrong period miss by far more",
    },
    Tolerance {
        id: RUNS,
        ratio: 0.10,
        reason: "two runs of one device find it at other clocks and temperatures, and their buffers elsewhere \
                 in memory: no interval within a run shows that",
    },
];

/// The row for two runs of one device.
const RUNS: &str = "runs";

/// A parameter whose interval reaches further than this share of it is called inconclusive: batch sizes
/// follow from it in proportion, and a fifth is the step between two sizes that people would tell apart.
pub const FIRM: f64 = 0.2;

/// How far times and rates of a device that is a CPU may lie apart between two runs: another thread on the same core
/// takes up to half of it, from what is bound by throughput and not from a chain of dependent steps, so that no
/// control in either run shows it.
pub const SHARED: f64 = 1.0;

/// The tolerance of an experiment or control.
///
/// # Panics
/// When the table has no such row: a new experiment must bring its tolerance and the reason for it.
#[must_use]
pub fn of(id: &str) -> f64 {
    TABLE
        .iter()
        .find(|row| row.id == id)
        .unwrap_or_else(|| panic!("no tolerance for `{id}`: add a row with its reason"))
        .ratio
}

/// How far figures of an experiment may lie apart between two runs of one device: as far as two runs' do, or as
/// the law itself may lie from what was measured, if that is further.
#[must_use]
pub fn between(id: &str) -> f64 {
    let own = TABLE.iter().find(|row| row.id == id).map_or(0.0, |row| row.ratio);
    own.max(of(RUNS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_unique_sane_and_reasoned() {
        for (i, row) in TABLE.iter().enumerate() {
            assert!(row.ratio > 0.0 && row.ratio <= 0.5, "{}", row.id);
            assert!(row.reason.len() > 20, "{} needs a reason", row.id);
            assert!(TABLE[..i].iter().all(|other| other.id != row.id), "{} twice", row.id);
        }
    }
}
