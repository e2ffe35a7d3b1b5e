//! Where and how documents and texts go, and where records come from.

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

/// Columns of the terminal that reads standard output; none where that is a file or a pipe.
pub(super) fn terminal_width() -> Option<u16> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(width.0)
}

/// For who reads standard output: as wide, and in colours where that is wished.
pub(super) fn terminal() -> Format {
    let choice = AutoStream::choice(&std::io::stdout());
    Format::Terminal { width: terminal_width(), color: choice != ColorChoice::Never }
}

pub(super) type Records = Vec<(String, Record)>;

/// Reads every record.
pub(super) fn read_all(paths: &[PathBuf]) -> Result<Records, CliError> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), model::read(path)?));
    paths.iter().map(read).collect()
}

/// The same as reports want them.
pub(super) fn named(records: &Records) -> Vec<Named<'_>> {
    records.iter().map(|(path, record)| Named { path, record }).collect()
}

/// Where and how a document goes.
#[derive(Debug, clap::Args)]
pub(super) struct Output {
    /// How to write it
    #[arg(long, value_enum, default_value = "terminal")]
    pub(super) format: FormatArgument,
    /// Write here instead of to the terminal
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

impl Output {
    /// Writes the document; a file ends with the command that makes it again.
    pub(super) fn write(
        &self,
        mut document: Document,
        command: &str,
        records: &[PathBuf],
    ) -> Result<(), CliError> {
        if let Some(path) = &self.out {
            let value = self.format.to_possible_value().expect("no format is hidden");
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

    /// The document as it is to be written.
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

    /// Writes the text where it is to go.
    pub(super) fn put(&self, text: &str) -> Result<(), CliError> {
        match &self.out {
            Some(path) => write_text(path, text),
            None => print_text(text),
        }
    }
}

pub(super) fn write_text(path: &Path, text: &str) -> Result<(), CliError> {
    write_whole(path, text.as_bytes()).map_err(|error| CliError::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

/// Prints. A reader that has had enough (`warplaw … | head`) is no error.
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
