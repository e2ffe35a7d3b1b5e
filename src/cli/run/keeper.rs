//! The file of a run's record.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::output::say;
use crate::model::{self, Record, plain};

/// Checks that the record can be written to `path`, so that `run` fails before it measures rather than after.
///
/// An existing file is refused without `force`: it is the record of another run, or no record at all. A new file is
/// created at once, so that another run that starts at the same time is refused.
///
/// # Errors
/// Returns an error if the file exists or cannot be written.
pub(super) fn reserve(path: &Path, force: bool) -> Result<(), CliError> {
    let name = || path.display().to_string();
    let unwritable = |reason: String| CliError::Unwritable { path: name(), reason };
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => {
            return Err(unwritable("the path is a directory".to_owned()));
        }
        Ok(metadata) if !metadata.is_file() => return Ok(()), // a device or a pipe, opened for each write
        Ok(metadata) if metadata.len() > 0 && !force => {
            return Err(CliError::Exists { path: name() });
        }
        _ => (),
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| unwritable(error.to_string()))?;
    tempfile::NamedTempFile::new_in(folder).map_err(|error| unwritable(error.to_string()))?;
    if force || path.exists() || path.is_symlink() {
        return Ok(());
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(CliError::Exists { path: name() })
        }
        Err(error) => Err(unwritable(error.to_string())),
    }
}

/// Removes the file that [`reserve`] made for a run that did not begin.
pub(super) fn release(path: &Path) {
    if path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0) {
        let _gone = std::fs::remove_file(path);
    }
}

/// Writes the record to its file. If a write fails during the run, writes to a temporary file instead.
pub(super) struct Keeper {
    /// Destination of the next write.
    pub(super) path: PathBuf,
}

impl Keeper {
    /// Keeps the record in the file `out`, or in a new file below the working directory.
    ///
    /// # Errors
    /// Returns an error if no new file can be created.
    pub(super) fn new(out: Option<PathBuf>, record: &Record) -> Result<Self, CliError> {
        Ok(Self { path: out.map_or_else(|| model::new_file(record, Path::new("")), Ok)? })
    }

    /// Writes the record.
    ///
    /// # Errors
    /// Returns an error if the write fails and the record contains no case yet. A later failure only prints a
    /// warning, so that the run continues.
    pub(super) fn keep(&mut self, record: &Record) -> Result<(), CliError> {
        let Err(error) = model::write(record, &self.path) else {
            return Ok(());
        };
        if record.cases().next().is_none() {
            return Err(error.into()); // no measurement is lost
        }
        let fallback =
            tempfile::Builder::new().prefix("warplaw-rescued-").suffix(".json").tempfile();
        let fallback = fallback.ok().and_then(|file| file.into_temp_path().keep().ok());
        let Some(fallback) = fallback.filter(|path| model::write(record, path).is_ok()) else {
            say(&format!("warning: {}", plain(&error.to_string())));
            return Ok(());
        };
        let warning = format!("{error}; the record is now in `{}`", fallback.display());
        say(&format!("warning: {}", plain(&warning)));
        self.path = fallback;
        Ok(())
    }
}
