//! What subgroups did on each line of a shader.

use super::probes::Probed;
use crate::simt::Executed;

/// What subgroups did on a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Line {
    /// Number of the line, from 1.
    pub number: u32,
    /// How often subgroups executed the statement on the line that they executed most often.
    pub executions: u64,
    /// Instructions that subgroups issued for the line.
    pub issues: u64,
    /// Active lanes, summed over these instructions.
    pub lanes: u64,
    /// Lanes of the subgroups that issued them, active or not, summed over the instructions.
    pub slots: u64,
    /// How often the lanes of a subgroup went different ways after a decision on the line.
    pub splits: u64,
}

impl Line {
    /// Returns η, the share of lane slots that were active: active lanes / (issues × W), where W is the number of lanes that
    /// a subgroup has. A workgroup that does not fill its last subgroup loses nothing by that. `None` for a line without
    /// instructions that were executed.
    ///
    /// ```
    /// use warplaw::profile::Line;
    /// let line = Line { issues: 10, lanes: 80, slots: 320, ..Line::default() };
    /// assert_eq!(line.efficiency(), Some(0.25));
    /// assert_eq!(line.lost(), 240);
    /// assert_eq!(Line::default().efficiency(), None);
    /// ```
    #[must_use]
    pub fn efficiency(&self) -> Option<f64> {
        (self.slots > 0).then(|| self.lanes as f64 / self.slots as f64)
    }

    /// Returns the lane slots that were lost: issued, and without an active lane.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.slots - self.lanes
    }
}

impl Probed {
    /// Returns the lines with statements, in ascending order, and what the replayed workgroups did there.
    ///
    /// The instructions of an expression belong to the line on which it begins, the executions and the splits of a statement
    /// to the line on which the statement does.
    #[must_use]
    pub fn lines(&self, statements: &[Executed]) -> Vec<Line> {
        let ends = self.text.match_indices('\n').map(|(end, _)| end).collect::<Vec<_>>();
        let line_of = |span: naga::Span| -> Option<usize> {
            let first = span.to_range()?.start;
            let is_own = !self.probes.contains(&first);
            is_own.then(|| ends.partition_point(|&end| end < first))
        };
        let mut lines: Vec<Option<Line>> = vec![None; ends.len() + 1];
        let new = |line: usize| Line { number: line as u32 + 1, ..Line::default() };
        for statement in statements {
            let Some(line) = line_of(statement.span) else { continue };
            let of_statement = lines[line].get_or_insert_with(|| new(line));
            of_statement.executions = of_statement.executions.max(statement.executions);
            of_statement.splits += statement.splits;
            for instructions in &statement.instructions {
                let line = line_of(instructions.span).unwrap_or(line);
                let of_instructions = lines[line].get_or_insert_with(|| new(line));
                of_instructions.issues += instructions.count * statement.executions;
                of_instructions.lanes += instructions.count * statement.lanes;
                of_instructions.slots += instructions.count * statement.slots;
            }
        }
        lines.into_iter().flatten().collect()
    }
}
