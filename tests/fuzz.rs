//! Fuzz tests of hostile input: mutated records and arbitrary command lines.
//!
//! A text gives a record or an error of one line, and arguments give a command or an error. No input causes a
//! panic. The strings of a record never act as markup, formulas, paths or terminal escapes on any page.
//!
//! `PROPTEST_CASES=1000000 cargo test --release --test fuzz` runs more cases than the default.

mod packed;
mod sim;

use std::path::Path;
use std::sync::LazyLock;

use clap::Parser as _;
use packed::{gzip, zstandard};
use proptest::prelude::*;
use proptest::sample::Index;
use pulldown_cmark::{Event, Options, Parser, Tag};
use warplaw::cli::Arguments;
use warplaw::experiments::{REGISTRY, laws};
use warplaw::model::{self, Record};
use warplaw::report::{self, Export, Format, Judgement, Named, render};
use warplaw::sim::{Machine, Simulator};

/// Text of the golden record, which is small.
const GOLDEN: &str = include_str!("data/record-1.0.0.json");

/// Returns the JSON of a record that has all experiments, each with its first case only.
fn full_record() -> &'static [u8] {
    static RECORD: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let ids: Vec<&str> = REGISTRY.iter().map(|experiment| experiment.id).collect();
        // Small buffers keep the simulation small, so that a memory profile of this test shows the reader.
        let small = Simulator::new(Machine::lawful(8))
            .appearing(|facts| facts.limits.binding_bytes = 16 << 20);
        let mut record = sim::suite(vec![small], &ids);
        record.experiments.iter_mut().for_each(|experiment| experiment.cases.truncate(1));
        serde_json::to_vec(&record).expect("a record is JSON")
    });
    &RECORD
}

/// Replacements for a JSON value: numbers at and beyond the ends of their ranges, other types, nested lists
/// and strings. A spreadsheet, browser, terminal, file system or warplaw itself would interpret the strings.
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

/// A mutation of a text.
#[derive(Debug, Clone)]
enum Mutation {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, u8),
    /// Copies a piece to another place, so that keys may occur twice.
    Copy(Index, Index, u8),
    /// Replaces a value by the entry of [`VALUES`] with this index.
    Replace(Index, usize),
    /// Replaces a value by a string of this length.
    Long(Index, usize),
    /// Replaces a value by this many opening brackets.
    Deep(Index, usize),
    /// Replaces a value by a list of this many zeros, and one more.
    Many(Index, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    prop_oneof![
        1 => index().prop_map(Mutation::Cut),
        2 => (index(), any::<u8>()).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        1 => (index(), prop::collection::vec(any::<u8>(), 0..12)).prop_map(|(at, b)| Mutation::Insert(at, b)),
        1 => (index(), any::<u8>()).prop_map(|(at, count)| Mutation::Delete(at, count)),
        1 => (index(), index(), any::<u8>()).prop_map(|(a, b, count)| Mutation::Copy(a, b, count)),
        9 => (index(), 0..VALUES.len()).prop_map(|(at, value)| Mutation::Replace(at, value)),
        1 => (index(), 0usize..40_000).prop_map(|(at, count)| Mutation::Long(at, count)),
        1 => (index(), 0usize..2_000).prop_map(|(at, depth)| Mutation::Deep(at, depth)),
        1 => (index(), 0usize..10_000).prop_map(|(at, count)| Mutation::Many(at, count)),
    ]
}

/// Returns the start and end of each value in a JSON text, guessed from colons, commas and brackets.
fn values(text: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in text.iter().enumerate().filter(|(_, b)| matches!(b, b':' | b'[' | b',')) {
        let space = text[at + 1..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let start = at + 1 + space;
        let quoted = text.get(start) == Some(&b'"');
        let is_end =
            |i: usize, b: u8| if quoted { b == b'"' && i > 0 } else { b",]}\n".contains(&b) };
        if let Some(length) = text[start..].iter().enumerate().position(|(i, &b)| is_end(i, b)) {
            found.push((start, start + length + usize::from(quoted)));
        }
    }
    found
}

/// Replaces the value that `at` selects by `value`.
fn put(text: &mut Vec<u8>, at: Index, value: &[u8]) {
    let places = values(text);
    if !places.is_empty() {
        let (start, end) = *at.get(&places);
        text.splice(start..end.min(text.len()), value.iter().copied());
    }
}

/// Applies the mutations to `text` in order.
fn mutated(mut text: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let place = |at: &Index| at.index(text.len() + 1);
        match mutation {
            Mutation::Cut(at) => text.truncate(place(at)),
            Mutation::Flip(at, bits) => {
                let at = place(at);
                text.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bits);
            }
            Mutation::Insert(at, bytes) => {
                let at = place(at);
                text.splice(at..at, bytes.iter().copied());
            }
            Mutation::Delete(at, count) => {
                let start = place(at);
                let end = (start + usize::from(*count)).min(text.len());
                text.drain(start..end);
            }
            Mutation::Copy(from, to, count) => {
                let (from, to) = (place(from), place(to));
                let piece: Vec<u8> =
                    text.iter().skip(from).take(usize::from(*count)).copied().collect();
                text.splice(to..to, piece);
            }
            Mutation::Replace(at, value) => put(&mut text, *at, VALUES[*value].as_bytes()),
            Mutation::Long(at, count) => {
                put(&mut text, *at, format!("\"{}\"", "a".repeat(*count)).as_bytes());
            }
            Mutation::Deep(at, depth) => put(&mut text, *at, "[".repeat(*depth).as_bytes()),
            Mutation::Many(at, count) => {
                put(&mut text, *at, format!("[{}0]", "0,".repeat(*count)).as_bytes());
            }
        }
    }
    text
}

