//! Autotuning of the fastest reduction.

use super::kernel::{Items, Variant, reduce};
use crate::bench::{Axis, Context, Profile, Search, Untuned, Work, search};
use crate::experiments::ceilings::launch::{Loads, axes, config};
use crate::experiments::ceilings::memory::{Place, tune};
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
    let name = "reduction".to_owned();
    let wanted = search_for_fastest(&context, name, items, most, (Loads::All, Place::OfASample));
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
    let name = loads.name("reduction");
    let options = tune(context, &name, Place::of(context, most), |name, place| {
        search_for_fastest(context, name, items, most, (loads, place))
    });
    (sharing(context)[options[0] as usize], config(&options[1..]))
}

/// Returns the variants that [share](Variant::shares) items and that the device supports.
fn sharing(context: &Context<'_>) -> Vec<Variant> {
    let has_subgroups = context.facts.has(ShaderFeature::Subgroups);
    let sharing = Variant::ALL.into_iter().filter(|variant| variant.shares());
    sharing.filter(|variant| has_subgroups || !variant.needs_subgroups()).collect()
}

/// Returns the autotuning task: the axis of the variants and the axes of the launch configuration.
fn search_for_fastest(
    context: &Context<'_>,
    name: String,
    items: &Items,
    most: u32,
    (loads, place): (Loads, Place),
) -> Search {
    let variants = sharing(context);
    let words = variants.iter().map(|variant| variant.as_str());
    let axes = [vec![Axis::words(words, 0)], axes(context, loads)].concat();
    let items = items.clone();
    // In the short samples of a CPU, the items would lie in a cache.
    let least = match place {
        Place::OfASample => MIN_SEARCHED.min(most),
        Place::Memory => most,
    };
    let amounts = least..=most;
    Search::new(name, "item", axes, amounts, move |options, count| {
        let (variant, config) = (variants[options[0] as usize], config(&options[1..]));
        Some(Work { workload: reduce(variant, &items, count, config), units: f64::from(count) })
    })
}
