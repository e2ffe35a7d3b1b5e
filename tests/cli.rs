//! Tests of the command line. A user error gives one clear line on standard error and exit code 2. The error
//! loses no data and causes no panic.

use std::path::PathBuf;
use std::process::{Command, Output};

fn warplaw(arguments: &[&str]) -> Output {
    warplaw_with(arguments, &[])
}

fn warplaw_with(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .expect("the binary runs")
}

/// Asserts exit code 2 and a single line on standard error that contains all of `words`.
fn assert_error(output: &Output, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.trim().lines().count(), 1, "expected one line: {stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "`{word}` is missing: {stderr}");
    }
}

/// Creates a folder for temporary files and returns its path.
fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("warplaw-test-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).expect("the scratch folder can be created");
    path
}

/// Returns the path of the golden record, which has schema version 1.0.0.
fn golden() -> String {
    format!("{}/tests/data/record-1.0.0.json", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn an_unknown_experiment_is_refused_with_the_list_of_known_ones() {
    let output = warplaw(&["run", "--only", "width,teleport"]);
    let known = warplaw::experiments::REGISTRY.iter().map(|experiment| experiment.id);
    let known: Vec<&str> = known.collect();
    assert_error(&output, &["`teleport`", &known.join(", ")]);
}

#[test]
fn an_unknown_adapter_is_refused_with_the_list_of_present_ones() {
    let output = warplaw(&["run", "--adapter", "Voodoo 3"]);
    assert_error(&output, &["`Voodoo 3`", "available adapters: `"]);
    let by_variable = warplaw_with(&["run"], &[("WGPU_ADAPTER_NAME", "Voodoo 3")]);
    assert_error(&by_variable, &["`Voodoo 3`"]);
}

#[test]
fn an_unknown_backend_or_power_preference_is_refused_with_the_list_of_known_ones() {
    assert_error(&warplaw(&["run", "--backend", "glide"]), &["=glide", "vulkan, metal, dx12, gl"]);
    assert_error(&warplaw(&["adapters", "--backend", "vulkan,glide"]), &["=glide"]);
    let output = warplaw_with(&["run"], &[("WGPU_POWER_PREF", "plenty")]);
    assert_error(&output, &["WGPU_POWER_PREF=plenty", "low, high, none"]);
}

/// The variables hide every driver from the Vulkan loader and from the EGL loader.
#[cfg(target_os = "linux")]
#[test]
fn an_error_without_adapters_says_what_to_install() {
    let hidden = [
        ("VK_DRIVER_FILES", "/nonexistent.json"),
        ("VK_ICD_FILENAMES", "/nonexistent.json"),
        ("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent.json"),
    ];
    assert_error(&warplaw_with(&["run", "--quick"], &hidden), &["no GPU adapter", "setup.sh"]);
    assert_error(&warplaw_with(&["adapters"], &hidden), &["no GPU adapter"]);
}

#[test]
fn an_unwritable_output_path_is_refused_before_measuring() {
    let folder = scratch("unwritable");
    let directory = folder.to_str().expect("the path is UTF-8");
    assert_error(&warplaw(&["run", "--out", directory]), &[directory, "directory", "--out"]);
    let file = folder.join("a file");
    std::fs::write(&file, "").expect("the file can be created");
    let below = file.join("record.json");
    let below = below.to_str().expect("the path is UTF-8");
    assert_error(&warplaw(&["run", "--out", below]), &[below, "--out"]);
    assert_error(&warplaw(&["report", &golden(), "--out", below]), &[below]);
}

#[test]
fn an_unreadable_record_is_refused_with_the_file_and_the_fault() {
    let folder = scratch("broken");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("the file can be created");
        path.to_str().expect("the path is UTF-8").to_owned()
    };
    let whole = std::fs::read_to_string(golden()).expect("the golden record exists");
    let missing = folder.join("missing.json");
    let missing = missing.to_str().expect("the path is UTF-8");
    let cases = [
        (write("cut.json", &whole[..whole.len() / 2]), "line"),
        (write("other.json", "{\"schema\": {\"name\": \"x\", \"version\": \"1.0.0\"}}"), "`x`"),
        (write("bare.json", "[1, 2]"), "no schema"),
        (write("later.json", &whole.replace("\"1.0.0\"", "\"3.0.0\"")), "update warplaw"),
        (write("wrong.json", &whole.replace("\"seed\": ", "\"seed\": \"x\", \"y\": ")), "line"),
        (missing.to_owned(), "cannot read"),
    ];
    for (path, word) in &cases {
        for command in ["report", "check"] {
            assert_error(&warplaw(&[command, path]), &[path, word]);
        }
        assert_error(&warplaw(&["compare", &golden(), path]), &[path, word]);
    }
}

#[test]
fn check_exits_with_0_1_or_3_for_holds_deviates_or_undecided() {
    let folder = scratch("check");
    let whole = std::fs::read_to_string(golden()).expect("the golden record exists");
    let check = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("the file can be created");
        warplaw(&["check", path.to_str().expect("the path is UTF-8")]).status.code()
    };
    assert_eq!(check("holds.json", &whole), Some(0));
    // One ratio is moved far from 1, together with its interval.
    let deviates = whole.replacen("0.998", "1.998", 1).replacen("0.995", "1.990", 1);
    let deviates = deviates.replacen("1.001", "2.001", 1);
    assert_eq!(check("deviates.json", &deviates), Some(1));
    let interrupted = whole.replacen("\"measured\",", "\"interrupted\",", 1);
    assert_eq!(check("interrupted.json", &interrupted), Some(3));
}

