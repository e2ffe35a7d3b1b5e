//! `warplaw profile` on lavapipe: the corpus, the inputs, the pages, and the errors.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use warplaw::model::{Depends, LanesSource, ShaderProfile};

use super::lavapipe::is_skipped;

/// Returns the folder of the corpus.
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/profile")
}

/// Runs `warplaw profile` on lavapipe, at eight lanes, in `folder`.
fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .arg("profile")
        .args(arguments)
        .args(["--backend", "vulkan", "--adapter", "llvmpipe"])
        .current_dir(folder)
        .env("LP_NATIVE_VECTOR_WIDTH", "256")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("the binary runs")
}

fn text_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("pages are UTF-8")
}

/// Runs a profile of the corpus and returns it.
fn profiled(arguments: &[&str]) -> ShaderProfile {
    let text = text_of(&run_in(&corpus(), &[arguments, &["--format", "json"]].concat()));
    serde_json::from_str(&text).expect("the profile is one")
}

/// Asserts that a profile is refused with exit code 2 and one line that contains `words`.
fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = run_in(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    assert_eq!(error.trim().lines().count(), 1, "{arguments:?}: {error}");
    for word in words {
        assert!(error.contains(word), "{arguments:?}: `{word}` is missing: {error}");
    }
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

#[test]
fn the_corpus_is_profiled_and_probes_change_no_output() {
    if is_skipped() {
        return;
    }
    // Why another order of invocations is not allowed, if it is not.
    let refusals = [
        ("radix", "it uses workgroup memory"),
        ("splats", "it uses workgroup memory"),
        ("waiting", "a loop waits for other invocations"),
    ];
    let files = std::fs::read_dir(corpus()).expect("the corpus is there");
    let paths = files.map(|file| file.expect("the corpus is there").path());
    let specs = paths.filter(|path| path.extension().is_some_and(|of| of == "toml"));
    let names = specs.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned());
    let names: Vec<String> = names.collect();
    assert!(names.len() >= 10, "{names:?}");
    for name in &names {
        let refusal = refusals.iter().find(|(of, _)| of == name).map(|(_, reason)| *reason);
        let profile = profiled(&[&format!("{name}.toml"), "--accesses"]);
        assert_eq!(profile.schema.name, ShaderProfile::NAME, "{name}");
        assert_eq!(profile.subgroup_size.source, LanesSource::Pipeline, "{name}");
        assert_eq!(profile.subgroup_size.lanes, 8, "{name}");
        assert_eq!(profile.sample.workgroups, profile.sample.of, "{name}");
        // What the lines, and what the call paths do, adds up to what the shader does.
        let lines: u64 = profile.lines.iter().map(|line| line.totals.issues).sum();
        let paths: u64 = profile.paths.iter().map(|path| path.own.issues).sum();
        assert_eq!([lines, paths], [profile.totals.issues; 2], "{name}");
        assert_eq!(profile.paths[0].all, profile.totals, "{name}");
        let total = profile.work.mean * profile.work.invocations as f64;
        assert!((total / profile.totals.lanes as f64 - 1.0).abs() < 1e-9, "{name}");
        let waits = profile.decisions.iter().any(|of| of.depends == Some(Depends::Waits));
        assert_eq!(waits, name == "waiting", "{name}");
        if !waits {
            let differing: u64 = profile.outputs.iter().map(|output| output.differing).sum();
            assert_eq!(differing, 0, "{name}");
        }
        let accesses = profile.accesses.expect("addresses were recorded");
        let executed = |of: &warplaw::model::AccessedLine| of.together.executions > 0;
        assert!(!accesses.lines.is_empty() && accesses.lines.iter().all(executed), "{name}");
        let sorting = profile.sorting.expect("another order was considered");
        assert_eq!(sorting.refused.as_deref(), refusal, "{name}");
        if refusal.is_none() {
            assert_eq!(sorting.differing, Some(0), "{name}");
            let sorted = sorting.totals.expect("the sorted order was replayed");
            // The same lanes do the same work, with fewer instructions.
            assert_eq!(sorted.lanes, profile.totals.lanes, "{name}");
            let least = match name.as_str() {
                // Rays of equal work that take different paths.
                "materials" => 2.2,
                "collatz" | "sparse" => 1.4,
                _ => 0.99,
            };
            assert!(sorting.predicted > Some(least) && sorting.measured.is_some(), "{name}");
        }
        assert!(profile.times.is_some_and(|times| times.plain_s.value > 0.0), "{name}");
    }
}

