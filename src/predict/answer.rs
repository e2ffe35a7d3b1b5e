//! Answers of laws: sentences, figures and a table.

use serde::Serialize;

use super::given::{Given, Unanswered, Used};
use crate::model::figures;

/// Unit of a share. JSON contains a number from 0 to 1, and reports show per cent.
pub(crate) const SHARE_OF_ONE: &str = "share";

/// A figure with its name and unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Name.
    pub name: &'static str,
    /// Value. Absent if the law has none, such as the speed-up ceiling of fully parallel work.
    pub value: Option<f64>,
    /// Unit: `s`, `x` for a factor, `share` for a share of one, or empty for a count.
    pub unit: &'static str,
}

/// A column of the table of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// Unit of the values, as in [`Figure::unit`].
    pub unit: &'static str,
    /// One value per row.
    pub values: Vec<Option<f64>>,
    /// Whether reports plot the column.
    #[serde(skip)]
    pub drawn: bool,
}

/// Answer of a law for given parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// Name of the law.
    pub law: &'static str,
    /// Formula of the law.
    pub formula: &'static str,
    /// Answer in one or two sentences.
    pub says: Vec<String>,
    /// Warnings about values from the record.
    pub cautions: Vec<String>,
    /// Parameters that the answer depends on.
    pub parameters: Vec<Used>,
    /// Answer in figures.
    pub figures: Vec<Figure>,
    /// Table. The first column contains the swept parameter.
    pub columns: Vec<Column>,
    /// Scales of the x axis and the y axis of the plot.
    #[serde(skip)]
    pub(crate) axes: [Scale; 2],
    /// Name of the first figure that overflowed.
    #[serde(skip)]
    beyond: Option<&'static str>,
}

/// Scale of an axis of the plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Equal distances are equal differences.
    Linear,
    /// Equal distances are equal factors.
    Logarithmic,
}

impl Answer {
    /// Returns an answer whose table has one column, the swept parameter with the values `rows`.
    pub(crate) fn new(
        given: &Given,
        (name, unit): (&'static str, &'static str),
        rows: &[f64],
        axes: [Scale; 2],
    ) -> Self {
        let values = rows.iter().copied().map(Some).collect();
        let (law, formula) = given.law();
        Self {
            law,
            formula,
            says: Vec::new(),
            cautions: Vec::new(),
            beyond: None,
            parameters: Vec::new(),
            figures: Vec::new(),
            columns: vec![Column { name, unit, values, drawn: false }],
            axes,
        }
    }

    /// Adds a sentence.
    pub(crate) fn say(&mut self, sentence: String) {
        self.says.push(sentence);
    }

    /// Adds a figure. If the figure is not finite, [`complete`](Self::complete) returns an error.
    pub(crate) fn figure(&mut self, name: &'static str, unit: &'static str, value: f64) {
        if !value.is_finite() {
            self.beyond.get_or_insert(name);
        }
        self.maybe(name, unit, Some(value));
    }

    /// Adds a figure that the law may lack.
    pub(crate) fn maybe(&mut self, name: &'static str, unit: &'static str, value: Option<f64>) {
        self.figures.push(Figure { name, value, unit });
    }

    /// Adds the used parameters and the warnings.
    ///
    /// # Errors
    /// Returns an error if a figure is not finite.
    pub(crate) fn complete(self, given: &Given) -> Result<Self, Unanswered> {
        if let Some(figure) = self.beyond {
            return Err(Unanswered::Beyond { law: self.law, figure });
        }
        Ok(Self { parameters: given.used(), cautions: given.cautions(), ..self })
    }

    /// Adds a column that `value` computes from the swept parameter. The cell is empty if the result is not
    /// finite.
    pub(crate) fn column(
        &mut self,
        name: &'static str,
        unit: &'static str,
        value: impl Fn(f64) -> f64,
    ) {
        let rows = self.columns[0].values.iter().flatten();
        let values = rows.map(|&x| Some(value(x)).filter(|v| v.is_finite())).collect();
        self.columns.push(Column { name, unit, values, drawn: false });
    }

    /// Adds a [`column`](Self::column) that reports plot.
    pub(crate) fn curve(
        &mut self,
        name: &'static str,
        unit: &'static str,
        value: impl Fn(f64) -> f64,
    ) {
        self.column(name, unit, value);
        self.columns.last_mut().expect("`column` adds one").drawn = true;
    }
}

/// Returns the unit as reports write it.
pub(crate) fn shown(unit: &str) -> &str {
    if unit == SHARE_OF_ONE { "%" } else { unit }
}

/// Formats a value with four significant digits and its unit.
pub(crate) fn figure(value: f64, unit: &str) -> String {
    figures::to_digits(value, shown(unit), 4)
}
