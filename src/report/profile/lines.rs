//! The lines that lose most, and the source with its figures.

use super::cells::{HOTTEST, per_cent, share, source_of};
use crate::model::{Line, ShaderProfile, figures};
use crate::report::{Document, ListedLine, Listing, Table};

pub(super) fn hottest(document: &mut Document, profile: &ShaderProfile) {
    let mut lines: Vec<&Line> =
        profile.lines.iter().filter(|line| line.totals.lost() > 0).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.totals.lost()));
    document.heading(2, "Lines that lose most");
    if lines.is_empty() {
        document.text("No line loses a lane.");
        return;
    }
    let has_times = lines.iter().any(|line| line.estimated_s.is_some());
    let columns = ["line>", "source", "η>", "lost>", "issued>", "splits>", "time, estimated>"];
    let mut table = Table::new(&columns[..if has_times { 7 } else { 6 }]);
    for line in lines.into_iter().take(HOTTEST) {
        let mut row = vec![line.number.to_string(), source_of(profile, line.number)];
        row.extend(cells(profile, line));
        row.insert(5, figures::count(line.splits as f64));
        table.rows.push(row);
    }
    document.table(table);
}

/// Returns the figures of a line: η, share of all lost slots, share of all instructions, and the estimated time if there is
/// one.
fn cells(profile: &ShaderProfile, line: &Line) -> Vec<String> {
    let mut cells = vec![
        per_cent(line.totals.efficiency()),
        per_cent(share(line.totals.lost(), profile.totals.lost())),
        per_cent(share(line.totals.issues, profile.totals.issues)),
    ];
    cells.extend(line.estimated_s.map(|s| figures::quantity(s, "s")));
    cells
}

pub(super) fn listing(profile: &ShaderProfile) -> Listing {
    let has_times = profile.lines.iter().any(|line| line.estimated_s.is_some());
    let columns = ["η", "lost", "issued", "time"];
    let columns = columns[..if has_times { 4 } else { 3 }].iter().map(|&name| name.to_owned());
    let most = profile.lines.iter().map(|line| line.totals.lost()).max().unwrap_or(0);
    let of_line = |number: u32| {
        let at = profile.lines.binary_search_by_key(&number, |line| line.number).ok()?;
        Some(&profile.lines[at])
    };
    let lines = (1..).zip(profile.dispatch.source.lines()).map(|(number, text)| {
        let line = of_line(number).filter(|line| line.totals.issues > 0);
        ListedLine {
            number,
            cells: line.map_or(Vec::new(), |line| cells(profile, line)),
            heat: line.and_then(|line| share(line.totals.lost(), most)).unwrap_or(0.0),
            text: text.to_owned(),
        }
    });
    Listing { columns: columns.collect(), lines: lines.collect() }
}
