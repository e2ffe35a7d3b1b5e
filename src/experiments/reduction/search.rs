//! The search for the fastest reduction.

use super::kernel::{Items, Variant, reduce};
use crate::bench::{Axis, Context, Profile, Search, Untuned, Work, search};
use crate::experiments::ceilings::launch::{axes, config, is_within_iteration_limit};
use crate::gpu::{Executor, GpuError};
use crate::kernels::LaunchConfig;
use crate::model;

/// The fewest items that the fastest launch configuration is searched for with.
const MIN_SEARCHED: u32 = 1 << 16;

/// Finds the fastest reduction of `items`, tried on at most so many of them: the variant and its launch
/// configuration.
///
/// # Errors
/// When the device fails.
pub fn fastest(
    executor: &mut dyn Executor,
    profile: &Profile,
    items: &Items,
    most: u32,
) -> Result<(Variant, LaunchConfig, model::Search), GpuError> {
    let facts = executor.facts().clone();
    let context = Context::new(&facts, profile, 1, &Untuned);
    let wanted = search_for_fastest(&context, items, most);
    let (options, searched) = search(executor, &wanted, profile.search)?;
    Ok((sharing(&context)[options[0] as usize], config(&options[1..]), searched))
}

/// The launch configuration of the fastest reduction of `items`, as a search finds it.
pub(super) fn fastest_config(context: &Context<'_>, items: &Items, most: u32) -> LaunchConfig {
    config(&context.tune(&search_for_fastest(context, items, most))[1..])
}

/// Variants in which lanes share the items, as far as the device can do them.
fn sharing(context: &Context<'_>) -> Vec<Variant> {
    let has_subgroups = context.facts.has_subgroups();
    let sharing = Variant::ALL.into_iter().filter(|variant| variant.shares());
    sharing.filter(|variant| has_subgroups || !variant.needs_subgroups()).collect()
}

fn search_for_fastest(context: &Context<'_>, items: &Items, most: u32) -> Search {
    let variants = sharing(context);
    let words = variants.iter().map(|variant| variant.as_str());
    let axes = [vec![Axis::words(words, 0)], axes(context)].concat();
    let items = items.clone();
    let amounts = MIN_SEARCHED.min(most)..=most;
    Search::new("reduction", "item", axes, amounts, move |options, count| {
        let (variant, config) = (variants[options[0] as usize], config(&options[1..]));
        is_within_iteration_limit(config, count).then(|| Work {
            workload: reduce(variant, &items, count, config),
            units: f64::from(count),
        })
    })
}
