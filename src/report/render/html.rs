//! One self-contained HTML page.
//!
//! The page has no script, fetches nothing, and is light or dark as the reader's device.

use super::svg;
use super::words::{escape, is_verdict};
use crate::report::{Align, Block, Column, Document, Link, Listing, Table};

const STYLE: &str = include_str!("page.css");

/// Returns the page up to its first part.
pub(super) fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{} · warplaw</title>\n<style>\n{STYLE}{}</style>\n</head>\n\
         <body>\n<main>\n",
        escape(title),
        svg::STYLE,
    )
}

/// Returns the page after its last part.
pub(super) fn foot() -> &'static str {
    "</main>\n</body>\n</html>\n"
}

/// Renders the document as the part with this number, counted from 1.
pub(super) fn render(document: &Document, part: usize) -> String {
    let mut page = Page { part, sections: sections(&document.blocks), ..Page::default() };
    for block in &document.blocks {
        page.block(block);
    }
    page.close_section();
    page.text
}

/// Splits a heading of level 2 at its first colon and space: the subject and the rest.
fn subject_and_rest(title: &str) -> (&str, &str) {
    title.split_once(": ").unwrap_or((title, ""))
}

/// Returns the subjects of the headings of level 2.
fn sections(blocks: &[Block]) -> Vec<&str> {
    let subjects = blocks.iter().filter_map(|block| match block {
        Block::Heading(2, title) => Some(subject_and_rest(title).0),
        _ => None,
    });
    subjects.collect()
}

/// Elements that are not closed yet.
#[derive(Default)]
struct Open {
    section: bool,
    plots: bool,
}

#[derive(Default)]
struct Page<'a> {
    text: String,
    /// Number of the part, counted from 1. A page may have a part for each of several records.
    part: usize,
    /// Subjects of the sections of the part.
    sections: Vec<&'a str>,
    /// Whether the links to the sections of the part are written.
    has_links: bool,
    /// Number of plots drawn so far in the part.
    plots: usize,
    open: Open,
}

