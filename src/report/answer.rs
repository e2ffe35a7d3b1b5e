//! The answer of a law to a "what if" question, as a document.

use super::{Axis, Curve, Document, Panel, Plot, Table};
use crate::model::figures;
use crate::predict::Used;
use crate::predict::answer::{Answer, Column, Scale, figure, shown};

/// Builds the page of an answer: its sentences, the parameters used, the table and the plot.
#[must_use]
pub fn answer(answer: &Answer) -> Document {
    let mut document = Document::default();
    document.heading(1, format!("{}: {}", answer.law, answer.formula));
    for sentence in answer.says.iter().chain(&answer.cautions) {
        document.text(sentence.clone());
    }
    let parameter = |used: &Used| {
        let figure = match used.interval {
            Some(_) => figures::with_interval(used.value, used.unit, used.interval),
            None => quantity(used),
        };
        format!("{} = {figure}, {} ({})", used.name, used.what, used.source)
    };
    document.list(answer.parameters.iter().map(parameter).collect());
    document.table(table(answer));
    document.plot(plot(answer));
    document
}

/// Builds the table of an answer with numbers in full precision. A column's name ends with its unit.
#[must_use]
pub fn answer_table(answer: &Answer) -> Document {
    let name = |column: &Column| match column.unit {
        "" => column.name.to_owned(),
        unit => format!("{} ({unit})", column.name),
    };
    let names: Vec<String> = answer.columns.iter().map(name).collect();
    let mut table = Table::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for row in 0..answer.columns[0].values.len() {
        let cell = |column: &Column| column.values[row].map_or(String::new(), |v| v.to_string());
        table.rows.push(answer.columns.iter().map(cell).collect());
    }
    let mut document = Document::default();
    document.table(table);
    document
}

/// Builds the table. Its first column contains the swept values.
fn table(answer: &Answer) -> Table {
    let names: Vec<String> =
        answer.columns.iter().map(|column| format!("{}>", column.name)).collect();
    let mut table = Table::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for row in 0..answer.columns[0].values.len() {
        let cell = |(index, column): (usize, &Column)| match column.values[row] {
            Some(x) if index == 0 && column.unit.is_empty() => figures::count(x),
            Some(value) => figure(value, column.unit),
            None => String::new(),
        };
        table.rows.push(answer.columns.iter().enumerate().map(cell).collect());
    }
    table
}

/// Builds the plot of the drawn columns over the swept values.
fn plot(answer: &Answer) -> Plot {
    let x = &answer.columns[0];
    let drawn: Vec<&Column> = answer.columns.iter().filter(|column| column.drawn).collect();
    let axis = |column: &Column, scale: Scale| Axis {
        name: column.name.to_owned(),
        unit: shown(column.unit).to_owned(),
        logarithmic: scale == Scale::Logarithmic,
    };
    let curve = |column: &&Column| Curve {
        name: column.name.to_owned(),
        line: x.values.iter().zip(&column.values).filter_map(|(&x, &y)| Some((x?, y?))).collect(),
        marks: Vec::new(),
        joined: false,
    };
    let panel = Panel {
        y: axis(drawn.first().unwrap_or(&x), answer.axes[1]),
        curves: drawn.iter().map(curve).collect(),
        band: None,
    };
    Plot { title: answer.formula.to_owned(), x: axis(x, answer.axes[0]), panels: vec![panel] }
}

/// Formats the value of a parameter that has no interval.
fn quantity(used: &Used) -> String {
    match used.unit {
        "" if used.value.fract() == 0.0 => figures::count(used.value),
        "" => figures::compact(used.value),
        unit => figure(used.value, unit),
    }
}
