//! Tables of the metrics and verdicts of several records.

use std::collections::HashMap;

use super::figure::{Figure, ranked};
use super::named::{Named, letter};
use super::rule::{Compared, Difference, Doubt, alike, compare, ranks};
use crate::model::figures;
use crate::model::{Better, Experiment, Interval, Metric};
use crate::report::{Table, judge};
use crate::stats;

/// One metric, with its value in each record.
struct Row<'a> {
    /// The value in each record; `None` if the record lacks the metric.
    figures: Vec<Option<Figure<'a>>>,
    /// The rank of each record; empty for two records.
    ranks: Vec<usize>,
}

impl<'a> Row<'a> {
    /// Returns the value of the first record that has the metric.
    fn any(&self) -> &Figure<'a> {
        self.figures.iter().flatten().next().expect("at least one record of a row has the metric")
    }

    /// Compares the value of the record `index` with that of the record `base`.
    fn compared(&self, base: usize, index: usize) -> Option<Compared> {
        Some(compare(self.figures[base].as_ref()?, self.figures[index].as_ref()?))
    }

    /// Formats the share by which two runs of one device may differ in this metric.
    fn run_to_run_limit(&self) -> String {
        let first = self.any();
        let last = self.figures.iter().flatten().next_back().unwrap_or(first);
        figures::per_cent(alike(first, last) - 1.0)
    }

    /// Returns whether any record is clearly better than another.
    fn is_ranked(&self) -> bool {
        self.ranks.iter().any(|&rank| rank > 1)
    }
}

/// Returns the result of a comparison, with the reason if the result is unclear.
fn result(compared: Compared) -> String {
    let (name, doubt) = (compared.difference.as_str(), compared.difference.doubt());
    doubt.map_or_else(|| name.to_owned(), |doubt| format!("{name}: {}", doubt.as_str()))
}

/// A metric in the first record and in another one.
pub(super) struct Pair<'r, 'a> {
    /// Index of the other record.
    pub(super) index: usize,
    pub(super) first: &'r Figure<'a>,
    pub(super) second: &'r Figure<'a>,
    pub(super) compared: Compared,
}

/// Every metric with a better direction that at least two records have.
pub(super) struct Rows<'a> {
    rows: Vec<Row<'a>>,
    records: usize,
}

