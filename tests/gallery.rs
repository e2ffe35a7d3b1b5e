//! Tests that the pages under `results/` and the summary in the README equal the output for the committed
//! records, byte for byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use warplaw::model;
use warplaw::report::{self, Format, render};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the content of every file below a folder, by the path relative to the folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).expect("the folder can be listed") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name =
                    path.strip_prefix(folder).expect("the path is below the folder").to_owned();
                found.insert(name, std::fs::read(path).expect("the file can be read"));
            }
        }
    }
    found
}

/// Creates a folder for temporary files and returns its path.
fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("warplaw-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the scratch folder can be created");
    folder
}

/// Runs `warplaw gallery` on the folder.
fn gallery(folder: &Path) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .arg("gallery")
        .arg(folder)
        .output()
        .expect("the binary runs")
}

#[test]
fn the_committed_pages_equal_the_gallery_of_the_committed_records() {
    let mut committed = files(&root().join("results"));
    // `cargo xtask isa` makes this page, from no record.
    committed.remove(Path::new("isa.md"));
    let folder = scratch("gallery").join("results");
    for (name, bytes) in
        committed.iter().filter(|(name, _)| name.extension() == Some("json".as_ref()))
    {
        let path = folder.join(name);
        let parent = path.parent().expect("the path has a parent");
        std::fs::create_dir_all(parent).expect("the folder can be created");
        std::fs::write(path, bytes).expect("the record can be written");
    }
    let made = gallery(&folder);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made = files(&folder);
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&committed), "the pages are out of date: run `warplaw gallery`");
    for (name, bytes) in &made {
        assert!(
            bytes == &committed[name],
            "{} is out of date: run `warplaw gallery`",
            name.display()
        );
    }
}

#[test]
fn a_gallery_without_records_or_with_a_broken_record_exits_with_2() {
    let folder = scratch("gallery-broken");
    let empty = gallery(&folder);
    let error = String::from_utf8_lossy(&empty.stderr).into_owned();
    assert_eq!(empty.status.code(), Some(2), "{error}");
    assert!(error.contains("no record") && error.trim().lines().count() == 1, "{error}");
    std::fs::create_dir_all(folder.join("gpu")).expect("the folder can be created");
    std::fs::write(folder.join("gpu/a.json"), "{}").expect("the file can be written");
    let broken = gallery(&folder);
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("a.json"));
    assert_eq!(files(&folder).len(), 1, "a failed gallery writes no page");
    let missing = gallery(&folder.join("missing"));
    assert_eq!(missing.status.code(), Some(2));
}

/// The tables are the parts of the README between `<!-- NAME: RECORD -->` and `<!-- /NAME -->`.
///
/// With `WARPLAW_UPDATE` set, the test first rewrites the README.
#[test]
fn the_readme_tables_equal_the_summaries_of_their_records_and_its_links_resolve() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README can be read");
    let (open, close) = ("<!-- summary: ", "<!-- /summary -->");
    let (before, rest) = readme.split_once(open).expect("README.md has a summary");
    let (source, rest) = rest.split_once(" -->\n").expect("the comment ends");
    let (_, after) = rest.split_once(close).expect("the summary ends");
    let record = model::read(&root().join(source)).expect("the comment names a committed record");
    let summary = render(&report::summary(&record), Format::Markdown);
    let made = format!("{before}{open}{source} -->\n{}\n{close}{after}", summary.trim_end());
    if std::env::var_os("WARPLAW_UPDATE").is_some() {
        std::fs::write(&path, &made).expect("the README can be written");
    }
    assert!(
        made == std::fs::read_to_string(&path).expect("the README can be read"),
        "README.md is out of date: run `WARPLAW_UPDATE=1 cargo test --test gallery`"
    );
    let links = readme.split("](results/").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links {
        let link = link.split('#').next().unwrap_or(link);
        assert!(
            root().join("results").join(link).exists(),
            "README.md links to results/{link}, which does not exist"
        );
    }
}
