//! Forms in which people write one kind of input: paths of records, the contents of their files, outputs, lists of
//! experiments, times, numbers, and the environment. Each form has the exit code that it must give. No form may cause
//! a panic, and each refusal says why. No GPU is needed.

mod packed;
mod program;

use std::path::Path;
use std::process::Output;

use packed::{gzip, zstandard};
use tempfile::TempDir;

/// The record of all forms. A law deviates in it, so `check` exits with 1.
const RECORD: &str = include_str!("data/record-1.1.0.json");

/// Runs warplaw in `folder` with `RECORD` on standard input.
fn warplaw(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    program::run(folder, arguments, variables, RECORD.as_bytes())
}

/// Asserts that the program ends with `code`, and with one line that contains `word` if it refuses the input.
fn assert_ends(output: &Output, code: i32, word: &str, form: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{form}: {stderr}");
    assert!(!stderr.contains("panicked"), "{form}: {stderr}");
    if code == 2 {
        assert_eq!(stderr.trim().lines().count(), 1, "{form}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(word), "{form}: {stderr}");
    }
}

/// Makes a folder with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    folder
}

#[test]
fn every_form_of_a_path_names_its_record_or_is_refused() {
    let record = RECORD.as_bytes();
    let names = [
        "gpu/a.json",
        "gpu/b.JSON",
        "gpu/deep/deeper/c.json",
        "with space/d e.json",
        "it's/\"f\".json",
        "Ünï çødé/日本.json",
        "-g.json",
        ".hidden.json",
        "plain",
        "[x]/h.json",
        "100%/$HOME;i.json",
        "a\nb/j.json",
    ];
    let folder = folder(&names.map(|name| (name, record)));
    let absolute = folder.path().join("gpu/a.json").display().to_string();
    let long = "x".repeat(5000);
    let forms: &[(&str, i32)] = &[
        ("gpu/a.json", 0),
        ("./gpu/a.json", 0),
        ("gpu//a.json", 0),
        ("gpu/../gpu/a.json", 0),
        (&absolute, 0),
        ("gpu", 0),
        ("gpu/", 0),
        (".", 0),
        ("gpu/*.json", 0),
        ("gpu/?.json", 0),
        ("gpu/[ab].json", 0),
        ("**/c.json", 0),
        ("[x]/h.json", 0),
        ("gpu/b.JSON", 0),
        ("with space/d e.json", 0),
        ("it's/\"f\".json", 0),
        ("Ünï çødé/日本.json", 0),
        ("Ünï çødé", 0),
        ("./-g.json", 0),
        (".hidden.json", 0),
        ("plain", 0),
        ("100%/$HOME;i.json", 0),
        ("a\nb/j.json", 0),
        ("-", 0),
        ("missing.json", 2),
        ("gpu/a", 2),
        ("gpu/a.json/", 2),
        ("gpu/*.txt", 2),
        ("gpu/[", 2),
        ("~/a.json", 2),
        ("file:///gpu/a.json", 2),
        (&long, 2),
        ("/dev/null", 2),
    ];
    for &(path, code) in forms {
        let output = warplaw(folder.path(), &["report", path], &[]);
        // A long path is cut in the message.
        let shown: String = path.chars().take(20).collect();
        assert_ends(&output, code, &shown, path);
    }
    let output = warplaw(folder.path(), &["report", "--", "-g.json"], &[]);
    assert_ends(&output, 0, "", "-- -g.json");
    for &(path, code) in forms.iter().filter(|(_, code)| *code == 0) {
        let output = warplaw(folder.path(), &["check", "gpu/a.json", "--baseline", path], &[]);
        assert_ends(&output, code, "", &format!("--baseline {path}"));
    }
}

