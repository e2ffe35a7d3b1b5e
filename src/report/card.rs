//! The device card: what a programmer wants to know, in one table.

use super::document::{Document, Table};
use super::figures;
use crate::record::{Experiment, Record};
use crate::stats::tolerance;

pub(super) fn card(record: &Record) -> Document {
    let find = |id: &str| record.experiments.iter().find(|experiment| experiment.id == id);
    let mut table = Table::new(&["on this device", "figure", ""]);
    let mut row = |what: &str, figure: String, note: String| {
        table.rows.push(vec![what.to_owned(), figure, note]);
    };
    if let Some(width) = find("width") {
        width_row(width, &mut row);
    }
    if let Some(ladder) = find("ladder") {
        for level in &LEVELS {
            level_row(ladder, level, &mut row);
        }
    }
    if let Some(divergence) = find("divergence") {
        for finding in divergence.findings.iter().filter(|f| f.name.starts_with("cost_of_")) {
            let paths = finding.name.trim_start_matches("cost_of_").trim_end_matches("_way_branch");
            row(
                &format!("{} {paths}-way branch", if paths == "8" { "an" } else { "a" }),
                figures::finding(finding),
                "of one path's time, every lane of a subgroup its own way".to_owned(),
            );
        }
    }
    if let Some(lanes) = find("lanes")
        && let Some(finding) = lanes.finding("speed_up_at_width")
    {
        row("a full subgroup", figures::finding(finding), "faster than one lane".to_owned());
    }
    if let Some(reduction) = find("reduction") {
        reduction_rows(reduction, &mut row);
    }
    let mut document = Document::default();
    if !table.rows.is_empty() {
        document.heading(2, "Device card");
        document.table(table);
    }
    document
}

type Row<'a> = dyn FnMut(&str, String, String) + 'a;

fn width_row(width: &Experiment, row: &mut Row<'_>) {
    let text =
        |name: &str| width.finding(name).map_or_else(|| "unknown".to_owned(), figures::finding);
    row(
        "lanes in lockstep",
        text("effective_width"),
        format!(
            "{} by branch granularity, {} by workgroup size, {} reported",
            text("width_by_granularity"),
            text("width_by_lanes"),
            text("reported_width")
        ),
    );
}

/// A level of the ladder as people call it.
struct Level {
    id: &'static str,
    unit: &'static str,
    content: &'static str,
}

const LEVELS: [Level; 5] = [
    Level {
        id: "workgroups_per_dispatch",
        unit: "a dispatch",
        content: "workgroups of 64 lanes and 32 steps",
    },
    Level { id: "dispatches_per_pass", unit: "a pass", content: "small dispatches" },
    Level { id: "passes_per_submit", unit: "a submit", content: "passes of one small dispatch" },
    Level { id: "submits_per_wait", unit: "a wait", content: "submits of one small dispatch" },
    Level { id: "chunks_per_map", unit: "a readback", content: "chunks of 4 KiB" },
];

fn level_row(ladder: &Experiment, level: &Level, row: &mut Row<'_>) {
    let Some(alpha) = ladder.parameter(&format!("{}.alpha", level.id)) else {
        return;
    };
    let note = if !alpha.is_known_within(tolerance::FIRM) {
        "inconclusive: known to no better than a fifth".to_owned()
    } else {
        let batch = ladder.finding(&format!("{}.batch_for_90_percent", level.id));
        batch.and_then(|batch| batch.value.number()).map_or(String::new(), |batch| {
            let batch = figures::count(batch.ceil());
            format!("batch {batch} {} for 90 % of peak", level.content)
        })
    };
    row(level.unit, figures::with_interval(alpha.value, &alpha.unit, alpha.ci), note);
}

fn reduction_rows(reduction: &Experiment, row: &mut Row<'_>) {
    let text = |name: &str| reduction.finding(name).map(figures::finding);
    if let (Some(variant), Some(best), Some(ceiling)) =
        (text("best_variant"), text("best_gb_per_s"), text("read_ceiling_gb_per_s"))
    {
        row(
            "best reduction of 2²⁴ u32",
            best,
            format!("{variant}; reading alone reaches {ceiling}"),
        );
    }
    for (name, what) in [
        ("t_atomic_u32", "an atomic on one address"),
        ("t_tree_sequential", "a tree of 256 lanes"),
        ("t_subgroup_sum", "a sum over a subgroup"),
    ] {
        if let Some(p) = reduction.parameter(name) {
            let figure = figures::with_interval(p.value, &p.unit, p.ci);
            row(what, figure, "with the hardware full".to_owned());
        }
    }
}
