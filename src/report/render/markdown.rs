//! Markdown with pipe tables.

use super::{letters, words};
use crate::report::{Align, Block, Document, Table};

pub(super) fn render(document: &Document) -> String {
    let mut pieces = Vec::new();
    for block in &document.blocks {
        pieces.push(match block {
            Block::Heading(level, title) => {
                format!("{} {}", "#".repeat(usize::from(*level)), escape(title))
            }
            Block::Text(text) => escape(text),
            Block::List(items) => items
                .iter()
                .map(|item| format!("- {}", escape(item)))
                .collect::<Vec<_>>()
                .join("\n"),
            Block::Table(table) => pipes(table),
            // Without empty lines around the table, Markdown takes the table for HTML text.
            Block::Folded(summary, table) => format!(
                "<details><summary>{}</summary>\n\n{}\n\n</details>",
                words::escape(summary),
                pipes(table)
            ),
            Block::Links(links) => links
                .iter()
                .map(|link| format!("- [{}]({})", bracketed(&link.text), link.href()))
                .collect::<Vec<_>>()
                .join("\n"),
            Block::Picture(picture) => {
                format!("![{}]({})", bracketed(&picture.text), picture.href())
            }
            Block::Listing(listing) => {
                let lines = listing.text(None).into_iter().map(|(_, line)| format!("{line}\n"));
                let lines: String = lines.collect();
                // A fence is longer than any row of backticks in the source.
                let longest = lines.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                let fence = "`".repeat(longest.max(2) + 1);
                format!("{fence}text\n{lines}{fence}")
            }
            Block::Plot(plot) => match letters::draw(plot, None) {
                drawn if drawn.is_empty() => continue,
                drawn => format!("{}\n\n```text\n{drawn}```", escape(&plot.title)),
            },
        });
    }
    pieces.join("\n\n") + "\n"
}

/// Escapes the text of a link, which ends at the closing bracket.
fn bracketed(text: &str) -> String {
    escape(text).replace('[', "\\[").replace(']', "\\]")
}

/// Renders a pipe table.
fn pipes(table: &Table) -> String {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut lines = vec![
        row(table.columns.iter().map(|column| escape(&column.name)).collect()),
        row(table
            .columns
            .iter()
            .map(|column| match column.align {
                Align::Left => "---".to_owned(),
                Align::Right => "---:".to_owned(),
            })
            .collect()),
    ];
    lines.extend(table.rows.iter().map(|cells| row(cells.iter().map(|c| escape(c)).collect())));
    lines.join("\n")
}

/// Escapes text, so that a name from a driver cannot become markup.
///
/// Code spans are kept if they are unambiguous: single backticks in pairs.
fn escape(text: &str) -> String {
    let text = text.trim_start();
    let number = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let in_pairs = !text.contains("``") && text.matches('`').count().is_multiple_of(2);
    let mut escaped = String::with_capacity(text.len());
    let mut in_code = false;
    for (at, c) in text.char_indices() {
        match c {
            '`' if in_pairs => {
                in_code = !in_code;
                escaped.push(c);
            }
            '|' => escaped.push_str("\\|"),
            c if in_code => escaped.push(c),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '`' | '*' | '_' | '~' | '\\' => escaped.extend(['\\', c]),
            // Prevents links and images.
            '(' | '[' if text[..at].ends_with(']') => escaped.extend(['\\', c]),
            // Prevents numbered lists.
            '.' | ')' if number > 0 && at == number && text[at + 1..].starts_with(' ') => {
                escaped.extend(['\\', c]);
            }
            // Prevents headings, lists, rules and link definitions.
            '#' | '+' | '-' | '=' | '[' if at == 0 => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_name_is_shown_as_text() {
        for (name, shown) in [
            ("<b> & *x*_y_", "&lt;b&gt; &amp; \\*x\\*\\_y\\_"),
            ("run `a <b>|c` now", "run `a <b>\\|c` now"),
            ("``` <b> `", "\\`\\`\\` &lt;b&gt; \\`"),
            ("\\` <b> `", "\\\\` <b> `"),
            ("a ` <b>", "a \\` &lt;b&gt;"),
            ("![x](http://y)", "![x]\\(http://y)"),
            ("# no heading", "\\# no heading"),
            ("[x]: http://y", "\\[x]: http://y"),
            (" \t# no heading", "\\# no heading"),
            ("1. no list", "1\\. no list"),
            ("1.2 [0.9, 1.3]", "1.2 [0.9, 1.3]"),
        ] {
            assert_eq!(escape(name), shown);
        }
    }
}
