//! Strings that others wrote, made safe to show.

/// Longer ones are cut: the longest that a run makes is its command line.
const MAX_CHARS: usize = 20_000;

/// `text` on one line, without characters that steer a terminal or turn the writing round, and cut where it
/// is longer than any that a record needs.
#[must_use]
pub fn plain(text: &str) -> String {
    plain_to(text, MAX_CHARS)
}

/// The same of `most` characters at most.
#[must_use]
pub fn plain_to(text: &str, most: usize) -> String {
    let mut plain: String = text
        .chars()
        .take(most)
        .map(|c| match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            c if steers(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect();
    if text.chars().nth(most).is_some() {
        plain.push('…');
    }
    plain
}

/// Control characters, escapes among them, and marks that reorder what surrounds them.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_gone_and_the_rest_stays() {
        assert_eq!(plain("Radeon™ RX <7900> & Söhne"), "Radeon™ RX <7900> & Söhne");
        assert_eq!(
            plain("a\x1b[2Jb\r\nc\u{202E}d\u{9b}31m"),
            "a\u{FFFD}[2Jb  c\u{FFFD}d\u{FFFD}31m"
        );
        assert_eq!(plain(&"x".repeat(50_000)).chars().count(), MAX_CHARS + 1);
    }
}
