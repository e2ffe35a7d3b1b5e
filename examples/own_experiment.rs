//! Declares an experiment outside of the crate, with its own shader, and runs it.
//!
//! The law: a loop of n iterations takes T(n) = t₀ + n·t. The empty loop calibrates t₀ and the longest loop calibrates t.
//! The loops between are predicted and judged.
//!
//! `cargo run --release --example own_experiment`

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use warplaw::bench::{
    Context, Experiment, Plan, Profile, Session, Sizing, Tolerance, Unsupported, run,
};
use warplaw::gpu::{
    Check, Contents, CostModel, Dispatch, Hardware, Options, Shader, WantedWorkers, Workload,
    prepare_environment,
};
use warplaw::model::{About, Category};

const WORKGROUP_SIZE: u32 = 64;
const LONGEST: u32 = 4096;

const SOURCE: &str = "
struct Params { iterations: u32, seed: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn loop_of_steps(@builtin(global_invocation_id) id: vec3<u32>) {
    var x = id.x ^ params.seed;
    for (var i = 0u; i < params.iterations; i++) {
        x = x * 1664525u + 1013904223u;
        x = x ^ (x >> 15u);
    }
    output[id.x] = x;
}
";

/// The same on the CPU: what every invocation must write.
fn reference(invocations: u32, iterations: u32, seed: u32) -> Vec<u32> {
    let run = |id: u32| {
        (0..iterations).fold(id ^ seed, |x, _| {
            let x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            x ^ (x >> 15)
        })
    };
    (0..invocations).map(run).collect()
}

fn shader() -> Arc<Shader> {
    Arc::new(Shader::new("own_experiment", SOURCE))
}

/// One dispatch of so many workgroups.
fn workload(shader: &Arc<Shader>, workgroups: u32, iterations: u32, seed: u32) -> Workload {
    let invocations = workgroups * WORKGROUP_SIZE;
    let dispatch = Dispatch::new(shader, "loop_of_steps", [workgroups, 1])
        .bind("params", 0)
        .bind("output", 1)
        // What the simulated device and the sizing of samples know of the time.
        .costs(move |shape| {
            let workgroups = f64::from(workgroups);
            CostModel {
                workgroups,
                subgroups: workgroups * f64::from(WORKGROUP_SIZE.div_ceil(shape.width)),
                // Instructions issued, summed over subgroups.
                issues: workgroups
                    * f64::from(shape.issue_slots(WORKGROUP_SIZE))
                    * f64::from(4 * iterations + 4),
                ..CostModel::default()
            }
        });
    Workload::checked(
        format!("loop of {iterations} iterations"),
        vec![dispatch],
        vec![
            Contents::Uniform(vec![("iterations", iterations), ("seed", seed)]),
            Contents::Zeroed(invocations as usize),
        ],
        Check::new(vec![1], move || reference(invocations, iterations, seed)),
    )
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    let seed = context.seed as u32;
    let shader = shader();
    let mut plan = Plan::default();
    // All cases have the same number of workgroups: the largest that fits the sample time of the longest loop.
    // A sample has a multiple of 16 workgroups.
    let sizing = Sizing::Shared { group: "loops".to_owned(), granule: 16, most: 16_384 };
    let mut case = |iterations: u32| {
        let shader = Arc::clone(&shader);
        plan.case(format!("loop.{iterations}"), sizing.clone(), move |workgroups| {
            workload(&shader, workgroups, iterations, seed)
        })
    };
    let (empty, longest) = (case(0), case(LONGEST));
    let swept = [256, 512, 1024, 2048].map(|iterations| (f64::from(iterations), case(iterations)));

    // The unit of work is a workgroup.
    let iteration = longest.per_unit_above(empty) / f64::from(LONGEST);
    let series = plan.series("loop", ("iterations", ""), "s");
    for (iterations, case) in swept {
        plan.judge(series, iterations, case.per_unit(), empty.per_unit() + iterations * &iteration);
    }
    let about = About::new("iteration", "time of an iteration of a workgroup, full device", "s");
    // Less is better, and the device card shows it.
    plan.metric(about.lower().headline(), iteration);
    for (name, formula) in plan.formulas() {
        println!("{name} = {formula}");
    }
    Ok(plan)
}

const EXPERIMENT: Experiment = Experiment {
    id: "loops",
    category: Category::Amortization,
    law: "T(n) = t₀ + n·t",
    about: "how the time of a loop grows with its iterations",
    tolerance: Tolerance { ratio: 0.1, reason: "The loop's own instructions are part of t." },
    shaders: || vec![shader()],
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: None,
};

fn main() -> Result<(), Box<dyn Error>> {
    prepare_environment();
    let device = Hardware::open(&Options::default())?;
    let mut session = Session::open(Box::new(device), Profile::QUICK, 1)?;
    let outcome = run(&mut session, &EXPERIMENT, &AtomicBool::new(false), &mut |_| ())?;
    println!("{}: {}", outcome.id, outcome.as_str());
    for point in &outcome.points {
        println!("{} iterations: measured / predicted = {:.3}", point.x.value, point.ratio);
    }
    Ok(())
}
