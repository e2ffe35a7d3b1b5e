//! Writes documents to the terminal or to a file.

use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

use super::error::CliError;
use crate::model::{WholeFile, to_ascii, write_whole};
use crate::report::{Document, Format, render};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArgument {
    Terminal,
    Markdown,
    Csv,
    Json,
    Html,
}

/// Width of text in columns where nothing tells the width.
const USUAL_WIDTH: u16 = 100;

/// Returns the width of the terminal in columns, or where standard output is no terminal, what `COLUMNS` says.
pub(super) fn terminal_width() -> u16 {
    let of_terminal = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0);
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    of_terminal.or_else(columns).filter(|&width| width > 0).unwrap_or(USUAL_WIDTH)
}

/// Whether text contains ASCII characters only.
static ASCII: OnceLock<bool> = OnceLock::new();

/// Makes all text ASCII from now on, whatever the locale.
pub(super) fn force_ascii() {
    let _already_decided = ASCII.set(true);
}

fn is_ascii() -> bool {
    *ASCII.get_or_init(|| !cfg!(windows) && !is_utf_8(|name| std::env::var(name).ok()))
}

/// Returns whether the locale, as the environment describes it, has the encoding UTF-8.
fn is_utf_8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default();
    let locale = locale.to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Returns the format for standard output: the width of the terminal, and colours unless they are disabled.
pub(super) fn terminal() -> Format {
    terminal_with(AutoStream::choice(&std::io::stdout()) != ColorChoice::Never)
}

fn terminal_with(color: bool) -> Format {
    Format::Terminal { width: Some(terminal_width()), color, ascii: is_ascii() }
}

/// Arguments for the format and the destination of a document.
#[derive(Debug, clap::Args)]
pub(super) struct Output {
    /// Output format
    #[arg(long, value_enum, default_value = "terminal")]
    pub(super) format: FormatArgument,
    /// Write to FILE instead of standard output, which is also `-`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace FILE even if it is no page of warplaw
    #[arg(long, requires = "out")]
    force: bool,
}

/// What a command shows, in the forms that the formats need. Only the needed form is made.
pub(super) struct Forms<'a> {
    /// For people: the page of the formats terminal, Markdown and HTML.
    pub(super) page: Box<dyn FnOnce() -> Document + 'a>,
    /// For spreadsheets: a table with one value per cell, and numbers without units.
    pub(super) table: Box<dyn FnOnce() -> Document + 'a>,
    /// For programs: JSON.
    pub(super) json: Box<dyn FnOnce() -> String + 'a>,
}

impl Output {
    /// Checks that the output replaces none of the records that it is made from.
    ///
    /// # Errors
    /// Returns an error if `--out` is one of the inputs.
    pub(super) fn check_inputs(&self, inputs: &[PathBuf]) -> Result<(), CliError> {
        let Some(out) = self.file().and_then(|out| out.canonicalize().ok()) else {
            return Ok(());
        };
        let is_out = |input: &&PathBuf| input.canonicalize().is_ok_and(|input| input == out);
        match inputs.iter().find(is_out) {
            Some(input) => Err(CliError::OutputIsInput { path: input.display().to_string() }),
            None => Ok(()),
        }
    }

    /// Returns the file of `--out`.
    fn file(&self) -> Option<&Path> {
        self.out.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// Returns the format of a document. Only programs read JSON, which is none.
    pub(super) fn document_format(&self) -> Option<Format> {
        match self.format {
            FormatArgument::Json => None,
            FormatArgument::Csv => Some(Format::Csv),
            FormatArgument::Terminal if self.file().is_some() => Some(terminal_with(false)),
            FormatArgument::Terminal => Some(terminal()),
            FormatArgument::Markdown => Some(Format::Markdown),
            FormatArgument::Html => Some(Format::Html),
        }
    }

    /// Writes the form that the format needs. A page in a file ends with the command that generates it.
    ///
    /// `command` is the subcommand with its arguments, and `records` are the paths that follow.
    pub(super) fn write(
        &self,
        forms: Forms<'_>,
        command: &str,
        records: &[PathBuf],
    ) -> Result<(), CliError> {
        let Forms { page, table, json } = forms;
        let Some(format) = self.document_format() else { return self.put(&json()) };
        drop(json);
        if format == Format::Csv {
            drop(page);
            return self.put(&render(&table(), format));
        }
        drop(table);
        let mut document = page();
        if let Some(maker) = self.maker(command, records) {
            document.push_maker(&maker);
        }
        self.put(&render(&document, format))
    }

    /// Returns the command that makes the page, if it goes to a file.
    pub(super) fn maker(&self, command: &str, records: &[PathBuf]) -> Option<String> {
        let path = self.file()?;
        let value = self.format.to_possible_value().expect("every format has a name");
        let records: String = records.iter().map(|path| format!(" {}", quoted(path))).collect();
        Some(format!(
            "warplaw {command}{records} --format {} --out {}",
            value.get_name(),
            quoted(path)
        ))
    }

    /// Writes the text to the file of `--out`, or to standard output.
    pub(super) fn put(&self, text: &str) -> Result<(), CliError> {
        let mut sink = self.open(text)?;
        sink.put(text)?;
        sink.finish()
    }

    /// Returns the file of `--out`, or standard output, for a text that begins with `start`. CSV may replace a file
    /// with the same first line.
    ///
    /// # Errors
    /// Returns an error if the file exists and is not to be replaced.
    pub(super) fn open(&self, start: &str) -> Result<Sink<'_>, CliError> {
        let Some(path) = self.file() else { return Ok(Sink::StandardOutput) };
        if !self.force {
            let is_csv = self.format == FormatArgument::Csv;
            check_replaceable(path, is_csv.then_some(start))?;
        }
        Ok(Sink::File(None, path))
    }
}

