//! Runs one experiment on a `wgpu::Device` that this program opened itself.
//!
//! `cargo run --release --example one_experiment`

use std::error::Error;
use std::sync::atomic::AtomicBool;

use warplaw::bench::{Profile, Session, run};
use warplaw::experiments::find;
use warplaw::gpu::{Hardware, prepare_environment};

fn main() -> Result<(), Box<dyn Error>> {
    // Some drivers read their environment when they are loaded, so this comes first.
    prepare_environment();
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..wgpu::RequestAdapterOptions::default()
    }))?;
    // The features are optional. Without timestamps warplaw uses the host's clock.
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: adapter.features() & Hardware::OPTIONAL_FEATURES,
        required_limits: adapter.limits(),
        ..wgpu::DeviceDescriptor::default()
    }))?;

    let hardware = Hardware::from_device(&adapter, device, queue);
    let mut session = Session::open(Box::new(hardware), Profile::QUICK, 1)?;
    let divergence = find("divergence").expect("the registry has it");
    let stop = AtomicBool::new(false);
    let outcome = run(&mut session, divergence, &stop, &mut |progress| {
        eprint!("\r{:3.0} %", 100.0 * progress.done);
    })?;

    println!("\r{}: {}", outcome.id, outcome.as_str());
    for metric in outcome.metrics.iter().filter(|metric| metric.headline) {
        println!("{}: {}", metric.label, warplaw::model::figures::metric_with_interval(metric));
    }
    for text in &outcome.diagnosis {
        println!("- {text}");
    }
    Ok(())
}