impl Page<'_> {
    /// Returns the anchor of a section of this part.
    fn anchor(&self, subject: &str) -> String {
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        self.in_page(subject.chars().map(letter).collect())
    }

    /// Makes an id that is unique in the part unique in the page.
    fn in_page(&self, id: String) -> String {
        if self.part > 1 { format!("{id}-{}", self.part) } else { id }
    }

    /// Closes the group of plots, if one is open.
    fn close_plots(&mut self) {
        if std::mem::take(&mut self.open.plots) {
            self.text.push_str("</div>\n");
        }
    }

    /// Closes the group of plots and the section, if they are open.
    fn close_section(&mut self) {
        self.close_plots();
        if std::mem::take(&mut self.open.section) {
            self.text.push_str("</section>\n");
        }
    }

    /// Writes a block.
    fn block(&mut self, block: &Block) {
        if !matches!(block, Block::Plot(_)) {
            self.close_plots();
        }
        match block {
            Block::Heading(1, title) => {
                self.close_section();
                self.text.push_str(&format!("<h1>{}</h1>\n", escape(title)));
            }
            Block::Heading(2, title) => self.section(title),
            Block::Heading(level, title) => {
                self.text.push_str(&format!("<h{level}>{}</h{level}>\n", escape(title)));
            }
            Block::Text(text) => {
                self.text.push_str(&format!("<p>{}</p>\n", coded(text)));
            }
            Block::List(items) => {
                let items: String =
                    items.iter().map(|item| format!("<li>{}</li>\n", coded(item))).collect();
                self.text.push_str(&format!("<ul>\n{items}</ul>\n"));
            }
            Block::Table(table) => self.table(table),
            Block::Folded(summary, table) => {
                let summary = escape(summary);
                self.text.push_str(&format!("<details><summary>{summary}</summary>\n"));
                self.table(table);
                self.text.push_str("</details>\n");
            }
            Block::Links(links) => {
                let item = |link: &Link| {
                    format!("<li><a href=\"{}\">{}</a></li>\n", link.href(), escape(&link.text))
                };
                let items: String = links.iter().map(item).collect();
                self.text.push_str(&format!("<ul>\n{items}</ul>\n"));
            }
            Block::Picture(picture) => {
                let (source, text) = (picture.href(), escape(&picture.text));
                self.text.push_str(&format!("<img src=\"{source}\" alt=\"{text}\">\n"));
            }
            Block::Listing(listing) => self.listing(listing),
            Block::Plot(plot) => {
                if let Some(picture) = svg::draw(plot, &self.in_page(self.plots.to_string())) {
                    self.plots += 1;
                    if !std::mem::replace(&mut self.open.plots, true) {
                        self.text.push_str("<div class=\"plots\">\n");
                    }
                    self.text.push_str(&format!("<figure>\n{picture}</figure>\n"));
                }
            }
        }
    }

    /// Begins a section. Before the first section of a part, writes links to all sections.
    fn section(&mut self, title: &str) {
        self.close_section();
        if !std::mem::replace(&mut self.has_links, true) && self.sections.len() > 2 {
            let link = |subject: &&str| {
                format!("<a href=\"#{}\">{}</a>", self.anchor(subject), escape(subject))
            };
            let links: Vec<String> = self.sections.iter().map(link).collect();
            self.text
                .push_str(&format!("<nav aria-label=\"Sections\">{}</nav>\n", links.join("\n")));
        }
        let (subject, law) = subject_and_rest(title);
        let law = if law.is_empty() {
            String::new()
        } else {
            format!(" <span class=\"law\">{}</span>", escape(law))
        };
        self.text.push_str(&format!(
            "<section id=\"{}\">\n<h2>{}{law}</h2>\n",
            self.anchor(subject),
            escape(subject)
        ));
        self.open.section = true;
    }

    /// Writes source code. The cells before a line have a colour by its heat.
    fn listing(&mut self, listing: &Listing) {
        self.text
            .push_str("<div class=\"frame\" tabindex=\"0\"><table class=\"listing\">\n<thead><tr>");
        for name in ["line"].into_iter().chain(listing.columns.iter().map(String::as_str)) {
            self.text.push_str(&format!("<th scope=\"col\" class=\"r\">{}</th>", escape(name)));
        }
        self.text.push_str("<th scope=\"col\">source</th></tr></thead>\n<tbody>\n");
        for line in &listing.lines {
            let number = line.number;
            let id = self.in_page(format!("L{number}"));
            self.text.push_str(&format!(
                "<tr class=\"h{}\" id=\"{id}\"><td>{number}</td>",
                line.steps()
            ));
            for column in 0..listing.columns.len() {
                let cell = line.cells.get(column).map_or("", String::as_str);
                self.text.push_str(&format!("<td>{}</td>", escape(cell)));
            }
            self.text.push_str(&format!("<td><code>{}</code></td></tr>\n", escape(&line.text)));
        }
        self.text.push_str("</tbody>\n</table></div>\n");
    }

    /// Writes a table.
    fn table(&mut self, table: &Table) {
        // A wide table scrolls inside a frame. The tab index makes the frame reachable by keyboard.
        // A phone stacks the cells of tables with many columns, each cell after the name of its column.
        let stacked = table.columns.len() > 3;
        let class = if stacked { " class=\"stacked\"" } else { "" };
        self.text
            .push_str(&format!("<div class=\"frame\" tabindex=\"0\"><table{class}>\n<thead><tr>"));
        for column in &table.columns {
            let side = if column.align == Align::Right { " class=\"r\"" } else { "" };
            self.text.push_str(&format!("<th scope=\"col\"{side}>{}</th>", coded(&column.name)));
        }
        self.text.push_str("</tr></thead>\n<tbody>\n");
        for row in &table.rows {
            self.text.push_str("<tr>");
            for (cell, column) in row.iter().zip(&table.columns) {
                self.text.push_str(&self.cell(cell, column, stacked));
            }
            self.text.push_str("</tr>\n");
        }
        self.text.push_str("</tbody>\n</table></div>\n");
    }

    /// Returns the element of a cell.
    fn cell(&self, cell: &str, column: &Column, stacked: bool) -> String {
        let mut classes = Vec::new();
        classes.extend((column.align == Align::Right).then_some("r"));
        classes.extend(verdict_class(cell));
        // Long cells are sentences and may wrap. Numbers stay on one line.
        classes.extend((cell.chars().count() > 40).then_some("long"));
        let mut class = if classes.is_empty() {
            String::new()
        } else {
            format!(" class=\"{}\"", classes.join(" "))
        };
        if stacked && !column.name.is_empty() && !cell.is_empty() {
            class.push_str(&format!(" data-of=\"{}\"", escape(&column.name)));
        }
        // Only the column `experiment` links to sections: a series or a metric may have the same name.
        if column.name == "experiment" && self.sections.contains(&cell) {
            return format!(
                "<td{class}><a href=\"#{}\">{}</a></td>",
                self.anchor(cell),
                escape(cell)
            );
        }
        format!("<td{class}>{}</td>", coded(cell))
    }
}