#[test]
fn a_sample_of_workgroups_stays_within_the_memory_and_tells_about_the_same() {
    if is_skipped() {
        return;
    }
    let all = profiled(&["collatz.toml", "--no-timing"]);
    let some = profiled(&["collatz.toml", "--no-timing", "--memory", "2MiB"]);
    assert!(some.sample.log_bytes <= 2 << 20 && some.sample.workgroups < all.sample.workgroups / 4);
    assert!(some.times.is_none() && some.sorting.as_ref().is_some_and(|of| of.measured.is_none()));
    let [of_all, of_some] = [&all, &some].map(|of| of.totals.efficiency().expect("it executes"));
    assert!((of_all - of_some).abs() < 0.02, "{of_all} {of_some}");
    assert_eq!(some.work, all.work, "the work of all invocations is counted");
}

#[test]
fn a_width_on_request_is_that_of_the_table_of_widths() {
    if is_skipped() {
        return;
    }
    let own = profiled(&["bvh.toml", "--no-timing"]);
    for at in own.widths.into_iter().filter(|at| [4, 32].contains(&at.lanes)) {
        let lanes = at.lanes.to_string();
        let given = profiled(&["bvh.toml", "--no-timing", "--width", &lanes]);
        assert_eq!(given.totals, at.totals, "{lanes} lanes");
        assert_eq!(given.subgroup_size.source, LanesSource::Given);
    }
}

#[test]
fn pages_of_all_formats_show_the_source() {
    if is_skipped() {
        return;
    }
    let folder = scratch();
    let lcov = folder.path().join("lines.info");
    let lcov = lcov.to_str().expect("the path is UTF-8");
    for format in ["terminal", "markdown", "html", "csv"] {
        let arguments = ["collatz.toml", "--no-timing", "--format", format];
        let more: &[&str] = if format == "csv" { &["--lcov", lcov] } else { &[] };
        let text = text_of(&run_in(&corpus(), &[&arguments, more].concat()));
        let part = if format == "csv" { "collatz.wgsl,13," } else { "n = 3u * n + 1u;" };
        assert!(text.contains(part), "{format}: {text}");
    }
    let lines = std::fs::read_to_string(lcov).expect("the file is written");
    assert!(lines.starts_with("TN:\nSF:collatz.wgsl\nDA:7,"), "{lines}");
    assert!(lines.ends_with("end_of_record\n"), "{lines}");
}

#[test]
fn accesses_are_priced_by_the_coalescing_of_a_record_and_shown() {
    if is_skipped() {
        return;
    }
    let (path, record) = super::price::record();
    let path = path.to_str().expect("the path is UTF-8");
    let arguments =
        ["sparse.toml", "--no-timing", "--accesses", "--from", path, "--across-devices"];
    let profile = profiled(&arguments);
    let accesses = profile.accesses.as_ref().expect("addresses were recorded");
    let coalescing = |id| super::price::metric(&record, "coalescing", id);
    assert_eq!(f64::from(accesses.transfers.line_bytes), coalescing("line_bytes"));
    let load = accesses.lines.iter().find(|of| of.variable == "x").expect("the shader loads `x`");
    let together = load.together;
    // Each lane loads from a place of its own: as many sectors as lanes, nearly.
    assert!(together.sectors * 100 > together.lanes * 98, "{together:?}");
    let each = [
        together.executions as f64 * coalescing("t_issue"),
        together.lines as f64 * coalescing("t_line"),
        together.sectors as f64 * coalescing("t_sector"),
    ];
    let whole = f64::from(profile.sample.of) / f64::from(accesses.workgroups);
    let expected = whole * each.into_iter().fold(0.0, f64::max);
    let found = load.estimated_s.expect("the record prices it");
    assert!((found / expected - 1.0).abs() < 1e-9, "{found} and not {expected}");
    let page = text_of(&run_in(&corpus(), &[&arguments[..], &["--format", "markdown"]].concat()));
    assert!(page.contains("| 30 | load x, 4 B |"), "{page}");
}

#[test]
fn inputs_are_written_to_a_file_and_read_from_it() {
    if is_skipped() {
        return;
    }
    let folder = scratch();
    let at = folder.path();
    std::fs::copy(corpus().join("mandelbrot.wgsl"), at.join("m.wgsl")).expect("a file is copied");
    let init = ["m.wgsl", "--dispatch", "4,4", "--set", "0.0.most=9", "--init", "m.toml"];
    assert!(text_of(&run_in(at, &init)).contains("warplaw profile m.toml"));
    refused(at, &init, &["`m.toml` exists"]);
    let written = std::fs::read_to_string(at.join("m.toml")).expect("the file is written");
    for line in ["shader = \"m.wgsl\"", "\"0.0.most\" = 9", "\"0.0.corner\" = [0, 0]"] {
        assert!(written.contains(line), "{written}");
    }
    // All points are that of the corner, which never leaves, with a step of zero.
    let text = text_of(&run_in(at, &["m.toml", "--no-timing", "--format", "json"]));
    let profile: ShaderProfile = serde_json::from_str(&text).expect("the profile is one");
    assert_eq!(profile.dispatch.workgroups, [4, 4, 1]);
    assert_eq!(profile.loops[0].iterated.longest_over_mean(), Some(1.0));
    // The command line overrules the file.
    let arguments = ["m.toml", "--set", "0.0.step=1", "--no-timing", "--format", "json"];
    let text = text_of(&run_in(at, &arguments));
    let profile: ShaderProfile = serde_json::from_str(&text).expect("the profile is one");
    assert!(profile.loops[0].iterated.longest_over_mean() > Some(1.0));
}

