//! Pages for a folder of records: a page per record, an index as Markdown and as HTML, and pictures.

use super::compare::{Named, letter, overlaid, side_by_side};
use super::render::picture;
use super::sections::revision;
use super::{Document, Format, Link, Plot, Table, judge, render, report};
use crate::model::{
    Category, Experiment, Metric, Ranks, Record, Verdict, figures, free_name, slug,
};

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
    let (interconnects, devices): (Vec<Named<'_>>, Vec<Named<'_>>) =
        records.iter().partition(|named| named.record.ranks.is_some());
    let mut taken = Vec::new();
    let among_devices = pictures(&devices, &mut taken);
    let among_interconnects = pictures(&interconnects, &mut taken);
    for (path, format) in [("README.md", Format::Markdown), ("index.html", Format::Html)] {
        let mut document = index(&devices, &among_devices, format);
        if !interconnects.is_empty() {
            document.heading(2, "Interconnects");
            document.links([Link {
                text: "All-reduces among several processes, hosts and GPUs".to_owned(),
                target: INTERCONNECTS.to_owned(),
            }]);
        }
        if devices.len() > 1 {
            document.append(side_by_side(&devices));
        }
        document.push_maker(command);
        pages.push(Page { path: path.to_owned(), text: render(&document, format) });
    }
    if !interconnects.is_empty() {
        let mut document = of_interconnects(&interconnects, &among_interconnects);
        document.push_maker(command);
        let text = render(&document, Format::Markdown);
        pages.push(Page { path: INTERCONNECTS.to_owned(), text });
    }
    let pictures = among_devices.into_iter().chain(among_interconnects);
    pages.extend(pictures.map(|(_, page)| page));
    pages
}

/// Path of the page for records of several processes.
const INTERCONNECTS: &str = "interconnects.md";

/// Builds the pictures of the curves that records share, and adds their paths to `taken`.
fn pictures(records: &[Named<'_>], taken: &mut Vec<String>) -> Vec<(Plot, Page)> {
    let picture = |(experiment, plot): (&str, Plot)| {
        let text = picture(&plot)?;
        let path = picture_path(experiment, |path| taken.iter().any(|known| known == path));
        taken.push(path.clone());
        Some((plot, Page { path, text }))
    };
    overlaid(records).into_iter().filter_map(picture).collect()
}

/// Builds the page for records of several processes: what connects them, their headline metrics, curves, and a comparison.
fn of_interconnects(records: &[Named<'_>], pictures: &[(Plot, Page)]) -> Document {
    let mut document = Document::default();
    document.heading(1, "Interconnects measured by warplaw");
    document.text(
        "Each record is of several processes, the ranks, that sum messages together: on one host or on many, with the message \
         library and the transport that the table names.",
    );
    let headlines = |named: &Named<'_>| -> Vec<Metric> {
        let all = named.record.experiments.iter().flat_map(|experiment| &experiment.metrics);
        all.filter(|metric| metric.headline).cloned().collect()
    };
    let mut known: Vec<Metric> = Vec::new();
    for metric in records.iter().flat_map(headlines) {
        if known.iter().all(|other| other.id != metric.id) {
            known.push(metric);
        }
    }
    // The number of ranks of the first record is no part of a column's name.
    let labels: Vec<String> = known
        .iter()
        .map(|metric| {
            let (label, ranks) = metric.label.rsplit_once(", ").unwrap_or((&metric.label, ""));
            let is_ranks = ranks.ends_with(" ranks");
            format!("{}>", if is_ranks { label } else { &metric.label })
        })
        .collect();
    let mut columns = vec!["key", "ranks, library and transport", "device of the first rank"];
    columns.extend(labels.iter().map(String::as_str));
    let mut table = Table::new(&columns);
    for (index, named) in records.iter().enumerate() {
        let own = headlines(named);
        let cell = |metric: &Metric| {
            own.iter().find(|own| own.id == metric.id).map_or(String::new(), figures::metric)
        };
        let ranks = named.record.ranks.as_ref().map_or(String::new(), Ranks::words);
        let mut row = vec![letter(index), ranks, named.record.adapter.name.clone()];
        row.extend(known.iter().map(cell));
        table.rows.push(row);
    }
    document.table(table);
    document.links(links(records));
    for (plot, page) in pictures {
        document.picture(Link { text: plot.title.clone(), target: page.path.clone() });
    }
    if records.len() > 1 {
        document.append(side_by_side(records));
    }
    document
}

/// Returns the links to the reports of `records`.
fn links(records: &[Named<'_>]) -> Vec<Link> {
    let link = |(index, named): (usize, &Named<'_>)| Link {
        text: format!("{}: full report, measured {}", letter(index), measured(named.record)),
        target: page_of(named.path),
    };
    records.iter().enumerate().map(link).collect()
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
    document.links(links(records));
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
