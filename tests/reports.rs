//! What people read, held still: every format of a record whose names have `<`, `&` and `|` in them.

use std::path::Path;

use warplaw::record::{Record, Status, read};
use warplaw::report::{self, Format, Judgement, render};
use warplaw::stats::Interval;

fn golden() -> Record {
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/record-1.0.0.json")))
        .expect("the golden record is readable")
}

#[test]
fn every_format_says_the_same_as_before() {
    let document = report::report(&golden());
    insta::assert_snapshot!("terminal", render(&document, Format::Terminal));
    insta::assert_snapshot!("markdown", render(&document, Format::Markdown));
    insta::assert_snapshot!("csv", render(&document, Format::Csv));
    insta::assert_snapshot!("html", render(&document, Format::Html));
}

#[test]
fn a_comparison_says_the_same_as_before() {
    let mut other = golden();
    other.adapter.name = "Other".to_owned();
    other.experiments.pop();
    other.experiments[0].findings[0].value = report_value(16.2);
    let pair = [("a.json".to_owned(), golden()), ("b.json".to_owned(), other)];
    insta::assert_snapshot!("comparison", render(&report::compare(&pair), Format::Markdown));
}

fn report_value(number: f64) -> warplaw::record::Value {
    warplaw::record::Value::Number(number)
}

#[test]
fn reports_are_byte_stable() {
    for format in [Format::Terminal, Format::Markdown, Format::Csv, Format::Html] {
        let once = render(&report::report(&golden()), format);
        assert_eq!(once, render(&report::report(&golden()), format));
    }
}

#[test]
fn no_name_breaks_out_of_its_place() {
    let html = render(&report::report(&golden()), Format::Html);
    assert!(!html.contains("<Warp>") && html.contains("Acme &lt;Warp&gt; &amp; Weft | 9000"));
    let markdown = render(&report::report(&golden()), Format::Markdown);
    assert!(!markdown.contains("<Warp>"));
    let pipes = |line: &&str| line.starts_with('|');
    for table in markdown.split("\n\n").filter(|block| block.starts_with('|')) {
        let columns: Vec<usize> = table
            .lines()
            .filter(pipes)
            .map(|line| line.replace("\\|", "").matches('|').count())
            .collect();
        assert!(columns.iter().all(|&n| n == columns[0]), "{table}");
    }
}

#[test]
fn records_are_judged_again_from_their_points() {
    let mut record = golden();
    assert_eq!(Judgement::of(&record), Judgement::Holds);
    record.experiments[0].points[0].ratio_ci = Some(Interval { lo: 1.2, hi: 1.3 });
    assert_eq!(Judgement::of(&record), Judgement::Deviates);
    record.experiments[0].points[0].claimed = false;
    assert_eq!(Judgement::of(&record), Judgement::Inconclusive);
    record = golden();
    record.experiments[0].controls[0].passed = false;
    assert_eq!(Judgement::of(&record), Judgement::Inconclusive);
    record = golden();
    record.experiments[0].status = Status::Failed;
    assert_eq!(Judgement::of(&record), Judgement::Deviates);
    record.experiments.clear();
    assert_eq!(Judgement::of(&record), Judgement::Inconclusive);
}
