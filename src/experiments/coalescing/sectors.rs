//! Sectors: the parts of a line that a device moves one by one.
//!
//! Groups of four lanes load from one line each, at four distances from lane to lane. All distances touch as many lines,
//! and the farther the lanes are apart, the more sectors they touch. So the time by distance tells the size of a sector
//! and its time. No judged point takes part.

use super::law::{Transfer, load_time};
use crate::bench::Expr;

/// Distances between the lanes of a group, in words.
pub(super) const DISTANCES: [u32; 4] = [1, 2, 4, 8];

/// Numbers of lines or sectors that a load touches, by their size in bytes.
pub(super) type Counts = Vec<(u32, f64)>;

/// Returns the number for `bytes`; NaN if there is none.
pub(super) fn count_of(counts: &Counts, bytes: f64) -> f64 {
    let known = counts.iter().find(|(known, _)| f64::from(*known) == bytes);
    known.map_or(f64::NAN, |&(_, count)| count)
}

/// What calibrates the sectors: the seconds to issue a load, the seconds and the size of a line, and the seconds of a load
/// at each of [`DISTANCES`], with what it touches.
pub(super) struct Groups {
    pub(super) issue: Expr,
    pub(super) line: Expr,
    pub(super) times: [Expr; 4],
    pub(super) counts: [Counts; 4],
}

impl Groups {
    /// Returns the size of a sector in bytes, if a line has `line_bytes` bytes. It is the size of a line if the device moves
    /// whole lines.
    pub(super) fn sector_bytes(&self, line_bytes: &Expr) -> Expr {
        self.call("sector_bytes", line_bytes, |sector| sector.bytes)
    }

    /// Returns the seconds per sector, if a line has `line_bytes` bytes.
    pub(super) fn sector_s(&self, line_bytes: &Expr) -> Expr {
        self.call("sector_time", line_bytes, |sector| sector.each_s)
    }

    fn call(&self, name: &'static str, line_bytes: &Expr, part: fn(Sector) -> f64) -> Expr {
        let counts = self.counts.clone();
        let [a, b, c, d] = self.times.clone();
        let of = [self.issue.clone(), self.line.clone(), line_bytes.clone(), a, b, c, d];
        Expr::call(name, of, move |[issue, line, line_bytes, a, b, c, d]| {
            part(Sector::find(
                issue,
                Sector { bytes: line_bytes, each_s: line },
                [a, b, c, d],
                &counts,
            ))
        })
    }
}

/// The size and the time of a sector, or of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sector {
    bytes: f64,
    each_s: f64,
}

/// Factor by which lanes at the largest distance take longer than neighbouring ones if the device moves parts of lines.
const LONGER: f64 = 1.2;
/// Misfit, summed over the distances, below which two sizes explain the times equally well.
const EQUAL: f64 = 0.1;

impl Sector {
    /// Returns the sector that explains the times at each of [`DISTANCES`]: the whole line if it does, otherwise a part of
    /// a line. Of parts that explain them equally well, it is the smallest.
    fn find(issue_s: f64, line: Self, times: [f64; 4], counts: &[Counts; 4]) -> Self {
        if times[3] < LONGER * times[0] {
            return line;
        }
        let misfit = |sector: &Self| -> f64 {
            let of_distance = |(time, counts): (&f64, &Counts)| {
                let of = |part: &Self| Transfer {
                    count: count_of(counts, part.bytes),
                    each_s: part.each_s,
                };
                (load_time(issue_s, [of(&line), of(sector)]) / time).ln().abs()
            };
            times.iter().zip(counts).map(of_distance).sum()
        };
        // At the largest distance, a group touches the most sectors.
        let of_size = |bytes: f64| Self { bytes, each_s: times[3] / count_of(&counts[3], bytes) };
        let sizes = counts[0].iter().map(|&(bytes, _)| f64::from(bytes));
        let parts: Vec<Self> = sizes.filter(|&bytes| bytes < line.bytes).map(of_size).collect();
        let least = parts.iter().map(misfit).fold(misfit(&line), f64::min);
        [line].into_iter().chain(parts).find(|part| misfit(part) <= least + EQUAL).unwrap_or(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the counts of eight groups of four lanes.
    fn counts() -> [Counts; 4] {
        DISTANCES.map(|distance| {
            let sizes = [4, 8, 16, 32, 64, 128, 256];
            sizes
                .map(|bytes| (bytes, f64::from(8 * (16 * distance).div_ceil(bytes).min(4))))
                .to_vec()
        })
    }

    #[test]
    fn the_sector_is_found_from_the_times() {
        let line = Sector { bytes: 128.0, each_s: 4.8 };
        for bytes in [16.0, 32.0, 64.0] {
            let each_s = 96.0 / count_of(&counts()[3], bytes);
            let times =
                counts().map(|counts| (8.0 * 4.8f64).max(count_of(&counts, bytes) * each_s));
            let found = Sector::find(1.0, line, times, &counts());
            assert_eq!(found, Sector { bytes, each_s });
        }
        // The H200 takes 38 ps for the lines of all groups, and 3 ps for each sector of 32 bytes.
        let found = Sector::find(1.0, line, [38.9, 38.0, 48.3, 96.4], &counts());
        assert_eq!(found.bytes, 32.0);
        // In another run, sectors of 64 bytes would explain the times as well.
        let found = Sector::find(
            4.7,
            Sector { bytes: 128.0, each_s: 1.24 },
            [10.06, 10.06, 10.35, 20.16],
            &counts(),
        );
        assert_eq!(found.bytes, 32.0);
    }

    #[test]
    fn a_device_that_moves_whole_lines_has_no_smaller_sector() {
        let line = Sector { bytes: 128.0, each_s: 4.8 };
        assert_eq!(Sector::find(1.0, line, [38.4, 38.5, 38.2, 38.4], &counts()), line);
        // Each line is 64 bytes, so that a group at the largest distance touches two.
        let short = Sector { bytes: 64.0, each_s: 4.8 };
        assert_eq!(Sector::find(1.0, short, [38.4, 38.5, 38.2, 76.9], &counts()), short);
        let lane_by_lane = Sector { bytes: 4.0, each_s: 2.0 };
        assert_eq!(Sector::find(1.0, lane_by_lane, [64.0; 4], &counts()), lane_by_lane);
    }
}
