//! One model of what is said: headings, paragraphs, lists and tables. Renderers know nothing else.

use super::figures;
use super::judge;
use crate::record::{Experiment, Point, Record, Status, plain, plain_to};
use crate::stats;

/// Characters in a cell at most: columns are as wide as their widest.
const MOST_CELL: usize = 200;

/// Which side of a column its cells keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub name: String,
    /// Its side.
    pub align: Align,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose column names ending in `>` keep their figures to the right.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        let column = |name: &&str| match name.strip_suffix('>') {
            Some(name) => Column { name: name.to_owned(), align: Align::Right },
            None => Column { name: (*name).to_owned(), align: Align::Left },
        };
        Self { columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }
}

/// An axis of a plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// What runs along it.
    pub name: String,
    /// Its unit, as [`figures::quantity`] writes it.
    pub unit: String,
    /// Whether equal steps are equal factors.
    pub logarithmic: bool,
}

/// A curve of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it shows.
    pub name: String,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

/// A plot, of figures that a table beside it holds too.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What is swept.
    pub x: Axis,
    /// What follows.
    pub y: Axis,
    /// The curves.
    pub curves: Vec<Curve>,
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading of level 1 to 3.
    Heading(u8, String),
    /// A paragraph.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// A plot. Pages that cannot draw one leave it out, since a table has its figures.
    Plot(Plot),
}

/// What is said, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The pieces.
    pub blocks: Vec<Block>,
}

impl Document {
    /// Adds a heading.
    pub fn heading(&mut self, level: u8, text: impl Into<String>) {
        self.blocks.push(Block::Heading(level, text.into()));
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text(text.into()));
    }

    /// Adds a list, unless it is empty.
    pub fn list(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.blocks.push(Block::Table(table));
    }

    /// Adds a plot.
    pub fn plot(&mut self, plot: Plot) {
        self.blocks.push(Block::Plot(plot));
    }

    /// Ends with the command that makes the document.
    pub fn push_maker(&mut self, command: &str) {
        self.text(format!("Made by `{command}`."));
    }

    /// The document with every string made safe to show: most come from a record, which anyone may have
    /// written.
    pub(super) fn plain(&self) -> Self {
        let each = |texts: &[String]| texts.iter().map(|text| plain(text)).collect::<Vec<_>>();
        let cells = |row: &Vec<String>| row.iter().map(|cell| plain_to(cell, MOST_CELL)).collect();
        let axis = |axis: &Axis| Axis {
            name: plain(&axis.name),
            unit: plain(&axis.unit),
            logarithmic: axis.logarithmic,
        };
        let block = |block: &Block| match block {
            Block::Heading(level, title) => Block::Heading(*level, plain(title)),
            Block::Text(words) => Block::Text(plain(words)),
            Block::List(items) => Block::List(each(items)),
            Block::Table(table) => Block::Table(Table {
                columns: table
                    .columns
                    .iter()
                    .map(|column| Column { name: plain(&column.name), align: column.align })
                    .collect(),
                rows: table.rows.iter().map(cells).collect(),
            }),
            Block::Plot(plot) => Block::Plot(Plot {
                x: axis(&plot.x),
                y: axis(&plot.y),
                curves: plot
                    .curves
                    .iter()
                    .map(|c| Curve { name: plain(&c.name), points: c.points.clone() })
                    .collect(),
            }),
        };
        Self { blocks: self.blocks.iter().map(block).collect() }
    }

    /// Adds `other` at the end.
    pub fn append(&mut self, mut other: Self) {
        self.blocks.append(&mut other.blocks);
    }
}

/// Who was measured, how, and by which command.
pub(super) fn heading(record: &Record) -> Document {
    let adapter = &record.adapter;
    let mut document = Document::default();
    document.heading(1, adapter.name.clone());
    let rev = match (&record.tool.git_rev, record.tool.dirty) {
        (Some(rev), Some(true)) => format!(" ({}, with changes)", rev.get(..9).unwrap_or(rev)),
        (Some(rev), _) => format!(" ({})", rev.get(..9).unwrap_or(rev)),
        (None, _) => String::new(),
    };
    document.text(format!(
        "{} through {} {} on {}{}, {} cores. Shader checks {}{}.",
        adapter.backend,
        adapter.driver,
        adapter.driver_info,
        record.machine.os,
        record.machine.cpu.as_ref().map_or(String::new(), |cpu| format!(", {cpu}")),
        record.machine.cores,
        if adapter.shader_checks { "on" } else { "off" },
        if adapter.limits == "adapter" {
            String::new()
        } else {
            format!(", {} limits", adapter.limits)
        },
    ));
    let host = record.clock.host_check_ratio.map_or(String::new(), |ratio| {
        format!(", {} of the host's view of a long dispatch", figures::per_cent(ratio))
    });
    let empty = record.clock.empty_span_ns.map_or(String::new(), |span_ns| {
        format!(", a dispatch that does nothing {}", figures::quantity(span_ns * 1e-9, "s"))
    });
    let faults: String =
        record.clock.faults.iter().map(|fault| format!(" Not to be trusted: {fault}.")).collect();
    document.text(format!(
        "Clock: {}, resolution {}{empty}{host}.{faults}",
        record.clock.kind.replace('_', " "),
        figures::quantity(record.clock.resolution_ns * 1e-9, "s"),
    ));
    document.text(format!(
        "warplaw {}{rev}, {} profile, seed {}, {}, {:.0} s, by `{}`",
        record.tool.version,
        record.tool.profile,
        record.seed,
        record.started_at,
        record.duration_s,
        record.tool.argv.join(" "),
    ));
    document
}

