//! The log of decisions: one storage buffer, which the probes write and the host reads.
//!
//! The buffer begins with a header that tells the probes where everything is. Then follow, for each lane of the first
//! workgroup, the first lane of its subgroup; one word for each workgroup, its
//! slot plus one if it is sampled and 0 otherwise; one word for each invocation, its work; one more, its path; and the logs of
//! the invocations of sampled workgroups. The words of logs are interleaved: word i of all of them, then word i + 1, so that the lanes of a
//! subgroup write neighbouring words. Word 0 of a log is the number of words that the invocation needed, even if there was
//! not room for so many.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::error::ProfileError;
use crate::simt::{Arrangement, Unsupported};

/// Words of the header.
const HEADER: u32 = 8;

/// Invocations of a block. Each block is sorted on its own, so that invocations that were near each other stay near, and with
/// them what they load and store.
const BLOCK: u32 = 8192;

/// Returns the workgroups of a block, for workgroups of `lanes` invocations.
pub(super) fn workgroups_of_block(lanes: u32) -> u32 {
    BLOCK.div_ceil(lanes.max(1))
}

/// Where everything is in a log of decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLayout {
    /// Number of workgroups of the dispatch.
    workgroups: u32,
    /// Invocations of a workgroup.
    lanes: u32,
    /// Words of each log, with the first one.
    words: u32,
    /// The sampled workgroups, by slot.
    sampled: Vec<u32>,
}

impl LogLayout {
    /// Lays out the log of a dispatch of `workgroups` workgroups of `lanes` invocations, with `words` words for each
    /// invocation of the workgroups `sampled`.
    ///
    /// # Errors
    /// Returns an error if the buffer would have 2^32 words or more.
    ///
    /// # Panics
    /// Panics if a workgroup of `sampled` is not one of the dispatch, or is there twice.
    pub fn new(
        workgroups: u32,
        lanes: u32,
        words: u32,
        sampled: Vec<u32>,
    ) -> Result<Self, ProfileError> {
        let of_dispatch = |&workgroup: &u32| workgroup < workgroups;
        let once = sampled.iter().filter(|&w| of_dispatch(w)).collect::<BTreeSet<_>>().len();
        assert_eq!(once, sampled.len(), "sampled workgroups are of the dispatch, each once");
        let layout = Self { workgroups, lanes, words, sampled };
        let fits = layout.len().is_some_and(|all| all <= u64::from(u32::MAX));
        if fits { Ok(layout) } else { Err(ProfileError::TooLarge) }
    }

    /// Lays out the log of a random sample of the workgroups of a dispatch, as many as `budget` bytes allow: blocks of
    /// neighbours, of which each is sorted on its own.
    ///
    /// # Errors
    /// Returns an error if the budget does not suffice for a workgroup, or if the dispatch is too large.
    pub(super) fn sampled(
        workgroups: [u32; 3],
        lanes: u32,
        words: u32,
        (budget, seed): (u64, u64),
    ) -> Result<Self, ProfileError> {
        let all = workgroups.iter().map(|&count| u128::from(count)).product::<u128>();
        let workgroups = u32::try_from(all).map_err(|_| ProfileError::TooLarge)?;
        let without = Self::new(workgroups, lanes, words, vec![])?;
        let bytes = 4 * without.len().unwrap_or(u64::MAX / 4);
        let each = u64::from(lanes) * u64::from(words) * 4;
        let most = budget.saturating_sub(bytes) / each.max(1);
        if most == 0 {
            return Err(ProfileError::Budget { bytes: budget, needed: bytes + each });
        }
        let most = most.min(workgroups.into()) as u32;
        // Whole blocks of neighbours, because each is sorted on its own.
        let block = workgroups_of_block(lanes).min(most);
        let mut blocks: Vec<u32> = (0..workgroups.div_ceil(block)).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (chosen, _) = blocks.partial_shuffle(&mut rng, (most / block) as usize);
        let of_block = |&of: &u32| of * block..(of + 1).saturating_mul(block).min(workgroups);
        let mut sampled: Vec<u32> = chosen.iter().flat_map(of_block).collect();
        if most == workgroups {
            sampled = (0..workgroups).collect();
        }
        Self::new(workgroups, lanes, words, sampled)
    }

