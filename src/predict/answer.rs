//! What a law says to what it was asked.

use serde::Serialize;

use super::given::{Given, Unanswered, Used};
use crate::model::figures;

/// The unit of a share: a number from 0 to 1 in JSON, per cent to a reader.
pub(crate) const SHARE_OF_ONE: &str = "share";

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
    pub(crate) axes: [Scale; 2],
    /// A figure that ran out of numbers.
    #[serde(skip)]
    beyond: Option<&'static str>,
}

/// How an axis of the plot runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Equal steps, equal differences.
    Linear,
    /// Equal steps, equal factors.
    Logarithmic,
}

impl Answer {
    /// An answer about `rows` of what is swept, with no columns yet.
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

    pub(crate) fn say(&mut self, sentence: String) {
        self.says.push(sentence);
    }

    /// A figure that the law always has.
    pub(crate) fn figure(&mut self, name: &'static str, unit: &'static str, value: f64) {
        if !value.is_finite() {
            self.beyond.get_or_insert(name);
        }
        self.maybe(name, unit, Some(value));
    }

    /// A figure that the law may not have.
    pub(crate) fn maybe(&mut self, name: &'static str, unit: &'static str, value: Option<f64>) {
        self.figures.push(Figure { name, value, unit });
    }

    /// The answer with all that went into it, or why it is none.
    pub(crate) fn complete(self, given: &Given) -> Result<Self, Unanswered> {
        if let Some(figure) = self.beyond {
            return Err(Unanswered::Beyond { law: self.law, figure });
        }
        Ok(Self { parameters: given.used(), cautions: given.cautions(), ..self })
    }

    /// A column computed row by row.
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

    /// The same, and drawn.
    pub(crate) fn curve(
        &mut self,
        name: &'static str,
        unit: &'static str,
        value: impl Fn(f64) -> f64,
    ) {
        self.column(name, unit, value);
        self.columns.last_mut().expect("it was just added").drawn = true;
    }
}

/// The unit as reports write it.
pub(crate) fn shown(unit: &str) -> &str {
    if unit == SHARE_OF_ONE { "%" } else { unit }
}

/// Four digits with the unit.
pub(crate) fn figure(value: f64, unit: &str) -> String {
    figures::to_digits(value, shown(unit), 4)
}
