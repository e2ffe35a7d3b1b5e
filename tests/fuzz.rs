//! Hostile input: records cut, flipped, spliced and stuffed, and command lines of any words. Each gives a record
//! or one clear line, never a panic; and what a record's strings contain stays what it is on every page.
//!
//! `PROPTEST_CASES=1000000 cargo test --release --test fuzz` looks longer than the suite does.

mod sim;

use std::path::Path;
use std::sync::LazyLock;

use clap::Parser as _;
use proptest::prelude::*;
use proptest::sample::Index;
use pulldown_cmark::{Event, Options, Parser, Tag};
use warplaw::cli::Arguments;
use warplaw::experiments::{REGISTRY, laws};
use warplaw::model::{self, Record};
use warplaw::report::{self, Format, Judgement, Named, render};
use warplaw::sim::{Machine, Simulator};

/// A small record, whole.
const GOLDEN: &str = include_str!("data/record-1.0.0.json");

/// A record of all experiments, without raw samples.
fn whole() -> &'static [u8] {
    static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let ids: Vec<&str> = REGISTRY.iter().map(|experiment| experiment.id).collect();
        // Of small buffers, so that what is measured of memory is the reader's.
        let small = Simulator::new(Machine::lawful(8))
            .appearing(|facts| facts.limits.binding_bytes = 16 << 20);
        let mut record = sim::suite(vec![small], &ids);
        record.experiments.iter_mut().for_each(|experiment| experiment.cases.truncate(1));
        serde_json::to_vec(&record).expect("a record is JSON")
    });
    &WHOLE
}

/// What replaces a value: numbers at the ends of their range and beyond, other types, deep and long things,
/// and strings that mean something to someone.
const VALUES: &[&str] = &[
    "0",
    "-0.0",
    "1",
    "-1",
    "1e308",
    "-1e308",
    "5e-324",
    "1e999",
    "-1e999",
    "NaN",
    "Infinity",
    "18446744073709551615",
    "18446744073709551616",
    "4294967296",
    "-9223372036854775809",
    "0.1e-400",
    "null",
    "true",
    "[]",
    "{}",
    "[[1, 2], [3]]",
    "[null, null]",
    "[2.0, 1.0]",
    "\"\"",
    "\"1\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"=cmd|' /C calc'!A0\"",
    "\"<script>alert(1)</script>\"",
    "\"a|b`c``d\\\\\"",
    "\"\\u001b]0;title\\u0007\\u001b[2J\"",
    "\"\\u202egnp.exe\"",
    "\"../../../etc/passwd\"",
    "\"](javascript:x)\"",
    "\"holds\"",
    "\"deviates\"",
    "\"inconclusive\"",
    "\"measured\"",
    "\"failed\"",
    "\"x\\ny\\r\\n- z\"",
];

/// One thing done to a text.
#[derive(Debug, Clone)]
enum Harm {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, u8),
    /// A piece is repeated elsewhere, so that keys come twice.
    Copy(Index, Index, u8),
    /// A whole value is replaced.
    Replace(Index, usize),
    /// A value becomes a string of so many letters.
    Long(Index, usize),
    /// A value becomes a list so deep.
    Deep(Index, usize),
    /// A value becomes a list of so many.
    Many(Index, usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let index = any::<Index>;
    prop_oneof![
        1 => index().prop_map(Harm::Cut),
        2 => (index(), any::<u8>()).prop_map(|(at, bits)| Harm::Flip(at, bits)),
        1 => (index(), prop::collection::vec(any::<u8>(), 0..12)).prop_map(|(at, b)| Harm::Insert(at, b)),
        1 => (index(), any::<u8>()).prop_map(|(at, count)| Harm::Delete(at, count)),
        1 => (index(), index(), any::<u8>()).prop_map(|(a, b, count)| Harm::Copy(a, b, count)),
        9 => (index(), 0..VALUES.len()).prop_map(|(at, value)| Harm::Replace(at, value)),
        1 => (index(), 0usize..40_000).prop_map(|(at, count)| Harm::Long(at, count)),
        1 => (index(), 0usize..2_000).prop_map(|(at, depth)| Harm::Deep(at, depth)),
        1 => (index(), 0usize..10_000).prop_map(|(at, count)| Harm::Many(at, count)),
    ]
}

