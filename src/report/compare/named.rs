//! Records with their names in reports.

use crate::model::Record;

/// A record with its path.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Path of the record, as reports show it.
    pub path: &'a str,
    /// The record.
    pub record: &'a Record,
}

/// Returns the name of a record by its index: `A` to `Z`, then `#27`, `#28`, ….
pub(in crate::report) fn letter(index: usize) -> String {
    char::from_u32('A' as u32 + index as u32)
        .filter(char::is_ascii_uppercase)
        .map_or_else(|| format!("#{}", index + 1), |letter| letter.to_string())
}
