//! Sanitisation of strings from records, drivers and users before they are shown.

/// Number of characters that [`plain`] keeps. The longest string of a record is its command line.
pub(crate) const MAX_CHARS: usize = 20_000;

/// Returns `text` as one line that is safe to print, with at most 20,000 characters.
///
/// Line breaks and tabs become spaces. Other control characters could control a terminal, and some format
/// characters are invisible or reorder text: both become U+FFFD. Text that is cut ends with `…`.
#[must_use]
pub fn plain(text: &str) -> String {
    plain_to(text, MAX_CHARS)
}

/// Returns `text` like [`plain`], with at most `most` characters.
#[must_use]
pub fn plain_to(text: &str, most: usize) -> String {
    // Nearly all texts are such. This path is much faster.
    if text.len() <= most && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut plain: String = text
        .chars()
        .take(most)
        .map(|c| match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            c if is_forbidden(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect();
    if text.chars().nth(most).is_some() {
        plain.push('…');
    }
    plain
}

/// Returns `true` for control characters, such as escape, and for format characters that reorder text or are
/// invisible.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced_and_other_text_is_kept() {
        assert_eq!(plain("Radeon™ RX <7900> & Söhne"), "Radeon™ RX <7900> & Söhne");
        assert_eq!(
            plain("a\x1b[2Jb\r\nc\u{202E}d\u{9b}31m"),
            "a\u{FFFD}[2Jb  c\u{FFFD}d\u{FFFD}31m"
        );
        assert_eq!(plain(&"x".repeat(50_000)).chars().count(), MAX_CHARS + 1);
    }
}
