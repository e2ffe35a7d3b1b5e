//! Autotuning of the fastest reduction.

use super::kernel::{Items, Variant, reduce};
use crate::bench::{Axis, Context, Profile, Search, Untuned, Work, search};
use crate::experiments::ceilings::launch::{Loads, axes, config};
use crate::gpu::{Executor, GpuError, ShaderFeature};
use crate::kernels::LaunchConfig;
use crate::model;

/// Smallest number of items for autotuning, unless the input is smaller.
const MIN_SEARCHED: u32 = 1 << 16;

/// Finds the fastest reduction of `items` by autotuning on at most `most` items. Returns the variant, its
/// launch configuration and the record of the search.
///
/// # Errors
/// Returns an error if the device fails.
pub fn fastest(
    executor: &mut dyn Executor,
    profile: &Profile,
    items: &Items,
    most: u32,
) -> Result<(Variant, LaunchConfig, model::Search), GpuError> {
    let facts = executor.facts().clone();
    let context = Context::new(&facts, profile, 1, &Untuned);
    let wanted = search_for_fastest(&context, items, most, Loads::All);
    let (options, searched) = search(executor, &wanted, profile.search)?;
    Ok((sharing(&context)[options[0] as usize], config(&options[1..]), searched))
}

/// Returns the variant and the launch configuration of the fastest reduction of `items`, found by autotuning on at
/// most `most` items, with loads of these types.
pub(super) fn tuned(
    context: &Context<'_>,
    items: &Items,
    most: u32,
    loads: Loads,
) -> (Variant, LaunchConfig) {
    let options = context.tune(&search_for_fastest(context, items, most, loads));
    (sharing(context)[options[0] as usize], config(&options[1..]))
}

/// Returns the variants that [share](Variant::shares) items and that the device supports.
fn sharing(context: &Context<'_>) -> Vec<Variant> {
    let has_subgroups = context.facts.has(ShaderFeature::Subgroups);
    let sharing = Variant::ALL.into_iter().filter(|variant| variant.shares());
    sharing.filter(|variant| has_subgroups || !variant.needs_subgroups()).collect()
}

/// Returns the autotuning task: the axis of the variants and the axes of the launch configuration.
fn search_for_fastest(context: &Context<'_>, items: &Items, most: u32, loads: Loads) -> Search {
    let variants = sharing(context);
    let words = variants.iter().map(|variant| variant.as_str());
    let axes = [vec![Axis::words(words, 0)], axes(context, loads)].concat();
    let items = items.clone();
    let amounts = MIN_SEARCHED.min(most)..=most;
    Search::new(loads.name("reduction"), "item", axes, amounts, move |options, count| {
        let (variant, config) = (variants[options[0] as usize], config(&options[1..]));
        Some(Work { workload: reduce(variant, &items, count, config), units: f64::from(count) })
    })
}
