//! Words as pages need them.

/// Whether a cell is that word, or begins with it and goes on about how far or how well.
pub(super) fn is_verdict(cell: &str, word: &str) -> bool {
    let rest = cell.strip_prefix(word);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" (") || rest.starts_with(", "))
}

/// What a driver puts into a name must stay a name.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
