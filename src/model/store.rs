//! Records on disk: read with a clear word on what is wrong, written whole or not at all.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lines::to_lines;
use super::{Record, Schema, plain, plain_to, v1};

/// A full run of all experiments makes about 1 MiB; a file that is larger than this is none, and is not read.
pub const MAX_BYTES: u64 = 16 << 20;

/// Points, metrics and remarks that a record may have in all, ten times what a run makes: reports lay them
/// all out.
const MAX_ENTRIES: usize = 10_000;

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be opened.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// It is no record.
    #[error("`{path}` is not a warplaw record: {reason}")]
    Malformed {
        /// Which file.
        path: String,
        /// What the parser said, with line and column.
        reason: String,
    },
    /// A record of a later major version.
    #[error(
        "`{path}` has schema version {version}; this warplaw reads 1.x and 2.x: update warplaw"
    )]
    Version {
        /// Which file.
        path: String,
        /// Its version.
        version: String,
    },
    /// The file cannot be written.
    #[error("cannot write `{path}`: {reason}; choose another place with --out FILE")]
    Unwritable {
        /// Which file.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// Reads the record at `path`.
///
/// # Errors
/// [`RecordError`] for a file that is missing, too large, malformed, or of a later major version.
pub fn read(path: &Path) -> Result<Record, RecordError> {
    parse(&path.display().to_string(), &read_bytes(path)?)
}

/// What is in a file, as far as it may be a record: one byte more than that at most, so that what is cut off is
/// noticed.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, RecordError> {
    let unreadable = |error: std::io::Error| RecordError::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Reads the record that `bytes` are, which came from `name`. Memory stays within a small multiple of
/// [`MAX_BYTES`], and nesting within serde_json's limit.
///
/// # Errors
/// [`RecordError`] as for [`read`].
pub fn parse(name: &str, bytes: &[u8]) -> Result<Record, RecordError> {
    /// The part that says whether the rest is worth reading.
    #[derive(Deserialize)]
    struct Head {
        schema: Schema,
    }

    let malformed =
        |reason: String| RecordError::Malformed { path: name.to_owned(), reason: plain(&reason) };
    let said = |error: &serde_json::Error| {
        // What is wrong may be quoted at any length; where it is comes last.
        let words = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        format!("{}{place}", plain_to(words.strip_suffix(&place).unwrap_or(&words), 300))
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(malformed(format!("it is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| {
        let missing = error.to_string().starts_with("missing field");
        let nothing = error.is_data() && (missing || bytes.first() != Some(&b'{'));
        malformed(if nothing {
            format!("it has no schema name and version: {}", said(&error))
        } else {
            said(&error)
        })
    })?;
    let Schema { name: schema, version } = head.schema;
    if schema != Schema::NAME {
        return Err(malformed(format!("its schema is `{}`", plain_to(&schema, 300))));
    }
    let read = match version.split('.').next() {
        Some("1") => v1::parse(bytes),
        Some("2") => serde_json::from_slice(bytes),
        _ => {
            let (path, version) = (name.to_owned(), plain_to(&version, 300));
            return Err(RecordError::Version { path, version });
        }
    };
    let record = read.map_err(|error| malformed(said(&error)))?;
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
            "it has {entries} points, metrics and remarks, and {MAX_ENTRIES} are the most"
        )));
    }
    Ok(record)
}

/// Writes the record whole or not at all: see [`write_whole`].
///
/// # Errors
/// [`RecordError::Unwritable`] when the folder or the file cannot be made.
pub fn write(record: &Record, path: &Path) -> Result<(), RecordError> {
    write_json(record, path)
}

pub(super) fn write_json(record: &impl Serialize, path: &Path) -> Result<(), RecordError> {
    let attempt = || -> std::io::Result<()> { write_whole(path, &to_lines(record)?) };
    attempt().map_err(|error| RecordError::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

/// Writes a file whole or not at all, whatever ends the process meanwhile: to a hidden file beside `path`,
/// then renamed over it, with the permissions of what was there. The folder is made if it must be. A link's target
/// is replaced and the link kept; what is no file, or is named under `/dev` or `/proc`, is written to as it is.
///
/// # Errors
/// What the system says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let there = path.metadata();
    if there.as_ref().is_ok_and(Metadata::is_dir) {
        return Err(std::io::Error::other("it is a directory"));
    }
    let is_special = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    if is_special || there.as_ref().is_ok_and(|there| !there.is_file()) {
        return OpenOptions::new().append(true).open(path)?.write_all(bytes);
    }
    if there.is_err() && path.is_symlink() {
        return Err(std::io::Error::other("it is a link to nothing"));
    }
    let target = if there.is_ok() { path.canonicalize()? } else { path.to_owned() };
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut file = part(there.ok().map(|there| there.permissions())).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(target)?;
    Ok(())
}

/// A hidden file; its permissions as given, else what the system gives any new file.
fn part(permissions: Option<Permissions>) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".warplaw-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(permissions.unwrap_or_else(|| Permissions::from_mode(0o666)));
    }
    #[cfg(not(unix))]
    let _of_a_new_file = permissions;
    builder
}

/// `results/<gpu>/<date>-<backend>-<rev>.json`, numbered where that exists: no run overwrites another.
#[must_use]
pub fn default_path(record: &Record) -> PathBuf {
    let folder = Path::new("results").join(slug(&record.adapter.name));
    let date = record.started_at.get(..10).unwrap_or("undated");
    let rev = record.tool.git_rev.as_deref().unwrap_or("release");
    let rev = rev.get(..9).unwrap_or(rev);
    // As words, each: whatever they say, they name no folder.
    let stem = [date, &record.adapter.backend, rev].map(slug).join("-");
    std::iter::once(format!("{stem}.json"))
        .chain((2..).map(|n| format!("{stem}-{n}.json")))
        .map(|name| folder.join(name))
        .find(|path| !path.exists())
        .expect("some number is free")
}

/// Turns `name` into a file name of lower-case ASCII letters, digits and single hyphens, at most 100 characters long;
/// `unnamed` where nothing is left.
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
    fn adapter_names_become_folders() {
        assert_eq!(slug("llvmpipe (LLVM 15.0.6, 256 bits)"), "llvmpipe-llvm-15-0-6-256-bits");
        assert_eq!(slug("<A&B | \"C\"> ../.."), "a-b-c");
        assert_eq!(slug("§"), "unnamed");
    }
}
