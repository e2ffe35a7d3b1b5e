//! The records that a user names: files, folders, patterns, or standard input.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::output::say;
use crate::model::{self, MAX_BYTES, Record, RecordError, plain};
use crate::report::Named;

/// Records with the paths from which they were read.
pub(super) type Records = Vec<(String, Record)>;

/// Folder levels that are searched for records: the folder itself, and one subfolder per device.
const DEPTH: u32 = 2;

/// Returns references to the records in the form that [`crate::report`] takes.
pub(super) fn named(records: &Records) -> Vec<Named<'_>> {
    records.iter().map(|(path, record)| Named { path, record }).collect()
}

/// Reads the records at `paths`, in order.
///
/// A path is a file, a folder with records, a pattern such as `results/*/*.json`, or `-` for standard input. In a
/// folder, and among the files of a pattern, what is no record is skipped with one line on standard error.
///
/// # Errors
/// Returns an error if a named file is no record, or if there is no record at all.
pub(super) fn read_all(paths: &[PathBuf]) -> Result<Records, CliError> {
    let mut records = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            records.push(read_standard_input()?);
            continue;
        }
        let found = if path.is_dir() {
            read_folder(path)?
        } else if let Some(files) = matches(path) {
            readable(files)
        } else {
            vec![(path.clone(), model::read(path)?)]
        };
        records.extend(found.into_iter().map(|(path, record)| (shown(&path), record)));
    }
    if records.is_empty() && !paths.is_empty() {
        return Err(CliError::NoRecords { place: shown(&paths[0]) });
    }
    Ok(records)
}

/// Keeps only the experiments with these ids, in the order of the records. Without any id, all are kept.
///
/// # Errors
/// Returns an error if no record has an experiment of one of the ids.
pub(super) fn only(mut records: Records, ids: &[String]) -> Result<Records, CliError> {
    if ids.is_empty() {
        return Ok(records);
    }
    let known = || records.iter().flat_map(|(_, record)| &record.experiments).map(|e| &e.id);
    if let Some(unknown) = ids.iter().find(|id| !known().any(|known| known == *id)) {
        let mut known: Vec<&str> = known().map(String::as_str).collect();
        let mut seen = std::collections::BTreeSet::new();
        known.retain(|id| seen.insert(*id));
        return Err(CliError::UnknownExperiment { name: unknown.clone(), known: known.join(", ") });
    }
    for (_, record) in &mut records {
        record.experiments.retain(|experiment| ids.contains(&experiment.id));
    }
    Ok(records)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Reads the record on standard input.
fn read_standard_input() -> Result<(String, Record), CliError> {
    const NAME: &str = "standard input";
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| RecordError::unreadable(Path::new(NAME), &error))?;
    Ok((NAME.to_owned(), model::parse(NAME, &bytes)?))
}

/// Reads all records in `folder` and its immediate subfolders, in the order of their paths.
///
/// # Errors
/// Returns an error if the folder cannot be listed.
pub(super) fn read_folder(folder: &Path) -> Result<Vec<(PathBuf, Record)>, CliError> {
    let mut files = Vec::new();
    find(folder, DEPTH, &mut files)?;
    files.sort();
    Ok(readable(files))
}

/// Reads the records among `files`. Says in one line which file is skipped, and why.
fn readable(files: Vec<PathBuf>) -> Vec<(PathBuf, Record)> {
    let read = |path: PathBuf| match model::read(&path) {
        Ok(record) => Some((path, record)),
        Err(error) => {
            say(&format!("skipped: {}", plain(&error.to_string())));
            None
        }
    };
    files.into_iter().filter_map(read).collect()
}

/// Endings of the names of files that may contain a record.
const ENDINGS: [&str; 3] = [".json", ".json.gz", ".json.zst"];

/// Adds the files of `folder` that may contain a record to `found`, and those of its subfolders if `depth` is above 1.
fn find(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let unreadable = |error| RecordError::unreadable(folder, &error);
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if depth > 1
                && let Err(error) = find(&path, depth - 1, found)
            {
                say(&format!("skipped: {}", plain(&error.to_string())));
            }
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    Ok(())
}

/// Returns the files that match a pattern, which some shells leave to the program; `None` if `path` is no pattern or
/// matches nothing.
fn matches(path: &Path) -> Option<Vec<PathBuf>> {
    let pattern = path.to_str().filter(|text| text.contains(['*', '?', '[']) && !path.exists())?;
    let files: Vec<PathBuf> =
        glob::glob(pattern).ok()?.flatten().filter(|path| path.is_file()).collect();
    (!files.is_empty()).then_some(files)
}
