//! Every kernel, followed lane by lane on the host: its outputs are those of its CPU reference, and its subgroups issue
//! what its cost model claims. No GPU and no driver takes part.

use std::collections::BTreeSet;
use std::sync::Arc;

use warplaw::experiments::allreduce::kernel::{Algorithm, AllReduce, Streams};
use warplaw::experiments::amdahl::kernel::Stages;
use warplaw::experiments::ceilings::kernel::{VECTORS, WorkgroupMemory};
use warplaw::experiments::coalescing::kernel::{Loads, Pattern};
use warplaw::experiments::contention::kernel::{Contention, Operation, Target};
use warplaw::experiments::dependence::kernel::{Sequence, Sharing};
use warplaw::experiments::imbalance::kernel::Uneven;
use warplaw::experiments::occupancy::kernel::{Chase, Cycle};
use warplaw::experiments::overlap::kernel::{Batches, Source};
use warplaw::experiments::reduction::kernel::{Items, Variant, alone, reduce};
use warplaw::experiments::select::kernel::{PathSize, Select, Way};
use warplaw::experiments::shaders;
use warplaw::gpu::{Check, Dispatch, Shader, Upload, UploadPath, Workload};
use warplaw::kernels::branch_paths::BranchPaths;
use warplaw::kernels::chain::Chain;
use warplaw::kernels::ilp::Ilp;
use warplaw::kernels::memory::{Memory, Traffic};
use warplaw::kernels::{
    LaunchConfig, Load, Number, Step, add_part, empty, random_words, subgroup_size,
};
use warplaw::sim::{Followed, follow};
use warplaw::simt::{Issued, Kind};

const SEED: u32 = 0xC0FF_EE11;

fn random(words: u32, below: u32) -> Arc<[u32]> {
    random_words(SEED.into(), words as usize).iter().map(|word| word % below).collect()
}

fn branches() -> Vec<Workload> {
    let paths = |paths, repeats| BranchPaths {
        workgroup_size: 64,
        workgroups: 4,
        repeats,
        iterations: 3,
        paths,
        selectors: random(256, paths),
        seed: SEED,
    };
    let select = |way, paths| Select {
        way,
        paths,
        workgroup_size: 64,
        workgroups: 4,
        choices: 5,
        words: random_words(SEED.into(), 128),
        seed: SEED,
    };
    let ways = [Way::Branch, Way::Select];
    let sizes = [PathSize::Short, PathSize::Long { iterations: [2, 3] }];
    let selects = ways.into_iter().flat_map(|way| sizes.map(|paths| select(way, paths).workload()));
    let uneven = [1, 2].map(|copies| {
        let iterations = random(128, 9);
        Uneven { workgroup_size: 64, workgroups: 4, copies, iterations, seed: SEED }.workload()
    });
    [(2, 1), (4, 4), (8, 2), (16, 1), (32, 1), (64, 2)]
        .map(|(k, repeats)| paths(k, repeats).workload())
        .into_iter()
        .chain(selects)
        .chain(uneven)
        .collect()
}

fn arithmetic() -> Vec<Workload> {
    let chain = |workgroup_size, active, iterations| Chain {
        workgroup_size,
        active,
        iterations,
        workgroups: 2,
        seed: SEED,
    };
    let mut all = vec![chain(64, 64, 3).workload(), chain(128, 33, 2).workload()];
    all.push(chain(64, 1, 0).workload());
    for step in Step::ALL {
        for &vector in step.vectors() {
            for chains in [1, 2, 4, 8, 12].into_iter().filter(|chains| chains % vector == 0) {
                let ilp = Ilp {
                    step,
                    chains,
                    vector,
                    iterations: 2,
                    workgroup_size: 32,
                    workgroups: 2,
                    seed: SEED,
                };
                all.push(ilp.workload());
            }
        }
    }
    let stages = Stages { serial_iterations: 2, parallel_iterations: 1, workers: 3, seed: SEED };
    all.push(stages.workload());
    for sharing in [Sharing::Results, Sharing::Buffer, Sharing::Nothing] {
        let sequence =
            Sequence { sharing, dispatches: 3, iterations: 2, workgroup_size: 64, seed: SEED };
        all.push(sequence.workload(1));
    }
    for vector in VECTORS {
        let memory = WorkgroupMemory {
            iterations: 3,
            workgroup_size: 64,
            workgroups: 2,
            vector,
            seed: SEED,
        };
        all.push(memory.workload());
    }
    all
}

