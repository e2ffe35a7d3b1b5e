//! Memory traffic in the launch configuration that autotuning finds fastest.

use std::ops::RangeInclusive;

use crate::bench::{CaseId, Context, Plan, Search, Sizing, Work};
use crate::experiments::ceilings::launch::{Loads, axes, config};
use crate::kernels::LaunchConfig;
use crate::kernels::memory::{Memory, Traffic};

/// Range of the array size in words during autotuning. On a fast device the array is larger than the caches.
const SEARCHED_WORDS: RangeInclusive<u32> = 1 << 16..=1 << 25;

/// Autotunes the launch configuration of `traffic` with loads of these types.
pub(crate) fn search_memory(context: &Context<'_>, traffic: Traffic, loads: Loads) -> LaunchConfig {
    let seed = context.seed as u32;
    let arrays: u32 = traffic.words().iter().sum();
    let name = loads.name(&format!("memory.{}", traffic.as_str()));
    let most = (context.facts.limits.binding_bytes / 4).ilog2();
    let amounts = *SEARCHED_WORDS.start()..=(1 << most.min(31)).min(*SEARCHED_WORDS.end());
    let search = Search::new(name, "B", axes(context, loads), amounts, move |options, words| {
        let config = config(options);
        Some(Work {
            workload: Memory { traffic, words, config, seed, sweeps: 1 }.workload(),
            units: f64::from(words) * 4.0 * f64::from(arrays),
        })
    });
    config(&context.tune(&search))
}

/// Adds a case that repeats a pass over memory.
pub(crate) fn memory_case(plan: &mut Plan, name: String, sizing: Sizing, memory: Memory) -> CaseId {
    plan.case(name, sizing, move |times| memory.workload().repeated(times))
}
