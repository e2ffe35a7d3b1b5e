//! Cells of tables: shares, and lines of the source.

use crate::model::{ShaderProfile, figures};

/// Lines in the list of the hottest.
pub(super) const HOTTEST: usize = 10;
/// Characters of a line of source in a table.
const SOURCE: usize = 60;

/// Returns the share of a part; `None` of nothing.
pub(super) fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

/// Returns a share in per cent, or nothing.
pub(super) fn per_cent(share: Option<f64>) -> String {
    share.map_or(String::new(), figures::per_cent)
}

/// Returns the line of the source with this number.
pub(super) fn source_of(profile: &ShaderProfile, number: u32) -> String {
    let line = profile.dispatch.source.lines().nth(number.saturating_sub(1) as usize);
    let line = line.unwrap_or_default().trim();
    if line.chars().count() > SOURCE {
        line.chars().take(SOURCE - 1).chain(['…']).collect()
    } else {
        line.to_owned()
    }
}