/// One row per experiment: what was predicted well, and what was not.
pub(super) fn verdicts(record: &Record) -> Document {
    let mut document = Document::default();
    document.heading(2, "Verdicts");
    let mut table = Table::new(&[
        "experiment",
        "verdict",
        "points>",
        "median residual>",
        "worst: measured / predicted [95 %]",
    ]);
    for experiment in &record.experiments {
        table.rows.push(verdict_row(experiment));
    }
    document.table(table);
    document.text(
        "A residual is |measured / predicted − 1| over the points that the law claims. A law holds where \
         every point's whole 95 % interval lies within the tolerance of 1, and deviates where one point's \
         lies outside.",
    );
    document
}

fn verdict_row(experiment: &Experiment) -> Vec<String> {
    let residuals = experiment.residuals();
    let worst = experiment
        .points
        .iter()
        .filter(|point| point.claimed)
        .max_by(|a, b| a.residual().total_cmp(&b.residual()));
    let tolerance = match judge::tolerance_of(experiment) {
        Some(tolerance) if experiment.status == Status::Measured => {
            format!(" (±{:.0} %)", tolerance * 100.0)
        }
        _ => String::new(),
    };
    vec![
        experiment.id.clone(),
        format!("{}{tolerance}", judge::word(experiment)),
        if residuals.is_empty() { String::new() } else { residuals.len().to_string() },
        stats::median(&residuals).map_or(String::new(), figures::per_cent),
        worst.map_or(String::new(), |point| {
            format!(
                "{}: {}, {}",
                figures::ratio(point.ratio, point.ratio_ci),
                point.series,
                x(point)
            )
        }),
    ]
}

fn x(point: &Point) -> String {
    format!("{} {}", figures::count(point.x.value), point.x.name)
}

/// Every experiment's points, parameters, controls and remarks.
pub(super) fn points(record: &Record) -> Document {
    let mut document = Document::default();
    for experiment in &record.experiments {
        document.heading(2, format!("{}: {}", experiment.id, experiment.law));
        if let Some(reason) = &experiment.reason {
            document.text(format!("{}: {reason}", experiment.status.word()));
        }
        if !experiment.points.is_empty() {
            document.table(point_table(experiment));
        }
        if !experiment.parameters.is_empty() {
            let mut table = Table::new(&["calibrated", "value [95 %]"]);
            for p in &experiment.parameters {
                table.rows.push(vec![p.name.clone(), figures::parameter(p)]);
            }
            document.table(table);
        }
        document.list(remarks(experiment));
    }
    document
}

fn point_table(experiment: &Experiment) -> Table {
    let mut table =
        Table::new(&["series", "at", "predicted>", "measured>", "ratio [95 %]>", "verdict"]);
    for point in &experiment.points {
        table.rows.push(vec![
            point.series.clone(),
            x(point),
            figures::quantity(point.predicted, &point.unit),
            figures::quantity(point.measured, &point.unit),
            figures::ratio(point.ratio, point.ratio_ci),
            if point.claimed {
                judge::judge_point(experiment, point).word().to_owned()
            } else {
                "not claimed".to_owned()
            },
        ]);
    }
    table
}

fn remarks(experiment: &Experiment) -> Vec<String> {
    let mut remarks = Vec::new();
    if experiment.rounds > 0 {
        let controls: Vec<String> = experiment
            .controls
            .iter()
            .map(|control| {
                let mark = if control.passed { "" } else { " (failed)" };
                format!("{} {:.3}{mark}", control.name, control.ratio)
            })
            .collect();
        remarks.push(format!(
            "{} rounds in {:.1} s, stopped by {}; controls: {}",
            experiment.rounds,
            experiment.duration_s,
            experiment.stopped_by.as_deref().unwrap_or("nothing").replace('_', " "),
            controls.join(", ")
        ));
    }
    remarks.extend(experiment.diagnosis.iter().cloned());
    remarks
}
