//! `cargo bench --bench peers`: the best reduction here beside another crate's on the same device, the same input and
//! by the same clock, and a plain sum on the CPU for scale.
//!
//! What is timed is what a program waits for: recording, submitting, and the wait until it is done. Rounds time all
//! of them in turn, in random order; the first third of the rounds chooses the shape for a size, and the rest
//! judges it.

mod support;

use std::process::ExitCode;
use std::time::Instant;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use support::{adapter, keep, median, performance, ratio, seconds, table};
use warplaw::bench::{Profile, compare};
use warplaw::cli::{CliError, report_error};
use warplaw::experiments::fastest_reduction;
use warplaw::experiments::reduction::kernel::{Items, Variant, reduce};
use warplaw::gpu::{Executor, GpuError, Hardware, Options, Workload, prepare_environment};
use warplaw::kernels::{LaunchConfig, Number};
use warplaw::report::figures::short;

const LEAST: u32 = 10;
const MOST: u32 = 26;
/// Every size is timed for about so long, and for so many rounds at least.
const SECONDS: f64 = 4.0;
const ROUNDS: std::ops::RangeInclusive<usize> = 15..=150;

/// A reduction that may be chosen.
struct Candidate {
    name: String,
    workload: Workload,
}

fn candidates(
    items: &Items,
    count: u32,
    has_subgroups: bool,
    tuned: LaunchConfig,
) -> Vec<Candidate> {
    let small = LaunchConfig { lanes: tuned.lanes.min(64), ..tuned };
    let one = LaunchConfig { workgroups: 1, ..tuned };
    let mut all: Vec<Candidate> = Vec::new();
    for config in [tuned, small, one] {
        for variant in Variant::ALL.into_iter().filter(|variant| variant.shares()) {
            let name = format!("{}, {shape}", variant.as_str());
            let within = config.iterations(count) < warplaw::kernels::MAX_ITERATIONS;
            let fits = has_subgroups || !variant.needs_subgroups();
            if within && fits && all.iter().all(|other| other.name != name) {
                all.push(Candidate { name, workload: reduce(variant, items, count, config) });
            }
        }
    }
    all
}

/// The other crate's, with buffers of its own.
struct Peer {
    reducer: lampshade::Reducer,
    input: wgpu::Buffer,
    output: wgpu::Buffer,
}

impl Peer {
    fn new(device: &Hardware, words: &[u32]) -> Self {
        use wgpu::BufferUsages as Use;
        let (wgpu, queue) = device.wgpu();
        let buffer = |size: usize, usage| {
            wgpu.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: size as u64 * 4,
                usage,
                mapped_at_creation: false,
            })
        };
        let input = buffer(words.len(), Use::STORAGE | Use::COPY_DST);
        queue.write_buffer(&input, 0, bytemuck::cast_slice(words));
        let output = buffer(4, Use::STORAGE | Use::COPY_DST | Use::COPY_SRC);
        Self { reducer: lampshade::Reducer::new(wgpu, queue), input, output }
    }

    fn record(&mut self, encoder: &mut wgpu::CommandEncoder, count: u32) {
        let sum = lampshade::U32Reduction::Sum;
        let Self { reducer, input, output } = self;
        reducer.record_reduce(encoder, input, output, count, sum).expect("it reduces");
    }

    /// What it leaves.
    fn answer(&mut self, device: &Hardware, count: u32) -> u32 {
        let (wgpu, queue) = device.wgpu();
        let mut encoder = wgpu.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.record(&mut encoder, count);
        queue.submit([encoder.finish()]);
        let staging = wgpu.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = wgpu.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&self.output, 0, &staging, 0, 4);
        queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., Result::unwrap);
        wgpu.poll(wgpu::PollType::wait_indefinitely()).expect("the device works");
        let view = staging.get_mapped_range(..).expect("it is mapped");
        u32::from_le_bytes(view[..4].try_into().expect("four bytes"))
    }
}

/// Seconds from before recording to after the wait.
fn waited_s(device: &Hardware, record: impl FnOnce(&mut wgpu::CommandEncoder)) -> f64 {
    let (wgpu, queue) = device.wgpu();
    let start = Instant::now();
    let mut encoder = wgpu.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    record(&mut encoder);
    queue.submit([encoder.finish()]);
    wgpu.poll(wgpu::PollType::wait_indefinitely()).expect("the device works");
    start.elapsed().as_secs_f64()
}

fn sum(words: &[u32]) -> u32 {
    words.iter().fold(0, |sum, word| sum.wrapping_add(*word))
}

fn sum_on(threads: usize, words: &[u32]) -> u32 {
    std::thread::scope(|scope| {
        let parts = words.chunks(words.len().div_ceil(threads));
        let running: Vec<_> = parts.map(|part| scope.spawn(|| sum(part))).collect();
        running.into_iter().map(|part| part.join().expect("it adds up")).fold(0, u32::wrapping_add)
    })
}

/// What a size takes each of them: the chosen candidate, the peer, one thread and all.
struct Timed {
    chosen: String,
    own_s: Vec<f64>,
    peer_s: Vec<f64>,
    one_s: Vec<f64>,
    all_s: Vec<f64>,
}

