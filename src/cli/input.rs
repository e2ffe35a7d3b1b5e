//! The records that a user names: files, folders, patterns, or standard input.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;

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

/// Where a record is, or may be.
enum Source {
    /// A file that the user named.
    Named(PathBuf),
    /// A file in a folder or of a pattern, which may be no record.
    Found(PathBuf),
    StandardInput,
}

/// Files in a batch for each thread. It bounds the memory.
const FILES_PER_THREAD: usize = 4;

/// Reads the records at `paths` and calls `each` with each of them, in several threads. Then calls `then` with each
/// result, in order.
///
/// A path is a file, a folder with records, a pattern such as `results/*/*.json`, or `-` for standard input. In a
/// folder, and among the files of a pattern, what is no record is skipped with one line on standard error. `each` gets
/// the number of the record, counted from 1, its path and the record. A batch of records is in memory at a time.
///
/// # Errors
/// Returns an error if a named file is no record, if there is no record at all, or if `then` returns one. The records
/// of earlier batches were passed on then.
pub(super) fn for_each<T: Send>(
    paths: &[PathBuf],
    each: impl Fn(usize, String, Record) -> T + Sync,
    mut then: impl FnMut(T) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut count = 0;
    for batch in find_all(paths)?.chunks(FILES_PER_THREAD * rayon::current_num_threads()) {
        let read: Vec<_> = batch.par_iter().map(Source::read).collect();
        let mut records = Vec::new();
        for (source, result) in batch.iter().zip(read) {
            match (result, source) {
                (Ok((path, record)), _) => {
                    count += 1;
                    records.push((count, path, record));
                }
                (Err(error), Source::Found(_)) => skip(&error),
                (Err(error), _) => return Err(error.into()),
            }
        }
        let work = |(number, path, record)| each(number, path, record);
        let results: Vec<T> = records.into_par_iter().map(work).collect();
        results.into_iter().try_for_each(&mut then)?;
    }
    match paths.first() {
        Some(path) if count == 0 => Err(CliError::NoRecords { place: shown(path) }),
        _ => Ok(()),
    }
}

/// Reads the records at `paths`, in order, as far as comparisons need them, and of them the experiments `only`: all if
/// there are no ids. See [`for_each`].
///
/// # Errors
/// Returns an error if a named file is no record, if there is no record at all, or if no record has an experiment of one
/// of the ids.
pub(super) fn read_all(paths: &[PathBuf], only: &[String]) -> Result<Records, CliError> {
    let only = Only::new(only);
    let records = collect(paths, |path, record| (path, only.of(record.for_comparison())))?;
    only.check()?;
    Ok(records)
}

/// Reads the records at `paths`, and collects what `each` makes of each path and record: see [`for_each`].
///
/// # Errors
/// Returns an error if a named file is no record, or if there is no record at all.
pub(super) fn collect<T: Send>(
    paths: &[PathBuf],
    each: impl Fn(String, Record) -> T + Sync,
) -> Result<Vec<T>, CliError> {
    let mut all = Vec::new();
    for_each(
        paths,
        |_, path, record| each(path, record),
        |one| {
            all.push(one);
            Ok(())
        },
    )?;
    Ok(all)
}

/// The experiments that a user asked for by `--only`; all if there are no ids.
pub(super) struct Only<'a> {
    ids: &'a [String],
    /// All ids in the records so far.
    known: Mutex<BTreeSet<String>>,
}

impl<'a> Only<'a> {
    pub(super) fn new(ids: &'a [String]) -> Self {
        Self { ids, known: Mutex::default() }
    }

    /// Keeps only the wanted experiments of a record.
    pub(super) fn of(&self, mut record: Record) -> Record {
        if !self.ids.is_empty() {
            let ids = record.experiments.iter().map(|experiment| experiment.id.clone());
            self.known.lock().expect("no thread panics").extend(ids);
            record.experiments.retain(|experiment| self.ids.contains(&experiment.id));
        }
        record
    }

    /// Returns whether each wanted experiment is in a record so far.
    pub(super) fn knows_all(&self) -> bool {
        let known = self.known.lock().expect("no thread panics");
        self.ids.iter().all(|id| known.contains(id))
    }

    /// Checks the ids against those of all records.
    ///
    /// # Errors
    /// Returns an error if no record has an experiment of one of the ids.
    pub(super) fn check(self) -> Result<(), CliError> {
        let known = self.known.into_inner().expect("no thread panics");
        match self.ids.iter().find(|id| !known.contains(*id)) {
            Some(unknown) => {
                let known = known.into_iter().collect::<Vec<_>>().join(", ");
                Err(CliError::UnknownExperiment { name: unknown.clone(), known })
            }
            None => Ok(()),
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Says in one line which file is skipped, and why.
fn skip(error: &RecordError) {
    say(&format!("skipped: {}", plain(&error.to_string())));
}

impl Source {
    /// Reads the record. Returns it with its path.
    fn read(&self) -> Result<(String, Record), RecordError> {
        match self {
            Self::Named(path) | Self::Found(path) => Ok((shown(path), model::read(path)?)),
            Self::StandardInput => read_standard_input(),
        }
    }
}

/// Reads the record on standard input.
fn read_standard_input() -> Result<(String, Record), RecordError> {
    const NAME: &str = "standard input";
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| RecordError::unreadable(Path::new(NAME), &error))?;
    Ok((NAME.to_owned(), model::parse(NAME, &bytes)?))
}

/// Returns where the records at `paths` are.
fn find_all(paths: &[PathBuf]) -> Result<Vec<Source>, CliError> {
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            sources.push(Source::StandardInput);
        } else if path.is_dir() {
            let mut files = Vec::new();
            find(path, DEPTH, &mut files)?;
            files.sort();
            sources.extend(files.into_iter().map(Source::Found));
        } else if let Some(files) = matches(path) {
            sources.extend(files.into_iter().map(Source::Found));
        } else {
            sources.push(Source::Named(path.clone()));
        }
    }
    Ok(sources)
}

/// Endings of the names of files that may contain a record.
const ENDINGS: [&str; 3] = [".json", ".json.gz", ".json.zst"];

/// Adds the files of `folder` that may contain a record to `found`, and those of its subfolders if `depth` is above 1.
fn find(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<(), RecordError> {
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
                skip(&error);
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
