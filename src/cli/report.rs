//! `warplaw report`: shows all results of records.

use std::path::PathBuf;
use std::process::ExitCode;

use super::error::CliError;
use super::input::{Only, for_each, read_all};
use super::output::{Output, json};
use crate::model::{Record, Schema};
use crate::report::{self, Document, Export, Format, render_foot, render_head, render_part};

#[derive(Debug, clap::Args)]
pub(super) struct ReportArguments {
    /// Records to show, or folders with records, or `-` for standard input
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    /// Write the metrics for a service that tracks benchmarks over time
    #[arg(long, value_enum, value_name = "SERVICE", conflicts_with = "format")]
    export: Option<ExportArgument>,
    /// Show only these experiments, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ExportArgument {
    /// github-action-benchmark, tool customSmallerIsBetter: metrics of which less is better
    GithubSmaller,
    /// github-action-benchmark, tool customBiggerIsBetter: metrics of which more is better
    GithubBigger,
    /// Bencher Metric Format: all metrics with a better direction
    Bencher,
}

impl From<ExportArgument> for Export {
    fn from(export: ExportArgument) -> Self {
        match export {
            ExportArgument::GithubSmaller => Self::GithubSmaller,
            ExportArgument::GithubBigger => Self::GithubBigger,
            ExportArgument::Bencher => Self::Bencher,
        }
    }
}

/// Writes the reports one after another. CSV contains one row per point instead, and JSON all results without the raw
/// samples.
///
/// # Errors
/// Returns an error if a record cannot be read or the report cannot be written.
pub(super) fn report(arguments: &ReportArguments) -> Result<ExitCode, CliError> {
    let ReportArguments { records, output, .. } = arguments;
    output.check_inputs(records)?;
    if let Some(format) = arguments.export {
        let read = read_all(records, &arguments.only)?.into_iter();
        let read: Vec<Record> = read.map(|(_, record)| record).collect();
        output.put(&report::export(&read, format.into()))?;
        return Ok(ExitCode::SUCCESS);
    }
    match output.document_format() {
        None => write(arguments, &json_list())?,
        Some(Format::Csv) => write(arguments, &table())?,
        Some(format) => write(arguments, &pages(format, output.maker("report", records)))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The text of the report, whose parts are made and written one after another.
struct Text<'a> {
    /// The beginning, which is the same for all records: the names of the columns, for example.
    start: String,
    /// What follows the beginning, from the title of the first part.
    head: Box<dyn Fn(&str) -> String + 'a>,
    /// Makes the title and the text of the part of a record, from its number and the record.
    part: Box<dyn Fn(usize, Record) -> (String, String) + Sync + 'a>,
    /// What is between two parts.
    between: &'static str,
    /// What follows the last part.
    foot: String,
}

/// Writes the text for the records that the arguments name.
fn write(arguments: &ReportArguments, text: &Text<'_>) -> Result<(), CliError> {
    let only = Only::new(&arguments.only);
    let mut sink = arguments.output.open(&text.start)?;
    let mut is_first = true;
    let mut held = Vec::new();
    let make = &text.part;
    let part = |number, _, record| make(number, only.of(record));
    for_each(&arguments.records, part, |titled| {
        held.push(titled);
        // Nothing is written before it is known that `--only` names experiments.
        if !only.knows_all() {
            return Ok(());
        }
        for (title, part) in held.drain(..) {
            if std::mem::take(&mut is_first) {
                sink.put(&text.start)?;
                sink.put(&(text.head)(&title))?;
            } else {
                sink.put(text.between)?;
            }
            sink.put(&part)?;
        }
        Ok(())
    })?;
    only.check()?;
    sink.put(&text.foot)?;
    sink.finish()
}

/// Returns the reports as pages in one document. The document ends with the command `maker` that makes it, if any.
fn pages<'a>(format: Format, maker: Option<String>) -> Text<'a> {
    let made = maker.map(|maker| {
        let mut document = Document::default();
        document.push_maker(&maker);
        render_part(&document, format, usize::MAX)
    });
    Text {
        start: String::new(),
        head: Box::new(move |title| render_head(title, format)),
        part: Box::new(move |number, record| {
            let document = match format {
                Format::Terminal { .. } => report::terminal_report(&record),
                _ => report::report(&record),
            };
            (document.title().to_owned(), render_part(&document, format, number))
        }),
        between: "",
        foot: made.unwrap_or_default() + render_foot(format),
    }
}

/// Returns the table of all points as comma-separated values.
fn table<'a>() -> Text<'a> {
    let rows = |records: &[Record], part| render_part(&report::points(records), Format::Csv, part);
    Text {
        start: rows(&[], 1),
        head: Box::new(|_| String::new()),
        part: Box::new(move |_, record| (String::new(), rows(&[record], 2))),
        between: "",
        foot: String::new(),
    }
}

/// Returns an object with the list of all results.
fn json_list<'a>() -> Text<'a> {
    let indented = |value: String, by: &str| value.trim_end().replace('\n', &format!("\n{by}"));
    let schema = indented(json(&Schema::new("warplaw-report", "1.0.0")), "  ");
    Text {
        start: format!("{{\n  \"schema\": {schema},\n  \"records\": ["),
        head: Box::new(|_| "\n    ".to_owned()),
        part: Box::new(move |_, record| {
            (String::new(), indented(json(&report::judged(record)), "    "))
        }),
        between: ",\n    ",
        foot: "\n  ]\n}\n".to_owned(),
    }
}
