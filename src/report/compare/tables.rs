//! Figures of several records in rows.

use std::collections::HashMap;

use super::figure::{Figure, ranked};
use super::named::{Named, letter};
use super::rule::{Compared, Difference, Doubt, alike, compare, ranks};
use crate::model::figures;
use crate::model::{Better, Experiment, Interval, Metric};
use crate::report::{Table, judge};
use crate::stats;

/// One figure of every record that has it.
struct Row<'a> {
    figures: Vec<Option<Figure<'a>>>,
    /// Of more than two, each one's rank.
    ranks: Vec<usize>,
}

impl<'a> Row<'a> {
    fn any(&self) -> &Figure<'a> {
        self.figures.iter().flatten().next().expect("a row is of some record's figure")
    }

    /// The figure of record `index` against that of `base`.
    fn compared(&self, base: usize, index: usize) -> Option<Compared> {
        Some(compare(self.figures[base].as_ref()?, self.figures[index].as_ref()?))
    }

    /// How far two runs of one device may differ in it.
    fn alike_within(&self) -> String {
        let mut known = self.figures.iter().flatten();
        let first = self.any();
        let last = known.next_back().unwrap_or(first);
        figures::per_cent(alike(first, last) - 1.0)
    }

    /// Whether any record is clearly better than another.
    fn tells_apart(&self) -> bool {
        self.ranks.iter().any(|&rank| rank > 1)
    }
}

/// What the second figure is, and where that is unclear, why.
fn said(compared: Compared) -> String {
    let (word, doubt) = (compared.difference.as_str(), compared.difference.doubt());
    doubt.map_or_else(|| word.to_owned(), |doubt| format!("{word}: {}", doubt.as_str()))
}

/// Every figure that two records or more have and that can be ranked.
pub(super) struct Rows<'a> {
    rows: Vec<Row<'a>>,
    records: usize,
}

impl<'a> Rows<'a> {
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

    fn differences(&self) -> impl Iterator<Item = (&Row<'a>, Difference)> {
        self.rows.iter().filter_map(|row| Some((row, row.compared(0, 1)?.difference)))
    }

    /// How many rows stay unclear for which reason, and what that is.
    pub(super) fn doubts(&self) -> Vec<String> {
        let doubts = self.differences().filter_map(|(_, difference)| difference.doubt());
        let doubts: Vec<Doubt> = doubts.collect();
        let many = |wanted: Doubt| doubts.iter().filter(|&&doubt| doubt == wanted).count();
        let counted = Doubt::ALL.map(|doubt| (many(doubt), doubt)).into_iter();
        counted
            .filter(|&(many, _)| many > 0)
            .map(|(many, doubt)| format!("{}, {many}: {}", doubt.as_str(), doubt.meaning()))
            .collect()
    }

    /// How many rows say what.
    pub(super) fn summary(&self) -> String {
        if self.records != 2 {
            return format!("{} of several devices.", figures::counted(self.rows.len(), "figure"));
        }
        let words: Vec<&str> = self.differences().map(|(_, d)| d.as_str()).collect();
        let said = ["FASTER", "SLOWER", "SAME", "UNCLEAR"].map(|word| {
            let many = words.iter().filter(|&&said| said == word).count();
            format!("{many} {word}")
        });
        format!(
            "B against A, of {} that both have: {}.",
            figures::counted(self.rows.len(), "figure"),
            said.join(", ")
        )
    }

    /// Of two records the ratio and what it says, of more the ranks.
    pub(super) fn table(&self) -> Table {
        let heads: Vec<String> = (0..self.records).map(|i| format!("{}>", letter(i))).collect();
        let pair = self.records == 2;
        let columns = ["experiment", "figure"].into_iter().chain(heads.iter().map(String::as_str));
        let columns: Vec<&str> = columns
            .chain(
                if pair { &["B / A [95 %]>", "alike within>", "B is"][..] } else { &[] }
                    .iter()
                    .copied(),
            )
            .collect();
        let mut table = Table::new(&columns);
        for row in &self.rows {
            let any = row.any();
            let cell = |(index, figure): (usize, &Option<Figure<'_>>)| match figure {
                None => String::new(),
                Some(figure) if pair => figure.text(),
                Some(figure) => {
                    let value = figures::quantity(figure.value, figure.unit);
                    if row.tells_apart() { format!("{}. {value}", row.ranks[index]) } else { value }
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
                cells.push(row.alike_within());
                cells.push(compared.map(said).unwrap_or_default());
            }
            table.rows.push(cells);
        }
        table
    }

    /// How often each of several devices is not clearly beaten where any is, best first.
    pub(super) fn ranking(&self) -> Table {
        let mut table =
            Table::new(&["device", "first or level with it>", "last alone>", "figures that tell>"]);
        let mut devices: Vec<(usize, [usize; 3])> = (0..self.records)
            .map(|index| {
                let mut counts = [0; 3];
                let told = self.rows.iter().filter(|row| row.tells_apart());
                for row in told.filter(|row| row.figures[index].is_some()) {
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

    /// A row for each figure and pair of the first record and another, figures in full.
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
        for row in &self.rows {
            for index in 1..self.records {
                let (Some(a), Some(b), Some(compared)) =
                    (&row.figures[0], &row.figures[index], row.compared(0, index))
                else {
                    continue;
                };
                let number = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
                let ends = |ci: Option<Interval>| [ci.map(|ci| ci.lo), ci.map(|ci| ci.hi)];
                let mut cells =
                    [a.experiment, a.id, a.unit, a.better.as_str()].map(str::to_owned).to_vec();
                cells.extend([letter(0), letter(index)]);
                for figure in [a, b] {
                    cells.push(number(Some(figure.value)));
                    cells.extend(ends(figure.ci).map(number));
                }
                cells.push(number(compared.ratio));
                cells.extend(ends(compared.interval).map(number));
                cells.push(compared.difference.as_str().to_owned());
                cells.push(compared.difference.doubt().map_or("", Doubt::as_str).to_owned());
                table.rows.push(cells);
            }
        }
        table
    }

    /// What is clearly worse in the second record, in words.
    pub(super) fn slower(&self) -> Vec<String> {
        let slower = self.differences().filter(|(_, difference)| *difference == Difference::Slower);
        slower
            .filter_map(|(row, _)| {
                let compared = row.compared(0, 1)?;
                let [a, b] = [0, 1].map(|index| row.figures[index].as_ref());
                Some(format!(
                    "{}: {}, {} after {}, {}",
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

/// Each experiment's verdict and median residual, a column a record.
pub(super) fn verdicts(records: &[Named<'_>]) -> Table {
    side_by_side(records, &["experiment"], |experiment| {
        let verdict = judge::outcome(experiment);
        let residual = stats::median(&experiment.residuals());
        let said = residual.map_or_else(
            || verdict.to_owned(),
            |residual| format!("{verdict}, {}", figures::per_cent(residual)),
        );
        vec![(vec![experiment.id.clone()], said)]
    })
}

/// Metrics that are neither better nor worse.
pub(super) fn described(records: &[Named<'_>]) -> Table {
    side_by_side(records, &["experiment", "figure"], |experiment| {
        let neither = experiment.metrics.iter().filter(|metric| metric.better == Better::Neither);
        let row = |metric: &Metric| {
            (vec![experiment.id.clone(), metric.label.clone()], figures::metric(metric))
        };
        neither.map(row).collect()
    })
}

/// One row for each key that any record has; an empty cell where a record lacks it.
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