#[test]
fn every_form_of_a_file_is_read_or_refused() {
    let record = RECORD.as_bytes();
    let (half, rest) = record.split_at(record.len() / 2);
    let utf_16: Vec<u8> = RECORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let value: serde_json::Value = serde_json::from_str(RECORD).expect("JSON");
    let with = |at: &str, new: serde_json::Value| {
        let mut value = value.clone();
        *value.pointer_mut(at).expect("the record has the value") = new;
        value.to_string().into_bytes()
    };
    let forms: Vec<(&str, Vec<u8>, i32)> = vec![
        ("as written", record.to_vec(), 0),
        ("in one line", value.to_string().into_bytes(), 0),
        ("with other line ends", RECORD.replace('\n', "\r\n").into_bytes(), 0),
        ("without the last line end", RECORD.trim_end().as_bytes().to_vec(), 0),
        ("after spaces", [b" \n\t\r\n", record].concat(), 0),
        ("before spaces", [record, b"\n\n  \t"].concat(), 0),
        ("after a byte order mark", [b"\xef\xbb\xbf", record].concat(), 0),
        ("as gzip", gzip(record), 0),
        ("as two members of gzip", [gzip(half), gzip(rest)].concat(), 0),
        ("as Zstandard", zstandard(record), 0),
        ("with an unknown field", RECORD.replacen('{', "{\"later\": [1, {}],", 1).into_bytes(), 0),
        ("with a later minor version", with("/schema/version", "1.99.0".into()), 0),
        ("as gzip in gzip", gzip(&gzip(record)), 2),
        ("as UTF-16", utf_16.clone(), 2),
        ("as UTF-16 with a mark", [b"\xff\xfe", &*utf_16].concat(), 2),
        ("cut", half.to_vec(), 2),
        ("cut gzip", gzip(record)[..500].to_vec(), 2),
        ("cut Zstandard", zstandard(record)[..500].to_vec(), 2),
        ("twice", [record, record].concat(), 2),
        ("in a list", [b"[", record, b"]"].concat(), 2),
        ("before other text", [record, b"done"].concat(), 2),
        ("after other text", [b"measured: ", record].concat(), 2),
        ("as a string", serde_json::to_vec(RECORD).expect("JSON"), 2),
        ("empty", Vec::new(), 2),
        ("spaces", b" \n".to_vec(), 2),
        ("null", b"null".to_vec(), 2),
        ("zeros", vec![0; 4096], 2),
        ("a picture", b"\x89PNG\r\n\x1a\n".to_vec(), 2),
        ("a page", b"<!doctype html><html></html>".to_vec(), 2),
        ("an archive", b"PK\x03\x04".to_vec(), 2),
        ("another schema", with("/schema/name", "other".into()), 2),
        ("a version that is no number", with("/schema/version", "new".into()), 2),
        ("a version of another type", with("/schema/version", 1.into()), 2),
        ("a later major version", with("/schema/version", "7.0.0".into()), 2),
        ("an adapter of another type", with("/adapter", serde_json::json!([])), 2),
        ("experiments of another type", with("/experiments", serde_json::json!({})), 2),
    ];
    for (form, bytes, code) in forms {
        let folder = folder(&[("the record.json", &bytes)]);
        for command in ["report", "check"] {
            let output = warplaw(folder.path(), &[command, "the record.json"], &[]);
            let code = if code == 0 && command == "check" { 1 } else { code };
            assert_ends(&output, code, "the record.json", &format!("{command} {form}"));
        }
        // The same file in a folder is read, or skipped with one line.
        let output = warplaw(folder.path(), &["report", "."], &[]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{form} in a folder: {stderr}");
        assert_eq!(stderr.matches("skipped: ").count(), usize::from(code == 2), "{form}: {stderr}");
    }
}

#[cfg(unix)]
#[test]
fn every_form_of_an_output_is_written_or_refused() {
    let files: [(&str, &[u8]); 8] = [
        ("a.json", RECORD.as_bytes()),
        ("notes.md", b"# notes"),
        ("mine.html", b"<!doctype html><p>mine</p>"),
        ("mine.csv", b"a,b\r\n1,2\r\n"),
        ("empty.md", b""),
        ("folder/x", b"x"),
        ("page.md", b"# GPU\n\nMade by `warplaw report a.json`.\n"),
        ("linked.md", b"# notes"),
    ];
    let make = || {
        let folder = folder(&files);
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink(at("linked.md"), at("link.md")).expect("linked");
        std::os::unix::fs::symlink(at("a.json"), at("link.json")).expect("linked");
        std::os::unix::fs::symlink(at("nowhere"), at("broken.md")).expect("linked");
        std::fs::hard_link(at("a.json"), at("hard-link.json")).expect("linked");
        folder
    };
    let long = format!("{}.md", "x".repeat(300));
    let forms: &[(&str, i32)] = &[
        ("new.md", 0),
        ("./new.md", 0),
        ("new/folder/page.md", 0),
        ("with space/new page.md", 0),
        ("it's \"new\".md", 0),
        ("Ünï çødé.md", 0),
        ("new", 0),
        (".new.md", 0),
        ("empty.md", 0),
        ("page.md", 0),
        ("folder/../new.md", 0),
        ("-", 0),
        ("/dev/null", 0),
        ("/dev/stdout", 0),
        ("/dev/full", 2),
        ("a.json", 2),
        ("./a.json", 2),
        ("folder/../a.json", 2),
        ("link.json", 2),
        ("hard-link.json", 2),
        ("notes.md", 2),
        ("mine.html", 2),
        ("mine.csv", 2),
        ("link.md", 2),
        ("broken.md", 2),
        ("folder", 2),
        ("folder/", 2),
        (".", 2),
        ("a.json/page.md", 2),
        ("folder/x/page.md", 2),
        (&long, 2),
    ];
    for &(path, code) in forms {
        for format in ["markdown", "html", "csv", "json", "terminal"] {
            let folder = make();
            // A page may be replaced, whatever the format of the new one.
            let arguments = ["report", "a.json", "--format", format, "--out", path];
            let output = warplaw(folder.path(), &arguments, &[]);
            assert_ends(&output, code, "`", &format!("--format {format} --out {path}"));
            if code == 0 && !path.starts_with("/dev") && path != "-" {
                let text = std::fs::read_to_string(folder.path().join(path)).expect("written");
                assert!(text.len() > 1000, "--format {format} --out {path}: {text}");
            } else if code == 0 && path != "/dev/null" {
                assert!(output.stdout.len() > 1000, "--format {format} --out {path}");
            }
            for (name, bytes) in files.iter().filter(|(name, _)| code == 2 || *name == "a.json") {
                let now = std::fs::read(folder.path().join(name)).expect("the file is there");
                assert_eq!(&now, bytes, "--out {path} changes {name}");
            }
            let left = std::fs::read_dir(folder.path()).expect("listed").flatten();
            let hidden = left.filter(|file| file.file_name().to_string_lossy().ends_with(".part"));
            assert_eq!(hidden.count(), 0, "--out {path} leaves a hidden file");
        }
    }
}

#[test]
fn every_form_of_a_list_of_experiments_is_taken_or_refused() {
    let folder = folder(&[("a.json", RECORD.as_bytes())]);
    let ids: Vec<String> =
        serde_json::from_str::<serde_json::Value>(RECORD).expect("JSON")["experiments"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|experiment| experiment["id"].as_str().expect("a text").to_owned())
            .collect();
    let [one, two] = [ids[0].as_str(), ids[ids.len() - 1].as_str()];
    let taken = [one.to_owned(), format!("{one},{two}"), format!("{two},{one},{one}")];
    let refused = [
        "",
        ",",
        "teleport",
        " ",
        "*",
        "all",
        "-1",
        "widht",
        "WIDTH",
        "width;lanes",
        "width lanes",
        "width,",
        ",width",
        "width,,lanes",
        "ωidth",
        "../width",
        "width\n",
        "1",
        "null",
        "--",
    ];
    let only = |list: &str, command: &[&str]| {
        let list = format!("--only={list}");
        warplaw(folder.path(), &[command, &[&list]].concat(), &[])
    };
    for list in &taken {
        assert_ends(&only(list, &["report", "a.json"]), 0, "", list);
        assert_ends(&only(list, &["compare", "a.json", "a.json"]), 0, "", list);
    }
    for list in refused {
        // A run refuses the list before it opens a device.
        for command in [&["report", "a.json"][..], &["compare", "a.json", "a.json"], &["run"]] {
            let output = only(list, command);
            assert_ends(&output, 2, "--only", &format!("{command:?} {list:?}"));
            assert!(output.stdout.is_empty(), "{command:?} {list:?}");
        }
    }
}

#[test]
fn every_form_of_a_time_and_of_a_seed_is_taken_or_refused() {
    let folder = folder(&[]);
    // A run with an unknown experiment ends before it opens a device, and after its other arguments are read.
    let run = |argument: &str, value: &str| {
        let argument = format!("{argument}={value}");
        let output = warplaw(folder.path(), &["run", "--only", "teleport", &argument], &[]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{argument}: {stderr}");
        assert!(stderr.starts_with("error: ") && !stderr.contains("panicked"), "{stderr}");
        stderr.contains("teleport")
    };
    for time in
        ["90s", "10min", "1h", "1h30m", "1h 30m", "0.5s", "1500ms", "2 minutes", "PT90S", "1,5s"]
    {
        assert!(run("--budget", time) && run("--warm-up", time), "{time} is refused");
    }
    for time in [
        "",
        " ",
        "90",
        "0s",
        "-5s",
        "s",
        "1e3s",
        "inf",
        "nan",
        "∞",
        "0x10s",
        "1y",
        "s90",
        "90s90",
        "ninety",
        "1:30",
        "90 s later",
        "99999999999999999999s",
        "--",
    ] {
        assert!(!run("--budget", time) && !run("--warm-up", time), "{time} is taken");
    }
    for seed in ["0", "1", "007", "18446744073709551615"] {
        assert!(run("--seed", seed), "{seed} is refused");
    }
    for seed in [
        "",
        " ",
        "-1",
        "1.0",
        "1e3",
        "0x10",
        "18446744073709551616",
        "one",
        "1 ",
        " 1",
        "1,000",
        "1_000",
        "∞",
        "nan",
        "null",
        "--",
        "+-1",
        "1;2",
        "1 2",
        "٣",
    ] {
        assert!(!run("--seed", seed), "{seed} is taken");
    }
}

#[test]
fn every_form_of_the_environment_gives_a_readable_page() {
    let folder = folder(&[("a.json", RECORD.as_bytes())]);
    let page = |variables: &[(&str, &str)]| {
        let output = warplaw(folder.path(), &["report", "a.json"], variables);
        assert_ends(&output, 0, "", &format!("{variables:?}"));
        String::from_utf8(output.stdout).expect("a page is UTF-8")
    };
    let usual = page(&[]);
    for columns in ["", "0", "-1", "abc", "65536", "1e3", "80.5", " 80", "∞", "nan"] {
        assert_eq!(page(&[("COLUMNS", columns)]), usual, "COLUMNS={columns}");
    }
    for columns in ["1", "2", "10", "20", "40", "60", "80", "99", "100", "120", "250", "65535"] {
        let text = page(&[("COLUMNS", columns)]);
        let width: usize = columns.parse().expect("a number");
        let longest = text.lines().map(|line| line.chars().count()).max();
        // No word is broken, so that a narrower text than the longest word is not possible.
        assert!(longest <= Some(width.max(60)), "COLUMNS={columns}: {longest:?}");
    }
    for locale in ["C", "POSIX", "de_DE.ISO-8859-1", "ja_JP.eucJP", "C.ASCII", "nonsense", "en_US"]
    {
        assert!(page(&[("LC_ALL", locale)]).is_ascii(), "LC_ALL={locale}");
    }
    for locale in ["C.UTF-8", "en_US.utf8", "de_DE.UTF-8@euro", "ja_JP.UTF-8", "zh_CN.Utf-8"] {
        assert_eq!(page(&[("LC_ALL", locale)]), usual, "LC_ALL={locale}");
    }
    for (name, value) in [
        ("TERM", "dumb"),
        ("TERM", ""),
        ("TERM", "unknown-9"),
        ("NO_COLOR", "1"),
        ("CLICOLOR", "0"),
        ("HOME", "/nonexistent"),
        ("TMPDIR", "/nonexistent"),
        ("LANGUAGE", "de:fr"),
        ("TZ", "Mars/Olympus"),
        ("RUST_BACKTRACE", "full"),
    ] {
        assert_eq!(page(&[(name, value)]), usual, "{name}={value}");
    }
    assert!(page(&[("CLICOLOR_FORCE", "1")]).contains("\u{1b}["), "colours on request");
}