#[test]
fn check_against_a_baseline_fails_only_for_verdicts_that_got_worse() {
    let record = format!("{}/tests/data/record-1.1.0.json", env!("CARGO_MANIFEST_DIR"));
    let check = |arguments: &[&str]| warplaw(&[&["check"], arguments].concat()).status.code();
    assert_eq!(check(&[&record]), Some(1), "`overlap` deviates in this record");
    assert_eq!(
        check(&[&record, "--baseline", &record]),
        Some(0),
        "`overlap` deviates in the baseline too"
    );
    let out = scratch("check-page").join("summary.md");
    let out = out.to_str().expect("the path is UTF-8");
    assert_eq!(check(&[&record, "--format", "markdown", "--out", out]), Some(1));
    let page = std::fs::read_to_string(out).expect("the summary is written");
    assert!(page.starts_with("# warplaw check: a law deviates"), "{page}");
    let output = warplaw(&["check", &record, "--baseline", "missing.json"]);
    assert_error(&output, &["missing.json", "cannot read"]);
}

/// `CLICOLOR_FORCE` forces colours, because the output of a test goes to a pipe and not to a terminal.
#[test]
fn colours_are_left_out_for_pipes_and_on_request() {
    let report = |flag: &[&str], variables: &[(&str, &str)]| {
        let output = warplaw_with(&[&["report", &golden()], flag].concat(), variables);
        assert!(output.status.success());
        output.stdout.contains(&0x1b)
    };
    let forced = ("CLICOLOR_FORCE", "1");
    assert!(!report(&[], &[]));
    assert!(report(&[], &[forced]));
    assert!(!report(&["--no-color"], &[forced]));
    assert!(!report(&[], &[forced, ("NO_COLOR", "1")]));
}

#[test]
fn help_version_and_list_succeed_and_bad_flags_exit_with_2() {
    for arguments in [&["--help"][..], &["run", "--help"], &["--version"], &["list"]] {
        let output = warplaw(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(warplaw(&["run", "--fast"]).status.code(), Some(2));
    assert_eq!(warplaw(&["run", "--quick", "--full"]).status.code(), Some(2));
}

#[test]
fn the_experiments_page_equals_the_output_of_list() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/experiments.md");
    let listed = warplaw(&["list", "--format", "markdown"]).stdout;
    if std::env::var_os("WARPLAW_UPDATE").is_some() {
        std::fs::write(path, &listed).expect("the page can be written");
    }
    let page = std::fs::read(path).expect("the page exists");
    assert!(
        page == listed,
        "docs/experiments.md is out of date: run `WARPLAW_UPDATE=1 cargo test --test cli`"
    );
}

#[test]
fn the_old_name_of_an_experiment_still_works() {
    let ask = |law| {
        let given = ["predict", law, "--alpha", "10us", "--t", "1ns", "--share", "90%"];
        warplaw(&given)
    };
    let (old, present) = (ask("ladder"), ask("batching"));
    assert_eq!(old.status.code(), Some(0), "{}", String::from_utf8_lossy(&old.stderr));
    assert_eq!(old.stdout, present.stdout);
    assert_eq!(warplaw::experiments::find("ladder").map(|found| found.id), Some("batching"));
}