/// Passes a record to every consumer of records.
///
/// The consumers are the judgement, the check, all reports, the gallery, the file name and the predictions.
fn use_everywhere(record: &Record) {
    let _judged = Judgement::of(record);
    let mut other = record.clone();
    other.seed ^= 1;
    let named = |path, record| Named { path, record };
    let pair = [named("a", record), named("b", &other)];
    let three = [pair[0], pair[1], pair[0]];
    let checked = report::check(&pair, Some(pair[1])).document();
    let documents = [
        report::report(record),
        report::summary(record),
        report::compare(&pair),
        report::compare(&three),
        checked,
    ];
    for document in &documents {
        for ascii in [false, true] {
            let text = render(document, Format::Terminal { width: Some(80), color: false, ascii });
            let stray = |c: char| c.is_control() && c != '\n';
            assert!(!text.contains(stray), "a control character reaches the terminal");
            assert!(text.is_ascii() || !ascii, "{text}");
        }
        check_html(&render(document, Format::Html));
        check_markdown(&render(document, Format::Markdown), Links::None);
    }
    for document in
        [&documents[0], &report::points(std::slice::from_ref(record)), &report::comparison(&pair)]
    {
        check_csv(&render(document, Format::Csv));
    }
    check_json(&report::check(&pair, Some(pair[1])));
    check_json(&report::comparison_data(&pair));
    check_json(&report::judged(record.clone()));
    for service in [Export::GithubSmaller, Export::GithubBigger, Export::Bencher] {
        let exported = report::export(std::slice::from_ref(record), service);
        let parsed = serde_json::from_str::<serde_json::Value>(&exported);
        assert!(parsed.is_ok(), "{exported}");
    }
    for page in report::gallery(&three, "warplaw gallery") {
        assert!(!page.path.contains(".."), "the path {} leaves the folder", page.path);
        match page.path.as_str() {
            "README.md" => check_markdown(&page.text, Links::Gallery),
            path if path.ends_with(".md") => check_markdown(&page.text, Links::None),
            _ => check_html(&page.text),
        }
    }
    let path = model::default_path(record);
    let components: Vec<_> = path.components().collect();
    assert!(components.len() == 3 && path.starts_with("records"), "{}", path.display());
    assert!(!path.to_string_lossy().contains(".."), "{}", path.display());
    for law in laws() {
        let mut given = law.given(Some(record.clone()));
        // Parameters that no record contains are given here.
        let required = law.parameters.iter().filter(|parameter| parameter.places.is_empty());
        for parameter in required.filter(|parameter| parameter.instead_of.is_none()) {
            let fits = ["2", "0.5"].into_iter().find_map(|n| parameter.domain.parse(n).ok());
            let fits = fits.expect("every domain contains 2 or 0.5");
            given.number(parameter.flag, (fits, fits));
        }
        let _answer = law.ask(&mut given);
    }
    let again = serde_json::to_vec(record).expect("a record is JSON");
    assert_eq!(&model::parse("again", &again).expect("the written record can be read"), record);
}

/// Checks that programs can read the value as JSON.
fn check_json(value: &impl serde::Serialize) {
    let text = serde_json::to_string(value).expect("the value has only JSON types");
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
}

fn check_html(html: &str) {
    for markup in ["<script", "<b>", "href=\"http", "javascript:x\"", "src="] {
        assert!(!html.contains(markup), "`{markup}` reaches the page");
    }
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
}

/// Checks that no cell begins like a formula. Within a quoted cell, a comma followed by `=` is text.
fn check_csv(csv: &str) {
    let (mut quoted, mut begins) = (false, true);
    for character in csv.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' | '\r' | '\n' if !quoted => begins = true,
            _ => {
                assert!(!begins || !"=+@".contains(character), "a formula reaches the table");
                begins = false;
            }
        }
    }
    assert!(!quoted, "a quoted cell does not end");
}

/// Links and pictures that a page may have.
#[derive(Clone, Copy, PartialEq)]
enum Links {
    None,
    /// Links to the pages and pictures of the gallery.
    Gallery,
}

