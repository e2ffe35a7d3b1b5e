//! Records and what to call them.

use crate::model::Record;

/// A record and what to call it.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Where it came from.
    pub path: &'a str,
    /// The record.
    pub record: &'a Record,
}

/// A, B, … and after Z #27, ….
pub(in crate::report) fn letter(index: usize) -> String {
    char::from_u32('A' as u32 + index as u32)
        .filter(char::is_ascii_uppercase)
        .map_or_else(|| format!("#{}", index + 1), |letter| letter.to_string())
}
