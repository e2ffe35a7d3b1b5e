//! Pages for a folder of records: a page per record, an index as Markdown and as HTML, and pictures.

use super::compare::{Named, letter, overlaid, side_by_side};
use super::render::picture;
use super::sections::revision;
use super::{Document, Format, Link, Plot, Table, judge, render, report};
use crate::model::{Category, Experiment, Metric, Record, Verdict, figures, free_name, slug};

/// A file of the gallery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Path in the gallery's folder, with `/` between names.
    pub path: String,
    /// Contents of the file.
    pub text: String,
}

/// Builds the pages of `records`.
///
/// The path of each record is relative to the gallery's folder. Every page names `command` as the command
/// that makes the page. Equal arguments make equal pages, byte for byte.
#[must_use]
pub fn gallery(records: &[Named<'_>], command: &str) -> Vec<Page> {
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
        document.push_maker(command);
        pages.push(Page { path: path.to_owned(), text: render(&document, format) });
    }
    pages.extend(pictures.into_iter().map(|(_, page)| page));
    pages
}

/// Returns the path of the page for the record at the path `record`.
fn page_of(record: &str) -> String {
    format!("{}.md", record.strip_suffix(".json").unwrap_or(record))
}

/// Returns an unused file name for a picture of `experiment`.
///
/// The id may come from anyone's record. The name therefore keeps only letters, digits and hyphens. A number
/// follows if the name is `taken`.
fn picture_path(experiment: &str, taken: impl Fn(&str) -> bool) -> String {
    free_name(&format!("curves-{}", slug(experiment)), "svg", taken)
}

/// Builds the first part of the index: the devices with headline metrics, links to the reports, and curves.
fn index(records: &[Named<'_>], pictures: &[(Plot, Page)], format: Format) -> Document {
    let mut document = Document::default();
    document.heading(1, "GPUs measured by warplaw");
    document.text(
        "Each record contains every raw sample of its device. warplaw can therefore judge and draw each \
         record again without the device. CONTRIBUTING.md explains how to add a record.",
    );
    document.heading(2, "Devices");
    document.table(devices(records));
    document.links(records.iter().enumerate().map(|(index, named)| Link {
        text: format!("{}: full report, measured {}", letter(index), measured(named.record)),
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

/// Returns the date, the profile and the version of warplaw.
fn measured(record: &Record) -> String {
    let date = record.started_at.get(..10).unwrap_or(&record.started_at);
    let version = revision(record).unwrap_or_else(|| record.tool.version.clone());
    format!("{date}, {} profile, warplaw {version}", record.tool.profile)
}

/// Returns the first headline metric of each category, with its experiment.
fn headlines<'a>(records: &[Named<'a>]) -> Vec<(&'a Experiment, &'a Metric)> {
    let first = |category: Category| {
        let all = records.iter().flat_map(|named| &named.record.experiments);
        let mut of = all.filter(|experiment| experiment.category == category);
        of.find_map(|experiment| Some((experiment, experiment.key_figure()?)))
    };
    Category::ALL.into_iter().filter_map(first).collect()
}

/// Builds the table of devices: a row per record, a column per category.
fn devices(records: &[Named<'_>]) -> Table {
    let headlines = headlines(records);
    let labels: Vec<String> =
        headlines.iter().map(|(_, metric)| format!("{}>", metric.label)).collect();
    let mut columns = vec!["key", "device", "backend and driver"];
    columns.extend(labels.iter().map(String::as_str));
    columns.push("laws that hold, of those measured>");
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
