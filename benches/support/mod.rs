//! What the benches of warplaw's own performance share: where figures go, and how they are written.

// Each bench uses its own part of this.
#![allow(
    dead_code,
    reason = "every bench is a crate of its own and uses a part of what they share"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use warplaw::cli::{CliError, make_gallery, report_error};
use warplaw::gpu::{Executor, Hardware};
use warplaw::model::{Figures, Machine, Performance};
use warplaw::report::figures::short;
use warplaw::report::{self, Format, Interval, render};
use warplaw::stats;

/// What a bench says of itself, before it has figures.
pub(crate) fn performance(bench: &str, title: &str, about: &[String]) -> Performance {
    let revision = option_env!("WARPLAW_GIT_REV").and_then(|revision| revision.get(..9));
    let changed = option_env!("WARPLAW_GIT_DIRTY").is_some_and(|dirty| dirty == "true");
    let changed = if changed { ", with changes" } else { "" };
    let version = env!("CARGO_PKG_VERSION");
    Performance {
        schema: Performance::schema(),
        title: title.to_owned(),
        made_by: format!("cargo bench --bench {bench}"),
        started_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        version: revision.map_or(version.to_owned(), |r| format!("{version} ({r}{changed})")),
        machine: Machine::here(),
        adapter: None,
        about: about.to_vec(),
        tables: Vec::new(),
    }
}

/// The device in words.
pub(crate) fn adapter(device: &Hardware) -> Option<String> {
    let facts = device.facts();
    Some(format!("{} through {} {}", facts.name, facts.backend, facts.driver_info))
}

/// Prints the figures, and puts them among the results with the pages made anew.
pub(crate) fn keep(bench: &str, performance: &Performance) -> ExitCode {
    let plain = Format::Terminal { width: None, color: false };
    println!("{}", render(&report::performance(performance), plain));
    let results = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results");
    let path = results.join(Performance::FOLDER).join(format!("{bench}.json"));
    let kept = performance.write(&path).map_err(CliError::from);
    report_error(kept.and_then(|()| make_gallery(&results)))
}

/// A table with the given heads.
pub(crate) fn table(columns: &[&str]) -> Figures {
    Figures { columns: columns.iter().map(|&c| c.to_owned()).collect(), rows: Vec::new() }
}

/// A time in words.
pub(crate) fn seconds(s: f64) -> String {
    short(s, "s")
}

/// A ratio with its interval, from ratios that were measured side by side.
pub(crate) fn ratio(ratios: &[f64]) -> String {
    let median = stats::median(ratios).unwrap_or(f64::NAN);
    match stats::median_interval(ratios) {
        Some(Interval { lo, hi }) => {
            format!("{} [{}, {}]", short(median, ""), short(lo, ""), short(hi, ""))
        }
        None => short(median, ""),
    }
}

/// The median.
pub(crate) fn median(values: &[f64]) -> f64 {
    stats::median(values).unwrap_or(f64::NAN)
}