/// Where values stand in a text of JSON, as far as its colons and commas tell.
fn values(text: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in text.iter().enumerate().filter(|(_, b)| matches!(b, b':' | b'[' | b',')) {
        let space = text[at + 1..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let start = at + 1 + space;
        let quoted = text.get(start) == Some(&b'"');
        let ends =
            |i: usize, b: u8| if quoted { b == b'"' && i > 0 } else { b",]}\n".contains(&b) };
        if let Some(length) = text[start..].iter().enumerate().position(|(i, &b)| ends(i, b)) {
            found.push((start, start + length + usize::from(quoted)));
        }
    }
    found
}

fn put(text: &mut Vec<u8>, at: Index, value: &[u8]) {
    let places = values(text);
    if !places.is_empty() {
        let (start, end) = *at.get(&places);
        text.splice(start..end.min(text.len()), value.iter().copied());
    }
}

fn harmed(mut text: Vec<u8>, harms: &[Harm]) -> Vec<u8> {
    for harm in harms {
        let place = |at: &Index| at.index(text.len() + 1);
        match harm {
            Harm::Cut(at) => text.truncate(place(at)),
            Harm::Flip(at, bits) => {
                let at = place(at);
                text.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bits);
            }
            Harm::Insert(at, bytes) => {
                let at = place(at);
                text.splice(at..at, bytes.iter().copied());
            }
            Harm::Delete(at, count) => {
                let start = place(at);
                let end = (start + usize::from(*count)).min(text.len());
                text.drain(start..end);
            }
            Harm::Copy(from, to, count) => {
                let (from, to) = (place(from), place(to));
                let piece: Vec<u8> =
                    text.iter().skip(from).take(usize::from(*count)).copied().collect();
                text.splice(to..to, piece);
            }
            Harm::Replace(at, value) => put(&mut text, *at, VALUES[*value].as_bytes()),
            Harm::Long(at, count) => {
                put(&mut text, *at, format!("\"{}\"", "a".repeat(*count)).as_bytes());
            }
            Harm::Deep(at, depth) => put(&mut text, *at, "[".repeat(*depth).as_bytes()),
            Harm::Many(at, count) => {
                put(&mut text, *at, format!("[{}0]", "0,".repeat(*count)).as_bytes());
            }
        }
    }
    text
}

/// Everything that is done with a record that was read.
fn use_everywhere(record: &Record) {
    let _judged = Judgement::of(record);
    let mut other = record.clone();
    other.seed ^= 1;
    let named = |path, record| Named { path, record };
    let pair = [named("a", record), named("b", &other)];
    let three = [pair[0], pair[1], pair[0]];
    let (_judged, checked) = report::check(&pair, Some(pair[1]));
    let documents = [
        report::report(record),
        report::closing_with_verdicts(record),
        report::compare(&pair),
        report::compare(&three),
        checked,
    ];
    for document in &documents {
        let terminal = render(document, Format::Terminal { width: Some(80), color: false });
        let stray = |c: char| c.is_control() && c != '\n';
        assert!(!terminal.contains(stray), "a terminal is steered");
        check_html(&render(document, Format::Html));
        check_markdown(&render(document, Format::Markdown), Links::None);
    }
    for document in
        [&documents[0], &report::points(std::slice::from_ref(record)), &report::comparison(&pair)]
    {
        check_csv(&render(document, Format::Csv));
    }
    for page in report::gallery(&three, &[], "warplaw gallery") {
        assert!(!page.path.contains(".."), "{} is outside of the folder", page.path);
        match page.path.as_str() {
            "README.md" => check_markdown(&page.text, Links::Gallery),
            path if path.ends_with(".md") => check_markdown(&page.text, Links::None),
            _ => check_html(&page.text),
        }
    }
    let place = model::default_path(record);
    let folders: Vec<_> = place.components().collect();
    assert!(folders.len() == 3 && place.starts_with("results"), "{}", place.display());
    assert!(!place.to_string_lossy().contains(".."), "{}", place.display());
    for law in laws() {
        let mut given = law.given(Some(record.clone()));
        // What no record has.
        let asked = law.parameters.iter().filter(|parameter| parameter.places.is_empty());
        for parameter in asked.filter(|parameter| parameter.instead_of.is_none()) {
            let fits = ["2", "0.5"].into_iter().find_map(|n| parameter.domain.parse(n).ok());
            let fits = fits.expect("one of them is in every domain");
            given.number(parameter.flag, (fits, fits));
        }
        let _answer = law.ask(&mut given);
    }
    let again = serde_json::to_vec(record).expect("a record is JSON");
    assert_eq!(&model::parse("again", &again).expect("what is written can be read"), record);
}

fn check_html(html: &str) {
    for markup in ["<script", "<b>", "href=\"http", "javascript:x\"", "src="] {
        assert!(!html.contains(markup), "{markup} gets onto a page");
    }
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
}

fn check_csv(csv: &str) {
    assert!(csv.split("\r\n").all(|line| !line.starts_with(['=', '+', '@'])), "a formula gets out");
    assert!(!csv.contains(",=") && !csv.contains(",\"="), "a formula gets out");
}

/// Which links and pictures a page may have.
#[derive(Clone, Copy, PartialEq)]
enum Links {
    None,
    /// To the pages and pictures beside it.
    Gallery,
}

fn check_markdown(markdown: &str, links: Links) {
    let own = |target: &str| {
        links == Links::Gallery
            && (target == "a.md" || target == "b.md" || target.starts_with("curves-"))
    };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        let markup = match &event {
            // What folds the points away.
            Event::Html(html) => {
                let rest = ["<details>", "</details>", "<summary>", "</summary>"]
                    .iter()
                    .fold(html.to_string(), |text, tag| text.replace(tag, ""));
                rest.contains('<')
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                !own(dest_url)
            }
            Event::InlineHtml(_) => true,
            _ => false,
        };
        assert!(!markup, "{event:?} gets onto a page");
    }
}

