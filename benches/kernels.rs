//! `cargo bench --bench kernels` runs kernels of the suite under Criterion, with GPU time as the measurement.
//!
//! Criterion's baselines and reports and the tool `critcmp` work on the results. Criterion finishes each
//! benchmark before the next one, so drift of the device enters the ratios between benchmarks. The suite
//! therefore judges the laws from rounds in random order (`--bench laws`). The figures of this bench serve to
//! track one kernel over time.

use std::cell::RefCell;
use std::process::ExitCode;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{BenchmarkGroup, Criterion, PlottingBackend, Throughput};
use warplaw::experiments::reduction::kernel::{Items, Variant, reduce};
use warplaw::gpu::{Executor, Hardware, Options, Workload, prepare_environment};
use warplaw::kernels::branch_paths::BranchPaths;
use warplaw::kernels::chain::Chain;
use warplaw::kernels::empty;
use warplaw::kernels::{LaunchConfig, Number};

/// Criterion measurement of time on the clock of the GPU, in nanoseconds.
struct GpuTime;

impl Measurement for GpuTime {
    type Intermediate = ();
    type Value = f64;

    fn start(&self) -> Self::Intermediate {
        unreachable!("every benchmark uses `iter_custom`, which does not start a measurement")
    }

    fn end(&self, (): Self::Intermediate) -> Self::Value {
        unreachable!("every benchmark uses `iter_custom`, which does not start a measurement")
    }

    fn add(&self, v1: &Self::Value, v2: &Self::Value) -> Self::Value {
        v1 + v2
    }

    fn zero(&self) -> Self::Value {
        0.0
    }

    fn to_f64(&self, value: &Self::Value) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Nanoseconds
    }
}

/// Formats nanoseconds with a suitable unit.
struct Nanoseconds;

impl Nanoseconds {
    /// Returns the factor from nanoseconds to the unit, and the unit.
    fn unit(typical_ns: f64) -> (f64, &'static str) {
        match typical_ns {
            t if t < 1e3 => (1.0, "ns"),
            t if t < 1e6 => (1e-3, "µs"),
            t if t < 1e9 => (1e-6, "ms"),
            _ => (1e-9, "s"),
        }
    }
}

impl ValueFormatter for Nanoseconds {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        let (factor, unit) = Self::unit(typical);
        values.iter_mut().for_each(|value| *value *= factor);
        unit
    }

    fn scale_throughputs(
        &self,
        _typical: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str {
        let (amount, unit) = match throughput {
            Throughput::Bytes(bytes) => (*bytes as f64, "GB/s"),
            Throughput::Elements(items) => (*items as f64, "Gitem/s"),
            _ => (0.0, ""),
        };
        values.iter_mut().for_each(|ns| *ns = amount / *ns);
        unit
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        "ns"
    }
}

/// Verifies the outputs of the workload, then lets Criterion time it.
///
/// Prints a line and skips the workload if the device refuses it.
fn bench(
    group: &mut BenchmarkGroup<'_, GpuTime>,
    hardware: &RefCell<Hardware>,
    name: &str,
    workload: &Workload,
) {
    let mut device = hardware.borrow_mut();
    let refusal = device.load(std::slice::from_ref(workload)).expect("the device works").remove(0);
    if let Some(reason) = refusal {
        println!("{name} is left out: {reason}");
        return;
    }
    let verified = device.verify(0, &workload).expect("the device works");
    verified.unwrap_or_else(|mismatch| panic!("{name}: {mismatch}"));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            const MAX_SAMPLES_PER_ROUND: u64 = 64;
            let mut total_ns = 0.0;
            let (mut left, mut kept) = (iterations, 0u64);
            while left > 0 {
                let now = left.min(MAX_SAMPLES_PER_ROUND);
                let samples = device.round(&vec![0; now as usize]).expect("the device works");
                for sample_s in samples.into_iter().flatten() {
                    total_ns += sample_s * 1e9;
                    kept += 1;
                }
                left -= now;
            }
            assert!(kept > 0, "{name}: the clock gave no valid sample");
            total_ns * iterations as f64 / kept as f64
        });
    });
}

/// Builds a workload whose lanes choose between `paths` branch paths, interleaved.
fn branch(paths: u32) -> Workload {
    let selectors = (0..64).map(|lane| lane % paths).collect();
    BranchPaths {
        workgroup_size: 64,
        workgroups: 64,
        repeats: 1,
        iterations: 256,
        paths: 32,
        selectors,
        seed: 1,
    }
    .workload()
}

fn kernels(criterion: &mut Criterion<GpuTime>, hardware: &RefCell<Hardware>) {
    let mut group = criterion.benchmark_group("divergence");
    for paths in [1, 2, 4, 32] {
        bench(&mut group, hardware, &format!("{paths}_paths"), &branch(paths));
    }
    group.finish();

    let mut group = criterion.benchmark_group("batching");
    let chain = |workgroups| {
        Chain { workgroup_size: 64, active: 64, iterations: 32, workgroups, seed: 1 }.workload()
    };
    bench(&mut group, hardware, "empty_dispatch", &empty::workload(1));
    bench(&mut group, hardware, "one_dispatch_of_64_workgroups", &chain(64));
    let unbatched = chain(1).repeated(64);
    bench(&mut group, hardware, "64_dispatches_of_one_workgroup", &unbatched);
    group.finish();

    const COUNT: u32 = 1 << 20;
    let items = Items::random(Number::U32, COUNT, 1);
    let mut group = criterion.benchmark_group("reduction_of_2^20_u32");
    group.throughput(Throughput::Bytes(u64::from(COUNT) * 4));
    for variant in [
        Variant::AtomicPerItem,
        Variant::SubgroupThenAtomic,
        Variant::TreeSequential,
        Variant::SinglePass,
        Variant::SubgroupSinglePass,
    ] {
        let workload = reduce(variant, &items, COUNT, LaunchConfig::strided(1024));
        bench(&mut group, hardware, variant.as_str(), &workload);
    }
    group.finish();
}

fn main() -> ExitCode {
    prepare_environment();
    let hardware = match Hardware::open(&Options::default()) {
        Ok(hardware) => RefCell::new(hardware),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let mut criterion = Criterion::default()
        .with_measurement(GpuTime)
        .plotting_backend(PlottingBackend::Plotters)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
        .configure_from_args();
    kernels(&mut criterion, &hardware);
    criterion.final_summary();
    ExitCode::SUCCESS
}
