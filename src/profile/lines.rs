//! From the statements of a replay to the lines of the source.

use std::collections::{BTreeMap, BTreeSet};

use naga::Span;

use super::probes::Probed;
use crate::model::{Call, CallPath, Decision, DecisionKind, Depends, Line, Loop, Totals};
use crate::simt::{Counted, Executed, Kind, Part};

/// The lines of a source with probes.
pub(super) struct Lines<'a> {
    probed: &'a Probed,
    /// Where lines end.
    ends: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(probed: &'a Probed) -> Self {
        let ends = probed.text.match_indices('\n').map(|(end, _)| end).collect();
        Self { probed, ends }
    }

    /// Returns the number of the line on which something begins, from 1; `None` if the shader's source has no such line.
    pub(super) fn number(&self, span: Span) -> Option<u32> {
        let first = span.to_range()?.start;
        let is_own = !self.probed.probes.contains(&first);
        is_own.then(|| self.ends.partition_point(|&end| end < first) as u32 + 1)
    }
}

impl Probed {
    /// Returns the lines with statements, in ascending order, and what the replayed workgroups did there.
    ///
    /// The instructions of an expression belong to the line on which it begins, the executions and the splits of a statement
    /// to the line on which the statement does. `cost` returns the seconds of an instruction of a subgroup, by its kind;
    /// `None` if there are no costs.
    #[must_use]
    pub fn lines(&self, statements: &[Executed], cost: impl Fn(Kind) -> Option<f64>) -> Vec<Line> {
        let places = Lines::new(self);
        let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
        let new = |number: u32| Line { number, ..Line::default() };
        for statement in statements {
            let Some(line) = places.number(statement.span) else { continue };
            let of_statement = lines.entry(line).or_insert_with(|| new(line));
            // A loop is noted at its end only, where it decides there.
            let executions = statement.executions.max(statement.iterated.entries);
            of_statement.executions = of_statement.executions.max(executions);
            of_statement.splits += statement.splits;
            for instructions in &statement.instructions {
                let line = places.number(instructions.span).unwrap_or(line);
                let of_instructions = lines.entry(line).or_insert_with(|| new(line));
                of_instructions.totals.add(instructions.count, statement.of_one());
                if let Some(cost_s) = cost(instructions.kind) {
                    let issues = instructions.count * statement.executions;
                    *of_instructions.estimated_s.get_or_insert(0.0) += issues as f64 * cost_s;
                }
            }
        }
        lines.into_values().collect()
    }
}

/// Returns the totals of all statements.
pub(super) fn totals(statements: &[Executed]) -> Totals {
    let mut totals = Totals::default();
    for statement in statements {
        let instructions = statement.instructions.iter().map(|of| of.count).sum();
        totals.add(instructions, statement.of_one());
    }
    totals
}

/// Returns the decisions that were made, by line.
pub(super) fn decisions(
    lines: &Lines<'_>,
    statements: &[Executed],
    depends: &BTreeMap<usize, Depends>,
) -> Vec<Decision> {
    let of = |(place, statement): (usize, &Executed)| {
        let kind = match statement.part {
            Part::If => DecisionKind::If,
            Part::Switch => DecisionKind::Switch,
            Part::Loop { break_if: true } => DecisionKind::BreakIf,
            _ => return None,
        };
        let line = lines.number(statement.span)?;
        let Executed { executions, splits, .. } = *statement;
        Some(Decision { line, kind, executions, splits, depends: depends.get(&place).copied() })
    };
    let mut found: Vec<Decision> =
        statements.iter().enumerate().filter_map(of).filter(|of| of.executions > 0).collect();
    found.sort_by_key(|decision| decision.line);
    found
}

/// Returns the loops that were entered, by line.
pub(super) fn loops(lines: &Lines<'_>, statements: &[Executed]) -> Vec<Loop> {
    let entered = statements.iter().filter(|statement| statement.iterated.entries > 0);
    let of = |statement: &Executed| {
        Some(Loop { line: lines.number(statement.span)?, iterated: statement.iterated })
    };
    let mut found: Vec<Loop> = entered.filter_map(of).collect();
    found.sort_by_key(|of| of.line);
    found
}

/// Returns the call paths, each before those that go on from it.
pub(super) fn paths(lines: &Lines<'_>, counted: &Counted) -> Vec<CallPath> {
    let call = |&place: &usize| {
        let statement = &counted.statements[place];
        let Part::Call(function) = &statement.part else { return None };
        Some(Call { function: function.clone(), line: lines.number(statement.span)? })
    };
    let of = |path: &Vec<usize>| -> CallPath {
        let mut all = Totals::default();
        let below = counted.paths.iter().filter(|(other, _)| other.starts_with(path));
        below.for_each(|(_, totals)| all.add(1, *totals));
        let own = counted.paths.get(path).copied().unwrap_or_default();
        CallPath { calls: path.iter().filter_map(call).collect(), own, all }
    };
    // A function that issues no instruction of its own may have called others.
    let with_begins = |path: &Vec<usize>| {
        (0..=path.len()).map(|length| path[..length].to_vec()).collect::<Vec<_>>()
    };
    let paths: BTreeSet<Vec<usize>> = counted.paths.keys().flat_map(with_begins).collect();
    // Several calls of a function on a line are one.
    let mut found: Vec<CallPath> = Vec::new();
    for path in paths.iter().map(of) {
        match found.iter_mut().find(|known| known.calls == path.calls) {
            Some(known) => {
                known.own.add(1, path.own);
                known.all.add(1, path.all);
            }
            None => found.push(path),
        }
    }
    found
}
