//! How fast warplaw itself is: what its own benches leave for the gallery, a file each.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::store::{read_bytes, write_json};
use super::{Machine, RecordError, Schema, plain_to};

/// What one bench measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// What this file is.
    pub schema: Schema,
    /// Its heading.
    pub title: String,
    /// The command that made it.
    pub made_by: String,
    /// When, RFC 3339.
    pub started_at: String,
    /// Version of warplaw, with the git revision where it is known.
    pub version: String,
    /// The host.
    pub machine: Machine,
    /// The device and its driver, where one was measured.
    pub adapter: Option<String>,
    /// What was done, a paragraph each.
    pub about: Vec<String>,
    /// What came of it.
    pub tables: Vec<Figures>,
}

/// A table of figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Heads of the columns.
    pub columns: Vec<String>,
    /// Cells, as many in each row, with their units.
    pub rows: Vec<Vec<String>>,
}

impl Performance {
    /// Name of the folder that they lie in, among those of devices.
    pub const FOLDER: &'static str = "performance";
    const NAME: &'static str = "warplaw-performance";

    /// The schema of what this version writes.
    #[must_use]
    pub fn schema() -> Schema {
        Schema { name: Self::NAME.to_owned(), version: "1.0.0".to_owned() }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When there is none, or it is no such file.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let malformed = |reason: &str| RecordError::Malformed {
            path: path.display().to_string(),
            reason: plain_to(reason, 300),
        };
        let bytes = read_bytes(path)?;
        let read: Self =
            serde_json::from_slice(&bytes).map_err(|error| malformed(&error.to_string()))?;
        let uneven =
            |table: &Figures| table.rows.iter().any(|row| row.len() != table.columns.len());
        if read.schema.name != Self::NAME || read.tables.iter().any(uneven) {
            return Err(malformed("it is not what a bench of warplaw leaves"));
        }
        Ok(read)
    }

    /// Writes it to `path`, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        write_json(self, path)
    }
}
