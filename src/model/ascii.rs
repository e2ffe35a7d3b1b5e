//! Text in ASCII, for terminals and files that show nothing else.

/// Signs that the program writes, with what stands for them where the library chooses less well.
const SIGNS: [(char, &str); 22] = [
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('η', "eta"),
    ('λ', "lambda"),
    ('τ', "tau"),
    ('π', "pi"),
    ('Σ', "sum"),
    ('√', "sqrt"),
    ('×', "x"),
    ('·', "."),
    ('−', "-"),
    ('⌈', "ceil("),
    ('⌉', ")"),
    ('∞', "inf"),
    ('→', "->"),
    ('•', "*"),
    ('═', "="),
    ('─', "-"),
    ('┤', "|"),
    ('└', "+"),
    ('\u{fffd}', "?"),
];

/// Returns `text` in ASCII. A character without an equivalent becomes `?`.
#[must_use]
pub fn to_ascii(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut ascii = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            ascii.push(c);
            continue;
        }
        match SIGNS.iter().find(|(sign, _)| *sign == c) {
            Some((_, words)) => ascii.push_str(words),
            None => ascii.push_str(deunicode::deunicode_char(c).unwrap_or("?")),
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_become_words_that_a_reader_understands() {
        assert_eq!(to_ascii("5.9 µs ± 10 %, η ≥ 1⁄2"), "5.9 us +- 10 %, eta >= 1/2");
        assert_eq!(to_ascii("2(p−1)α + 2((p−1)/p)·βm"), "2(p-1)alpha + 2((p-1)/p).betam");
        assert_eq!(to_ascii("⌈s/W⌉ → ∞"), "ceil(s/W) -> inf");
        assert_eq!(to_ascii("└──┤•═"), "+--|*=");
        assert_eq!(to_ascii("plain\n"), "plain\n");
        assert_eq!(to_ascii("±\n"), "+-\n");
    }

    #[test]
    fn any_text_becomes_ascii() {
        for text in ["Größe", "日本 GPU", "😀", "x\u{fffd}y", "½ … “a” – b"] {
            let ascii = to_ascii(text);
            assert!(ascii.is_ascii() && !ascii.is_empty(), "{text}: {ascii}");
        }
    }
}