fn check_markdown(markdown: &str, links: Links) {
    let is_allowed = |target: &str| {
        links == Links::Gallery
            && (target == "a.md" || target == "b.md" || target.starts_with("curves-"))
    };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        let markup = match &event {
            // The tags that fold the table of points are allowed.
            Event::Html(html) => {
                let rest = ["<details>", "</details>", "<summary>", "</summary>"]
                    .iter()
                    .fold(html.to_string(), |text, tag| text.replace(tag, ""));
                rest.contains('<')
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                !is_allowed(dest_url)
            }
            Event::InlineHtml(_) => true,
            _ => false,
        };
        assert!(!markup, "{event:?} reaches the page");
    }
}

/// Parses `text`. Uses the record, or checks that the error is one short line that names the file.
fn check(text: &[u8]) {
    match model::parse("some/file.json", text) {
        Ok(record) => use_everywhere(&record),
        Err(error) => {
            let line = error.to_string();
            assert!(line.contains("`some/file.json`"), "the error does not name the file: {line}");
            assert!(line.chars().count() < 500 && !line.contains(char::is_control), "{line}");
        }
    }
}

/// Returns a configuration with at least 3000 cases per test. `PROPTEST_CASES` raises the number.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(3_000), failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_mutated_record_is_read_or_refused(mutations in prop::collection::vec(mutation(), 1..5)) {
        check(&mutated(GOLDEN.as_bytes().to_vec(), &mutations));
    }

    #[test]
    fn a_mutated_record_of_all_experiments_is_read_or_refused(
        mutations in prop::collection::vec(mutation(), 1..4),
        turn in 0..50,
    ) {
        // This record is a hundred times as long as the golden one, so only one case in 50 uses it.
        if turn == 0 {
            check(&mutated(full_record().to_vec(), &mutations));
        }
    }

    #[test]
    fn a_mutated_compressed_record_is_read_or_refused(
        before in prop::collection::vec(mutation(), 0..3),
        after in prop::collection::vec(mutation(), 0..3),
        is_gzip in any::<bool>(),
    ) {
        let text = mutated(GOLDEN.as_bytes().to_vec(), &before);
        let packed = if is_gzip { gzip(&text) } else { zstandard(&text) };
        check(&mutated(packed, &after));
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn arbitrary_arguments_are_parsed_or_refused(
        command in prop::sample::select(vec!["run", "list", "adapters", "report", "compare", "check", "gallery", "predict", "help", ""]),
        law in prop::sample::select(laws().map(|law| law.name).chain(["", "teleport"]).collect::<Vec<_>>()),
        words in prop::collection::vec(word(), 0..6),
    ) {
        let words = ["warplaw", command, law].into_iter().map(str::to_owned).filter(|w| !w.is_empty()).chain(words);
        // The command is not executed, because execution opens devices and files.
        let _parsed = Arguments::try_parse_from(words);
    }

    #[test]
    fn arbitrary_numbers_are_answered_or_refused(
        law in prop::sample::select(laws().collect::<Vec<_>>()),
        numbers in prop::collection::vec(any::<f64>(), 12),
    ) {
        let mut given = law.given(None);
        for (parameter, number) in law.parameters.iter().zip(numbers) {
            // The command line refuses numbers outside the domain too.
            if let Ok(value) = parameter.domain.parse(&number.to_string()) {
                given.number(parameter.flag, (value, value));
            }
        }
        let _answer = law.ask(&mut given);
    }
}

/// Generates a flag, a hostile value, a range, a number or an arbitrary string.
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
        "--across-devices",
        "--adapter",
        "--ascii",
        "--backend",
        "--budget",
        "--export",
        "--force",
        "--warm-up",
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

/// Replaces each value of the golden record by each entry of [`VALUES`]. Random mutations may miss some.
#[test]
fn a_record_with_any_one_hostile_value_is_read_or_refused() {
    for (start, end) in values(GOLDEN.as_bytes()) {
        for value in VALUES {
            let mut text = GOLDEN.as_bytes().to_vec();
            text.splice(start..end, value.bytes());
            check(&text);
        }
    }
}

/// Each file is about as large as the reader accepts, and has the most expensive content for the reader.
#[test]
fn files_near_the_size_limit_are_read_or_refused() {
    let max_bytes = model::MAX_BYTES as usize;
    let (head, tail) =
        GOLDEN.split_at(GOLDEN.find("\"experiments\"").expect("the record has experiments"));
    let filled = |open: &str, item: &str| {
        let count = (max_bytes - GOLDEN.len()) / item.len() - 1_000;
        format!("{head}{open}{}", item.repeat(count)).into_bytes()
    };
    for text in [
        vec![b'['; max_bytes],
        vec![b' '; max_bytes],
        vec![b'0'; max_bytes + 1],
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
    let error = model::parse("flood", format!("{head}{flood}").as_bytes())
        .expect_err("the record has too many experiments");
    assert!(error.to_string().contains("the limit is 10000"), "{error}");
}

#[test]
fn an_endless_file_is_refused_at_the_size_limit() {
    if Path::new("/dev/zero").exists() {
        let error = model::read(Path::new("/dev/zero")).expect_err("the file is too large");
        assert!(error.to_string().contains("larger than 16 MiB"), "{error}");
    }
}
