//! The pages under `results/` and the tables in the README are what the committed records say, to the byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use warplaw::model;
use warplaw::report::{self, Format, render};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).expect("the folder can be listed") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it lies there").to_owned();
                found.insert(name, std::fs::read(path).expect("it can be read"));
            }
        }
    }
    found
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("warplaw-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a scratch folder can be made");
    folder
}

fn gallery(folder: &Path) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .arg("gallery")
        .arg(folder)
        .output()
        .expect("it runs")
}

#[test]
fn the_committed_pages_are_what_the_records_say() {
    let committed = files(&root().join("results"));
    let folder = scratch("gallery").join("results");
    for (name, bytes) in
        committed.iter().filter(|(name, _)| name.extension() == Some("json".as_ref()))
    {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        std::fs::write(path, bytes).expect("it can be written");
    }
    let made = gallery(&folder);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made = files(&folder);
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&committed), "run `warplaw gallery`");
    for (name, bytes) in &made {
        assert!(
            bytes == &committed[name],
            "{} is out of date: run `warplaw gallery`",
            name.display()
        );
    }
}

#[test]
fn a_folder_without_records_or_with_a_broken_one_is_told_of() {
    let folder = scratch("gallery-broken");
    let empty = gallery(&folder);
    let said = String::from_utf8_lossy(&empty.stderr).into_owned();
    assert_eq!(empty.status.code(), Some(2), "{said}");
    assert!(said.contains("no record") && said.trim().lines().count() == 1, "{said}");
    std::fs::create_dir_all(folder.join("gpu")).expect("it can be made");
    std::fs::write(folder.join("gpu/a.json"), "{}").expect("it can be written");
    let broken = gallery(&folder);
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("a.json"));
    assert_eq!(files(&folder).len(), 1, "nothing is written beside it");
    let missing = gallery(&folder.join("missing"));
    assert_eq!(missing.status.code(), Some(2));
}

/// What stands between `<!-- NAME: RECORD -->` and `<!-- /NAME -->` in the README.
#[test]
fn the_readme_shows_what_its_record_says() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("it is there");
    let mut made = readme.clone();
    for (name, place) in [("card", 0), ("verdicts", 1)] {
        let (open, close) = (format!("<!-- {name}: "), format!("<!-- /{name} -->"));
        let (before, rest) = made.split_once(&open).expect("the part begins in README.md");
        let (source, rest) = rest.split_once(" -->\n").expect("the comment ends");
        let (_, after) = rest.split_once(&close).expect("the part ends");
        let record = model::read(&root().join(source)).expect("it names a committed record");
        let summary = render(&report::summary(&record), Format::Markdown);
        let tables: Vec<&str> = summary.split("\n\n").filter(|b| b.starts_with('|')).collect();
        let table = tables[place].trim_end();
        made = format!("{before}{open}{source} -->\n{table}\n{close}{after}");
    }
    if std::env::var_os("WARPLAW_UPDATE").is_some() {
        std::fs::write(&path, &made).expect("it can be written");
    }
    assert!(
        made == std::fs::read_to_string(&path).expect("it is there"),
        "WARPLAW_UPDATE=1 mends it"
    );
    let shown = readme.split("](results/").skip(1).filter_map(|rest| rest.split(')').next());
    for link in shown {
        let link = link.split('#').next().unwrap_or(link);
        assert!(root().join("results").join(link).exists(), "the README links to results/{link}");
    }
}