fn check(text: &[u8]) {
    match model::parse("some/file.json", text) {
        Ok(record) => use_everywhere(&record),
        Err(error) => {
            let line = error.to_string();
            assert!(line.contains("`some/file.json`"), "no file: {line}");
            assert!(line.chars().count() < 500 && !line.contains(char::is_control), "{line}");
        }
    }
}

/// Some thousands of each, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(3_000), failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_harmed_record_is_read_or_refused(harms in prop::collection::vec(harm(), 1..5)) {
        check(&harmed(GOLDEN.as_bytes().to_vec(), &harms));
    }

    #[test]
    fn a_harmed_record_of_everything_is_read_or_refused(
        harms in prop::collection::vec(harm(), 1..4),
        turn in 0..50,
    ) {
        // It is a hundred times as long, and comes a fiftieth as often.
        if turn == 0 {
            check(&harmed(whole().to_vec(), &harms));
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn any_words_are_a_command_line_or_an_error(
        command in prop::sample::select(vec!["run", "list", "adapters", "report", "compare", "check", "gallery", "predict", "help", ""]),
        law in prop::sample::select(laws().map(|law| law.name).chain(["", "teleport"]).collect::<Vec<_>>()),
        words in prop::collection::vec(word(), 0..6),
    ) {
        let words = ["warplaw", command, law].into_iter().map(str::to_owned).filter(|w| !w.is_empty()).chain(words);
        // Parsed and not carried out: that opens devices and files.
        let _parsed = Arguments::try_parse_from(words);
    }

    #[test]
    fn any_numbers_are_answered_or_refused(
        law in prop::sample::select(laws().collect::<Vec<_>>()),
        numbers in prop::collection::vec(any::<f64>(), 12),
    ) {
        let mut given = law.given(None);
        for (parameter, number) in law.parameters.iter().zip(numbers) {
            // As the command line does: what is out of its domain is refused there.
            if let Ok(value) = parameter.domain.parse(&number.to_string()) {
                given.number(parameter.flag, (value, value));
            }
        }
        let _answer = law.ask(&mut given);
    }
}

fn word() -> impl Strategy<Value = String> {
    let flags = [
        "--only",
        "--seed",
        "--out",
        "--format",
        "--from",
        "--k",
        "--width",
        "--p",
        "--f",
        "--alpha",
        "--baseline",
        "--no-color",
        "--",
    ];
    prop_oneof![
        prop::sample::select(flags.to_vec()).prop_map(str::to_owned),
        prop::sample::select(VALUES.to_vec()).prop_map(str::to_owned),
        "[0-9]{0,3}\\.\\.[0-9]{0,20}",
        any::<f64>().prop_map(|number| number.to_string()),
        any::<String>(),
    ]
}

/// Each value of a small record, replaced by each of the hostile ones: what chance may miss.
#[test]
fn each_value_may_be_hostile() {
    for (start, end) in values(GOLDEN.as_bytes()) {
        for value in VALUES {
            let mut text = GOLDEN.as_bytes().to_vec();
            text.splice(start..end, value.bytes());
            check(&text);
        }
    }
}

/// Files at the edge of what is read at all, of the worst kinds.
#[test]
fn large_files_are_refused_or_read_within_bounds() {
    let most = model::MAX_BYTES as usize;
    let (head, tail) =
        GOLDEN.split_at(GOLDEN.find("\"experiments\"").expect("there are experiments"));
    let filled = |open: &str, item: &str| {
        let count = (most - GOLDEN.len()) / item.len() - 1_000;
        format!("{head}{open}{}", item.repeat(count)).into_bytes()
    };
    for text in [
        vec![b'['; most],
        vec![b' '; most],
        vec![b'0'; most + 1],
        filled("\"x\": [", "0,"),
        filled("\"x\": ", "[0],"),
        filled("\"x\": ", "{\"a\":"),
        filled("\"x\": \"", "\\u0000"),
        filled("\"cases\": [{\"id\": \"a\", \"samples_s\": [", "1,"),
        filled("\"experiments\": [{\"diagnosis\": [", "\"\","),
    ] {
        check(&text);
    }
    let many = "{\"id\":\"a\",\"idea\":\"b\",\"law\":\"c\",\"status\":\"failed\",\"reason\":null,\"verdict\":null,\"stopped_by\":null},";
    let flood = tail.replacen('[', &format!("[{}", many.repeat(100_000)), 1);
    let error = model::parse("flood", format!("{head}{flood}").as_bytes()).expect_err("too many");
    assert!(error.to_string().contains("are the most"), "{error}");
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    if Path::new("/dev/zero").exists() {
        let error = model::read(Path::new("/dev/zero")).expect_err("it is no record");
        assert!(error.to_string().contains("larger than 16 MiB"), "{error}");
    }
}