fn time(
    device: &mut Hardware,
    items: &Items,
    count: u32,
    tuned: LaunchConfig,
    rng: &mut ChaCha8Rng,
) -> Result<Timed, GpuError> {
    let words = &items.words[..count as usize];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let candidates = candidates(items, count, device.facts().has_subgroups(), tuned);
    let workloads: Vec<Workload> = candidates.iter().map(|c| c.workload.clone()).collect();
    let refused = device.load(&workloads)?;
    assert!(refused.iter().all(Option::is_none), "{refused:?}");
    for (index, workload) in workloads.iter().enumerate() {
        let outputs = device.outputs(index)?;
        compare(&outputs, &workload.expected()).unwrap_or_else(|mismatch| panic!("{mismatch}"));
    }
    let mut peer = Peer::new(device, words);
    assert_eq!(peer.answer(device, count), sum(words), "the peer is wrong");
    assert_eq!(sum_on(threads, words), sum(words));

    let own = candidates.len();
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); own + 3];
    let mut order: Vec<usize> = (0..own + 3).collect();
    let start = Instant::now();
    let mut chosen = None;
    for round in 0..=*ROUNDS.end() {
        let spent_s = start.elapsed().as_secs_f64();
        if spent_s > SECONDS && round > *ROUNDS.start() {
            break;
        }
        // A third of the time, or of the fewest rounds, is for choosing.
        if chosen.is_none() && (spent_s > SECONDS / 3.0 || round > ROUNDS.end() / 3) && round > 5 {
            let best =
                (0..own).min_by(|&a, &b| median(&samples[a]).total_cmp(&median(&samples[b])));
            chosen = best;
            order.retain(|&i| i >= own || best == Some(i));
            samples.iter_mut().for_each(Vec::clear);
        }
        order.shuffle(rng);
        for &index in &order {
            let start = Instant::now();
            let sample_s = if index < own {
                waited_s(device, |encoder| device.record(index, encoder).expect("it is loaded"))
            } else if index == own {
                waited_s(device, |encoder| peer.record(encoder, count))
            } else {
                let threads = if index == own + 1 { 1 } else { threads };
                let total = if threads == 1 { sum(words) } else { sum_on(threads, words) };
                std::hint::black_box(total);
                start.elapsed().as_secs_f64()
            };
            if round > 0 {
                samples[index].push(sample_s);
            }
        }
    }
    let chosen = chosen.expect("more rounds than choosing takes");
    let [all_s, one_s, peer_s] = [(); 3].map(|()| samples.pop().expect("all were timed"));
    let own_s = samples.swap_remove(chosen);
    Ok(Timed { chosen: candidates[chosen].name.clone(), own_s, peer_s, one_s, all_s })
}

fn measure() -> Result<ExitCode, GpuError> {
    let mut device = Hardware::open(&Options::default())?;
    let most = (device.facts().limits.binding_bytes / 4).ilog2().min(MOST);
    let items = Items::random(Number::U32, 1 << most, 1);
    let (variant, tuned, search) =
        fastest_reduction(&mut device, &Profile::FULL, &items, 1 << most.min(24))?;
    println!("tuned in {:.1} s: {}, {tuned}", search.took_s, variant.as_str());
    let mut figures = table(&[
        "u32",
        "warplaw",
        "read at",
        "lampshade",
        "lampshade / warplaw",
        "CPU, one thread",
        "CPU, all threads",
        "warplaw's shape",
    ]);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let sizes = (LEAST..most).step_by(2).chain([most]);
    for exponent in sizes {
        let count = 1u32 << exponent;
        let timed = time(&mut device, &items, count, tuned, &mut rng)?;
        let own_s = median(&timed.own_s);
        let ratios: Vec<f64> = timed.peer_s.iter().zip(&timed.own_s).map(|(p, o)| p / o).collect();
        figures.rows.push(vec![
            format!("2^{exponent}"),
            seconds(own_s),
            short(f64::from(count) * 4.0 / own_s * 1e-9, "GB/s"),
            seconds(median(&timed.peer_s)),
            ratio(&ratios),
            seconds(median(&timed.one_s)),
            seconds(median(&timed.all_s)),
            timed.chosen,
        ]);
        println!("{}", figures.rows[figures.rows.len() - 1].join("  "));
    }
    let about = format!(
        "A sum of u32 by the best reduction here and by the crate lampshade 0.13 on the same device and input: what a \
         program waits for to record, submit and finish it, medians of rounds that time all in turn. The shape for a \
         size is chosen in rounds that are not counted, among a few around the one that a search of {} shapes found \
         ({}, {tuned}). lampshade's kernels are compiled as it asks, with wgpu's bounds checks; those here without, as \
         `run` says, with each output verified. The largest size is what a binding may hold.",
        search.tried.len(),
        variant.as_str(),
    );
    let title = "Reduction beside its peers";
    let mut performance = performance("peers", title, &[about]);
    performance.adapter = adapter(&device);
    performance.tables.push(figures);
    Ok(keep("peers", &performance))
}

fn main() -> ExitCode {
    prepare_environment();
    report_error(measure().map_err(CliError::from))
}