/// Where a command writes its text, piece by piece.
pub(super) enum Sink<'a> {
    /// A file, once there is something to write.
    File(Option<BufWriter<WholeFile>>, &'a Path),
    StandardOutput,
}

impl Sink<'_> {
    pub(super) fn put(&mut self, text: &str) -> Result<(), CliError> {
        match self {
            Self::File(file, path) => {
                let opened = match file.take() {
                    Some(file) => Ok(file),
                    None => WholeFile::create(path).map(BufWriter::new),
                };
                let file = opened.map(|opened| file.insert(opened));
                file.and_then(|file| file.write_all(text.as_bytes()))
                    .map_err(|error| unwritable(path, &error))
            }
            Self::StandardOutput => print(text),
        }
    }

    /// Puts a complete file in its place.
    pub(super) fn finish(self) -> Result<(), CliError> {
        let Self::File(Some(file), path) = self else { return Ok(()) };
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error);
        file.and_then(WholeFile::finish).map_err(|error| unwritable(path, &error))
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::Unwritable { path: path.display().to_string(), reason: error.to_string() }
}

/// Checks that the file `path` is missing, or a page that warplaw made and may replace.
///
/// Pages end with the command that made them. A table of comma-separated values, `csv`, may replace one with the same
/// columns.
///
/// # Errors
/// Returns an error if the file is anything else.
pub(super) fn check_replaceable(path: &Path, csv: Option<&str>) -> Result<(), CliError> {
    let Ok(metadata) = path.metadata() else { return Ok(()) };
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(()); // a pipe or a device; a folder is an error of the write
    }
    let existing = std::fs::read(path).unwrap_or_default();
    let existing = String::from_utf8_lossy(&existing);
    let is_record = existing.starts_with(RECORD);
    let is_page = !is_record && MAKERS.iter().any(|maker| existing.contains(maker));
    let is_picture = existing.starts_with("<svg ") && existing.contains("class=\"plot\"");
    let has_columns = csv.is_some_and(|csv| csv.lines().next() == existing.lines().next());
    if is_page || is_picture || has_columns {
        Ok(())
    } else {
        Err(CliError::Exists { path: path.display().to_string() })
    }
}

/// How the last line of a page begins, and how JSON names its schema.
const MAKERS: [&str; 3] =
    ["Made by `warplaw ", "Made by <code>warplaw ", "\"schema\": {\n    \"name\": \"warplaw-"];

/// How a record begins, which is measured and cannot be made again.
const RECORD: &str = "{\n  \"schema\": {\n    \"name\": \"warplaw-record\"";

/// Returns a path as it is typed on a command line: quoted for the shell of this system if it needs quotes.
pub(super) fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    if cfg!(windows) {
        // A path on Windows contains no double quote. Both shells of Windows take double quotes.
        let is_simple = |c: char| c.is_alphanumeric() || "\\/:._-+~".contains(c);
        return if path.chars().all(is_simple) { path } else { format!("\"{path}\"") };
    }
    shlex::try_quote(&path).map_or_else(|_| path.clone(), std::borrow::Cow::into_owned)
}

/// Writes `text` to the file `path`, unless it exists and `is_replaceable` says of its text that it must stay.
///
/// # Errors
/// Returns an error if the file exists and stays, or if it cannot be written.
pub(super) fn write_new(
    path: &Path,
    text: &str,
    is_replaceable: impl Fn(&str) -> bool,
) -> Result<(), CliError> {
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
    if is_file && !std::fs::read_to_string(path).is_ok_and(|old| is_replaceable(&old)) {
        return Err(CliError::Kept { path: path.display().to_string() });
    }
    write_text(path, text)
}

/// Writes `text` to the file `path`, completely or not at all.
pub(super) fn write_text(path: &Path, text: &str) -> Result<(), CliError> {
    write_whole(path, text.as_bytes()).map_err(|error| unwritable(path, &error))
}

/// Prints a line on standard error. It does not matter whether anybody reads it.
pub(super) fn say(line: &str) {
    let line = if is_ascii() { to_ascii(line) } else { line.to_owned() };
    let _unread = writeln!(std::io::stderr().lock(), "{line}");
}

/// Returns a value as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("the value has only JSON types") + "\n"
}

/// Prints text for people on standard output, in ASCII where the locale needs that.
pub(super) fn print_text(text: &str) -> Result<(), CliError> {
    if is_ascii() { print(&to_ascii(text)) } else { print(text) }
}

/// Prints `text` on standard output as it is.
///
/// A closed pipe is not an error, because a reader such as `head` may stop early.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(unwritable(Path::new("standard output"), &error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_tells_the_encoding() {
        let is_utf_8_with = |pairs: &[(&str, &str)]| {
            is_utf_8(|name| {
                let pair = pairs.iter().find(|(known, _)| *known == name);
                pair.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(is_utf_8_with(&[("LANG", "de_DE.UTF-8")]));
        assert!(is_utf_8_with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("LANG", "C")]));
        assert!(!is_utf_8_with(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]));
        assert!(!is_utf_8_with(&[("LANG", "de_DE.ISO-8859-1")]));
        assert!(!is_utf_8_with(&[]));
    }

    #[test]
    fn a_path_is_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quoted(Path::new("results/a-b_1.json")), "results/a-b_1.json");
        if cfg!(unix) {
            assert_eq!(quoted(Path::new("my records/a.json")), "'my records/a.json'");
            assert_eq!(quoted(Path::new("it's.json")), "\"it's.json\"");
            assert_eq!(quoted(Path::new("$HOME;x")), "'$HOME;x'");
        }
    }
}
