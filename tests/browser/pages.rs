//! Every page in a browser, on a desk and in a hand, in the light and in the dark: nothing is logged, fetched or
//! cut off, and words in pictures can be read.

use std::path::{Path, PathBuf};

use warplaw::model::{self, Record};
use warplaw::report::{self, Document, Format, Named, render};
use warplaw_browser::{Laid, Opened, Screen, browser, open};

const DESK: Screen = Screen { width: 1280, height: 900, scheme: "light" };
const HAND: Screen = Screen { width: 390, height: 844, scheme: "dark" };
/// Milliseconds until something is seen of the page of a full record.
const PAINTED_MS: f64 = 1_000.0;
/// Bytes of that page.
const PAGE_BYTES: usize = 2_000_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where pages and their pictures are left to be looked at.
fn kept(name: &str) -> PathBuf {
    let folder = root().join("target/pages");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder.join(name)
}

fn fixture() -> Record {
    model::read(&root().join("tests/data/record-1.1.0.json")).expect("the fixture is readable")
}

/// The largest of the committed records, with its path.
fn full() -> Vec<(String, Record)> {
    let mut found = Vec::new();
    for device in std::fs::read_dir(root().join("results")).expect("there are results") {
        let device = device.expect("it can be listed").path();
        if device.ends_with(model::Performance::FOLDER) {
            continue;
        }
        for file in std::fs::read_dir(device).into_iter().flatten() {
            let path = file.expect("it can be listed").path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let record = model::read(&path).expect("a committed record is readable");
                found.push((path.display().to_string(), record));
            }
        }
    }
    assert!(!found.is_empty(), "there are no committed records");
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// Opens the document's page on both screens and says what is wrong with it.
fn look(name: &str, document: &Document) -> [Laid; 2] {
    let html = render(document, Format::Html);
    assert!(html.len() < PAGE_BYTES, "{name}: {} bytes", html.len());
    let file = kept(&format!("{name}.html"));
    std::fs::write(&file, &html).expect("the page can be written");
    look_at(name, &file)
}

fn look_at(name: &str, file: &Path) -> [Laid; 2] {
    let browser = browser().expect("Chromium starts");
    [("desk", DESK), ("hand", HAND)].map(|(place, screen)| {
        let Opened { laid, complaints, requests, screenshot } =
            open(&browser, file, screen).expect("the page opens");
        let picture = kept(&format!("{name}-{place}.png"));
        std::fs::write(picture, screenshot).expect("the picture can be written");
        assert_eq!(complaints, Vec::<String>::new(), "{name} at a {place}");
        let outside: Vec<_> = requests.iter().filter(|url| !is_own(url, file)).collect();
        assert!(outside.is_empty() && laid.fetched.is_empty(), "{name}: {outside:?} {laid:?}");
        assert!(laid.overflow <= 0.0, "{name} in a {place} is {} pixels too wide", laid.overflow);
        assert_eq!(laid.colliding, Vec::<String>::new(), "{name} in a {place}");
        assert_eq!(laid.bare, 0, "{name}: pictures without a title, a description or an extent");
        assert!(laid.painted_ms < PAINTED_MS, "{name} in a {place}: {} ms", laid.painted_ms);
        laid
    })
}

/// The page itself, or the empty icon that it brings.
fn is_own(url: &str, file: &Path) -> bool {
    let name = file.file_name().expect("it is a file").to_string_lossy();
    url.starts_with("data:,") || url.starts_with("file://") && url.ends_with(&*name)
}

#[test]
fn the_page_of_a_hostile_record_can_be_read() {
    let [desk, hand] = look("fixture", &report::report(&fixture()));
    assert!(desk.plots >= 6 && desk.tables >= 10, "{desk:?}");
    assert_eq!((desk.plots, desk.tables), (hand.plots, hand.tables));
    assert_ne!(desk.paper, hand.paper, "the dark page is as light as the light one");
}

#[test]
fn the_page_of_every_full_record_can_be_read() {
    for (index, (_, record)) in full().iter().enumerate() {
        let [desk, _] = look(&format!("full-{index}"), &report::report(record));
        assert!(desk.plots >= 14 && desk.tables >= 20, "{desk:?}");
        eprintln!("page of a full record: painted after {:.0} ms", desk.painted_ms);
    }
}

#[test]
fn comparisons_checks_and_the_gallery_can_be_read() {
    let records = full();
    let named: Vec<Named<'_>> =
        records.iter().map(|(path, record)| Named { path, record }).collect();
    look("comparison", &report::compare(&named[..2]));
    look("ranking", &report::compare(&named));
    look("check", &report::check(&named, Some(named[0])).1);
    let gallery = root().join("results/index.html");
    let [desk, _] = look_at("gallery", &gallery);
    assert!(desk.plots >= 5 && desk.tables >= 3, "{desk:?}");
}

/// Faults are seen: what the tests above would pass over is no test.
#[test]
fn what_is_wrong_with_a_page_is_seen() {
    let browser = browser().expect("Chromium starts");
    let broken = kept("broken.html");
    std::fs::write(
        &broken,
        "<!doctype html><link rel=icon href='data:,'><img src='missing.png'>\
         <div style='width:3000px'>wide</div><script>console.error('no')</script>\
         <svg class=plot width=300 height=300><text x=10 y=50>one</text><text x=10 y=50>two</text>\
         <text x=290 y=90>cut off</text></svg>",
    )
    .expect("the page can be written");
    let Opened { laid, complaints, requests, .. } =
        open(&browser, &broken, DESK).expect("the page opens");
    assert!(laid.overflow > 1_000.0 && laid.bare == 1 && laid.plots == 0, "{laid:?}");
    assert!(laid.colliding.iter().any(|said| said == "one on two"), "{laid:?}");
    assert!(laid.colliding.iter().any(|said| said.starts_with("out of the picture")), "{laid:?}");
    assert!(requests.iter().any(|url| url.ends_with("missing.png")), "{requests:?}");
    assert!(complaints.iter().any(|line| line.contains("no")), "{complaints:?}");
}
