//! The tables of accesses to memory.

use super::cells::{HOTTEST, per_cent, share};
use crate::model::{AccessKind, AccessedLine, Accesses, Memory, ShaderProfile, Together, figures};
use crate::report::{Document, Table};

/// Adds the accesses to buffers, those to workgroup memory, and the atomics of both.
pub(super) fn accesses(document: &mut Document, profile: &ShaderProfile) {
    let Some(accesses) = &profile.accesses else { return };
    document.heading(2, "Accesses to memory");
    document.text(format!(
        "Addresses of {} of the {}; each table has the {HOTTEST} accesses that cost most. Lanes, lines and the like are means of an execution \
         by a subgroup.",
        figures::counted(accesses.workgroups as usize, "workgroup"),
        figures::count(profile.sample.of.into()),
    ));
    buffers(document, accesses);
    let outside: u64 = accesses.lines.iter().map(|of| of.together.outside).sum();
    if outside > 0 {
        document.text(format!(
            "{} of the lanes' addresses are beyond the end of their variable, and count in no other column than lanes.",
            figures::count(outside as f64)
        ));
    }
    workgroup_memory(document, accesses);
    atomics(document, accesses);
}

/// Returns the accesses of a table: those with the highest cost first.
fn costliest(
    accesses: &Accesses,
    is_shown: impl Fn(&AccessedLine) -> bool,
    cost: impl Fn(&Together) -> u64,
) -> Vec<&AccessedLine> {
    let mut shown: Vec<&AccessedLine> = accesses.lines.iter().filter(|of| is_shown(of)).collect();
    shown.sort_by_key(|of| std::cmp::Reverse(cost(&of.together)));
    shown.truncate(HOTTEST);
    shown
}

fn buffers(document: &mut Document, accesses: &Accesses) {
    let Accesses { transfers, .. } = accesses;
    let shown = costliest(accesses, |of| of.memory == Memory::Buffer, |of| of.sectors);
    let lines = format!("lines of {} B>", transfers.line_bytes);
    let sectors = format!("sectors of {} B>", transfers.sector_bytes);
    let mut headers = vec!["lanes>", &lines, &sectors, "asked for>"];
    let is_priced = shown.iter().any(|of| of.estimated_s.is_some());
    if is_priced {
        headers.push("estimated time>");
    }
    table(document, "Buffers", &headers, &shown, |of| {
        let together = &of.together;
        let mut cells = vec![
            mean(together.lanes, together),
            mean(together.lines, together),
            mean(together.sectors, together),
            per_cent(together.utilization(*transfers)),
        ];
        if is_priced {
            cells.push(of.estimated_s.map_or(String::new(), |s| figures::quantity(s, "s")));
        }
        cells
    });
}

fn workgroup_memory(document: &mut Document, accesses: &Accesses) {
    let shown = costliest(accesses, |of| of.memory == Memory::Workgroup, |of| of.passes);
    let headers = ["lanes>", "different words>", "passes of 32 banks>"];
    table(document, "Workgroup memory", &headers, &shown, |AccessedLine { together, .. }| {
        [together.lanes, together.words, together.passes].map(|sum| mean(sum, together)).to_vec()
    });
}

fn atomics(document: &mut Document, accesses: &Accesses) {
    let shown = costliest(accesses, |of| of.kind == AccessKind::Atomic, |of| of.on_one);
    let headers = ["lanes>", "different words>", "most lanes on one address>"];
    table(document, "Atomics", &headers, &shown, |AccessedLine { together, .. }| {
        [together.lanes, together.words, together.on_one].map(|sum| mean(sum, together)).to_vec()
    });
}

/// Adds a table of accesses with these headers and cells, unless it would be empty.
fn table(
    document: &mut Document,
    title: &'static str,
    headers: &[&str],
    shown: &[&AccessedLine],
    cells: impl Fn(&AccessedLine) -> Vec<String>,
) {
    if shown.is_empty() {
        return;
    }
    document.heading(3, title);
    let mut table = Table::new(&[&["line>", "access", "by subgroups>"], headers].concat());
    for &of in shown {
        let access = format!("{} {}, {} B", word(of.kind), of.variable, of.bytes);
        let mut row =
            vec![of.line.to_string(), access, figures::count(of.together.executions as f64)];
        row.extend(cells(of));
        table.rows.push(row);
    }
    document.table(table);
}

/// Returns the mean of an execution.
fn mean(sum: u64, of: &Together) -> String {
    share(sum, of.executions).map_or(String::new(), figures::digits)
}

fn word(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Load => "load",
        AccessKind::Store => "store",
        AccessKind::Atomic => "atomic",
        AccessKind::Unknown => "access",
    }
}
