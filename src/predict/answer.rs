//! What a law says to what it was asked.

use serde::Serialize;

use super::{Given, Unanswered, Used};
use crate::report::figures;
use crate::report::{Axis, Curve, Document, Panel, Plot, Table};

/// The unit of a share: a number from 0 to 1 in JSON, per cent to a reader.
pub(super) const SHARE_OF_ONE: &str = "share";

/// A figure with its name and unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// The figure; absent where the law has none, as a ceiling of work that is all parallel.
    pub value: Option<f64>,
    /// Its unit: `s`, `x` for a multiple, `share` for a part of one, or none for a count.
    pub unit: &'static str,
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// What it is.
    pub name: &'static str,
    /// Unit of its values, as of a [`Figure`].
    pub unit: &'static str,
    /// One for each row.
    pub values: Vec<Option<f64>>,
    /// Whether it is drawn.
    #[serde(skip)]
    pub drawn: bool,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The law.
    pub law: &'static str,
    /// Its formula.
    pub formula: &'static str,
    /// The answer in a sentence or two.
    pub says: Vec<String>,
    /// What to bear in mind of the record behind it.
    pub cautions: Vec<String>,
    /// What went into it.
    pub parameters: Vec<Used>,
    /// The answer in figures.
    pub figures: Vec<Figure>,
    /// The table: what is swept comes first.
    pub columns: Vec<Column>,
    #[serde(skip)]
    axes: [Scale; 2],
    /// A figure that ran out of numbers.
    #[serde(skip)]
    beyond: Option<&'static str>,
}

/// How an axis of the plot runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// Equal steps, equal differences.
    Linear,
    /// Equal steps, equal factors.
    Logarithmic,
}

impl Answer {
    /// An answer about `rows` of what is swept, with no columns yet.
    pub(super) fn new(
        given: &Given,
        (name, unit): (&'static str, &'static str),
        rows: &[f64],
        axes: [Scale; 2],
    ) -> Self {
        let values = rows.iter().copied().map(Some).collect();
        Self {
            law: given.law().name,
            formula: given.law().formula,
            says: Vec::new(),
            cautions: Vec::new(),
            beyond: None,
            parameters: Vec::new(),
            figures: Vec::new(),
            columns: vec![Column { name, unit, values, drawn: false }],
            axes,
        }
    }

    pub(super) fn say(&mut self, sentence: String) {
        self.says.push(sentence);
    }

    /// A figure that the law always has.
    pub(super) fn figure(&mut self, name: &'static str, unit: &'static str, value: f64) {
        if !value.is_finite() {
            self.beyond.get_or_insert(name);
        }
        self.maybe(name, unit, Some(value));
    }

    /// A figure that the law may not have.
    pub(super) fn maybe(&mut self, name: &'static str, unit: &'static str, value: Option<f64>) {
        self.figures.push(Figure { name, value, unit });
    }

    /// The answer with all that went into it, or why it is none.
    pub(super) fn complete(self, given: &Given) -> Result<Self, Unanswered> {
        if let Some(figure) = self.beyond {
            return Err(Unanswered::Beyond { law: self.law, figure });
        }
        Ok(Self { parameters: given.used(), cautions: given.cautions(), ..self })
    }

    /// A column computed row by row.
    pub(super) fn column(
        &mut self,
        name: &'static str,
        unit: &'static str,
        value: impl Fn(f64) -> f64,
    ) {
        let rows = self.columns[0].values.iter().flatten();
        let values = rows.map(|&x| Some(value(x)).filter(|v| v.is_finite())).collect();
        self.columns.push(Column { name, unit, values, drawn: false });
    }

    /// The same, and drawn.
    pub(super) fn curve(
        &mut self,
        name: &'static str,
        unit: &'static str,
        value: impl Fn(f64) -> f64,
    ) {
        self.column(name, unit, value);
        self.columns.last_mut().expect("it was just added").drawn = true;
    }

    /// As a page: the answer, what went into it, the table, the plot.
    #[must_use]
    pub fn document(&self) -> Document {
        let mut document = Document::default();
        document.heading(1, format!("{}: {}", self.law, self.formula));
        for sentence in self.says.iter().chain(&self.cautions) {
            document.text(sentence.clone());
        }
        let used = |used: &Used| {
            let figure = match used.interval {
                Some(_) => figures::with_interval(used.value, used.unit, used.interval),
                None => quantity(used),
            };
            format!("{} = {figure}, {} ({})", used.name, used.what, used.source)
        };
        document.list(self.parameters.iter().map(used).collect());
        document.table(self.table());
        document.plot(self.plot());
        document
    }

    fn table(&self) -> Table {
        let names: Vec<String> =
            self.columns.iter().map(|column| format!("{}>", column.name)).collect();
        let mut table = Table::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for row in 0..self.columns[0].values.len() {
            let cell = |(index, column): (usize, &Column)| match column.values[row] {
                Some(x) if index == 0 && column.unit.is_empty() => figures::count(x),
                Some(value) => figure(value, column.unit),
                None => String::new(),
            };
            table.rows.push(self.columns.iter().enumerate().map(cell).collect());
        }
        table
    }

    fn plot(&self) -> Plot {
        let x = &self.columns[0];
        let drawn: Vec<&Column> = self.columns.iter().filter(|column| column.drawn).collect();
        let axis = |column: &Column, scale: Scale| Axis {
            name: column.name.to_owned(),
            unit: shown(column.unit).to_owned(),
            logarithmic: scale == Scale::Logarithmic,
        };
        let curve = |column: &&Column| Curve {
            name: column.name.to_owned(),
            line: x
                .values
                .iter()
                .zip(&column.values)
                .filter_map(|(&x, &y)| Some((x?, y?)))
                .collect(),
            marks: Vec::new(),
            joined: false,
        };
        let panel = Panel {
            y: axis(drawn.first().unwrap_or(&x), self.axes[1]),
            curves: drawn.iter().map(curve).collect(),
            band: None,
        };
        Plot { title: self.formula.to_owned(), x: axis(x, self.axes[0]), panels: vec![panel] }
    }
}

fn quantity(used: &Used) -> String {
    match used.unit {
        "" if used.value.fract() == 0.0 => figures::count(used.value),
        "" => figures::compact(used.value),
        unit => figure(used.value, unit),
    }
}

/// The unit as reports write it.
fn shown(unit: &str) -> &str {
    if unit == SHARE_OF_ONE { "%" } else { unit }
}

/// Four digits with the unit.
pub(super) fn figure(value: f64, unit: &str) -> String {
    figures::to_digits(value, shown(unit), 4)
}
