//! Records on disk. Errors describe the file and the fault.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::compressed::decompressed;
use super::lines::to_lines;
use super::whole_file::write_whole;
use super::{Adapter, Record, Schema, plain, plain_to, v1};

/// Upper bound of a record's size in bytes. A full run of all experiments writes about 1 MiB.
pub const MAX_BYTES: u64 = 16 << 20;

/// Upper bound of the number of points, metrics, diagnosis lines and similar entries of a record.
///
/// The bound is ten times the number that a run makes. It limits the size of reports, which show all entries.
const MAX_ENTRIES: usize = 10_000;

/// Reason why a record cannot be read or written. Each message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// Path of the file.
        path: String,
        /// Message of the operating system.
        reason: String,
    },
    /// The file is not a record.
    #[error("`{path}` is not a warplaw record: {reason}")]
    Malformed {
        /// Path of the file.
        path: String,
        /// Fault, with line and column if the parser found it.
        reason: String,
    },
    /// The major version of the record is unknown.
    #[error(
        "`{path}` has schema version {version}, but this warplaw reads 1.x and 2.x: update warplaw"
    )]
    Version {
        /// Path of the file.
        path: String,
        /// Version of the record.
        version: String,
    },
    /// The file cannot be written.
    #[error("cannot write `{path}`: {reason}; choose another file with --out FILE")]
    Unwritable {
        /// Path of the file.
        path: String,
        /// Message of the operating system.
        reason: String,
    },
}

impl RecordError {
    fn malformed(path: &str, reason: &str) -> Self {
        Self::Malformed { path: path.to_owned(), reason: plain(reason) }
    }

    /// Returns the error of a file that the operating system could not read.
    #[must_use]
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::Unreadable { path: path.display().to_string(), reason: error.to_string() }
    }

    /// Returns the error of a file that the operating system could not write.
    #[must_use]
    pub fn unwritable(path: &Path, error: &std::io::Error) -> Self {
        Self::Unwritable { path: path.display().to_string(), reason: error.to_string() }
    }
}

/// Reads the record at `path`.
///
/// # Errors
/// Returns an error if the file is missing, too large, malformed, or of an unknown major version.
pub fn read(path: &Path) -> Result<Record, RecordError> {
    parse(&path.display().to_string(), &read_bytes(path)?)
}

/// Returns at most the first [`MAX_BYTES`] + 1 bytes of a file. The last of them shows that the file is too
/// large.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, RecordError> {
    let unreadable = |error| RecordError::unreadable(path, &error);
    let file = File::open(path).map_err(unreadable)?;
    // The whole file at once. A list that grows would be copied several times.
    let size = file.metadata().map_or(0, |metadata| metadata.len()).min(MAX_BYTES);
    let mut bytes = Vec::with_capacity(size as usize + 1);
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Parses the record in `bytes`, which may be compressed by gzip or Zstandard. Errors contain `name` as the path of the file.
///
/// The parser uses at most a small multiple of [`MAX_BYTES`] of memory, and serde_json limits the nesting.
///
/// # Errors
/// Returns an error if `bytes` is too large, malformed, or of an unknown major version.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Record, RecordError> {
    let malformed = |reason: String| RecordError::malformed(name, &reason);
    let bytes = &*decompressed(bytes, MAX_BYTES + 1)
        .map_err(|error| malformed(format!("the compressed data is damaged: {error}")))?;
    // Some programs on Windows begin every text with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() as u64 > MAX_BYTES {
        return Err(malformed(format!("the file is larger than {} MiB", MAX_BYTES >> 20)));
    }
    // Nearly all files are valid records of the present version. For any other one, it is found out what it is.
    let present = serde_json::from_slice(bytes).ok().filter(|record: &Record| {
        record.schema.name == Schema::NAME && record.schema.is_like_present()
    });
    let record = match present {
        Some(record) => record,
        None => parse_any(name, bytes)?,
    };
    let entries = record.experiments.iter().map(|e| {
        1 + e.points.len()
            + e.metrics.len()
            + e.curves.len()
            + e.controls.len()
            + e.diagnosis.len()
            + e.searches.iter().map(|search| 1 + search.tried.len()).sum::<usize>()
    });
    let entries: usize = entries.sum();
    if entries > MAX_ENTRIES {
        return Err(malformed(format!(
            "the record has {entries} points, metrics and other entries; the limit is {MAX_ENTRIES}"
        )));
    }
    Ok(record)
}

