//! The page of a task: what was measured, on what, and the figures.

use std::path::Path;
use std::process::ExitCode;

use warplaw::gpu::{Executor, Hardware};
use warplaw::model::{Interval, Machine, figures, write_whole};
use warplaw::report::{Document, Format, Table, render};
use warplaw::stats;

/// What a task measured.
pub(crate) struct Page {
    /// The task's name on the command line.
    pub(crate) task: &'static str,
    pub(crate) title: &'static str,
    /// Name, backend and driver of the device, where one was measured.
    pub(crate) device: Option<String>,
    /// What was done, one paragraph each.
    pub(crate) about: Vec<String>,
    pub(crate) tables: Vec<Table>,
}

impl Page {
    /// Prints the page and writes it to `xtask/results/<task>.md`.
    pub(crate) fn keep(&self) -> ExitCode {
        let document = self.document();
        println!(
            "{}",
            render(&document, Format::Terminal { width: None, color: false, ascii: false })
        );
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(format!("{}.md", self.task));
        match write_whole(&path, render(&document, Format::Markdown).as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: cannot write `{}`: {error}", path.display());
                ExitCode::from(2)
            }
        }
    }

    fn document(&self) -> Document {
        let mut document = Document::default();
        document.heading(1, self.title);
        self.about.iter().for_each(|paragraph| document.text(paragraph));
        self.tables.iter().for_each(|table| document.table(table.clone()));
        let host = Machine::here();
        let device = self.device.as_ref().map_or(String::new(), |device| format!("{device}. "));
        document.text(format!(
            "{device}{}, {} cores, {}. Measured on {} by `cargo xtask {}`, {}.",
            host.cpu.as_deref().unwrap_or("Unnamed processor"),
            host.cores,
            host.os,
            jiff::Timestamp::now().strftime("%Y-%m-%d"),
            self.task,
            warplaw::version()
        ));
        document
    }
}

/// Returns the name, backend and driver of the device.
pub(crate) fn device(device: &Hardware) -> Option<String> {
    let facts = device.facts();
    Some(format!("{} through {}, {}", facts.name, facts.backend, facts.driver_info))
}

/// Formats a time.
pub(crate) fn seconds(s: f64) -> String {
    figures::short(s, "s")
}

/// Formats the median of ratios that were measured side by side, with its 95 % interval.
pub(crate) fn ratio(ratios: &[f64]) -> String {
    let number = |value: f64| figures::short(value, "");
    match stats::median_interval(ratios) {
        Some(Interval { lo, hi }) => {
            format!("{} [{}, {}]", number(median(ratios)), number(lo), number(hi))
        }
        None => number(median(ratios)),
    }
}

/// Returns the median, NaN for no values.
pub(crate) fn median(values: &[f64]) -> f64 {
    stats::median(values).unwrap_or(f64::NAN)
}
