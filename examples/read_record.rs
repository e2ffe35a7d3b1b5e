//! Reads a record, judges it again from its points, and prints its headline figures. Needs no GPU.
//!
//! `cargo run --release --example read_record -- FILE`

use std::error::Error;
use std::path::Path;

use warplaw::model::{figures, read};
use warplaw::report::Judgement;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: read_record FILE")?;
    let record = read(Path::new(&path))?;
    println!("{} through {}, {}", record.adapter.name, record.adapter.backend, record.started_at);
    for experiment in &record.experiments {
        println!("{}: {}", experiment.id, experiment.as_str());
        for metric in experiment.metrics.iter().filter(|metric| metric.headline) {
            println!("    {}: {}", metric.label, figures::metric_with_interval(metric));
        }
    }
    println!("all together: {:?}", Judgement::of(&record));
    Ok(())
}
