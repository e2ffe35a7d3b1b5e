//! Memory traffic: the times of reads and writes add up, because both use one path.

/// Returns the seconds of a kernel that reads `reads` arrays and writes `writes` arrays.
///
/// # Formula
/// T = n_r·t_r + n_w·t_w, in seconds. t_r is the time to read one array alone, t_w the time to write one
/// array alone.
///
/// # Domain
/// All arrays have the same size, so that they are in the same level of the memory hierarchy. Reads and
/// writes alternate on one path. If a cache has separate ports for reads and writes, the two overlap, and T
/// decreases towards the larger of the two terms.
///
/// # Source
/// J. D. McCalpin, "Memory bandwidth and machine balance in current high performance computers", IEEE TCCA
/// Newsletter (1995). Its STREAM benchmark counts read and written bytes alike; this law has separate rates.
///
/// ```
/// use warplaw::experiments::ceilings::law::time;
/// // Two arrays are read in 1 ms each, and one array is written in 1.5 ms.
/// assert_eq!(time([2.0, 1.0], [1e-3, 1.5e-3]), 3.5e-3);
/// ```
#[must_use]
pub fn time([reads, writes]: [f64; 2], [read_s, write_s]: [f64; 2]) -> f64 {
    reads * read_s + writes * write_s
}