impl<'a> Rows<'a> {
    /// Collects the metrics of the records, in the order in which they first appear.
    pub(super) fn of(records: &[Named<'a>]) -> Self {
        let mut places: HashMap<(&str, &str), usize> = HashMap::new();
        let mut rows: Vec<Row<'a>> = Vec::new();
        for (column, named) in records.iter().enumerate() {
            for figure in ranked(named.record) {
                let place = *places.entry((figure.experiment, figure.id)).or_insert(rows.len());
                if place == rows.len() {
                    rows.push(Row { figures: vec![None; records.len()], ranks: Vec::new() });
                }
                rows[place].figures[column].get_or_insert(figure);
            }
        }
        rows.retain(|row| row.figures.iter().flatten().count() > 1);
        if records.len() > 2 {
            rows.iter_mut().for_each(|row| row.ranks = ranks(&row.figures));
        }
        Self { rows, records: records.len() }
    }

    /// Returns each row with the difference of the second record from the first.
    fn differences(&self) -> impl Iterator<Item = (&Row<'a>, Difference)> {
        self.rows.iter().filter_map(|row| Some((row, row.compared(0, 1)?.difference)))
    }

    /// Returns a line for each reason why rows are unclear, with the number of rows and an explanation.
    pub(super) fn doubts(&self) -> Vec<String> {
        let doubts = self.differences().filter_map(|(_, difference)| difference.doubt());
        let doubts: Vec<Doubt> = doubts.collect();
        let count = |wanted: Doubt| doubts.iter().filter(|&&doubt| doubt == wanted).count();
        let counts = Doubt::ALL.map(|doubt| (count(doubt), doubt)).into_iter();
        let line = |(count, doubt): (usize, Doubt)| {
            let metrics = figures::counted(count, "metric");
            format!("UNCLEAR: {}, {metrics}: {}", doubt.as_str(), doubt.meaning())
        };
        counts.filter(|&(count, _)| count > 0).map(line).collect()
    }

    /// Returns a sentence with the number of rows for each result of the comparison.
    pub(super) fn summary(&self) -> String {
        if self.records != 2 {
            let metrics = figures::counted(self.rows.len(), "metric");
            return format!("{metrics} in at least two records.");
        }
        let results: Vec<&str> = self.differences().map(|(_, d)| d.as_str()).collect();
        let counts = ["FASTER", "SLOWER", "SAME", "UNCLEAR"].map(|name| {
            let count = results.iter().filter(|&&result| result == name).count();
            format!("{count} {name}")
        });
        format!(
            "B compared with A, {} in both records: {}.",
            figures::counted(self.rows.len(), "metric"),
            counts.join(", ")
        )
    }

    /// Builds the table of metrics: with the ratio and its result for two records, else with ranks.
    pub(super) fn table(&self) -> Table {
        let heads: Vec<String> = (0..self.records).map(|i| format!("{}>", letter(i))).collect();
        let pair = self.records == 2;
        let columns = ["experiment", "metric"].into_iter().chain(heads.iter().map(String::as_str));
        let of_pair = ["B / A [95 % interval]>", "run-to-run limit>", "result for B"];
        let columns: Vec<&str> = columns.chain(of_pair.into_iter().filter(|_| pair)).collect();
        let mut table = Table::new(&columns);
        for row in &self.rows {
            let any = row.any();
            let cell = |(index, figure): (usize, &Option<Figure<'_>>)| match figure {
                None => String::new(),
                Some(figure) if pair => figure.text(),
                Some(figure) => {
                    let value = figures::quantity(figure.value, figure.unit);
                    if row.is_ranked() { format!("{}. {value}", row.ranks[index]) } else { value }
                }
            };
            let mut cells = vec![any.experiment.to_owned(), any.label.to_owned()];
            cells.extend(row.figures.iter().enumerate().map(cell));
            if pair {
                let compared = row.compared(0, 1);
                let ratio = |compared: Compared| {
                    compared.ratio.map(|ratio| figures::ratio(ratio, compared.interval))
                };
                cells.push(compared.and_then(ratio).unwrap_or_default());
                cells.push(row.run_to_run_limit());
                cells.push(compared.map(result).unwrap_or_default());
            }
            table.rows.push(cells);
        }
        table
    }

    /// Builds the table that counts, for each record, the metrics with the first and with the last rank.
    ///
    /// The record with the largest share of first ranks comes first.
    pub(super) fn ranking(&self) -> Table {
        let mut table = Table::new(&[
            "device",
            "rank 1, alone or shared>",
            "last rank, alone>",
            "metrics with ranks>",
        ]);
        let mut devices: Vec<(usize, [usize; 3])> = (0..self.records)
            .map(|index| {
                let mut counts = [0; 3];
                let ranked = self.rows.iter().filter(|row| row.is_ranked());
                for row in ranked.filter(|row| row.figures[index].is_some()) {
                    let rank = row.ranks[index];
                    let others = row.figures.iter().flatten().count() - 1;
                    counts[0] += usize::from(rank == 1);
                    counts[1] += usize::from(rank == 1 + others);
                    counts[2] += 1;
                }
                (index, counts)
            })
            .collect();
        let share = |counts: &[usize; 3]| counts[0] as f64 / counts[2].max(1) as f64;
        devices.sort_by(|(_, a), (_, b)| share(b).total_cmp(&share(a)));
        for (index, counts) in devices {
            let counts = counts.map(|count| count.to_string());
            table.rows.push(std::iter::once(letter(index)).chain(counts).collect());
        }
        table
    }

    /// Returns each metric of each pair of the first record and another one that has the metric.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair<'_, 'a>> {
        self.rows.iter().flat_map(move |row| {
            (1..self.records).filter_map(move |index| {
                let (first, second) = (row.figures[0].as_ref()?, row.figures[index].as_ref()?);
                Some(Pair { index, first, second, compared: row.compared(0, index)? })
            })
        })
    }

