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
    insta::assert_snapshot!("terminal", render(&document, Format::Terminal { width: None }));
    insta::assert_snapshot!("markdown", render(&document, Format::Markdown));
    insta::assert_snapshot!("csv", render(&document, Format::Csv));
    insta::assert_snapshot!("html", render(&document, Format::Html));
}

#[test]
fn a_clock_that_lies_is_told_of_at_the_top() {
    let mut record = golden();
    record.clock.faults = vec!["it stands still".to_owned()];
    let text = render(&report::report(&record), Format::Markdown);
    let top = text.split("## Verdicts").next().expect("there is a top");
    assert!(top.contains("Not to be trusted: it stands still."), "{top}");
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
fn a_narrow_terminal_is_kept_to_and_loses_no_letter() {
    let document = report::report(&golden());
    let wide = render(&document, Format::Terminal { width: None });
    let narrow = render(&document, Format::Terminal { width: Some(60) });
    let table = |line: &&str| line.starts_with(' ') || line.starts_with('─');
    assert!(narrow.lines().filter(table).all(|line| line.chars().count() <= 60), "{narrow}");
    let letters = |text: &str| {
        let kept = |c: &char| !c.is_whitespace() && *c != '─';
        let mut letters: Vec<char> = text.chars().filter(kept).collect();
        letters.sort_unstable();
        letters
    };
    assert_eq!(letters(&wide), letters(&narrow));
}

#[test]
fn two_processes_make_the_same_page_to_the_last_byte() {
    let page = |name: &str| {
        let out = std::env::temp_dir().join(format!("warplaw-page-{}", std::process::id()));
        let record = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/record-1.0.0.json");
        let made = std::process::Command::new(env!("CARGO_BIN_EXE_warplaw"))
            .args(["report", record, "--format", name, "--out"])
            .arg(&out)
            .status();
        assert!(made.expect("the binary runs").success());
        std::fs::read(&out).expect("the page is there")
    };
    for format in ["terminal", "markdown", "csv", "html"] {
        let once = page(format);
        assert!(!once.is_empty() && once == page(format), "{format}");
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