/// Parses a record of any known version, or finds out why `bytes` is none.
fn parse_any(name: &str, bytes: &[u8]) -> Result<Record, RecordError> {
    /// Part of a record that identifies the format.
    #[derive(Deserialize)]
    struct Head {
        schema: Schema,
    }

    let malformed = |reason: String| RecordError::malformed(name, &reason);
    let describe = |error: &serde_json::Error| {
        // The message may quote a long value, so it is cut before the position.
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        format!("{}{place}", plain_to(message.strip_suffix(&place).unwrap_or(&message), 300))
    };
    let head: Head = serde_json::from_slice(bytes).map_err(|error| {
        let missing = error.to_string().starts_with("missing field");
        let no_schema = error.is_data() && (missing || bytes.first() != Some(&b'{'));
        malformed(if no_schema {
            format!("the file has no schema name and version: {}", describe(&error))
        } else {
            describe(&error)
        })
    })?;
    let Schema { name: schema, version } = head.schema;
    if schema != Schema::NAME {
        return Err(malformed(format!("the schema is `{}`", plain_to(&schema, 300))));
    }
    let mut numbers = version.split('.');
    let (major, minor) = (numbers.next(), numbers.next());
    let read = match major {
        Some("1") => v1::parse(bytes),
        Some("2") => serde_json::from_slice(bytes),
        _ => {
            let (path, version) = (name.to_owned(), plain_to(&version, 300));
            return Err(RecordError::Version { path, version });
        }
    };
    let mut record = read.map_err(|error| malformed(describe(&error)))?;
    if (major, minor) == (Some("2"), Some("0")) || major == Some("1") {
        v1::translate(&mut record);
        record.schema = Schema::current();
    }
    Ok(record)
}

/// Writes the record completely or not at all: see [`write_whole`].
///
/// # Errors
/// Returns [`RecordError::Unwritable`] if the folder or the file cannot be created.
pub fn write(record: &Record, path: &Path) -> Result<(), RecordError> {
    write_json(record, path)
}

/// Writes `record` as JSON, completely or not at all.
pub(super) fn write_json(record: &impl Serialize, path: &Path) -> Result<(), RecordError> {
    let attempt = || -> std::io::Result<()> { write_whole(path, &to_lines(record)?) };
    attempt().map_err(|error| RecordError::unwritable(path, &error))
}

/// Returns the default path of a record, `records/<gpu>/<date>-<backend>-<rev>.json`.
///
/// The name of the GPU includes its address on the PCI bus, if known.
#[must_use]
pub fn default_path(record: &Record) -> PathBuf {
    let Adapter { name, pci_bus_id, backend, .. } = &record.adapter;
    let gpu = [Some(name), pci_bus_id.as_ref()].into_iter().flatten().map(|part| slug(part));
    let date = record.started_at.get(..10).unwrap_or("undated");
    let rev = record.tool.git_rev.as_deref().unwrap_or("release");
    let rev = rev.get(..9).unwrap_or(rev);
    // `slug` removes `/` and `..`, so that no part can name another folder.
    let file = [date, backend, rev].map(slug).join("-");
    Path::new("records").join(gpu.collect::<Vec<_>>().join("-")).join(format!("{file}.json"))
}

/// Creates an empty file for the record at its [`default_path`] below `root`, and returns the path.
///
/// If the file exists, its name gets a number, so that no run writes the file of another run, even at the same time.
///
/// # Errors
/// Returns [`RecordError::Unwritable`] if the folder or the file cannot be created.
pub fn new_file(record: &Record, root: &Path) -> Result<PathBuf, RecordError> {
    let wanted = root.join(default_path(record));
    let folder = wanted.parent().unwrap_or(root);
    let stem = wanted.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    std::fs::create_dir_all(folder).map_err(|error| RecordError::unwritable(folder, &error))?;
    loop {
        let path = folder.join(free_name(&stem, "json", |name| folder.join(name).exists()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => return Ok(path),
            // Another run has just created it.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => (),
            Err(error) => return Err(RecordError::unwritable(&path, &error)),
        }
    }
}

/// Returns the first of `stem.extension`, `stem-2.extension`, `stem-3.extension` and so on that is not `taken`.
pub(crate) fn free_name(stem: &str, extension: &str, taken: impl Fn(&str) -> bool) -> String {
    std::iter::once(format!("{stem}.{extension}"))
        .chain((2..).map(|n| format!("{stem}-{n}.{extension}")))
        .find(|name| !taken(name))
        .expect("some number is free")
}

/// Converts `name` to a file name of lower-case ASCII letters, digits and single hyphens.
///
/// The result has at most 100 characters. If no letter or digit is left, the result is `unnamed`.
pub(crate) fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let slug: String = words.join("-").chars().take(100).collect();
    if slug.is_empty() { "unnamed".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_name_becomes_a_folder_name() {
        assert_eq!(slug("llvmpipe (LLVM 15.0.6, 256 bits)"), "llvmpipe-llvm-15-0-6-256-bits");
        assert_eq!(slug("<A&B | \"C\"> ../.."), "a-b-c");
        assert_eq!(slug("§"), "unnamed");
    }
}
