//! Records on disk: read with a clear word on what is wrong, written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Record, Schema};

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
    #[error("`{path}` has schema version {version}; this warplaw reads 1.x: update warplaw")]
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
/// [`RecordError`] for a file that is missing, malformed, or of a later major version.
pub fn read(path: &Path) -> Result<Record, RecordError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| RecordError::Unreadable {
        path: name.clone(),
        reason: error.to_string(),
    })?;
    let malformed = |reason: String| RecordError::Malformed { path: name.clone(), reason };
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let schema: Schema = json
        .get("schema")
        .cloned()
        .and_then(|schema| serde_json::from_value(schema).ok())
        .ok_or_else(|| malformed("it has no schema name and version".to_owned()))?;
    if schema.name != Schema::NAME {
        return Err(malformed(format!("its schema is `{}`", schema.name)));
    }
    if schema.version.split('.').next() != Some("1") {
        return Err(RecordError::Version { path: name, version: schema.version });
    }
    // Parsed from the text again, so that an error names its line and column.
    serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))
}

/// Writes the record whole or not at all: to a temporary file beside `path`, then renamed over it.
///
/// # Errors
/// [`RecordError::Unwritable`] when the folder or the file cannot be made.
pub fn write(record: &Record, path: &Path) -> Result<(), RecordError> {
    let attempt = || -> std::io::Result<()> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, record)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        make_readable(file.as_file())?;
        if path.is_dir() {
            return Err(std::io::Error::other("it is a directory"));
        }
        file.persist(path)?;
        Ok(())
    };
    attempt().map_err(|error| RecordError::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

/// Temporary files are private; records are not.
#[cfg(unix)]
fn make_readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// `results/<gpu>/<date>-<backend>-<rev>.json`, numbered where that exists: no run overwrites another.
#[must_use]
pub fn default_path(record: &Record) -> PathBuf {
    let folder = Path::new("results").join(slug(&record.adapter.name));
    let date = record.started_at.get(..10).unwrap_or("undated");
    let rev = record.tool.git_rev.as_deref().unwrap_or("release");
    let rev = rev.get(..9).unwrap_or(rev);
    let stem = format!("{date}-{}-{rev}", record.adapter.backend);
    std::iter::once(format!("{stem}.json"))
        .chain((2..).map(|n| format!("{stem}-{n}.json")))
        .map(|name| folder.join(name))
        .find(|path| !path.exists())
        .expect("some number is free")
}

fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    if words.is_empty() { "unnamed".to_owned() } else { words.join("-") }
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
