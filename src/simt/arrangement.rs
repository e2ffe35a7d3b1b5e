//! Which lanes of a workgroup form a subgroup.

use std::collections::BTreeMap;

use super::mask::{MOST_LANES, Mask};
use super::unsupported::Unsupported;

/// The subgroups of a workgroup.
///
/// Most devices take the invocations in the order of their local index. Others do not let a subgroup span rows of a workgroup,
/// so that its subgroups have fewer lanes than they could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrangement {
    /// The lane at each place. Places of a subgroup are neighbours, and some may be empty.
    lanes: Vec<Option<u32>>,
    /// Places of a subgroup, a power of two.
    width: u32,
}

impl Arrangement {
    /// Returns subgroups of `width` lanes in the order of the local index.
    ///
    /// # Panics
    /// Panics if `width` is no power of two.
    #[must_use]
    pub fn flat(lanes: u32, width: u32) -> Self {
        assert!(width.is_power_of_two(), "the lanes of a subgroup are a power of two");
        Self { lanes: (0..lanes).map(Some).collect(), width }
    }

    /// Returns the subgroups in which each lane has the given leader, the first lane of its subgroup.
    ///
    /// # Errors
    /// Returns an error if the subgroups are too uneven for the workgroup.
    pub fn of_leaders(leaders: &[u32]) -> Result<Self, Unsupported> {
        let mut subgroups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (lane, &leader) in (0..).zip(leaders) {
            subgroups.entry(leader).or_default().push(lane);
        }
        let most = subgroups.values().map(Vec::len).max().unwrap_or(1);
        let width = most.next_power_of_two();
        let mut lanes = Vec::new();
        for subgroup in subgroups.values() {
            let filled = lanes.len() + width;
            lanes.extend(subgroup.iter().copied().map(Some));
            lanes.resize(filled, None);
        }
        while lanes.last() == Some(&None) {
            lanes.pop();
        }
        if lanes.len() > MOST_LANES {
            return Err(Unsupported(format!(
                "a workgroup whose subgroups of up to {most} lanes need more than {MOST_LANES} places (a given --width has \
                 none of them)"
            )));
        }
        Ok(Self { lanes, width: width as u32 })
    }

    /// Returns the most lanes of a subgroup.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the number of subgroups.
    #[must_use]
    pub fn subgroups(&self) -> usize {
        self.lanes.len().div_ceil(self.width as usize)
    }

    /// Returns whether subgroups take the lanes in the order of the local index.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.lanes.iter().copied().eq((0..self.lanes.len() as u32).map(Some))
    }

    /// Returns the lane at a place.
    ///
    /// # Panics
    /// Panics if the place is empty.
    pub(super) fn lane(&self, place: usize) -> usize {
        self.lanes[place].expect("a lane that walks has a place") as usize
    }

    /// Returns the places that are not empty.
    pub(super) fn present(&self) -> Mask {
        Mask::of(|place| self.lanes.get(place).is_some_and(Option::is_some))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subgroups_of_rows_have_empty_places() {
        // Rows of three lanes on a device of eight.
        let rows = Arrangement::of_leaders(&[0, 0, 0, 3, 3, 3]).expect("it is small");
        assert_eq!((rows.width(), rows.is_flat()), (4, false));
        assert_eq!(rows.present().lanes().collect::<Vec<_>>(), [0, 1, 2, 4, 5, 6]);
        assert_eq!((rows.lane(2), rows.lane(4)), (2, 3));
        let flat = Arrangement::of_leaders(&[0, 0, 0, 0, 4, 4]).expect("it is small");
        assert_eq!(flat, Arrangement::flat(6, 4));
        assert!(Arrangement::of_leaders(&[0, 2, 0, 2]).is_ok_and(|of| of.lane(1) == 2));
        let uneven: Vec<u32> = (0..1000).map(|lane| if lane < 8 { 0 } else { lane }).collect();
        assert!(Arrangement::of_leaders(&uneven).is_err());
    }
}
