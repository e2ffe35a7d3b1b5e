//! The tables below the source: decisions, loops, calls, work, other subgroup sizes and outputs.

use super::cells::{HOTTEST, per_cent, share, source_of};
use crate::model::{
    Call, CallPath, Decision, DecisionKind, Depends, Loop, Output, ShaderProfile, figures,
};
use crate::report::listing::bar;
use crate::report::{Document, Table};

/// Characters of a bar of the histogram.
const BAR: usize = 24;

pub(super) fn decisions(document: &mut Document, profile: &ShaderProfile) {
    let relevant = |decision: &&Decision| decision.splits > 0 || decision.depends.is_some();
    let mut shown: Vec<&Decision> = profile.decisions.iter().filter(relevant).collect();
    if shown.is_empty() {
        return;
    }
    shown.sort_by_key(|decision| std::cmp::Reverse(decision.splits));
    document.heading(2, "Decisions");
    let count = figures::counted(shown.len(), "decision");
    document.text(format!(
        "{count} split subgroups or depend on more than the inputs; the table has the {HOTTEST} that split most."
    ));
    let mut table =
        Table::new(&["line>", "source", "statement", "decisions>", "split>", "depends on"]);
    for decision in shown.into_iter().take(HOTTEST) {
        let kind = match decision.kind {
            DecisionKind::If => "condition",
            DecisionKind::Switch => "switch",
            DecisionKind::BreakIf => "break if",
            DecisionKind::Unknown => "another statement",
        };
        let depends = match decision.depends {
            None => "",
            Some(Depends::Atomic) => "the result of an atomic",
            Some(Depends::Subgroup) => "the subgroup",
            Some(Depends::Waits) => "an atomic that ends the loop",
            Some(Depends::Unknown) => "something unknown",
        };
        table.rows.push(vec![
            decision.line.to_string(),
            source_of(profile, decision.line),
            kind.to_owned(),
            figures::count(decision.executions as f64),
            per_cent(share(decision.splits, decision.executions)),
            depends.to_owned(),
        ]);
    }
    document.table(table);
}

pub(super) fn loops(document: &mut Document, profile: &ShaderProfile) {
    if profile.loops.is_empty() {
        return;
    }
    document.heading(2, "Loops");
    let mut table = Table::new(&[
        "line>",
        "source",
        "begun by subgroups>",
        "iterations of the mean lane>",
        "of the longest lane>",
        "longest over mean>",
    ]);
    for &Loop { line, iterated } in &profile.loops {
        let mean = share(iterated.lane_iterations, iterated.lanes);
        let longest = share(iterated.iterations, iterated.entries);
        let number = |value: Option<f64>| value.map_or(String::new(), figures::digits);
        table.rows.push(vec![
            line.to_string(),
            source_of(profile, line),
            figures::count(iterated.entries as f64),
            number(mean),
            number(longest),
            iterated.longest_over_mean().map_or(String::new(), |of| figures::quantity(of, "x")),
        ]);
    }
    document.table(table);
}

pub(super) fn paths(document: &mut Document, profile: &ShaderProfile) {
    if profile.paths.len() < 2 {
        return;
    }
    document.heading(2, "Call paths");
    let mut table =
        Table::new(&["call path", "η>", "lost>", "issued>", "issued by the function itself>"]);
    for CallPath { calls, own, all } in &profile.paths {
        let call = |call: &Call| format!(" › {} (line {})", call.function, call.line);
        let calls: String = calls.iter().map(call).collect();
        table.rows.push(vec![
            format!("{}{calls}", profile.dispatch.entry),
            per_cent(all.efficiency()),
            per_cent(share(all.lost(), profile.totals.lost())),
            per_cent(share(all.issues, profile.totals.issues)),
            per_cent(share(own.issues, profile.totals.issues)),
        ]);
    }
    document.table(table);
}

pub(super) fn work(document: &mut Document, profile: &ShaderProfile) {
    let work = &profile.work;
    document.heading(2, "Work of the invocations");
    document.text(format!(
        "Instructions of each of the {} invocations: least {}, mean {}, most {}.",
        figures::count(work.invocations as f64),
        figures::count(work.least.into()),
        figures::digits(work.mean),
        figures::count(work.most.into())
    ));
    let most = work.histogram.iter().map(|bin| bin.invocations).max().unwrap_or(0);
    let mut table = Table::new(&["instructions>", "invocations>", "share>", ""]);
    for bin in &work.histogram {
        let halves =
            (share(bin.invocations, most).unwrap_or(0.0) * (2 * BAR) as f64).ceil() as usize;
        let range = match (bin.from, bin.to) {
            (from, to) if from == to => figures::count(from.into()),
            (from, to) => {
                format!("{} to {}", figures::count(from.into()), figures::count(to.into()))
            }
        };
        table.rows.push(vec![
            range,
            figures::count(bin.invocations as f64),
            per_cent(share(bin.invocations, work.invocations)),
            bar(halves),
        ]);
    }
    document.table(table);
}

pub(super) fn widths(document: &mut Document, profile: &ShaderProfile) {
    document.heading(2, "Other subgroup sizes");
    let mut table = Table::new(&["lanes of a subgroup>", "η>", "instructions issued>"]);
    for at in &profile.widths {
        table.rows.push(vec![
            at.lanes.to_string(),
            per_cent(at.totals.efficiency()),
            figures::count(at.totals.issues as f64),
        ]);
    }
    document.table(table);
}

pub(super) fn outputs(document: &mut Document, profile: &ShaderProfile) {
    let is_other = |output: &&Output| output.differing > 0 || output.differing_without_probes > 0;
    let others: Vec<_> = profile.outputs.iter().filter(is_other).collect();
    if others.is_empty() {
        return;
    }
    document.heading(2, "Outputs that differ");
    let mut table = Table::new(&[
        "buffer",
        "words>",
        "differ with and without probes>",
        "differ between two runs without probes>",
    ]);
    for output in others {
        table.rows.push(vec![
            output.name.clone(),
            figures::count(output.words as f64),
            figures::count(output.differing as f64),
            figures::count(output.differing_without_probes as f64),
        ]);
    }
    document.table(table);
}
