//! The WGSL modules of all item types and launch configurations, with all templates expanded.

use std::sync::{Arc, LazyLock};

use crate::gpu::{Invariant, Property, Shader, ShaderFeature};
use crate::kernels::{LaunchConfig, Number};

impl Number {
    /// Returns the WGSL that declares the item type and its atomic addition. WGSL has no f32 atomics, so the
    /// addition of f32 items is a compare-and-swap loop.
    fn prelude(self) -> &'static str {
        match self {
            Self::U32 => {
                "alias Item = u32;\n\nfn add_to_total(item: Item) {\n    atomicAdd(&total, item);\n}\n\n"
            }
            Self::F32 => {
                "alias Item = f32;\n\nfn add_to_total(item: Item) {\n    var seen = \
                 atomicLoad(&total);\n    loop {\n        let sum = bitcast<u32>(bitcast<f32>(seen) + \
                 item);\n        let swap = atomicCompareExchangeWeak(&total, seen, sum);\n        if \
                 swap.exchanged {\n            break;\n        }\n        seen = swap.old_value;\n    \
                 }\n}\n\n"
            }
        }
    }
}

/// Returns the module of one shader file for one item type and one launch configuration.
fn source(subgroup: bool, item: Number, config: LaunchConfig) -> Arc<Shader> {
    let (stem, text) = if subgroup {
        ("reduction_subgroup", include_str!("../../../../shaders/reduction_subgroup.wgsl"))
    } else {
        ("reduction", include_str!("../../../../shaders/reduction.wgsl"))
    };
    let items = include_str!("../../../../shaders/reduction_items.wgsl");
    let loads = loads(config);
    let text = format!("{}{items}\n{loads}\n{text}", item.prelude());
    let name = format!("{stem}.{}.{}", item.as_str(), config.module());
    let uses = |feature| match feature {
        ShaderFeature::Subgroups => subgroup,
        ShaderFeature::U64 => config.load.is_u64(),
        ShaderFeature::F16 => false,
    };
    Arc::new(Shader {
        name,
        source: text,
        needs: ShaderFeature::ALL.into_iter().filter(|&feature| uses(feature)).collect(),
        checked: false,
        invariants: invariants(config),
    })
}

/// Returns what the machine code of the kernels that share the items must be like.
fn invariants(config: LaunchConfig) -> Vec<Invariant> {
    vec![
        Invariant::new(
            &["read_only", "share_pass", "single_pass", "subgroup_single_pass"],
            Property::LoadsInFlight(config.load_instructions()),
            "a load that waits for the one before it shows latency and not bandwidth",
        ),
        Invariant::new(
            &["atomics_alone"],
            Property::AtomicsInLoop(1),
            "an atomic that is merged with the next one costs nothing",
        ),
        Invariant::new(
            &["tree_alone_interleaved", "tree_alone_sequential"],
            Property::Loops(1),
            "a tree that is dropped or hoisted costs nothing",
        ),
    ]
}

/// Returns the WGSL that loads items in the launch configuration.
///
/// `Load` is the type of a load. `Wide` is the vector of the items that are added at the same time. `sum_of`
/// sums the loads with the indices `first`, `first + step`, … before `end`.
fn loads(config: LaunchConfig) -> String {
    let LaunchConfig { load, loads_in_flight, .. } = config;
    let (wide, bits) = (load.vector_of("Item"), load.vector_of("u32"));
    let (of, items) = if load.is_u64() {
        let low = format!("{bits}(load)");
        let high = format!("{bits}(load >> {bits}(32u))");
        (load.vector_of("u64"), format!("bitcast<Wide>({low}) + bitcast<Wide>({high})"))
    } else {
        (wide.clone(), "load".to_owned())
    };
    let parts = ["sum.x", "sum.y", "sum.z", "sum.w"];
    let folded = match bits.as_str() {
        "u32" => "sum".to_owned(),
        _ => parts[..load.parts() as usize].join(" + "),
    };
    let (sums, all) = config.sums();
    let lines = config.each(|k| format!("let load{k} = loads[i + {k}u * step];"));
    let adds = config.each(|k| format!("sum{k} += items_of(load{k});"));
    format!(
        "const VECTOR: u32 = {}u;\n\nalias Load = {of};\nalias Wide = {wide};\n\nfn items_of(load: Load) -> Wide \
         {{\n    return {items};\n}}\n\nfn sum_of(first: u32, step: u32, end: u32) -> Item {{\n{sums}    var i = \
         first;\n    for (; i + {}u * step < end; i += {loads_in_flight}u * step) {{\n{lines}{adds}    }}\n    for (; i < end; \
         i += step) {{\n        sum0 += items_of(loads[i]);\n    }}\n    let sum = {all};\n    return \
         {folded};\n}}\n",
        load.words(),
        loads_in_flight - 1,
    )
}

/// Returns all modules: both shader files, both item types, all launch configurations that differ in their
/// WGSL.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    static SHADERS: LazyLock<Vec<Arc<Shader>>> = LazyLock::new(|| {
        let mut all = Vec::new();
        for subgroup in [false, true] {
            for item in Number::ALL {
                all.extend(LaunchConfig::modules().map(|config| source(subgroup, item, config)));
            }
        }
        all
    });
    SHADERS.clone()
}

/// Returns the module for kernels with or without subgroup operations, for one item type and one launch
/// configuration.
pub(super) fn shader(subgroup: bool, item: Number, config: LaunchConfig) -> Arc<Shader> {
    let configs = LaunchConfig::modules().count();
    let group = usize::from(subgroup) * Number::ALL.len() + item as usize;
    Arc::clone(&shaders()[group * configs + config.index()])
}
