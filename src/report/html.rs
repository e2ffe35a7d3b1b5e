//! One self-contained page.

use super::document::{Align, Block, Document, Table};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;\
color:#1b1f24;background:#fff}table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto;\
font-variant-numeric:tabular-nums}th,td{padding:.25rem .75rem;border-bottom:1px solid #d8dee4;\
text-align:left;white-space:nowrap}.r{text-align:right}.deviates{color:#b3261e;font-weight:600}\
.holds{color:#1a7f37}.inconclusive{color:#7d6100}";

pub(super) fn render(document: &Document) -> String {
    let title = document.blocks.iter().find_map(|block| match block {
        Block::Heading(1, title) => Some(escape(title)),
        _ => None,
    });
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{} · warplaw</title>\n<style>{STYLE}</style>\n",
        title.unwrap_or_default()
    );
    for block in &document.blocks {
        text.push_str(&match block {
            Block::Heading(level, title) => format!("<h{level}>{}</h{level}>\n", escape(title)),
            Block::Text(words) => format!("<p>{}</p>\n", escape(words)),
            Block::List(items) => {
                let items: String =
                    items.iter().map(|item| format!("<li>{}</li>\n", escape(item))).collect();
                format!("<ul>\n{items}</ul>\n")
            }
            Block::Table(table) => rows(table),
            Block::Plot(_) => String::new(),
        });
    }
    text + "</html>\n"
}

fn rows(table: &Table) -> String {
    let class = |align: Align, cell: &str| {
        let verdict =
            ["holds", "deviates", "inconclusive"].into_iter().find(|v| cell.starts_with(v));
        match (align, verdict) {
            (Align::Right, _) => " class=\"r\"".to_owned(),
            (Align::Left, Some(verdict)) => format!(" class=\"{verdict}\""),
            (Align::Left, None) => String::new(),
        }
    };
    let mut text = "<table>\n<tr>".to_owned();
    for column in &table.columns {
        text += &format!("<th{}>{}</th>", class(column.align, ""), escape(&column.name));
    }
    text += "</tr>\n";
    for row in &table.rows {
        text += "<tr>";
        for (cell, column) in row.iter().zip(&table.columns) {
            text += &format!("<td{}>{}</td>", class(column.align, cell), escape(cell));
        }
        text += "</tr>\n";
    }
    text + "</table>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
