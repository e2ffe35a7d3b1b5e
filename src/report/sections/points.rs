//! All points of all records in one tidy table: a row per point, a column per variable, full precision.

use crate::model::Record;
use crate::report::{Block, Document, Table, judge};

/// Column names. Units have separate columns.
const COLUMNS: [&str; 20] = [
    "adapter",
    "backend",
    "driver",
    "started_at",
    "profile",
    "experiment",
    "verdict",
    "series",
    "x_name",
    "x",
    "x_unit",
    "predicted",
    "measured",
    "unit",
    "ratio",
    "ratio_lo",
    "ratio_hi",
    "judged",
    "point_verdict",
    "tolerance",
];

/// Builds the table of all points of the records, for programs that read tables. Without any point, the table has its
/// head alone.
#[must_use]
pub fn points(records: &[Record]) -> Document {
    let mut table = Table::new(&COLUMNS);
    for record in records {
        for experiment in &record.experiments {
            let verdict = judge::outcome(experiment);
            let tolerance = experiment.tolerance;
            for point in &experiment.points {
                let ends = point.ratio_ci.map(|ci| [ci.lo, ci.hi]);
                table.rows.push(vec![
                    record.adapter.name.clone(),
                    record.adapter.backend.clone(),
                    record.adapter.driver_info.clone(),
                    record.started_at.clone(),
                    record.tool.profile.clone(),
                    experiment.id.clone(),
                    verdict.to_owned(),
                    point.series.clone(),
                    point.x.name.clone(),
                    point.x.value.to_string(),
                    point.x.unit.clone(),
                    point.predicted.to_string(),
                    point.measured.to_string(),
                    point.unit.clone(),
                    point.ratio.to_string(),
                    ends.map_or(String::new(), |[lo, _]| lo.to_string()),
                    ends.map_or(String::new(), |[_, hi]| hi.to_string()),
                    point.judged.to_string(),
                    judge::judge_point(experiment, point).as_str().to_owned(),
                    tolerance.map_or(String::new(), |tolerance| tolerance.to_string()),
                ]);
            }
        }
    }
    let mut document = Document::default();
    document.blocks.push(Block::Table(table));
    document
}
