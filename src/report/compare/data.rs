//! A comparison as data, for programs.

use serde::Serialize;

use super::caveats;
use super::named::{Named, letter};
use super::rule::Doubt;
use super::tables::Rows;
use crate::model::{Better, Interval, Schema};

/// Comparison of the first record with each other one.
#[derive(Debug, Serialize)]
pub struct Comparison<'a> {
    schema: Schema,
    records: Vec<Compared<'a>>,
    /// Conditions that differ between the records, in words.
    conditions: Vec<String>,
    figures: Vec<Pair<'a>>,
}

/// A record of the comparison.
#[derive(Debug, Serialize)]
struct Compared<'a> {
    name: String,
    path: &'a str,
    device: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pci_bus_id: Option<&'a str>,
    backend: &'a str,
    driver: String,
    profile: &'a str,
    started_at: &'a str,
}

/// A metric in two records.
#[derive(Debug, Serialize)]
struct Pair<'a> {
    experiment: &'a str,
    id: &'a str,
    label: &'a str,
    unit: &'a str,
    better: Better,
    first: Figure,
    second: Figure,
    /// `second / first`; absent if one of them is not above zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_interval: Option<Interval>,
    /// `SAME`, `FASTER`, `SLOWER` or `UNCLEAR`.
    second_is: &'static str,
    /// Why the result is `UNCLEAR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Figure {
    /// Name of the record.
    record: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<Interval>,
}

/// Returns the comparison of the first record with each other one as data.
#[must_use]
pub fn comparison_data<'a>(records: &[Named<'a>]) -> Comparison<'a> {
    let compared = |(index, named): (usize, &Named<'a>)| {
        let adapter = &named.record.adapter;
        Compared {
            name: letter(index),
            path: named.path,
            device: &adapter.name,
            pci_bus_id: adapter.pci_bus_id.as_deref(),
            backend: &adapter.backend,
            driver: format!("{} {}", adapter.driver, adapter.driver_info),
            profile: &named.record.tool.profile,
            started_at: &named.record.started_at,
        }
    };
    let rows = Rows::of(records);
    let figures = rows.pairs().map(|pair| {
        let figure = |index: usize, of: &super::figure::Figure<'_>| Figure {
            record: letter(index),
            value: of.value,
            interval: of.ci,
        };
        Pair {
            experiment: pair.first.experiment,
            id: pair.first.id,
            label: pair.first.label,
            unit: pair.first.unit,
            better: pair.first.better,
            first: figure(0, pair.first),
            second: figure(pair.index, pair.second),
            ratio: pair.compared.ratio,
            ratio_interval: pair.compared.interval,
            second_is: pair.compared.difference.as_str(),
            because: pair.compared.difference.doubt().map(Doubt::as_str),
        }
    });
    Comparison {
        schema: Schema::new("warplaw-comparison", "1.0.0"),
        records: records.iter().enumerate().map(compared).collect(),
        conditions: caveats::caveats(records),
        figures: figures.collect(),
    }
}
