//! Reads records, and writes documents to the terminal or to a file.

use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

use super::error::CliError;
use crate::model::{self, Record, write_whole};
use crate::report::{Document, Format, Named, render};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArgument {
    Terminal,
    Markdown,
    Csv,
    Html,
}

/// Returns the width of the terminal in columns, or what `COLUMNS` says where standard output is no terminal.
pub(super) fn terminal_width() -> Option<u16> {
    let Some((width, _)) = terminal_size::terminal_size_of(std::io::stdout()) else {
        return std::env::var("COLUMNS").ok()?.parse().ok().filter(|&columns| columns > 0);
    };
    Some(width.0)
}

/// Returns the format for standard output: the width of the terminal, and colours unless they are disabled.
pub(super) fn terminal() -> Format {
    let choice = AutoStream::choice(&std::io::stdout());
    Format::Terminal { width: terminal_width(), color: choice != ColorChoice::Never }
}

/// Records with the paths from which they were read.
pub(super) type Records = Vec<(String, Record)>;

/// Reads the records at `paths`, in order.
pub(super) fn read_all(paths: &[PathBuf]) -> Result<Records, CliError> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), model::read(path)?));
    paths.iter().map(read).collect()
}

/// Returns references to the records in the form that [`crate::report`] takes.
pub(super) fn named(records: &Records) -> Vec<Named<'_>> {
    records.iter().map(|(path, record)| Named { path, record }).collect()
}

/// Arguments for the format and the destination of a document.
#[derive(Debug, clap::Args)]
pub(super) struct Output {
    /// Output format
    #[arg(long, value_enum, default_value = "terminal")]
    pub(super) format: FormatArgument,
    /// Write to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

impl Output {
    /// Writes the document. A document in a file ends with the command that generates it.
    ///
    /// `command` is the subcommand with its arguments, and `records` are the paths that follow.
    pub(super) fn write(
        &self,
        mut document: Document,
        command: &str,
        records: &[PathBuf],
    ) -> Result<(), CliError> {
        if let Some(path) = &self.out {
            let value = self.format.to_possible_value().expect("every format has a name");
            let records: String =
                records.iter().map(|record| format!(" {}", record.display())).collect();
            document.push_maker(&format!(
                "warplaw {command}{records} --format {} --out {}",
                value.get_name(),
                path.display()
            ));
        }
        self.put(&self.text(&document))
    }

    /// Renders the document in the format of the arguments.
    pub(super) fn text(&self, document: &Document) -> String {
        let format = match self.format {
            FormatArgument::Terminal if self.out.is_some() => {
                Format::Terminal { width: None, color: false }
            }
            FormatArgument::Terminal => terminal(),
            FormatArgument::Markdown => Format::Markdown,
            FormatArgument::Csv => Format::Csv,
            FormatArgument::Html => Format::Html,
        };
        render(document, format)
    }

    /// Writes the text to the file of `--out`, or to standard output.
    pub(super) fn put(&self, text: &str) -> Result<(), CliError> {
        match &self.out {
            Some(path) => write_text(path, text),
            None => print_text(text),
        }
    }
}

/// Writes `text` to the file `path`, completely or not at all.
pub(super) fn write_text(path: &Path, text: &str) -> Result<(), CliError> {
    write_whole(path, text.as_bytes()).map_err(|error| CliError::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

/// Prints `text` on standard output.
///
/// A closed pipe is not an error, because a reader such as `head` may stop early.
pub(super) fn print_text(text: &str) -> Result<(), CliError> {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Unwritable {
            path: "standard output".to_owned(),
            reason: error.to_string(),
        }),
        _ => Ok(()),
    }
}
