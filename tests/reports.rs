//! Snapshot tests of reports, comparisons and checks in every format.
//!
//! Names in the records contain `<`, `&`, `|` and other characters that a format must escape.

use std::path::Path;
use std::process::Command;

use textwrap::core::display_width;
use warplaw::model::{
    Better, ClockKind, Costs, Curve, Experiment, Interval, Metric, Point, Quantity, Record, Search,
    Status, Tried, Verdict, read,
};
use warplaw::report::{self, Difference, Document, Format, Judgement, Named, render};

/// Returns the path of a test record.
fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Reads the golden record, which has the first schema version.
fn golden() -> Record {
    read(Path::new(&data("record-1.0.0.json"))).expect("the golden record is readable")
}

/// Builds a record with experiments of each kind and outcome, from a device with a hostile name. Searches and
/// costs, which later schema versions have, are added.
fn fixture() -> Record {
    let mut record = read(Path::new(&data("record-1.1.0.json"))).expect("the fixture is readable");
    let tried = |configuration: &str, rate| Tried {
        configuration: configuration.to_owned(),
        rate,
        unit: "item/s".to_owned(),
    };
    let search = |chosen: Option<&str>, tried| Search {
        name: "a <search> | of two".to_owned(),
        chosen: chosen.map(str::to_owned),
        tried,
        left_out: 1,
        took_s: 0.25,
    };
    let wide = "vec4<u32>, 8 workgroups";
    let experiment = &mut record.experiments[0];
    experiment.searches = vec![
        search(Some(wide), vec![tried("u32, 8 workgroups", 1.5e9), tried(wide, 3.25e9)]),
        search(None, Vec::new()),
    ];
    experiment.costs = Some(Costs {
        planning_s: 0.01,
        searching_s: 0.5,
        sizing_s: 0.25,
        verifying_s: 0.125,
        warming_s: 0.05,
        sampling_s: 2.0,
        in_samples_s: 1.9,
        looking_s: 0.01,
        samples: 1000,
        pipelines: 12,
        compiling_s: 0.03,
    });
    record
}

/// Builds a later record of the same device in which a figure and a verdict got worse.
fn later() -> Record {
    let mut record = fixture();
    record.started_at = "2026-11-25T12:00:00Z".to_owned();
    record.tool.profile = "full".to_owned();
    let lanes =
        record.experiments.iter_mut().find(|e| e.id == "lanes").expect("the fixture has `lanes`");
    for metric in lanes.metrics.iter_mut().filter(|metric| metric.id == "t_subgroup_step") {
        let double = |interval: &mut Option<Interval>| {
            let doubled = |i: Interval| Interval { lo: 2.0 * i.lo, hi: 2.0 * i.hi };
            *interval = interval.map(doubled);
        };
        metric.value = metric.value.map(|value| 2.0 * value);
        double(&mut metric.ci);
        double(&mut metric.spread);
    }
    let width =
        record.experiments.iter_mut().find(|e| e.id == "width").expect("the fixture has `width`");
    width.points[0].ratio_ci = Some(Interval { lo: 1.3, hi: 1.4 });
    width.points[0].ratio_spread = width.points[0].ratio_ci;
    record
}

