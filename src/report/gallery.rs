//! Pages of a folder of records: each record's own, an index to read and one to look at, and its pictures.

use super::compare::{Named, letter, overlaid, side_by_side};
use super::render::picture;
use super::sections::{add_performance, revision};
use super::{Document, Format, Link, Plot, Table, judge, render, report};
use crate::model::Verdict;
use crate::model::{Category, Experiment, Metric, Performance, Record, figures, slug};

/// A file of the gallery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it belongs in the folder, with `/` between names.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// The pages of `records`, whose paths are those in the folder that `command` makes them in, and of what the benches
/// left there. The same files make the same pages, to the byte.
#[must_use]
pub fn gallery(records: &[Named<'_>], parts: &[Performance], command: &str) -> Vec<Page> {
    let mut pages: Vec<Page> = records
        .iter()
        .map(|named| {
            let mut document = report(named.record);
            document.push_maker(command);
            Page { path: page_of(named.path), text: render(&document, Format::Markdown) }
        })
        .collect();
    let mut pictures: Vec<(Plot, Page)> = Vec::new();
    for (experiment, plot) in overlaid(records) {
        if let Some(text) = picture(&plot) {
            let taken = |path: &str| pictures.iter().any(|(_, page)| page.path == path);
            let path = picture_path(experiment, taken);
            pictures.push((plot, Page { path, text }));
        }
    }
    let compared = (records.len() > 1).then(|| side_by_side(records));
    for (path, format) in [("README.md", Format::Markdown), ("index.html", Format::Html)] {
        let mut document = index(records, &pictures, format);
        if let Some(compared) = &compared {
            document.append(compared.clone());
        }
        add_performance(&mut document, parts);
        document.push_maker(command);
        pages.push(Page { path: path.to_owned(), text: render(&document, format) });
    }
    pages.extend(pictures.into_iter().map(|(_, page)| page));
    pages
}

fn page_of(record: &str) -> String {
    format!("{}.md", record.strip_suffix(".json").unwrap_or(record))
}

/// Returns a file name for a picture of `experiment`, an id that may come from anyone's record: letters, digits and
/// hyphens, with a number where the name is `taken`.
fn picture_path(experiment: &str, taken: impl Fn(&str) -> bool) -> String {
    let stem = format!("curves-{}", slug(experiment));
    std::iter::once(format!("{stem}.svg"))
        .chain((2..).map(|n| format!("{stem}-{n}.svg")))
        .find(|path| !taken(path))
        .expect("some number is free")
}

/// Devices, what each is worth, their curves, and how their figures compare.
fn index(records: &[Named<'_>], pictures: &[(Plot, Page)], format: Format) -> Document {
    let mut document = Document::default();
    document.heading(1, "GPUs measured by warplaw");
    document.text(
        "Each device's record holds every raw sample, so that all of this can be judged and drawn again. Yours is \
         welcome: see CONTRIBUTING.md.",
    );
    document.heading(2, "Devices");
    document.table(devices(records));
    document.links(records.iter().enumerate().map(|(index, named)| Link {
        text: format!("{}: every figure, measured {}", letter(index), measured(named.record)),
        target: page_of(named.path),
    }));
    if !pictures.is_empty() {
        document.heading(2, "Curves");
    }
    for (plot, page) in pictures {
        if format == Format::Html {
            document.plot(plot.clone());
        } else {
            document.picture(Link { text: plot.title.clone(), target: page.path.clone() });
        }
    }
    document
}

/// When, for how long and by which version.
fn measured(record: &Record) -> String {
    let date = record.started_at.get(..10).unwrap_or(&record.started_at);
    let version = revision(record).unwrap_or_else(|| record.tool.version.clone());
    format!("{date}, {} profile, {version}", record.tool.profile)
}

/// A column for each category: the first headline of its first experiment that has one.
fn headlines<'a>(records: &[Named<'a>]) -> Vec<(&'a Experiment, &'a Metric)> {
    let first = |category: Category| {
        let all = records.iter().flat_map(|named| &named.record.experiments);
        let of = all.filter(|experiment| experiment.category == category);
        of.flat_map(|experiment| experiment.metrics.iter().map(move |metric| (experiment, metric)))
            .find(|(_, metric)| metric.headline)
    };
    Category::ALL.into_iter().filter_map(first).collect()
}

fn devices(records: &[Named<'_>]) -> Table {
    let headlines = headlines(records);
    let labels: Vec<String> =
        headlines.iter().map(|(_, metric)| format!("{}>", metric.label)).collect();
    let mut columns = vec!["", "device", "driver"];
    columns.extend(labels.iter().map(String::as_str));
    columns.push("laws that hold>");
    let mut table = Table::new(&columns);
    for (index, Named { record, .. }) in records.iter().enumerate() {
        let cell = |&(of, metric): &(&Experiment, &Metric)| {
            let experiment = record.experiments.iter().find(|experiment| experiment.id == of.id);
            let found = experiment.and_then(|experiment| experiment.metric(&metric.id));
            found.map_or(String::new(), figures::metric)
        };
        let verdicts: Vec<Verdict> = record.experiments.iter().filter_map(judge::rejudge).collect();
        let holding = verdicts.iter().filter(|verdict| **verdict == Verdict::Holds).count();
        let mut row = vec![
            letter(index),
            record.adapter.name.clone(),
            format!("{}, {}", record.adapter.backend, record.adapter.driver_info),
        ];
        row.extend(headlines.iter().map(cell));
        row.push(format!("{holding} of {}", verdicts.len()));
        table.rows.push(row);
    }
    table
}
