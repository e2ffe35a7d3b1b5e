//! Memory traffic: reads and writes share one path.

/// Seconds to move data of which `reads` arrays are read and `writes` arrays are written.
///
/// # Formula
/// T = n_r·t_r + n_w·t_w, in seconds: t_r for reading one array alone, t_w for writing one alone.
///
/// # Domain
/// Arrays of one size, so that all lie in the same level of the memory hierarchy, and reads and writes that take
/// turns on one path. Where a cache has ports for both at once, the cheaper of the two hides, and T falls towards
/// the larger of the two sums.
///
/// # Source
/// J. D. McCalpin, "Memory bandwidth and machine balance in current high performance computers", IEEE TCCA
/// Newsletter (1995), whose STREAM counts bytes read and written alike; here each has a rate of its own.
///
/// ```
/// use warplaw::experiments::ceilings::law::time;
/// // Two arrays read at 1 ms each and one written in 1.5 ms.
/// assert_eq!(time([2.0, 1.0], [1e-3, 1.5e-3]), 3.5e-3);
/// ```
#[must_use]
pub fn time([reads, writes]: [f64; 2], [read_s, write_s]: [f64; 2]) -> f64 {
    reads * read_s + writes * write_s
}