fn memory() -> Vec<Workload> {
    let mut all = Vec::new();
    for load in Load::ALL {
        for (traffic, blocked, loads_in_flight) in [
            (Traffic::Read, false, 4),
            (Traffic::Write, true, 1),
            (Traffic::Copy, false, 2),
            (Traffic::Triad, true, 4),
            (Traffic::Sum, false, 1),
        ] {
            let config =
                LaunchConfig { workgroup_size: 64, load, loads_in_flight, workgroups: 2, blocked };
            for sweeps in [1, 3] {
                let memory = Memory { traffic, words: 1 << 13, config, seed: SEED, sweeps };
                all.push(memory.workload());
            }
        }
    }
    for pattern in [
        Pattern::Broadcast,
        Pattern::Strided { stride: 1, offset: 0 },
        Pattern::Strided { stride: 3, offset: 1 },
        Pattern::Random(64),
        Pattern::Grouped(8),
    ] {
        let data = random_words(SEED.into(), 1 << 14);
        all.push(Loads { pattern, width: 32, workgroups: 2, data, seed: SEED }.workload());
    }
    let cycle = Cycle::random(4096, SEED.into());
    all.push(Chase { cycle, steps: 7, workgroup_size: 64, workgroups: 2 }.warmed());
    for (works, depth) in [(0, 1), (1, 2)] {
        let batches = Batches {
            source: Source::random(SEED.into(), 1 << 12),
            path: UploadPath::WriteBuffer,
            upload: Upload::Nothing,
            works,
            iterations: 2,
            depth,
            workgroups: 1,
        };
        all.push(batches.workload());
    }
    all
}

fn coordination() -> Vec<Workload> {
    let mut all = Vec::new();
    for operation in Operation::ALL {
        for target in
            [Target::InTurn(4), Target::ByBlock(8), Target::One, Target::Private, Target::Dropped]
        {
            let contention = Contention {
                operation,
                target,
                repeats: 3,
                workgroup_size: 64,
                workgroups: 2,
                stride: 32,
            };
            all.push(contention.workload());
        }
    }
    for (algorithm, workers, words) in [
        (Algorithm::Ring, 3, 4096 + 4),
        (Algorithm::Naive, 4, 1024),
        (Algorithm::Doubling, 4, 8192),
    ] {
        all.push(AllReduce { algorithm, workers, words, seed: SEED }.workload());
    }
    for add in [false, true] {
        all.push(Streams { add, workers: 2, words: 4096 + 8, seed: SEED }.workload());
    }
    for item in Number::ALL {
        let items = Items::random(item, 1 << 13, SEED.into());
        for variant in Variant::ALL {
            for (count, blocked) in [(8000, false), (513, true)] {
                let config = LaunchConfig {
                    workgroup_size: 256,
                    load: Load::Vec4,
                    loads_in_flight: 1,
                    workgroups: 3,
                    blocked,
                };
                all.push(reduce(variant, &items, count, config));
            }
        }
    }
    for item in Number::ALL {
        let items = Items::random(item, 1 << 13, SEED.into());
        all.push(alone::read_shares(&items, 8000, LaunchConfig::strided(3)));
        all.push(alone::atomics(item, 2, 1, 64));
    }
    all.push(alone::read_one(&random_words(SEED.into(), 1000), 1000));
    for variant in [Variant::TreeInterleaved, Variant::TreeSequential] {
        all.push(alone::repeated_trees(variant, 256, 2, 2));
    }
    all.push(alone::subgroup_sums(2, 3));
    all
}

/// Returns a small workload of every kernel.
fn all() -> Vec<Workload> {
    let mut all = vec![empty::workload(3), subgroup_size::workload(64)];
    all.extend([(0, 1), (5, 300), (7, 600)].map(|(start, words)| add_part::workload(start, words)));
    all.extend([branches(), arithmetic(), memory(), coordination()].concat());
    all
}

/// Modules whose cost models count bytes, loads or atomics. The instructions around them are only estimated.
const ESTIMATED: [&str; 9] = [
    "add_part",
    "allreduce",
    "contention",
    "empty",
    "memory",
    "occupancy",
    "reduction",
    "reduction_subgroup",
    "subgroup_size",
];

/// Returns the name of a module without its variant.
fn stem(shader: &Shader) -> &str {
    shader.name().split('.').next().unwrap_or_default()
}

/// Follows `workload` at each width from 4 to 64 lanes.
fn followed(workload: &Workload) -> impl Iterator<Item = (u32, Followed)> {
    [4, 8, 16, 32, 64].into_iter().map(|width| {
        let followed = follow(workload, width);
        (width, followed.unwrap_or_else(|error| panic!("{}: {error}", workload.label())))
    })
}

