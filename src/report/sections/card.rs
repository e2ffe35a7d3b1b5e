//! The device card: what a programmer wants to know, in one table.

mod busy;
mod coordination;

use busy::{ceilings_rows, occupancy_rows, overlap_rows};
use coordination::{allreduce_rows, contention_rows, dependence_row, reduction_rows};

use crate::record::{Experiment, Record};
use crate::report::levels::{self, LEVELS, Level};
use crate::report::{Document, Table, figures, judge};
use crate::stats::tolerance;

type Row<'a> = dyn FnMut(&str, String, String) + 'a;
type Rows = fn(&Experiment, &mut Row<'_>);

/// The rows of each experiment, in the order shown: what costs, from the smallest unit to the largest, and
/// then what it takes to use the hardware well.
const SECTIONS: [(&str, Rows); 15] = [
    ("width", width_row),
    ("ladder", ladder_rows),
    ("divergence", divergence_rows),
    ("imbalance", imbalance_rows),
    ("select", select_rows),
    ("amdahl", amdahl_row),
    ("ilp", ilp_rows),
    ("lanes", lanes_row),
    ("ceilings", ceilings_rows),
    ("reduction", reduction_rows),
    ("contention", contention_rows),
    ("dependence", dependence_row),
    ("allreduce", allreduce_rows),
    ("occupancy", occupancy_rows),
    ("overlap", overlap_rows),
];

pub(super) fn card(record: &Record) -> Document {
    let mut table = Table::new(&["on this device", "figure", "", "its law"]);
    for (id, rows) in SECTIONS {
        if let Some(experiment) = record.experiments.iter().find(|e| e.id == id) {
            let verdict = judge::word(experiment);
            rows(experiment, &mut |what: &str, figure: String, note: String| {
                table.rows.push(vec![what.to_owned(), figure, note, verdict.to_owned()]);
            });
        }
    }
    let mut document = Document::default();
    if !table.rows.is_empty() {
        document.heading(2, "Device card");
        document.table(table);
    }
    document
}

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

fn ladder_rows(ladder: &Experiment, row: &mut Row<'_>) {
    for level in &LEVELS {
        level_row(ladder, level, row);
    }
}

fn level_row(ladder: &Experiment, level: &Level, row: &mut Row<'_>) {
    let alpha = ladder.parameter(&format!("{}.alpha", level.id));
    let (Some(unit), Some(alpha)) = (level.unit, alpha) else {
        return;
    };
    let note = if !alpha.is_firm() {
        "inconclusive: known to no better than a fifth".to_owned()
    } else {
        let batch = |which: &str| ladder.number(&format!("{}.{which}", level.id));
        let content = levels::content(level.id).unwrap_or("items");
        let by_law = batch("batch_for_90_percent").map(|batch| figures::count(batch.ceil()));
        let found = batch("batch_found_for_90_percent").map(figures::count);
        match (by_law, found) {
            (None, None) => String::new(),
            (Some(law), None) => format!("batch {law} {content} for 90 % of peak, by the law"),
            (None, Some(found)) => {
                format!("batches of {found} {content} reach 90 % of the largest")
            }
            (Some(law), Some(found)) => {
                format!("batch {law} {content} for 90 % of peak by the law, {found} as measured")
            }
        }
    };
    row(unit, figures::parameter(alpha), note);
}

fn divergence_rows(divergence: &Experiment, row: &mut Row<'_>) {
    for finding in divergence.findings.iter().filter(|f| f.name.starts_with("cost_of_")) {
        let paths = finding.name.trim_start_matches("cost_of_").trim_end_matches("_way_branch");
        row(
            &format!("{} {paths}-way branch", if paths == "8" { "an" } else { "a" }),
            figures::finding(finding),
            "of one path's time, neighbouring lanes on different paths".to_owned(),
        );
    }
}

fn imbalance_rows(imbalance: &Experiment, row: &mut Row<'_>) {
    for (spread, what) in [
        ("ramp", "work that ramps up to"),
        ("straggler", "one in 32 straggling,"),
        ("geometric", "work of geometric lengths up to"),
    ] {
        let figure = |name: &str| imbalance.number(&format!("{name}.{spread}"));
        let (Some(extent), Some(efficiency), Some(buys), Some(predicted)) = (
            figure("longest_over_shortest"),
            figure("efficiency_shuffled"),
            figure("sorting_buys"),
            figure("sorting_buys_predicted"),
        ) else {
            continue;
        };
        let times = |value: f64| figures::quantity(value, "x");
        row(
            &format!("{what} {}", times(extent)),
            times(1.0 / efficiency),
            format!(
                "of even work's time in random order; sorting it buys {} ({} predicted)",
                times(buys),
                times(predicted)
            ),
        );
    }
}

fn select_rows(select: &Experiment, row: &mut Row<'_>) {
    for trips in select.parameters.iter().filter_map(|p| p.name.strip_prefix("t_branch.")) {
        let figure = |name: &str| select.number(&format!("{name}.{trips}"));
        let Some(at_half) = figure("select_over_branch_at_half") else {
            continue;
        };
        let from = |q: Option<f64>| {
            q.map_or_else(|| "never".to_owned(), |q| format!("from {}", figures::per_cent(q)))
        };
        let (measured, predicted) = (figure("crossover_measured"), figure("crossover_predicted"));
        let (times, trips) = (figures::quantity(at_half, "x"), trips.replace('_', " "));
        // Where both cost the same, where exactly they cross is chance.
        let alike = (at_half - 1.0).abs() <= tolerance::of("select");
        let (figure, of) = if alike {
            ("no difference".to_owned(), String::new())
        } else {
            (from(measured), format!("of lanes in the rarer arm ({} predicted); ", from(predicted)))
        };
        row(
            "selecting beats branching",
            figure,
            format!("{of}{times} the branch's time with lanes split in half; arms of {trips}"),
        );
    }
    if let (Some(compiled), Some(times)) =
        (select.finding("short_branch_runs"), select.finding("short_branch_over_select"))
    {
        row(
            "a branch over four operations runs",
            figures::finding(compiled),
            format!(
                "once compiled, in {} the time of a select written out",
                figures::finding(times)
            ),
        );
    }
}

fn amdahl_row(amdahl: &Experiment, row: &mut Row<'_>) {
    let text = |name: &str| amdahl.finding(name).map(figures::finding);
    if let (Some(workers), Some(best), Some(ceiling)) =
        (text("hardware_workers"), text("best_speed_up.0.99"), text("ceiling.0.99"))
    {
        row(
            "many workgroups of 256 lanes",
            workers,
            format!(
                "as fast as one; work that is 99 % parallel gets {best}, its ceiling is {ceiling}"
            ),
        );
    }
}

fn ilp_rows(ilp: &Experiment, row: &mut Row<'_>) {
    for (word, step) in [("u32", "add, then flip bits"), ("f32", "multiply and add")] {
        let (Some(latency), Some(knee)) = (
            ilp.parameter(&format!("latency.{word}")),
            ilp.number(&format!("knee_predicted.{word}")),
        ) else {
            continue;
        };
        let judged = ilp.points.iter().filter(|point| point.series == word);
        let most = judged.map(|point| point.x.value).fold(0.0, f64::max);
        let measured = ilp
            .number(&format!("knee_measured.{word}"))
            .map_or_else(|| format!("more than {most}"), figures::digits);
        row(
            &format!("latency of a step of {word}"),
            figures::parameter(latency),
            format!(
                "{step}; {} independent chains should hide it, {measured} do",
                figures::digits(knee)
            ),
        );
        if let Some(schedulers) = ilp.finding(&format!("schedulers.{word}")) {
            row(
                &format!("the device over one subgroup, {word}"),
                figures::finding(schedulers),
                "both at their best: so many subgroups are issued at once".to_owned(),
            );
        }
    }
}

fn lanes_row(lanes: &Experiment, row: &mut Row<'_>) {
    if let Some(finding) = lanes.finding("speed_up_at_width") {
        row("a full subgroup", figures::finding(finding), "faster than one lane".to_owned());
    }
}

/// A measured figure and what was said of it beforehand; `None` where there is neither, and the one there is
/// where the other is missing.
fn both(measured: Option<f64>, predicted: Option<f64>, unit: &str) -> Option<String> {
    let text = |value: f64| figures::quantity(value, unit);
    match (measured.map(text), predicted.map(text)) {
        (Some(measured), Some(predicted)) => Some(format!("{measured} ({predicted} predicted)")),
        (Some(measured), None) => Some(measured),
        (None, Some(predicted)) => Some(format!("{predicted} (predicted)")),
        (None, None) => None,
    }
}
