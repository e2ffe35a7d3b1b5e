//! Memory traffic: a share of the reads overlaps with the writes.

/// Returns the seconds of a kernel whose reads take R and whose writes take W seconds alone.
///
/// # Formula
/// T = R + W − o·min(R, W), in seconds. o is the share of the shorter of both that overlaps with the longer: 0 if reads
/// and writes share one path, 1 if they have separate ones, and less than 0 if they slow each other down.
///
/// # Domain
/// All traffic is in the same level of the memory hierarchy.
///
/// # Source
/// J. D. McCalpin, "Memory bandwidth and machine balance in current high performance computers", IEEE TCCA
/// Newsletter (1995), whose STREAM benchmark has copies and triads. Its figures count read and written bytes alike,
/// which is o = 0 with R and W of the same rate.
///
/// ```
/// use warplaw::experiments::ceilings::law::time;
/// // Two arrays are read in 1 ms each, and one array is written in 1.5 ms.
/// assert_eq!(time([2e-3, 1.5e-3], 0.0), 3.5e-3);
/// assert_eq!(time([2e-3, 1.5e-3], 1.0), 2e-3);
/// ```
#[must_use]
pub fn time([reads_s, writes_s]: [f64; 2], overlap: f64) -> f64 {
    reads_s + writes_s - overlap * reads_s.min(writes_s)
}

/// Returns the overlap o of a kernel that takes `both_s` and whose reads and writes alone take these seconds.
///
/// ```
/// use warplaw::experiments::ceilings::law::overlap;
/// assert_eq!(overlap([2.0, 1.0], 2.25), 0.75);
/// ```
#[must_use]
pub fn overlap([reads_s, writes_s]: [f64; 2], both_s: f64) -> f64 {
    (reads_s + writes_s - both_s) / reads_s.min(writes_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_overlap_of_a_time_gives_that_time(reads in 0.1..9f64, writes in 0.1..9f64, o in -0.5..1.0f64) {
            let both = time([reads, writes], o);
            prop_assert!((overlap([reads, writes], both) - o).abs() < 1e-9);
        }
    }
}
