//! Memory traffic in the launch configuration that autotuning finds fastest.

use std::ops::RangeInclusive;

use crate::bench::{CaseId, Context, Plan, Search, Sizing, Work};
use crate::experiments::ceilings::launch::{Loads, axes, config};
use crate::kernels::LaunchConfig;
use crate::kernels::memory::{Memory, Traffic};

/// Range of the array size in words during autotuning. On a fast device the array is larger than the caches.
const SEARCHED_WORDS: RangeInclusive<u32> = 1 << 16..=1 << 25;
/// The same where arrays must be larger than the caches of a CPU.
const SEARCHED_WORDS_IN_MEMORY: RangeInclusive<u32> = 1 << 23..=1 << 24;
/// Words of an array from which on a CPU needs a launch configuration that suits memory.
const IN_MEMORY_ON_FEW_CORES: u32 = 1 << 22;

/// Where the arrays lie for which a launch configuration is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Wherever arrays lie whose traffic takes as long as a sample: in memory on a GPU, in a cache on a CPU.
    OfASample,
    /// In memory. The search takes long on a CPU.
    Memory,
}

impl Place {
    /// Returns the place for which to search a launch configuration for arrays of `words` words.
    pub(crate) fn of(context: &Context<'_>, words: u32) -> Self {
        let slow = context.is_narrow() && context.profile.dense;
        if slow && words >= IN_MEMORY_ON_FEW_CORES { Self::Memory } else { Self::OfASample }
    }
}

/// Autotunes the launch configuration of `traffic` with loads of these types.
pub(crate) fn search_memory(
    context: &Context<'_>,
    traffic: Traffic,
    loads: Loads,
    place: Place,
) -> LaunchConfig {
    let name = loads.name(&format!("memory.{}", traffic.as_str()));
    config(&tune(context, &name, place, |name, place| search(context, name, traffic, loads, place)))
}

/// Autotunes with arrays that lie in `place`. What is fastest in a cache is near to what is fastest in memory, so the latter
/// search starts there. `search` returns the search by its name and place.
pub(crate) fn tune(
    context: &Context<'_>,
    name: &str,
    place: Place,
    search: impl Fn(String, Place) -> Search,
) -> Vec<u32> {
    let in_a_sample = context.tune(&search(name.to_owned(), Place::OfASample));
    match place {
        Place::OfASample => in_a_sample,
        Place::Memory => {
            let search = search(format!("{name}.in_memory"), place);
            context.tune(&search.starting_at(&in_a_sample))
        }
    }
}

/// Returns the search for the launch configuration of `traffic` in `place`.
fn search(
    context: &Context<'_>,
    name: String,
    traffic: Traffic,
    loads: Loads,
    place: Place,
) -> Search {
    let seed = context.seed as u32;
    let arrays: u32 = traffic.words().iter().sum();
    let words = match place {
        Place::OfASample => SEARCHED_WORDS,
        Place::Memory => SEARCHED_WORDS_IN_MEMORY,
    };
    let most = 1 << (context.facts.limits.binding_bytes / 4).ilog2().min(31);
    let amounts = most.min(*words.start())..=most.min(*words.end());
    Search::new(name, "B", axes(context, loads), amounts, move |options, words| {
        let config = config(options);
        Some(Work {
            workload: Memory { traffic, words, config, seed, sweeps: 1 }.workload(),
            units: f64::from(words) * 4.0 * f64::from(arrays),
        })
    })
}

/// Adds a case that repeats a pass over memory.
pub(crate) fn memory_case(plan: &mut Plan, name: String, sizing: Sizing, memory: Memory) -> CaseId {
    plan.case(name, sizing, move |times| memory.workload().repeated(times))
}
