//! The arrows between rooms, and the two absolute walls: read off the sources, not off good intentions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who may import whom. `cli` may see all, and nothing sees `cli`.
const ARROWS: &[(&str, &[&str])] = &[
    ("laws", &[]),
    ("stats", &[]),
    ("gpu", &[]),
    ("kernels", &["gpu"]),
    ("record", &["stats"]),
    ("measure", &["gpu", "kernels", "record", "stats"]),
    ("experiments", &["gpu", "kernels", "laws", "measure", "record", "stats"]),
    ("report", &["record", "stats"]),
    ("predict", &["laws", "record", "report"]),
    (
        "cli",
        &[
            "experiments",
            "gpu",
            "kernels",
            "laws",
            "measure",
            "predict",
            "record",
            "report",
            "stats",
        ],
    ),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Rooms named after `crate::` outside comments, nested groups as in `use crate::{a::{b, c}, d}` included.
fn imports(source: &str) -> BTreeSet<String> {
    let code: String = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join("\n");
    let word = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            rooms.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut first = true;
        for (i, c) in group.char_indices() {
            if depth == 0 && first && !c.is_whitespace() {
                rooms.insert(word(&group[i..]));
                first = false;
            }
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => first = true,
                _ => {}
            }
        }
    }
    rooms.remove("");
    rooms
}

fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let relative = file.strip_prefix(&root).expect("the file lies under src");
        let room = relative.components().next().expect("a file has a name");
        let room = room.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&file).expect("a source is text");
        arrows.entry(room).or_default().extend(imports(&text));
    }
    arrows
}

#[test]
fn rooms_import_only_what_the_design_allows() {
    let arrows = arrows();
    for (room, allowed) in ARROWS {
        for imported in &arrows[*room] {
            let own = imported == room;
            assert!(own || allowed.contains(&imported.as_str()), "{room} imports {imported}");
        }
    }
    let rooms: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    let known = |room: &String| rooms.contains(room.as_str()) || ["lib", "main"].contains(&&**room);
    assert!(arrows.keys().all(known), "a room without arrows: {:?}", arrows.keys());
}

#[test]
fn the_reader_of_imports_sees_what_it_must() {
    let seen =
        imports("use crate::gpu::X;\nuse crate::{laws, stats::{Y, Z}, report};\n// crate::cli\n");
    assert_eq!(seen, ["gpu", "laws", "report", "stats"].map(str::to_owned).into());
}

#[test]
fn no_timing_outside_the_rooms_that_time() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for room in ["laws", "stats", "kernels", "experiments", "record", "report"] {
        sources(&root.join(room), &mut files);
    }
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source is text");
        assert!(
            !text.contains("Instant") && !text.contains("SystemTime"),
            "{} looks at a clock",
            file.display()
        );
    }
}

#[test]
fn unsafe_code_is_confined_to_one_module() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    ["src", "benches", "tests"].iter().for_each(|folder| sources(&root.join(folder), &mut files));
    let holds = |file: &&PathBuf| {
        let text = std::fs::read_to_string(file).expect("a source is text");
        // As a word of the language: not in a comment, a string or a lint's name.
        let code = text.lines().map(|line| line.split("//").next().unwrap_or(""));
        code.into_iter().any(|line| line.contains(concat!("unsafe", " ")) && !line.contains('"'))
    };
    let with: Vec<_> = files.iter().filter(holds).map(|file| file.strip_prefix(root)).collect();
    assert_eq!(with, [Ok(Path::new("src/gpu/unchecked.rs"))]);
}

#[test]
fn every_experiment_has_its_tolerance_and_its_file() {
    for experiment in warplaw::experiments::REGISTRY {
        assert!(warplaw::stats::tolerance::of(experiment.id) > 0.0);
        let file = format!("{}/src/experiments/{}.rs", env!("CARGO_MANIFEST_DIR"), experiment.id);
        assert!(Path::new(&file).exists(), "{file}");
    }
}
