//! Helpers for text on pages.

/// Returns whether a cell is the verdict `word`, alone or followed by a tolerance or a residual.
pub(super) fn is_verdict(cell: &str, word: &str) -> bool {
    let rest = cell.strip_prefix(word);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" (") || rest.starts_with(", "))
}

/// Escapes text for HTML, so that a name from a driver cannot become markup.
pub(super) fn escape(text: &str) -> String {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.to_owned();
    }
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