    /// Returns the words of the buffer; `None` if they do not fit 64 bits.
    pub(super) fn len(&self) -> Option<u64> {
        let [workgroups, lanes] = [self.workgroups, self.lanes].map(u64::from);
        let before = u64::from(HEADER) + lanes;
        let logs = (self.sampled.len() as u64 * lanes).checked_mul(u64::from(self.words))?;
        (before + workgroups).checked_add((workgroups * lanes).checked_mul(2)?)?.checked_add(logs)
    }

    /// Returns the first words of the sections: slots, work, paths, logs.
    fn firsts(&self) -> [u32; 4] {
        let invocations = self.workgroups * self.lanes;
        let slots = HEADER + self.lanes;
        let work = slots + self.workgroups;
        [slots, work, work + invocations, work + 2 * invocations]
    }

    /// Returns the number of invocations with a log.
    fn logged(&self) -> u32 {
        self.sampled.len() as u32 * self.lanes
    }

    /// Returns the contents of the buffer before the dispatch.
    #[must_use]
    pub fn contents(&self) -> Vec<u32> {
        let [slots, work, _, logs] = self.firsts();
        let mut words = vec![slots, work, logs, self.logged(), self.words, self.lanes, 0];
        words.push(self.workgroups);
        words.resize(self.len().expect("a layout that exists fits a buffer") as usize, 0);
        for (slot, &workgroup) in (1..).zip(&self.sampled) {
            words[(slots + workgroup) as usize] = slot;
        }
        words
    }

    /// Reads what the probes wrote into the buffer.
    ///
    /// # Errors
    /// Returns an error if an invocation had no room for its decisions, with the number of words that it needed.
    ///
    /// # Panics
    /// Panics if `buffer` does not have the length of [`LogLayout::contents`].
    pub fn read(&self, buffer: &[u32]) -> Result<Log, ProfileError> {
        assert_eq!(Some(buffer.len() as u64), self.len(), "the buffer of this layout");
        let [_, work, paths, logs] = self.firsts().map(|first| first as usize);
        let (work, paths, logs) = (&buffer[work..paths], &buffer[paths..logs], &buffer[logs..]);
        let logged = self.logged() as usize;
        let needed = logs.iter().take(logged).copied().max().unwrap_or(0);
        if needed >= self.words && logged > 0 {
            return Err(ProfileError::NoRoom { words: needed + 1 });
        }
        let lanes = self.lanes as usize;
        let of_lane = |log: usize| -> Vec<u32> {
            (1..=logs[log] as usize).map(|word| logs[word * logged + log]).collect()
        };
        let of_workgroup = |slot: usize| (slot * lanes..(slot + 1) * lanes).map(of_lane).collect();
        let by_workgroup =
            (0..self.sampled.len()).map(|slot| (self.sampled[slot], of_workgroup(slot)));
        let subgroup_size = Some(buffer[6]).filter(|&size| size > 0);
        let leaders = &buffer[HEADER as usize..][..lanes];
        let leaders = subgroup_size.map(|_| leaders.to_vec());
        let (work, paths) = (work.to_vec(), paths.to_vec());
        let (bytes, by_workgroup) = (4 * buffer.len() as u64, by_workgroup.collect());
        Ok(Log { work, paths, subgroup_size, leaders, bytes, by_workgroup })
    }
}

