//! The best reduction of this crate beside another crate's, on the same device and input, and beside a plain sum on
//! the CPU.
//!
//! The timed quantity is what a program waits for: recording, submission, and the wait for completion. Each round times
//! all candidates in a fresh random order. The first third of the rounds chooses a launch configuration for the size;
//! the remaining rounds are the result, so a lucky candidate does not count.
//!
//! lampshade compiles its kernels with wgpu's bounds checks. `warplaw run` compiles its kernels without them, because
//! the checks would be timed as the law's own work. Both ways are timed here, so the checks' share is visible.

use std::time::Instant;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use warplaw::bench::Profile;
use warplaw::experiments::fastest_reduction;
use warplaw::experiments::reduction::kernel::{Items, Variant, reduce};
use warplaw::gpu::{Executor, GpuError, Hardware, Options, ShaderFeature, WantedWorkers, Workload};
use warplaw::kernels::{LaunchConfig, MAX_ITERATIONS, Number};
use warplaw::model::figures;
use warplaw::report::Table;

use crate::page::{Page, device as described, median, ratio, seconds};

/// Binary logarithms of the smallest and the largest number of items.
const SIZES: [u32; 2] = [10, 26];
/// Time and number of rounds for each size.
const SECONDS: f64 = 4.0;
const ROUNDS: std::ops::RangeInclusive<usize> = 15..=150;

/// A reduction that may be chosen for a size.
struct Candidate {
    name: String,
    workload: Workload,
}

/// Returns the variants that share work among invocations, in the tuned configuration and two smaller ones.
fn candidates(
    items: &Items,
    count: u32,
    has_subgroups: bool,
    tuned: LaunchConfig,
) -> Vec<Candidate> {
    let small = LaunchConfig { workgroup_size: tuned.workgroup_size.min(64), ..tuned };
    let one = LaunchConfig { workgroups: 1, ..tuned };
    let mut all: Vec<Candidate> = Vec::new();
    for config in [tuned, small, one] {
        for variant in Variant::ALL.into_iter().filter(|variant| variant.shares()) {
            let name = format!("{}, {config}", variant.as_str());
            let within_limit = config.iterations(count) < MAX_ITERATIONS;
            let is_supported = has_subgroups || !variant.needs_subgroups();
            if within_limit && is_supported && all.iter().all(|other| other.name != name) {
                all.push(Candidate { name, workload: reduce(variant, items, count, config) });
            }
        }
    }
    all
}

/// The other crate's reduction with its own buffers.
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
        reducer.record_reduce(encoder, input, output, count, sum).expect("the peer reduces");
    }

    /// Runs the reduction once and reads its result back.
    fn answer(&mut self, device: &Hardware, count: u32) -> u32 {
        let (wgpu, queue) = device.wgpu();
        let mut encoder = wgpu.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.record(&mut encoder, count);
        let staging = wgpu.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        encoder.copy_buffer_to_buffer(&self.output, 0, &staging, 0, 4);
        queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., Result::unwrap);
        wgpu.poll(wgpu::PollType::wait_indefinitely()).expect("the device works");
        let view = staging.get_mapped_range(..).expect("the buffer is mapped");
        u32::from_le_bytes(view[..4].try_into().expect("the buffer holds four bytes"))
    }
}

/// Returns the seconds from before recording until the device is idle.
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
        running.into_iter().map(|part| part.join().expect("a sum ends")).fold(0, u32::wrapping_add)
    })
}

/// Samples of one size in seconds.
struct Timed {
    chosen: String,
    /// This crate's reduction, without and with wgpu's shader checks.
    own_s: [Vec<f64>; 2],
    peer_s: Vec<f64>,
    one_thread_s: Vec<f64>,
    all_threads_s: Vec<f64>,
}

/// One device without shader checks and one with them.
struct Devices([Hardware; 2]);

impl Devices {
    fn open() -> Result<Self, GpuError> {
        let workers = WantedWorkers::PerCore;
        let open = |checked| Hardware::open(&Options { checked, workers, ..Options::default() });
        Ok(Self([open(false)?, open(true)?]))
    }

    /// Loads the candidates on both devices and verifies every element of their outputs.
    fn load(&mut self, candidates: &[Candidate]) -> Result<(), GpuError> {
        let workloads: Vec<Workload> = candidates.iter().map(|c| c.workload.clone()).collect();
        for device in &mut self.0 {
            let refused = device.load(&workloads)?;
            assert!(refused.iter().all(Option::is_none), "{refused:?}");
            for (index, workload) in workloads.iter().enumerate() {
                device.verify(index, workload)?.unwrap_or_else(|mismatch| panic!("{mismatch}"));
            }
        }
        Ok(())
    }