#[test]
fn wrong_inputs_are_refused_in_one_line_with_what_to_type() {
    let at = &corpus();
    refused(
        at,
        &["mandelbrot.wgsl"],
        &["--dispatch 1024 ", "--set 0.0.corner=F32,F32 ", "--bind 0.1=zeros", "--init FILE.toml"],
    );
    refused(
        at,
        &["collatz.wgsl", "--dispatch", "1"],
        &["add --bind 0.0=random:u32 --bind 0.1=zeros"],
    );
    for (arguments, words) in [
        (&["missing.wgsl"][..], &["`missing.wgsl`"][..]),
        (&["collatz.toml", "--entry", "other"], &["no compute entry point `other`", "`main`"]),
        (&["collatz.toml", "--bind", "0.7=zeros"], &["no buffer 0.7", "0.0 `numbers`"]),
        (&["collatz.toml", "--bind", "0.0=ones"], &["`ones` is no source"]),
        (&["collatz.toml", "--bind", "0.0=absent.npy"], &["0.0 `numbers` cannot be read"]),
        (&["mandelbrot.toml", "--set", "0.0.far=1"], &["no member `far`", "corner, step, most"]),
        (&["mandelbrot.toml", "--set", "0.0.corner=1"], &["1 numbers are given, and it has 2"]),
        (&["mandelbrot.toml", "--set", "0.0.most=-1"], &["-1 is no u32"]),
        (&["mandelbrot.toml", "--set", "0.9.most=1"], &["`0.9.most` is in no buffer"]),
        (&["radix.toml", "--override", "LANE=32"], &["`LANE`", "LANES"]),
    ] {
        refused(at, arguments, words);
    }
    for (flag, value, word) in [
        ("--dispatch", "0", "no number of workgroups"),
        ("--dispatch", "1,2,3,4", "no number of workgroups"),
        ("--bind", "0.0", "has no `=`"),
        ("--set", "0.0.most=x", "`x` is no number"),
        ("--memory", "4MB", "no size"),
        ("--width", "12", "no power of two"),
    ] {
        let output = run_in(at, &["collatz.toml", flag, value]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flag} {value}: {error}");
        assert!(error.contains(word), "{flag} {value}: {error}");
    }
    let folder = scratch();
    let at = folder.path();
    let shader = |text: &str| std::fs::write(at.join("a.wgsl"), text).expect("it can be written");
    let spec = |text: &str| std::fs::write(at.join("a.toml"), text).expect("it can be written");
    shader("fn f() {}");
    refused(at, &["a.wgsl"], &["no compute entry point"]);
    shader("@compute fn main() {}");
    refused(at, &["a.wgsl"], &["not valid WGSL"]);
    spec("shader = 'a.wgsl'\ndispatch = [1]\nbinds = 3\n");
    refused(at, &["a.toml"], &["`a.toml`", "line 3", "binds"]);
    spec("shader = 'a.wgsl'\ndispatch = [0]\n");
    refused(at, &["a.toml"], &["above zero"]);
}

#[test]
fn what_the_device_cannot_do_is_refused_in_one_line() {
    if is_skipped() {
        return;
    }
    refused(&corpus(), &["collatz.toml", "--dispatch", "65536"], &["more than 65535 workgroups"]);
    refused(
        &corpus(),
        &["collatz.toml", "--memory", "64KiB"],
        &["the log needs", "may have 65536"],
    );
    refused(
        &corpus(),
        &["collatz.toml", "--bind", "0.0=zeros:1GiB"],
        &["the buffer 0.0 has 1073741824"],
    );
    let record = "../record-1.2.0.json";
    refused(&corpus(), &["collatz.toml", "--from", record], &["--across-devices"]);
    let record = "../record-1.0.0.json";
    let lacking = ["collatz.toml", "--from", record, "--across-devices", "--width", "32"];
    refused(&corpus(), &lacking, &["the record has no `ceilings."]);
}