#[test]
fn every_kernel_computes_what_its_reference_says() {
    for workload in all() {
        let expected = workload.expected();
        for (width, followed) in followed(&workload) {
            let outputs = followed.outputs.len();
            // The subgroup size is the one output that is not known in advance.
            let expected = if expected.is_empty() { vec![width] } else { expected.clone() };
            let expected: Vec<u32> = expected.into_iter().cycle().take(outputs).collect();
            assert_eq!(followed.outputs, expected, "{} at {width} lanes", workload.label());
        }
    }
}

#[test]
fn every_subgroup_issues_what_the_cost_model_claims() {
    let all = all();
    let counted = all.iter().filter(|workload| {
        workload.dispatches().iter().all(|d| !ESTIMATED.contains(&stem(d.shader())))
    });
    let mut modules = BTreeSet::new();
    for workload in counted {
        for (width, followed) in followed(workload) {
            for (dispatch, issued) in workload.dispatches().iter().zip(followed.issued) {
                let all: u64 = issued.iter().flatten().map(Issued::all).sum();
                let claimed = dispatch.costs_at(width);
                let what = format!("{} at {width} lanes", workload.label());
                assert_eq!(claimed.issues, all as f64, "{what}");
                if stem(dispatch.shader()) == "ilp" {
                    let of = |issued: &Issued| issued.of(Kind::Multiply);
                    let multiplies: u64 = issued.iter().flatten().map(of).sum();
                    assert_eq!(claimed.multiplies, multiplies as f64, "{what}: multiplications");
                }
                modules.insert(stem(dispatch.shader()).to_owned());
            }
        }
    }
    let names: BTreeSet<String> = shaders().iter().map(|shader| stem(shader).to_owned()).collect();
    let others: Vec<&str> = names.difference(&modules).map(String::as_str).collect();
    assert_eq!(others, ESTIMATED);
}

#[test]
fn every_entry_point_is_followed() {
    let all = all();
    let dispatches = all.iter().flat_map(Workload::all_dispatches);
    let followed: BTreeSet<(&str, &str)> =
        dispatches.map(|dispatch| (stem(dispatch.shader()), dispatch.entry())).collect();
    for shader in shaders() {
        let module = naga::front::wgsl::parse_str(shader.source()).expect("the module is valid");
        for entry in &module.entry_points {
            let name = (stem(&shader), entry.name.as_str());
            assert!(followed.contains(&name), "{name:?} is in no workload of this test");
        }
    }
}

/// A subgroup that diverges issues both paths, and its lanes are active in one of them.
#[test]
fn lanes_that_part_meet_again() {
    let paths = |selectors: [u32; 2]| BranchPaths {
        workgroup_size: 64,
        workgroups: 1,
        repeats: 1,
        iterations: 50,
        paths: 2,
        selectors: selectors.into_iter().cycle().take(64).collect(),
        seed: SEED,
    };
    let issued = |selectors: [u32; 2]| {
        let followed = follow(&paths(selectors).workload(), 32).expect("the kernel is followed");
        followed.issued[0][0][0]
    };
    let (uniform, divergent) = (issued([1, 1]), issued([0, 1]));
    let efficiency = |issued: Issued| issued.lanes as f64 / (issued.all() * 32) as f64;
    assert_eq!(efficiency(uniform), 1.0);
    assert!((divergent.all() as f64 / uniform.all() as f64 - 2.0).abs() < 0.05);
    assert!((efficiency(divergent) - 0.5).abs() < 0.02, "{}", efficiency(divergent));
    assert_eq!(divergent.of(Kind::Load), 1, "the selector is loaded once for all lanes");
}

/// A shader with a fault computes something else, so that a comparison with its reference can fail.
#[test]
fn a_wrong_kernel_is_seen() {
    let workload = Chain { workgroup_size: 32, active: 32, iterations: 3, workgroups: 1, seed: 1 };
    let workload = workload.workload();
    let dispatch = &workload.dispatches()[0];
    let wrong = dispatch.shader().source().replace("1664525u", "1664527u");
    let shader = Arc::new(Shader::new("wrong", wrong));
    let wrong = Dispatch::new(&shader, dispatch.entry(), dispatch.workgroups())
        .bind("params", 0)
        .bind("output", 1)
        .constant("WORKGROUP_SIZE", 32);
    let expected = workload.expected();
    let check = Check::new(vec![1], move || expected.clone());
    let wrong = Workload::checked("wrong", vec![wrong], workload.buffers().to_vec(), check);
    let outputs = |workload| follow(workload, 32).expect("the kernel is followed").outputs;
    assert_eq!(outputs(&workload), workload.expected());
    assert_ne!(outputs(&wrong), workload.expected());
}
