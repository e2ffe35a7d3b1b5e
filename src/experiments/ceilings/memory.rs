//! Memory traffic in the launch configuration that a short search finds the fastest.

use std::ops::RangeInclusive;

use crate::bench::{CaseId, Context, Plan, Search, Sizing, Work};
use crate::experiments::ceilings::launch::{axes, config, is_within_iteration_limit};
use crate::kernels::LaunchConfig;
use crate::kernels::memory::{Memory, Traffic};

/// Words that launch configurations are tried on: more than caches hold, where the device is fast enough for that.
const SEARCHED_WORDS: RangeInclusive<u32> = 1 << 16..=1 << 25;

/// Searches for the launch configuration in which `traffic` is fastest.
pub(crate) fn search_memory(context: &Context<'_>, traffic: Traffic) -> LaunchConfig {
    let seed = context.seed as u32;
    let arrays: u32 = traffic.words().iter().sum();
    let name = format!("memory.{}", traffic.as_str());
    let most = (context.facts.limits.binding_bytes / 4).ilog2();
    let amounts = *SEARCHED_WORDS.start()..=(1 << most.min(31)).min(*SEARCHED_WORDS.end());
    let search = Search::new(name, "B", axes(context), amounts, move |options, words| {
        let config = config(options);
        is_within_iteration_limit(config, words).then(|| Work {
            workload: Memory { traffic, words, config, seed, idle: false }.workload(),
            units: f64::from(words) * 4.0 * f64::from(arrays),
        })
    });
    config(&context.tune(&search))
}

/// A case of so many passes over memory.
pub(crate) fn memory_case(plan: &mut Plan, name: String, sizing: Sizing, memory: Memory) -> CaseId {
    plan.case(name, sizing, move |times| memory.workload().repeated(times))
}
