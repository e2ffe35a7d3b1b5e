//! The function that makes strings safe to show.

/// Makes a string safe to show, and cuts it to this number of characters.
pub(super) type Safe = fn(&str, usize) -> String;
