//! Tests of the files that people name: folders with other things in them, patterns, compressed records, standard
//! input, and files in the way of an output. No GPU is needed.

mod packed;
mod program;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use packed::{gzip, zstandard};
use tempfile::TempDir;

fn warplaw(folder: &Path, arguments: &[&str]) -> Output {
    warplaw_with(folder, arguments, b"")
}

/// Runs warplaw in `folder` with `input` on standard input.
fn warplaw_with(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    program::run(folder, arguments, &[], input)
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn record() -> Vec<u8> {
    std::fs::read(data("record-1.1.0.json")).expect("the record exists")
}

/// Makes a folder with two records below `gpu`, and with what people keep beside them.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    };
    write("gpu/a.json", &record());
    write("gpu/b.json", &record());
    write(
        "gpu/performance.json",
        br#"{"schema": {"name": "warplaw-performance", "version": "1.0.0"}}"#,
    );
    write("gpu/package.json", br#"{"name": "web"}"#);
    write("gpu/array.json", b"[1, 2, 3]");
    write("gpu/empty.json", b"");
    write("gpu/half.json", &record()[..1000]);
    write("gpu/binary.json", &[0, 159, 146, 150]);
    write("gpu/deep.json", "[".repeat(100_000).as_bytes());
    write("gpu/notes.md", b"# notes");
    write("gpu/.hidden.json", b"{}");
    write("gpu/later.json", br#"{"schema": {"name": "warplaw-record", "version": "9.0.0"}}"#);
    folder
}

/// Number of files below `gpu` that end like a record and are none.
const FOREIGN: usize = 8;

#[test]
fn a_folder_is_read_and_what_is_no_record_is_skipped_with_one_line_each() {
    let folder = folder();
    for arguments in
        [&["report", "gpu"][..], &["compare", "gpu"], &["check", "."], &["gallery", "."]]
    {
        let output = warplaw(folder.path(), arguments);
        assert_ne!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        assert_eq!(err(&output).lines().count(), FOREIGN, "{arguments:?}: {}", err(&output));
        assert!(err(&output).lines().all(|line| line.starts_with("skipped: ")), "{}", err(&output));
    }
}

#[test]
fn a_named_file_that_is_no_record_is_an_error() {
    let folder = folder();
    for name in
        ["performance", "package", "array", "empty", "half", "binary", "deep", "later", "missing"]
    {
        let path = format!("gpu/{name}.json");
        for command in ["report", "compare", "check"] {
            let output = warplaw(folder.path(), &[command, "gpu/a.json", &path]);
            assert_eq!(output.status.code(), Some(2), "{command} {path}");
            let stderr = err(&output);
            assert!(stderr.lines().count() == 1 && stderr.contains(&path), "{command}: {stderr}");
        }
    }
}

#[test]
fn a_pattern_that_no_shell_expanded_is_read_like_a_folder() {
    let folder = folder();
    let output = warplaw(folder.path(), &["compare", "*/*.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("gpu/a.json") && out(&output).contains("gpu/b.json"));
    let output = warplaw(folder.path(), &["compare", "*/x*.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("*/x*.json"), "{}", err(&output));
}

#[test]
fn a_folder_without_records_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for command in ["report", "compare", "check", "gallery"] {
        let output = warplaw(folder.path(), &[command, "."]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(err(&output).contains("contains no record"), "{command}: {}", err(&output));
    }
    std::fs::write(folder.path().join("one.json"), record()).expect("written");
    let output = warplaw(folder.path(), &["compare", "."]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("two records"), "{}", err(&output));
}

#[cfg(unix)]
#[test]
fn links_and_files_without_permission_do_no_harm_in_a_folder() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().expect("a folder can be made");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("a.json"), record()).expect("written");
    symlink(at("a.json"), at("link.json")).expect("linked");
    symlink(at("nowhere.json"), at("broken.json")).expect("linked");
    symlink(".", at("loop")).expect("linked");
    std::fs::write(at("secret.json"), record()).expect("written");
    std::fs::set_permissions(at("secret.json"), std::fs::Permissions::from_mode(0o000))
        .expect("set");
    let output = warplaw(folder.path(), &["report", "."]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(err(&output).contains("broken.json"), "{}", err(&output));
}

#[test]
fn compressed_records_and_standard_input_are_read() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (gzip, zstandard) = (gzip(&record()), zstandard(&record()));
    std::fs::write(folder.path().join("a.json.gz"), &gzip).expect("written");
    std::fs::write(folder.path().join("b.json.zst"), &zstandard).expect("written");
    std::fs::write(folder.path().join("plain.json"), record()).expect("written");
    let expected = out(&warplaw(folder.path(), &["report", "plain.json"]));
    assert!(expected.len() > 1000);
    for name in ["a.json.gz", "b.json.zst"] {
        assert_eq!(out(&warplaw(folder.path(), &["report", name])), expected, "{name}");
    }
    for input in [record(), gzip, zstandard] {
        assert_eq!(out(&warplaw_with(folder.path(), &["report", "-"], &input)), expected);
    }
    let output = warplaw_with(folder.path(), &["report", "-"], b"nothing useful");
    assert!(output.status.code() == Some(2) && err(&output).contains("standard input"));
    let output = warplaw(folder.path(), &["compare", "."]);
    assert!(out(&output).contains("a.json.gz") && out(&output).contains("b.json.zst"));
}

#[test]
fn an_output_replaces_neither_an_input_nor_a_file_of_somebody_else() {
    let folder = folder();
    let a = folder.path().join("gpu/a.json");
    for command in ["report", "check", "compare"] {
        let output = warplaw(
            folder.path(),
            &[command, "gpu/a.json", "gpu/b.json", "--out", "gpu/../gpu/a.json"],
        );
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(err(&output).contains("one of the inputs"), "{command}: {}", err(&output));
        assert_eq!(std::fs::read(&a).expect("it is still there"), record());
    }
    std::fs::write(folder.path().join("thesis.md"), "# My thesis").expect("written");
    for format in ["terminal", "markdown", "csv", "json", "html"] {
        let arguments = ["report", "gpu/a.json", "--format", format, "--out", "thesis.md"];
        let output = warplaw(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{format}");
        assert!(err(&output).contains("--force"), "{format}: {}", err(&output));
        // A page of warplaw may be made again.
        let arguments = ["report", "gpu/a.json", "--format", format, "--out", format];
        for _ in 0..2 {
            let output = warplaw(folder.path(), &arguments);
            assert_eq!(output.status.code(), Some(0), "{format}: {}", err(&output));
        }
    }
    let thesis = || std::fs::read_to_string(folder.path().join("thesis.md")).expect("it is there");
    assert_eq!(thesis(), "# My thesis");
    let output = warplaw(folder.path(), &["report", "gpu/a.json", "--out", "thesis.md", "--force"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_ne!(thesis(), "# My thesis");
}

#[test]
fn a_gallery_replaces_its_own_pages_only() {
    let folder = folder();
    let make =
        |arguments: &[&str]| warplaw(folder.path(), &[&["gallery", "."], arguments].concat());
    assert_eq!(make(&[]).status.code(), Some(0));
    assert_eq!(make(&[]).status.code(), Some(0), "its own pages are in the way");
    let page = folder.path().join("README.md");
    std::fs::write(&page, "# Written by hand").expect("written");
    let output = make(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("README.md"), "{}", err(&output));
    assert_eq!(std::fs::read_to_string(&page).expect("it is there"), "# Written by hand");
    assert_eq!(make(&["--force"]).status.code(), Some(0));
}

#[test]
fn a_run_replaces_no_file_and_says_so_before_it_measures() {
    let folder = folder();
    let start = std::time::Instant::now();
    for name in ["gpu/a.json", "gpu/notes.md"] {
        let output = warplaw(folder.path(), &["run", "--out", name]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(
            err(&output).contains("--force") && err(&output).contains(name),
            "{}",
            err(&output)
        );
    }
    assert!(start.elapsed().as_secs() < 5);
    assert_eq!(std::fs::read(folder.path().join("gpu/a.json")).expect("it is there"), record());
}

#[test]
fn a_check_across_devices_needs_to_be_asked_for() {
    let folder = folder();
    let mut other: serde_json::Value = serde_json::from_slice(&record()).expect("a record is JSON");
    other["adapter"]["name"] = "Another GPU".into();
    std::fs::write(folder.path().join("other.json"), other.to_string()).expect("written");
    let arguments = ["check", "other.json", "--baseline", "gpu/a.json"];
    let output = warplaw(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("Another GPU") && err(&output).contains("--across-devices"));
    let output = warplaw(folder.path(), &[&arguments[..], &["--across-devices"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("different devices"), "{}", out(&output));
}

#[test]
fn json_has_a_schema_and_csv_has_numbers_without_units() {
    let folder = folder();
    let cases: [(&str, &[&str]); 4] = [
        ("warplaw-report", &["report", "gpu/a.json"]),
        ("warplaw-comparison", &["compare", "gpu/a.json", "gpu/b.json"]),
        ("warplaw-check", &["check", "gpu/a.json", "--baseline", "gpu/b.json"]),
        ("warplaw-list", &["list"]),
    ];
    for (schema, arguments) in cases {
        let output = warplaw(folder.path(), &[arguments, &["--format", "json"]].concat());
        let value: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
        assert_eq!(value["schema"]["name"], schema);
        assert_eq!(value["schema"]["version"], "1.0.0");
    }
    for arguments in [&["report", "gpu/a.json"][..], cases[1].1, cases[2].1] {
        let output = warplaw(folder.path(), &[arguments, &["--format", "csv"]].concat());
        let table = out(&output);
        assert!(table.lines().count() > 1, "{arguments:?}: {table}");
        assert!(!table.contains(" %") && !table.contains('×') && !table.contains("µs"), "{table}");
    }
}

/// More records than are read in one batch, and a first file that is none.
#[test]
fn a_report_of_many_records_has_a_part_for_each() {
    const RECORDS: usize = 150;
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("0.json"), "{}").expect("written");
    for number in 1..=RECORDS {
        std::fs::write(folder.path().join(format!("{number:03}.json")), record()).expect("written");
    }
    let report = |path: &str, format: &str| {
        let output = warplaw(folder.path(), &["report", path, "--format", format, "--out", "-"]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        out(&output)
    };
    let one = |format: &str| report("001.json", format);
    let many = |format: &str| report(".", format);

    let json: serde_json::Value = serde_json::from_str(&many("json")).expect("JSON");
    assert_eq!(json["records"].as_array().map(Vec::len), Some(RECORDS));
    let alone: serde_json::Value = serde_json::from_str(&one("json")).expect("JSON");
    assert_eq!((&json["schema"], &json["records"][149]), (&alone["schema"], &alone["records"][0]));

    let (csv, alone) = (many("csv"), one("csv"));
    let head = alone.lines().next().expect("the table has a head");
    assert_eq!(csv.matches(head).count(), 1);
    assert_eq!(csv.lines().count() - 1, RECORDS * (alone.lines().count() - 1));

    let html = many("html");
    let ids: Vec<&str> =
        html.split(" id=\"").skip(1).filter_map(|id| id.split('"').next()).collect();
    let distinct: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len(), "an id occurs twice");
    assert!(ids.contains(&"verdicts") && ids.contains(&"verdicts-150"), "{ids:?}");
    for target in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(distinct.contains(&target), "a link leads nowhere: {target}");
    }
    assert_eq!((html.matches("<html").count(), html.matches("</html>").count()), (1, 1));
    assert_eq!(html.matches("<h1>").count(), RECORDS);

    let (markdown, alone) = (many("markdown"), one("markdown"));
    assert_eq!(markdown, vec![alone; RECORDS].join("\n"));
    assert_eq!(many("terminal"), one("terminal").repeat(RECORDS));
}

#[test]
fn a_measured_record_is_no_page_that_may_be_replaced() {
    let folder = folder();
    let output = warplaw(folder.path(), &["report", "gpu/b.json", "--out", "gpu/a.json"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    let written = std::fs::read(folder.path().join("gpu/a.json")).expect("the file is there");
    assert_eq!(written, record());
}

#[test]
fn exports_have_the_shape_that_the_services_read() {
    let folder = folder();
    let export = |service: &str| -> serde_json::Value {
        let output = warplaw(folder.path(), &["report", "gpu/a.json", "--export", service]);
        serde_json::from_str(&out(&output)).expect("JSON")
    };
    let mut names = std::collections::BTreeSet::new();
    for service in ["github-smaller", "github-bigger"] {
        let entries = export(service);
        let entries = entries.as_array().expect("an array");
        assert!(!entries.is_empty());
        for entry in entries {
            assert!(entry["value"].is_f64() && entry["unit"].is_string(), "{entry}");
            assert!(names.insert(entry["name"].as_str().expect("a name").to_owned()), "{entry}");
        }
    }
    let bencher = export("bencher");
    let bencher = bencher.as_object().expect("an object");
    assert_eq!(bencher.keys().cloned().collect::<std::collections::BTreeSet<_>>(), names);
    for measures in bencher.values() {
        let measures = measures.as_object().expect("an object");
        assert!(measures.len() == 1 && measures.values().all(|m| m["value"].is_f64()));
    }
}

#[test]
fn report_and_compare_can_be_limited_to_some_experiments() {
    let folder = folder();
    for command in ["report", "compare"] {
        let arguments = [command, "gpu/a.json", "gpu/b.json", "--only", "lanes", "--format", "csv"];
        let output = warplaw(folder.path(), &arguments);
        let table = out(&output);
        assert!(table.contains("lanes") && !table.contains("divergence"), "{command}: {table}");
        let output =
            warplaw(folder.path(), &[command, "gpu/a.json", "gpu/b.json", "--only", "teleport"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains("`teleport`") && err(&output).contains("lanes"));
    }
}

#[test]
fn text_is_at_most_as_wide_as_the_environment_says_and_in_ascii_where_it_must_be() {
    let folder = folder();
    let run = |variables: &[(&str, &str)], flags: &[&str]| {
        let arguments = [&["report", "gpu/a.json"], flags].concat();
        let output = Command::new(env!("CARGO_BIN_EXE_warplaw"))
            .args(&arguments)
            .current_dir(folder.path())
            .env_remove("COLUMNS")
            .env_remove("LC_ALL")
            .env_remove("LC_CTYPE")
            .env_remove("LANG")
            .envs(variables.iter().copied())
            .output()
            .expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        out(&output)
    };
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let utf_8 = ("LC_ALL", "C.UTF-8");
    assert!(widest(&run(&[utf_8], &[])) <= 100);
    assert!(widest(&run(&[utf_8, ("COLUMNS", "72")], &[])) <= 72);
    assert!(!run(&[utf_8], &[]).is_ascii());
    for text in [
        run(&[], &[]),
        run(&[("LANG", "C")], &[]),
        run(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "POSIX")], &[]),
        run(&[utf_8], &["--ascii"]),
    ] {
        assert!(text.is_ascii() && widest(&text) <= 100, "{text}");
        assert!(!text.contains('?'), "{text}");
    }
    // A page has its own encoding, whatever the locale.
    assert!(!run(&[("LANG", "C")], &["--format", "markdown"]).is_ascii());
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_a_full_and_a_missing_stream_end_without_a_panic() {
    let folder = folder();
    let binary = env!("CARGO_BIN_EXE_warplaw");
    let cases = [
        ("report gpu/a.json | head -1", 0),
        ("report gpu/a.json gpu/a.json gpu/a.json 2>&1 | true", 0),
        ("report gpu/a.json >&-", 0),
        ("report gpu/a.json > /dev/full", 2),
        ("report missing.json 2>&-", 2),
        ("report missing.json 2> /dev/full", 2),
        ("report missing.json > /dev/full 2>&1", 2),
        ("compare gpu > /dev/null 2> /dev/full", 0),
        ("compare gpu 2>&-", 0),
        ("list >&- 2>&-", 0),
        ("list > /dev/full 2> /dev/full", 2),
        ("--help > /dev/full", 0),
        ("check gpu/a.json --baseline gpu/a.json <&- | cat", 0),
    ];
    for (command, expected) in cases {
        let script = format!("set -o pipefail; '{binary}' {command}");
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(folder.path())
            .output()
            .expect("bash runs");
        assert!(!err(&output).contains("panicked"), "{command}: {}", err(&output));
        assert_eq!(output.status.code(), Some(expected), "{command}: {}", err(&output));
    }
}