    fn time(
        &mut self,
        items: &Items,
        count: u32,
        tuned: LaunchConfig,
        rng: &mut ChaCha8Rng,
    ) -> Result<Timed, GpuError> {
        let words = &items.words[..count as usize];
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let has_subgroups = self.0[0].facts().has(ShaderFeature::Subgroups);
        let candidates = candidates(items, count, has_subgroups, tuned);
        self.load(&candidates)?;
        let [unchecked, checked] = &self.0;
        let mut peer = Peer::new(unchecked, words);
        assert_eq!(peer.answer(unchecked, count), sum(words), "the peer's sum is wrong");
        assert_eq!(sum_on(threads, words), sum(words));

        // The candidates, then the chosen one with checks, the peer, and the CPU by one thread and by all.
        let own = candidates.len();
        let mut samples: Vec<Vec<f64>> = vec![Vec::new(); own + 4];
        let mut order: Vec<usize> = (0..own).chain(own + 1..own + 4).collect();
        let start = Instant::now();
        let mut chosen: Option<usize> = None;
        for round in 0..=*ROUNDS.end() {
            let spent_s = start.elapsed().as_secs_f64();
            if spent_s > SECONDS && round > *ROUNDS.start() {
                break;
            }
            let is_time = spent_s > SECONDS / 3.0 || round > ROUNDS.end() / 3;
            if chosen.is_none() && is_time && round > 5 {
                let by_median =
                    |&a: &usize, &b: &usize| median(&samples[a]).total_cmp(&median(&samples[b]));
                chosen = (0..own).min_by(by_median);
                order = chosen.into_iter().chain(own..own + 4).collect();
                samples.iter_mut().for_each(Vec::clear);
            }
            order.shuffle(rng);
            for &index in &order {
                let start = Instant::now();
                let sample_s = if index < own {
                    waited_s(unchecked, |e| unchecked.record(index, e).expect("it is loaded"))
                } else if index == own {
                    let chosen = chosen.expect("it is in the order once one is chosen");
                    waited_s(checked, |e| checked.record(chosen, e).expect("it is loaded"))
                } else if index == own + 1 {
                    waited_s(unchecked, |encoder| peer.record(encoder, count))
                } else {
                    let threads = if index == own + 2 { 1 } else { threads };
                    let total = if threads == 1 { sum(words) } else { sum_on(threads, words) };
                    std::hint::black_box(total);
                    start.elapsed().as_secs_f64()
                };
                if round > 0 {
                    samples[index].push(sample_s);
                }
            }
        }
        let chosen = chosen.expect("there are more rounds than choosing takes");
        let mut take = |index: usize| std::mem::take(&mut samples[index]);
        Ok(Timed {
            chosen: candidates[chosen].name.clone(),
            own_s: [take(chosen), take(own)],
            peer_s: take(own + 1),
            one_thread_s: take(own + 2),
            all_threads_s: take(own + 3),
        })
    }
}

/// Measures every size that a binding of this device can hold.
pub(crate) fn measure() -> Result<Page, GpuError> {
    let mut devices = Devices::open()?;
    let [smallest, largest] = SIZES;
    let largest = (devices.0[0].facts().limits.binding_bytes / 4).ilog2().min(largest);
    let items = Items::random(Number::U32, 1 << largest, 1);
    let (variant, tuned, search) =
        fastest_reduction(&mut devices.0[0], &Profile::FULL, &items, 1 << largest.min(24))?;
    println!("tuned in {:.1} s: {}, {tuned}", search.took_s, variant.as_str());
    let mut table = Table::new(&[
        "u32 items",
        "warplaw",
        "bytes read",
        "warplaw, checked",
        "lampshade",
        "lampshade / warplaw",
        "lampshade / warplaw, checked",
        "CPU, one thread",
        "CPU, all threads",
        "configuration of warplaw",
    ]);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for exponent in (smallest..largest).step_by(2).chain([largest]) {
        let count = 1u32 << exponent;
        let timed = devices.time(&items, count, tuned, &mut rng)?;
        let over = |own: &[f64]| {
            ratio(&timed.peer_s.iter().zip(own).map(|(peer, own)| peer / own).collect::<Vec<_>>())
        };
        let [unchecked, checked] = &timed.own_s;
        table.rows.push(vec![
            format!("2^{exponent}"),
            seconds(median(unchecked)),
            figures::short(f64::from(count) * 4.0 / median(unchecked), "B/s"),
            seconds(median(checked)),
            seconds(median(&timed.peer_s)),
            over(unchecked),
            over(checked),
            seconds(median(&timed.one_thread_s)),
            seconds(median(&timed.all_threads_s)),
            timed.chosen,
        ]);
        println!("{}", table.rows[table.rows.len() - 1].join("  "));
    }
    let about = vec![
        format!(
            "Sum of u32 items by this crate's best reduction and by lampshade 0.13, on the same device and input. A \
             sample covers recording, submission and the wait for completion. Figures are medians over rounds that \
             time all columns in random order. Autotuning tried {} configurations and found `{}, {tuned}`; rounds \
             that are not counted choose among its neighbours for each size. The largest size is what a binding holds.",
            search.tried.len(),
            variant.as_str(),
        ),
        "lampshade compiles its kernels with wgpu's bounds checks. warplaw compiles its own without them, because the \
         checks would be timed as the law's own work; `warplaw, checked` has them. Every output is verified first."
            .to_owned(),
    ];
    Ok(Page {
        task: "peers",
        title: "Reduction beside its peers",
        device: described(&devices.0[0]),
        about,
        tables: vec![table],
    })
}