fn named<'a>(records: &'a [(&'a str, Record)]) -> Vec<Named<'a>> {
    records.iter().map(|(path, record)| Named { path, record }).collect()
}

fn in_terminal(document: &Document, width: Option<u16>) -> String {
    render(document, Format::Terminal { width, color: false, ascii: false })
}

#[test]
fn every_format_equals_its_snapshot() {
    let document = report::report(&fixture());
    insta::assert_snapshot!("terminal", in_terminal(&document, None));
    insta::assert_snapshot!("terminal_60", in_terminal(&document, Some(60)));
    insta::assert_snapshot!("terminal_80", in_terminal(&document, Some(80)));
    insta::assert_snapshot!("markdown", render(&document, Format::Markdown));
    insta::assert_snapshot!("csv", render(&report::points(&[fixture()]), Format::Csv));
    insta::assert_snapshot!("html", render(&document, Format::Html));
    insta::assert_snapshot!("summary", in_terminal(&report::summary(&fixture()), Some(200)));
}

/// The report for terminals leaves out only what no terminal shows.
#[test]
fn the_report_for_terminals_looks_like_the_full_one() {
    let mut without_values = fixture();
    for point in without_values.experiments.iter_mut().flat_map(|each| &mut each.points) {
        (point.measured, point.predicted) = (f64::NAN, f64::NAN);
    }
    assert!(in_terminal(&report::report(&without_values), None).contains("NaN"));
    for record in [fixture(), golden(), later(), without_values] {
        let (full, brief) = (report::report(&record), report::terminal_report(&record));
        for width in [None, Some(60), Some(100)] {
            assert_eq!(in_terminal(&full, width), in_terminal(&brief, width));
        }
    }
    let sizes = [report::report, report::terminal_report].map(|make| make(&fixture()).blocks.len());
    assert!(sizes[1] < sizes[0], "{sizes:?}");
}

/// A comparison looks the same whether it gets the whole records or only what [`Record::for_many`] keeps.
#[test]
fn a_comparison_needs_no_more_than_it_keeps_in_memory() {
    let records = [("a.json", fixture()), ("b.json", later()), ("c.json", golden())];
    let kept = records.clone().map(|(path, record)| (path, record.for_many()));
    for count in [2, 3] {
        let (whole, kept) = (named(&records[..count]), named(&kept[..count]));
        let pages = [&whole, &kept].map(|records| render(&report::compare(records), Format::Html));
        assert_eq!(pages[0], pages[1]);
        let tables = [&whole, &kept].map(|all| render(&report::comparison(all), Format::Csv));
        assert_eq!(tables[0], tables[1]);
        let data = [&whole, &kept].map(|records| {
            serde_json::to_string(&report::comparison_data(records)).expect("it is data")
        });
        assert_eq!(data[0], data[1]);
    }
}

/// A terminal shows a comparison of many records as a list, because a grid would break every cell.
#[test]
fn a_comparison_of_many_records_has_no_narrow_columns() {
    let records: Vec<_> = (0..20).map(|_| ("a.json", fixture())).collect();
    let text = in_terminal(&report::compare(&named(&records)), Some(100));
    assert!(text.lines().any(|line| line.starts_with("  T: holds, ")), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn a_record_of_the_first_version_renders_in_every_format() {
    let document = report::report(&golden());
    for format in [Format::Markdown, Format::Csv, Format::Html] {
        let text = render(&document, format);
        assert!(text.contains("lanes") && text.contains("0.999"), "{format:?}: {text}");
    }
    assert!(render(&document, Format::Html).contains("<svg"));
}

#[test]
fn colours_do_not_change_the_text() {
    let document = report::summary(&fixture());
    let colored =
        render(&document, Format::Terminal { width: Some(200), color: true, ascii: false });
    assert!(colored.contains("\u{1b}["), "{colored}");
    let mut plain = String::new();
    let mut in_code = false;
    for c in colored.chars() {
        match c {
            '\u{1b}' => in_code = true,
            'm' if in_code => in_code = false,
            c if !in_code => plain.push(c),
            _ => (),
        }
    }
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&plain), words(&in_terminal(&document, Some(200))));
}

#[test]
fn a_clock_fault_is_reported_before_the_verdicts() {
    let mut record = fixture();
    record.clock.faults = vec!["it stands still".to_owned()];
    let text = render(&report::report(&record), Format::Markdown);
    let top = text.split("## Verdicts").next().expect("a split gives at least one part");
    assert!(top.contains("The clock is not to be trusted: it stands still."), "{top}");
}

#[test]
fn comparisons_equal_their_snapshots() {
    let pair = [("a.json", fixture()), ("b.json", later())];
    let document = report::compare(&named(&pair));
    insta::assert_snapshot!("comparison", render(&document, Format::Markdown));
    insta::assert_snapshot!("comparison_80", in_terminal(&document, Some(80)));
    let tidy = report::comparison(&named(&pair));
    insta::assert_snapshot!("comparison_csv", render(&tidy, Format::Csv));
    let mut other = golden();
    let speed_up = other.experiments[0].metrics.iter_mut().find(|m| m.id == "speed_up_at_width");
    speed_up.expect("the golden record has the metric").value = Some(16.2);
    let three = [("a.json", fixture()), ("b.json", later()), ("c.json", other)];
    let ranked = report::compare(&named(&three));
    insta::assert_snapshot!("ranking", render(&ranked, Format::Markdown));
}

#[test]
fn a_record_compared_with_itself_is_the_same_on_every_row() {
    for record in [fixture(), golden()] {
        let pair = [("a.json", record.clone()), ("a.json", record)];
        let csv = render(&report::comparison(&named(&pair)), Format::Csv);
        let rows: Vec<&str> = csv.lines().skip(1).collect();
        assert!(!rows.is_empty());
        // The last column, `because`, gives reasons for doubt and must be empty.
        let same = format!(",{},", Difference::Same.as_str());
        assert!(rows.iter().all(|row| row.trim_end().ends_with(&same)), "{csv}");
        let pair = named(&pair);
        assert!(report::slower(pair[0], pair[1]).is_empty());
        assert!(report::conditions_that_differ(&pair).is_empty());
    }
}

#[test]
fn differences_other_than_the_device_are_listed_before_the_verdicts() {
    let mut other = fixture();
    other.tool.version = "9.9.9".to_owned();
    other.tool.profile = "full".to_owned();
    other.clock.kind = ClockKind::Host;
    other.adapter.shader_checks = true;
    other.adapter.limits = "downlevel".to_owned();
    let pair = [("a.json", fixture()), ("b.json", other)];
    let text = render(&report::compare(&named(&pair)), Format::Markdown);
    let top = text.split("## Verdicts").next().expect("a split gives at least one part");
    for difference in ["9.9.9", "full profile", "B host", "checks on", "downlevel limits"] {
        assert!(top.contains(difference), "`{difference}` is missing: {top}");
    }
}

#[test]
fn a_check_against_a_baseline_fails_only_for_what_got_worse() {
    let (before, after) = ([("a.json", fixture())], [("b.json", later())]);
    let baseline = named(&before)[0];
    let after = named(&after);
    let checked = report::check(&after, Some(baseline));
    assert_eq!(checked.judgement(), Judgement::Deviates);
    insta::assert_snapshot!("check", render(&checked.document(), Format::Markdown));
    insta::assert_snapshot!("check_csv", render(&checked.tidy(), Format::Csv));
    insta::assert_snapshot!("check_json", serde_json::to_string_pretty(&checked).expect("JSON"));
    let judgement =
        |record: Record| report::check(&named(&[("c.json", record)]), Some(baseline)).judgement();
    // `overlap` deviates in the baseline too, so the check of the baseline against itself holds.
    assert_eq!(judgement(fixture()), Judgement::Holds);
    assert_eq!(report::check(&named(&before), None).judgement(), Judgement::Deviates);

    let mut undecided = fixture();
    undecided.experiments[0].controls[0].passed = false;
    assert_eq!(judgement(undecided), Judgement::Inconclusive);
    let mut failed = fixture();
    failed.experiments[0].status = Status::Failed;
    assert_eq!(judgement(failed), Judgement::Deviates);
}

#[test]
fn a_check_against_a_baseline_ignores_what_only_one_record_measured() {
    let full = [("a.json", fixture())];
    let baseline = named(&full)[0];
    let mut partial = fixture();
    partial.experiments.remove(0);
    let partial = [("c.json", partial)];
    let partial = named(&partial);
    let checked = report::check(&partial, Some(baseline));
    assert_eq!(checked.judgement(), Judgement::Holds);
    let page = render(&checked.document(), Format::Markdown);
    assert!(
        page.contains("measured in some records only") && page.contains("width (not in B)"),
        "{page}"
    );
    // The other way round, the experiment that the baseline lacks may do what it likes.
    let checked = report::check(&named(&full), Some(partial[0])).judgement();
    assert_eq!(checked, Judgement::Holds);
    let mut other = fixture();
    other.experiments.clear();
    let empty = [("d.json", other)];
    let checked = report::check(&named(&empty), Some(baseline)).judgement();
    assert_eq!(checked, Judgement::Inconclusive);
}

#[test]
fn a_point_newly_deviates_only_if_it_held_before_and_its_ratio_has_clearly_changed() {
    let moved = |ratio: f64| {
        let mut record = fixture();
        let experiment = &mut record.experiments[0];
        experiment.tolerance = Some(0.05);
        for point in experiment.points.iter_mut().filter(|point| point.judged) {
            let near = |width: f64| Some(Interval { lo: ratio - width, hi: ratio + width });
            (point.ratio, point.ratio_ci, point.ratio_spread) = (ratio, near(0.005), near(0.01));
        }
        record
    };
    let judgement = |before: f64, after: f64| {
        let (before, after) = ([("a.json", moved(before))], [("b.json", moved(after))]);
        report::check(&named(&after), Some(named(&before)[0])).judgement()
    };
    // Just inside the tolerance, then just outside: two runs of one device may differ by that much.
    assert_eq!(judgement(1.04, 1.07), Judgement::Holds);
    assert_eq!(judgement(1.00, 1.30), Judgement::Deviates);
    assert_eq!(judgement(1.00, 0.80), Judgement::Deviates);
    // It deviated before.
    assert_eq!(judgement(1.20, 1.60), Judgement::Holds);
    assert_eq!(judgement(1.30, 1.00), Judgement::Holds);
    // It was undecided before: the interval contains the edge of the tolerance.
    assert_eq!(judgement(1.05, 1.40), Judgement::Holds);
}

#[test]
fn no_line_exceeds_the_width_of_the_terminal() {
    let mut long = fixture();
    long.adapter.name = "Radeon日本 <x> | ".repeat(30).chars().take(300).collect();
    long.tool.argv = vec!["warplaw".to_owned(), "x".repeat(300)];
    let pair = [("a.json", fixture()), ("b.json", later())];
    let three = [("a.json", fixture()), ("b.json", later()), ("c.json", long.clone())];
    let documents = [
        report::report(&long),
        report::summary(&long),
        report::compare(&named(&pair)),
        report::compare(&named(&three)),
        report::check(&named(&three), Some(named(&pair)[0])).document(),
    ];
    for document in &documents {
        for width in [60, 80, 200] {
            let text = in_terminal(document, Some(width));
            let too_long = text.lines().find(|line| display_width(line) > usize::from(width));
            assert_eq!(too_long, None, "at {width} columns");
        }
    }
}

#[test]
fn a_narrow_terminal_shows_every_cell() {
    let document = report::summary(&fixture());
    let words = |text: &str| {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.retain(|word| !word.starts_with(['─', '═']));
        words.sort();
        words
    };
    let (wide, narrow) = (in_terminal(&document, None), in_terminal(&document, Some(60)));
    let narrow = words(&narrow);
    for word in words(&wide) {
        // In a narrow terminal, the head of a column precedes each cell, followed by a colon.
        let is_shown = narrow.contains(&word) || narrow.contains(&format!("{word}:"));
        assert!(
            // The head of the first column stands in no row of its own.
            is_shown || word == "metric",
            "`{word}` is missing"
        );
    }
}

#[test]
fn two_processes_render_the_same_report_byte_for_byte() {
    let page = |name: &str| {
        let out = std::env::temp_dir().join(format!("warplaw-{name}-{}", std::process::id()));
        let made = Command::new(env!("CARGO_BIN_EXE_warplaw"))
            .args(["report", &data("record-1.1.0.json"), "--format", name, "--out"])
            .arg(&out)
            .status();
        assert!(made.expect("the binary runs").success());
        std::fs::read(&out).expect("the page exists")
    };
    for format in ["terminal", "markdown", "csv", "html"] {
        let once = page(format);
        assert!(!once.is_empty() && once == page(format), "two {format} pages differ");
    }
}

#[test]
fn no_name_becomes_markup() {
    let html = render(&report::report(&fixture()), Format::Html);
    assert!(!html.contains("<script") && html.contains("Acme &quot;Warp&quot; &lt;script&gt;"));
    // The page fetches no resource and runs no script.
    for markup in ["src=", "@import", "url(", "<iframe", "onload", "href=\"http"] {
        assert!(!html.contains(markup), "`{markup}` is on the page");
    }
    let markdown = render(&report::report(&fixture()), Format::Markdown);
    assert!(!markdown.contains("<script") && !markdown.contains("<b>"));
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
fn the_csv_has_one_row_per_point_and_unrounded_figures() {
    let record = fixture();
    let csv = render(&report::points(std::slice::from_ref(&record)), Format::Csv);
    let points: Vec<_> = record.experiments.iter().flat_map(|e| &e.points).collect();
    assert_eq!(csv.lines().count(), 1 + points.len());
    assert!(csv.starts_with("adapter,backend,"), "{csv}");
    for point in points {
        assert!(csv.contains(&format!(",{},", point.measured)), "{}", point.measured);
    }
}

/// A plot shows the samples of a point if the record has the cases that the trace of the point names.
#[test]
fn plots_show_samples_only_if_the_record_has_the_cases() {
    let mut record = fixture();
    let dots = |record: &Record| {
        let html = render(&report::report(record), Format::Html);
        html.matches("class=\"dots").count()
    };
    assert!(dots(&record) > 5);
    record.experiments.iter_mut().for_each(|experiment| experiment.cases.clear());
    assert_eq!(dots(&record), 0);
}

#[test]
fn the_judgement_of_a_record_follows_from_its_points_and_controls() {
    let mut record = golden();
    assert_eq!(Judgement::of(&record), Judgement::Holds);
    record.experiments[0].points[0].ratio_ci = Some(Interval { lo: 1.2, hi: 1.3 });
    assert_eq!(Judgement::of(&record), Judgement::Deviates);
    record.experiments[0].points[0].judged = false;
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

/// A name that contains markup, a formula, a path and a terminal escape.
const HOSTILE: &str = "../../<b>&|=x`\u{1b}[2J";

/// Builds an experiment that is not in the registry, with hostile text in all of its strings.
fn unknown_experiment() -> Experiment {
    let metric = |id: &str, value: Option<f64>, text: Option<&str>, headline| Metric {
        id: id.to_owned(),
        label: format!("{id} {HOSTILE}"),
        unit: "furlongs".to_owned(),
        better: Better::Higher,
        headline,
        note: HOSTILE.to_owned(),
        memory: false,
        value,
        text: text.map(str::to_owned),
        ci: value.map(|value| Interval { lo: 0.9 * value, hi: 1.1 * value }),
        spread: None,
    };
    let point = |x: f64| Point {
        series: HOSTILE.to_owned(),
        x: Quantity { name: HOSTILE.to_owned(), value: x, unit: String::new() },
        measured: 2.0 * x,
        predicted: 2.0 * x,
        unit: "s".to_owned(),
        ratio: 1.0,
        ratio_ci: Some(Interval { lo: 0.99, hi: 1.01 }),
        confidence: 0.95,
        ratio_spread: None,
        verdict: Verdict::Holds,
        judged: true,
        trace: None,
    };
    let mut experiment = fixture().experiments.swap_remove(0);
    experiment.id = HOSTILE.to_owned();
    experiment.law = HOSTILE.to_owned();
    experiment.metrics = vec![
        metric("speed", Some(40.0), None, true),
        metric("kind", None, Some(HOSTILE), true),
        metric("plain", Some(3.0), None, false),
    ];
    experiment.points = vec![point(1.0), point(2.0), point(4.0)];
    experiment.curves =
        vec![Curve { series: HOSTILE.to_owned(), ..Curve::new(HOSTILE, HOSTILE, "s") }];
    experiment.diagnosis = vec![HOSTILE.to_owned()];
    experiment
}

#[test]
fn an_unknown_experiment_is_shown_in_full_in_every_report() {
    let mut record = fixture();
    record.experiments.push(unknown_experiment());
    let mut other = record.clone();
    other.seed += 1;
    let records = [("a.json", record.clone()), ("b.json", other)];
    let pair = named(&records);

    let report = report::report(&record);
    let comparison = report::compare(&pair);
    for format in [
        Format::Terminal { width: None, color: false, ascii: false },
        Format::Markdown,
        Format::Html,
    ] {
        for (document, expected) in [
            (&report, ["speed ", "kind ", "plain ", "40"].as_slice()),
            (&comparison, ["speed ", "plain ", "SAME"].as_slice()),
        ] {
            let text = render(document, format);
            for word in expected {
                assert!(text.contains(word), "{format:?} lacks `{word}`");
            }
            assert!(!text.contains('\u{1b}'), "an escape reaches {format:?}");
        }
    }
    assert!(!render(&report, Format::Html).contains("<b>"), "markup reaches the page");
    let points = render(&report::points(std::slice::from_ref(&record)), Format::Csv);
    // Each of the three points has a row with the id, the series and the name of the swept quantity.
    assert_eq!(points.matches("../../").count(), 3 * 3, "{points}");

    let pages = report::gallery(&pair, "warplaw gallery");
    let curves: Vec<&str> =
        pages.iter().map(|page| page.path.as_str()).filter(|path| path.contains("b-x")).collect();
    assert_eq!(curves, ["curves-b-x-2j.svg"]);
    for page in &pages {
        assert!(!page.path.contains(".."), "the path {} leaves the folder", page.path);
    }
}

#[test]
fn two_curves_of_one_experiment_give_two_pictures() {
    let mut record = fixture();
    let mut experiment = unknown_experiment();
    let mut second = experiment.points.clone();
    second.iter_mut().for_each(|point| point.series = "second".to_owned());
    experiment.points.extend(second);
    let curve = Curve { series: "second".to_owned(), ..experiment.curves[0].clone() };
    experiment.curves.push(curve);
    record.experiments.push(experiment);
    let pages = report::gallery(&named(&[("a.json", record)]), "warplaw gallery");
    for path in ["curves-b-x-2j.svg", "curves-b-x-2j-2.svg"] {
        assert_eq!(pages.iter().filter(|page| page.path == path).count(), 1, "{path}");
    }
}
