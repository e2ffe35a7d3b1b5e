//! Sets of lanes of one workgroup.

use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

/// Most invocations of a workgroup.
pub(super) const MOST_LANES: usize = 1024;
const WORDS: usize = MOST_LANES / 64;

/// A set of lanes of one workgroup. Lane i is the invocation with local index i.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mask([u64; WORDS]);

impl Mask {
    /// The set without lanes.
    pub(super) const EMPTY: Self = Self([0; WORDS]);

    /// Returns the set of the lanes below `count`.
    ///
    /// # Panics
    /// Panics if `count` is above [`MOST_LANES`].
    pub(super) fn below(count: usize) -> Self {
        assert!(count <= MOST_LANES, "a workgroup has {MOST_LANES} lanes at most");
        Self::of(|lane| lane < count)
    }

    /// Returns the set of the lanes for which `is_in` is true.
    pub(super) fn of(is_in: impl Fn(usize) -> bool) -> Self {
        let bit = |lane: usize| u64::from(is_in(lane)) << (lane % 64);
        Self(std::array::from_fn(|word| (word * 64..word * 64 + 64).fold(0, |w, l| w | bit(l))))
    }

    /// Adds a lane.
    pub(super) fn add(&mut self, lane: usize) {
        self.0[lane / 64] |= 1 << (lane % 64);
    }

    /// Returns the lanes of this set for which `is_in` is true. It is asked for no other lane.
    pub(super) fn filtered(&self, mut is_in: impl FnMut(usize) -> bool) -> Self {
        let mut found = Self::EMPTY;
        for lane in self.lanes().filter(|&lane| is_in(lane)) {
            found.add(lane);
        }
        found
    }

    /// Returns whether the set has no lane.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// Returns the lanes of the set in ascending order.
    pub(super) fn lanes(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, &word)| {
            std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
                .take_while(|&rest| rest != 0)
                .map(move |rest| index * 64 + rest.trailing_zeros() as usize)
        })
    }

    /// Returns the number of lanes.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Returns the first lane of each subgroup of `width` lanes that has a lane in the set. `width` is a power of two.
    pub(super) fn firsts(&self, width: usize) -> Self {
        let mut firsts = *self;
        // Each lane looks at the others of its subgroup, then only the first lanes stay.
        let within = width.min(64);
        let stay = if within == 64 { 1 } else { u64::MAX / ((1 << within) - 1) };
        for word in firsts.0.iter_mut().filter(|word| **word != 0) {
            let mut step = 1;
            while step < within {
                *word |= *word >> step;
                step *= 2;
            }
            *word &= stay;
        }
        if width > 64 {
            for words in firsts.0.chunks_mut(width / 64) {
                let any = words.iter().any(|&word| word != 0);
                words.fill(0);
                words[0] = u64::from(any);
            }
        }
        firsts
    }

    /// Returns all lanes of the subgroups of `width` lanes whose first lanes are the set. `width` is a power of two.
    pub(super) fn filled(&self, width: usize) -> Self {
        let mut filled = *self;
        for words in filled.0.chunks_mut(width.div_ceil(64)) {
            if width < 64 {
                words[0] *= (1 << width) - 1;
            } else if words[0] != 0 {
                words.fill(u64::MAX);
            }
        }
        filled
    }

    /// Returns the part of the set in subgroup `index`, for subgroups of `width` lanes.
    pub(super) fn subgroup(&self, index: usize, width: usize) -> Self {
        self.filtered(|lane| lane / width == index)
    }

    /// Returns the indices of the subgroups of `width` lanes with a lane in the set, and how many lanes are in it, in
    /// ascending order.
    pub(super) fn subgroups(&self, width: usize) -> Vec<(usize, u32)> {
        let mut found: Vec<(usize, u32)> = Vec::new();
        for lane in self.lanes() {
            match found.last_mut() {
                Some((last, count)) if *last == lane / width => *count += 1,
                _ => found.push((lane / width, 1)),
            }
        }
        found
    }
}

impl BitAnd for Mask {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }
}

impl BitOr for Mask {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }
}

impl BitOrAssign for Mask {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl Sub for Mask {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] & !other.0[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_and_subgroups_are_those_of_the_set() {
        let odd = Mask::below(200).filtered(|lane| lane % 2 == 1);
        assert_eq!(odd.lanes().collect::<Vec<_>>(), (1..200).step_by(2).collect::<Vec<_>>());
        assert_eq!((odd - Mask::below(190)).subgroups(8), [(23, 1), (24, 4)]);
        assert_eq!(odd.subgroup(24, 8).lanes().collect::<Vec<_>>(), [193, 195, 197, 199]);
        assert_eq!(Mask::below(1024).subgroups(128).len(), 8);
        assert!((odd & Mask::below(1)).is_empty());
        for width in [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024] {
            let some = odd.filtered(|lane| lane % 7 < 3 && lane > 70);
            let firsts: Vec<usize> = some.subgroups(width).iter().map(|(n, _)| n * width).collect();
            assert_eq!(some.firsts(width).lanes().collect::<Vec<_>>(), firsts, "{width} lanes");
            let filled = some.firsts(width).filled(width);
            let all = Mask::below(1024).filtered(|lane| firsts.contains(&(lane / width * width)));
            assert_eq!(filled, all, "{width} lanes");
        }
        assert_eq!(odd.count(), 100);
    }
}