/// What the invocations of a dispatch decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Work of each invocation of the dispatch: the instructions that it executed, modulo 2^32, in the order of workgroups.
    /// Operations on pipeline-overridable constants count, although a compiler executes them.
    pub work: Vec<u32>,
    /// Path of each invocation: a hash of its decisions, in the same order.
    pub paths: Vec<u32>,
    /// Lanes of a subgroup of the pipeline with probes; `None` if the device has no subgroup operations.
    pub subgroup_size: Option<u32>,
    /// For each lane of a workgroup, the first lane of its subgroup; `None` if the device has no subgroup operations.
    pub leaders: Option<Vec<u32>>,
    /// Bytes of the buffer.
    pub bytes: u64,
    /// The words of each lane, by sampled workgroup.
    by_workgroup: BTreeMap<u32, Vec<Vec<u32>>>,
}

impl Log {
    /// Returns the most decisions that an invocation may have made: the bits of its log.
    #[must_use]
    pub fn most_decisions(&self) -> u64 {
        let words = self.by_workgroup.values().flatten().map(Vec::len).max();
        32 * words.unwrap_or(0) as u64
    }

    /// Returns the place of an invocation among those with the most work first. Invocations of equal work that decide alike have
    /// the same place.
    pub(super) fn rank(&self, invocation: usize) -> (Reverse<u32>, u32) {
        (Reverse(self.work[invocation]), self.paths[invocation])
    }

    /// Returns the sampled workgroups.
    pub fn workgroups(&self) -> impl Iterator<Item = u32> + '_ {
        self.by_workgroup.keys().copied()
    }

    /// Returns the subgroups of a workgroup; `None` if the device has no subgroup operations.
    ///
    /// # Errors
    /// Returns an error if the subgroups are too uneven for a replay.
    pub fn arrangement(&self) -> Result<Option<Arrangement>, ProfileError> {
        let arrangement = self.leaders.as_deref().map(Arrangement::of_leaders).transpose();
        arrangement.map_err(|Unsupported(what)| ProfileError::Unsupported(what))
    }

    /// Returns the decisions of a workgroup, from the first one.
    ///
    /// # Panics
    /// Panics if the workgroup is not sampled.
    #[must_use]
    pub fn decisions(&self, workgroup: u32) -> Decisions<'_> {
        Decisions::new(self.by_workgroup[&workgroup].iter().map(Vec::as_slice).collect())
    }

    /// Returns the decisions of these invocations, each a sampled workgroup and a lane in it, as if they were a workgroup.
    ///
    /// # Panics
    /// Panics if a workgroup is not sampled.
    #[must_use]
    pub fn decisions_of(&self, invocations: &[(u32, usize)]) -> Decisions<'_> {
        let of = |&(workgroup, lane): &(u32, usize)| self.by_workgroup[&workgroup][lane].as_slice();
        Decisions::new(invocations.iter().map(of).collect())
    }
}

/// The next bit of a lane.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    word: usize,
    bit: u32,
}

/// The decisions of a workgroup that are still to be replayed.
#[derive(Debug)]
pub struct Decisions<'a> {
    /// The words of each lane.
    words: Vec<&'a [u32]>,
    at: Vec<Place>,
}

impl<'a> Decisions<'a> {
    fn new(words: Vec<&'a [u32]>) -> Self {
        Self { at: vec![Place::default(); words.len()], words }
    }

    /// Returns the next decision of a lane, which is less than `outcomes`.
    ///
    /// # Errors
    /// Returns an error if the lane has made no further decision.
    pub fn next(&mut self, lane: usize, outcomes: u32) -> Result<u32, ProfileError> {
        let bits = bits_of(outcomes);
        if bits == 0 {
            return Ok(0);
        }
        let place = &mut self.at[lane];
        // A decision that does not fit the rest of a word begins the next one, as the probes do it.
        if place.bit + bits > 32 {
            *place = Place { word: place.word + 1, bit: 0 };
        }
        let word = self.words[lane].get(place.word).ok_or(ProfileError::Unlike { lane })?;
        let outcome = (word >> place.bit) & ((1u64 << bits) - 1) as u32;
        place.bit += bits;
        if outcome < outcomes { Ok(outcome) } else { Err(ProfileError::Unlike { lane }) }
    }