    /// Builds the table in tidy form: a row for each metric and each pair of the first record and another.
    ///
    /// Numbers have full precision.
    pub(super) fn tidy(&self) -> Table {
        let mut table = Table::new(&[
            "experiment",
            "figure",
            "unit",
            "better",
            "first",
            "second",
            "first_value",
            "first_lo",
            "first_hi",
            "second_value",
            "second_lo",
            "second_hi",
            "ratio",
            "ratio_lo",
            "ratio_hi",
            "second_is",
            "because",
        ]);
        for Pair { index, first, second, compared } in self.pairs() {
            let number = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
            let ends = |ci: Option<Interval>| [ci.map(|ci| ci.lo), ci.map(|ci| ci.hi)];
            let mut cells = [first.experiment, first.id, first.unit, first.better.as_str()]
                .map(str::to_owned)
                .to_vec();
            cells.extend([letter(0), letter(index)]);
            for figure in [first, second] {
                cells.push(number(Some(figure.value)));
                cells.extend(ends(figure.ci).map(number));
            }
            cells.push(number(compared.ratio));
            cells.extend(ends(compared.interval).map(number));
            cells.push(compared.difference.as_str().to_owned());
            cells.push(compared.difference.doubt().map_or("", Doubt::as_str).to_owned());
            table.rows.push(cells);
        }
        table
    }

    /// Returns a line for each metric that is clearly worse in the second record.
    pub(super) fn slower(&self) -> Vec<String> {
        let slower = self.differences().filter(|(_, difference)| *difference == Difference::Slower);
        slower
            .filter_map(|(row, _)| {
                let compared = row.compared(0, 1)?;
                let [a, b] = [0, 1].map(|index| row.figures[index].as_ref());
                Some(format!(
                    "{}: {}, {} (baseline: {}), ratio {}",
                    a?.experiment,
                    a?.label,
                    b?.text(),
                    a?.text(),
                    figures::ratio(compared.ratio?, compared.interval)
                ))
            })
            .collect()
    }
}

/// Builds the table of verdicts and median residuals: a row per experiment, a column per record.
pub(super) fn verdicts(records: &[Named<'_>]) -> Table {
    side_by_side(records, &["experiment"], |experiment| {
        let verdict = judge::outcome(experiment);
        let residual = stats::median(&experiment.residuals());
        let cell = residual.map_or_else(
            || verdict.to_owned(),
            |residual| format!("{verdict}, {}", figures::per_cent(residual)),
        );
        vec![(vec![experiment.id.clone()], cell)]
    })
}

/// Builds the table of metrics for which neither higher nor lower is better.
pub(super) fn described(records: &[Named<'_>]) -> Table {
    side_by_side(records, &["experiment", "metric"], |experiment| {
        let neither = experiment.metrics.iter().filter(|metric| metric.better == Better::Neither);
        let row = |metric: &Metric| {
            (vec![experiment.id.clone(), metric.label.clone()], figures::metric(metric))
        };
        neither.map(row).collect()
    })
}

/// Builds a table with a row per key and a column per record.
///
/// A cell is empty if the record lacks the key.
fn side_by_side(
    records: &[Named<'_>],
    keys: &[&str],
    entries: impl Fn(&Experiment) -> Vec<(Vec<String>, String)>,
) -> Table {
    let heads: Vec<String> = (0..records.len()).map(letter).collect();
    let columns: Vec<&str> = keys.iter().copied().chain(heads.iter().map(String::as_str)).collect();
    let mut table = Table::new(&columns);
    let mut places: HashMap<Vec<String>, usize> = HashMap::new();
    for (column, named) in records.iter().enumerate() {
        for (key, value) in named.record.experiments.iter().flat_map(&entries) {
            let place = *places.entry(key.clone()).or_insert(table.rows.len());
            if place == table.rows.len() {
                table.rows.push(key);
                table.rows[place].resize(keys.len() + records.len(), String::new());
            }
            table.rows[place][keys.len() + column] = value;
        }
    }
    table
}
