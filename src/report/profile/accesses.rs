//! The tables of accesses to memory.

use super::cells::{HOTTEST, per_cent, share};
use crate::model::{AccessKind, AccessedLine, Accesses, Memory, ShaderProfile, Together, figures};
use crate::report::{Document, Table};

/// Adds the accesses to buffers, those to workgroup memory, and the atomics of both.
pub(super) fn accesses(document: &mut Document, profile: &ShaderProfile) {
    let Some(Accesses { workgroups, lines }) = &profile.accesses else { return };
    document.heading(2, "Accesses to memory");
    document.text(format!(
        "Addresses of {} of the {}; each table has the {HOTTEST} accesses that cost most.",
        figures::counted(*workgroups as usize, "workgroup"),
        figures::count(profile.sample.of.into()),
    ));
    let of = |is_shown: &dyn Fn(&&AccessedLine) -> bool, cost: &dyn Fn(&Together) -> u64| {
        let mut shown: Vec<&AccessedLine> = lines.iter().filter(is_shown).collect();
        shown.sort_by_key(|of| std::cmp::Reverse(cost(&of.together)));
        shown.truncate(HOTTEST);
        shown
    };
    let buffers = of(&|of| of.memory == Memory::Buffer, &|of| of.sectors);
    let workgroup = of(&|of| of.memory == Memory::Workgroup, &|of| of.passes);
    let atomics = of(&|of| of.kind == AccessKind::Atomic, &|of| of.on_one);
    let mean =
        |sum: u64, of: &Together| share(sum, of.executions).map_or(String::new(), figures::digits);
    let columns: [Column<'_>; 3] = [
        (
            "Buffers: lines and sectors of a subgroup",
            &["lanes>", "lines of 128 B>", "sectors of 32 B>", "asked for>"],
            &|of| {
                vec![
                    mean(of.lanes, of),
                    mean(of.lines, of),
                    mean(of.sectors, of),
                    per_cent(of.utilization()),
                ]
            },
        ),
        (
            "Workgroup memory: passes of 32 banks of 4 B",
            &["lanes>", "different words>", "passes>"],
            &|of| vec![mean(of.lanes, of), mean(of.words, of), mean(of.passes, of)],
        ),
        (
            "Atomics: lanes of a subgroup on one address",
            &["lanes>", "different words>", "most on one address>"],
            &|of| vec![mean(of.lanes, of), mean(of.words, of), mean(of.on_one, of)],
        ),
    ];
    for ((title, headers, cells), shown) in columns.into_iter().zip([buffers, workgroup, atomics]) {
        if shown.is_empty() {
            continue;
        }
        document.heading(3, title);
        let mut all = vec!["line>", "access", "by subgroups>"];
        all.extend(headers);
        let mut table = Table::new(&all);
        for of in shown {
            let mut row = vec![
                of.line.to_string(),
                format!("{} {}, {} B", word(of.kind), of.variable, of.bytes),
                figures::count(of.together.executions as f64),
            ];
            row.extend(cells(&of.together));
            table.rows.push(row);
        }
        document.table(table);
    }
}

/// Title, headers and cells of a table.
type Column<'a> = (&'static str, &'a [&'static str], &'a dyn Fn(&Together) -> Vec<String>);

fn word(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Load => "load",
        AccessKind::Store => "store",
        AccessKind::Atomic => "atomic",
        AccessKind::Unknown => "access",
    }
}