/// Returns the class of a cell that contains a verdict.
fn verdict_class(cell: &str) -> Option<&'static str> {
    let classes = [
        ("holds", "good"),
        ("FASTER", "good"),
        ("deviates", "bad"),
        ("failed", "bad"),
        ("SLOWER", "bad"),
        ("inconclusive", "open"),
        ("interrupted", "open"),
        ("UNCLEAR", "open"),
    ];
    classes.into_iter().find(|(word, _)| is_verdict(cell, word)).map(|(_, class)| class)
}

/// Escapes text and marks code between single backticks, if the backticks come in pairs.
fn coded(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) || text.contains("``") {
        return escape(text);
    }
    let part = |(index, part): (usize, &&str)| match index % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    };
    parts.iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the relative luminance of `#rgb` or `#rrggbb` (WCAG 2.2).
    fn luminance(color: &str) -> f64 {
        let digits = color.trim_start_matches('#');
        let wide: String = match digits.len() {
            3 => digits.chars().flat_map(|c| [c, c]).collect(),
            _ => digits.to_owned(),
        };
        let linear = |at: usize| {
            let part = u8::from_str_radix(&wide[at..at + 2], 16).expect("a colour is hexadecimal");
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(0) + 0.7152 * linear(2) + 0.0722 * linear(4)
    }

    /// Returns every set of variables in a style sheet: light, dark and print.
    fn palettes(style: &str) -> Vec<Vec<(&str, &str)>> {
        let sets = style.split('{').filter(|set| set.contains("--paper:"));
        sets.map(|set| {
            let declared = set.split('}').next().unwrap_or("").split(';');
            let pairs = declared.filter_map(|pair| pair.trim().strip_prefix("--")?.split_once(':'));
            pairs.collect()
        })
        .collect()
    }

    /// Returns the contrast ratio of a colour with the background (WCAG 2.2).
    fn contrast(palette: &[(&str, &str)], name: &str) -> f64 {
        let color = |name: &str| {
            let (_, color) =
                palette.iter().find(|(known, _)| *known == name).expect("the colour is declared");
            luminance(color)
        };
        let (a, b) = (color(name), color("paper"));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_curves_contrast_with_the_background() {
        let page = palettes(STYLE);
        assert_eq!(page.len(), 3, "light, dark, print");
        for palette in &page {
            for name in ["ink", "muted", "link", "good", "bad", "open"] {
                assert!(contrast(palette, name) >= 4.5, "{name}: {}", contrast(palette, name));
            }
        }
        let picture = palettes(svg::STYLE);
        assert_eq!(picture.len(), 3, "light, dark, print");
        for palette in &picture {
            for name in ["ink", "muted", "p0", "p1", "p2", "p3", "p4", "p5"] {
                assert!(contrast(palette, name) >= 4.5, "{name}: {}", contrast(palette, name));
            }
        }
    }

    #[test]
    fn single_backticks_mark_code() {
        assert_eq!(coded("by `a <b>` now"), "by <code>a &lt;b&gt;</code> now");
        assert_eq!(coded("a ` <b>"), "a ` &lt;b&gt;");
        assert_eq!(coded("`` <b> ``"), "`` &lt;b&gt; ``");
    }

    #[test]
    fn a_longer_word_is_not_a_verdict() {
        for verdict in ["holds", "holds (±5 %)", "holds, 0.3 %"] {
            assert!(is_verdict(verdict, "holds"), "{verdict}");
        }
        for other in ["holdsworth", "inconclusive: 95 % interval wider than ±20 %"] {
            assert!(!is_verdict(other, "holds") && !is_verdict(other, "inconclusive"), "{other}");
        }
    }
}