    /// Returns the next whole word of a lane, such as an address.
    ///
    /// # Errors
    /// Returns an error if the lane has logged no further word.
    pub fn word(&mut self, lane: usize) -> Result<u32, ProfileError> {
        let Place { word, bit } = self.at[lane];
        let word = word + usize::from(bit > 0);
        self.at[lane] = Place { word: word + 1, bit: 0 };
        self.words[lane].get(word).copied().ok_or(ProfileError::Unlike { lane })
    }

    /// Checks that every lane has made all its decisions.
    ///
    /// # Errors
    /// Returns an error if a lane has words of decisions left.
    pub fn finish(&self) -> Result<(), ProfileError> {
        let left = |lane: usize| {
            let Place { word, bit } = self.at[lane];
            self.words[lane].len() > word + usize::from(bit > 0)
        };
        match (0..self.words.len()).find(|&lane| left(lane)) {
            Some(lane) => Err(ProfileError::Unlike { lane }),
            None => Ok(()),
        }
    }
}

/// Returns the bits of a decision with `outcomes` outcomes.
pub(super) fn bits_of(outcomes: u32) -> u32 {
    outcomes.next_power_of_two().ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_in_their_order_from_interleaved_words() {
        let layout = LogLayout::new(3, 2, 4, vec![2, 0]).expect("the buffer is small");
        let mut buffer = layout.contents();
        // The header, three slots, six words of work and six of paths, and four logs of four words.
        assert_eq!(buffer.len(), 8 + 2 + 3 + 6 + 6 + 16);
        assert_eq!(buffer[..13], [10, 13, 25, 4, 4, 2, 0, 3, 0, 0, 2, 0, 1]);
        let logs = 25;
        // Lane 1 of workgroup 2 needed two words: 11 decisions of 3 bits do not fit one word.
        buffer[logs + 1] = 2;
        buffer[logs + 4 + 1] = 0o7_654_321_012;
        buffer[logs + 8 + 1] = 0o5;
        buffer[13 + 5] = 77;
        buffer[19 + 5] = 78;
        buffer[6] = 32;
        let log = layout.read(&buffer).expect("there was room");
        assert_eq!(log.rank(5), (Reverse(77), 78));
        assert_eq!((log.work[5], log.workgroups().collect::<Vec<_>>()), (77, vec![0, 2]));
        assert_eq!((log.subgroup_size, &log.leaders), (Some(32), &Some(vec![0, 0])));
        let mut decisions = log.decisions(2);
        let next: Vec<u32> =
            (0..11).map(|_| decisions.next(1, 8).expect("a decision is there")).collect();
        assert_eq!(next, [2, 1, 0, 1, 2, 3, 4, 5, 6, 7, 5]);
        assert_eq!(decisions.finish(), Ok(()));
        assert_eq!(log.decisions(2).finish(), Err(ProfileError::Unlike { lane: 1 }));
        let mut other_way = log.decisions_of(&[(2, 1), (0, 0)]);
        assert_eq!(other_way.next(0, 8), Ok(2));
        assert_eq!(decisions.next(0, 2), Err(ProfileError::Unlike { lane: 0 }));
        assert_eq!(decisions.next(0, 1), Ok(0));
        // The second decision would be the third of two cases.
        assert_eq!(log.decisions(2).next(1, 2), Ok(0));
        let mut of_three = log.decisions(2);
        assert_eq!([of_three.next(1, 3), of_three.next(1, 3)], [Ok(2), Ok(2)]);
    }

    #[test]
    fn a_log_without_room_tells_how_much_it_needs() {
        let layout = LogLayout::new(1, 1, 4, vec![0]).expect("the buffer is small");
        let mut buffer = layout.contents();
        let first = buffer.len() - 4;
        buffer[first] = 3;
        assert!(layout.read(&buffer).is_ok());
        buffer[first] = 9;
        assert_eq!(layout.read(&buffer), Err(ProfileError::NoRoom { words: 10 }));
        assert_eq!(
            LogLayout::new(1 << 16, 1 << 10, 1 << 7, (0..1 << 16).collect()),
            Err(ProfileError::TooLarge)
        );
    }
}
