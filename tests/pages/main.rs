//! Tests of the HTML pages in a browser, on a light desktop screen and on a dark phone screen.
//!
//! A page logs nothing, fetches nothing and fits the screen. The texts in its plots are readable.

mod browser;

use std::path::{Path, PathBuf};

use browser::{Browser, Laid, Opened, Screen};
use warplaw::model::{self, Record};
use warplaw::report::{self, Document, Format, Named, render};

const DESKTOP: Screen = Screen { width: 1280, height: 900, scheme: "light" };
const PHONE: Screen = Screen { width: 390, height: 844, scheme: "dark" };
/// Upper bound of the time to the first paint of a page, in milliseconds.
const PAINTED_MS: f64 = 1_000.0;
/// Upper bound of the size of a page, in bytes.
const PAGE_BYTES: usize = 2_000_000;

/// Returns the root of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the path of a page or screenshot that is kept for manual inspection.
fn kept(name: &str) -> PathBuf {
    let folder = root().join("target/pages");
    std::fs::create_dir_all(&folder).expect("the folder can be created");
    folder.join(name)
}

fn fixture() -> Record {
    model::read(&root().join("tests/data/record-1.1.0.json")).expect("the fixture is readable")
}

/// Returns the committed records of all devices, sorted by path.
fn full() -> Vec<(String, Record)> {
    let mut found = Vec::new();
    for device in std::fs::read_dir(root().join("results")).expect("the results folder exists") {
        let device = device.expect("the folder can be listed").path();
        for file in std::fs::read_dir(device).into_iter().flatten() {
            let path = file.expect("the folder can be listed").path();
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

/// Writes the page of a document, opens it on both screens and asserts that it has no fault.
fn look(name: &str, document: &Document) -> [Laid; 2] {
    let html = render(document, Format::Html);
    assert!(html.len() < PAGE_BYTES, "{name}: {} bytes", html.len());
    let file = kept(&format!("{name}.html"));
    std::fs::write(&file, &html).expect("the page can be written");
    look_at(name, &file)
}

/// Opens the page of a file on both screens and asserts that it has no fault.
fn look_at(name: &str, file: &Path) -> [Laid; 2] {
    let mut browser = Browser::start();
    [("desktop", DESKTOP), ("phone", PHONE)].map(|(device, screen)| {
        let Opened { laid, complaints, requests, screenshot } = browser.open(file, screen);
        let screenshot_path = kept(&format!("{name}-{device}.png"));
        std::fs::write(screenshot_path, screenshot).expect("the screenshot can be written");
        assert_eq!(complaints, Vec::<String>::new(), "the page {name} logs messages on a {device}");
        let outside: Vec<_> = requests.iter().filter(|url| !is_own(url, file)).collect();
        assert!(
            outside.is_empty() && laid.fetched.is_empty(),
            "the page {name} fetches resources: {outside:?} {laid:?}"
        );
        assert!(
            laid.overflow <= 0.0,
            "the page {name} is {} pixels too wide on a {device}",
            laid.overflow
        );
        assert_eq!(
            laid.colliding,
            Vec::<String>::new(),
            "texts of the page {name} collide on a {device}"
        );
        assert_eq!(
            laid.bare, 0,
            "the page {name} has plots without a title, a description or a size"
        );
        assert!(
            laid.painted_ms < PAINTED_MS,
            "the page {name} is painted after {} ms on a {device}",
            laid.painted_ms
        );
        laid
    })
}

/// Returns whether the address is the page itself or its empty icon.
fn is_own(url: &str, file: &Path) -> bool {
    let name = file.file_name().expect("the path names a file").to_string_lossy();
    url.starts_with("data:,") || url.starts_with("file://") && url.ends_with(&*name)
}

#[test]
fn the_page_of_a_hostile_record_has_no_fault() {
    let [desktop, phone] = look("fixture", &report::report(&fixture()));
    assert!(desktop.plots >= 6 && desktop.tables >= 10, "{desktop:?}");
    assert_eq!((desktop.plots, desktop.tables), (phone.plots, phone.tables));
    assert_ne!(desktop.paper, phone.paper, "the dark page has the background of the light page");
}

#[test]
fn the_page_of_every_committed_record_has_no_fault() {
    for (index, (_, record)) in full().iter().enumerate() {
        let [desktop, _] = look(&format!("full-{index}"), &report::report(record));
        // Two experiments of a full record have no plot.
        let laws = record.experiments.len();
        let least = laws.saturating_sub(2).max(1);
        assert!(desktop.plots >= least && desktop.tables >= laws + 4, "{desktop:?}");
        eprintln!("the page of a full record is painted after {:.0} ms", desktop.painted_ms);
    }
}

#[test]
fn pages_of_comparisons_checks_and_the_gallery_have_no_fault() {
    let records = full();
    let named: Vec<Named<'_>> =
        records.iter().map(|(path, record)| Named { path, record }).collect();
    look("comparison", &report::compare(&named[..2]));
    look("ranking", &report::compare(&named));
    look("check", &report::check(&named, Some(named[0])).document());
    let gallery = root().join("results/index.html");
    let [desktop, _] = look_at("gallery", &gallery);
    assert!(desktop.plots >= 5 && desktop.tables >= 3, "{desktop:?}");
}

/// The tests above prove nothing unless the faults of a broken page are found.
#[test]
fn the_faults_of_a_broken_page_are_found() {
    let mut browser = Browser::start();
    let broken = kept("broken.html");
    std::fs::write(
        &broken,
        "<!doctype html><link rel=icon href='data:,'><img src='missing.png'>\
         <div style='width:3000px'>wide</div><script>console.error('no')</script>\
         <svg class=plot width=300 height=300><text x=10 y=50>one</text><text x=10 y=50>two</text>\
         <text x=290 y=90>cut off</text></svg>",
    )
    .expect("the page can be written");
    let Opened { laid, complaints, requests, .. } = browser.open(&broken, DESKTOP);
    assert!(laid.overflow > 1_000.0 && laid.bare == 1 && laid.plots == 0, "{laid:?}");
    assert!(laid.colliding.iter().any(|fault| fault == "one on two"), "{laid:?}");
    assert!(laid.colliding.iter().any(|fault| fault.starts_with("out of the picture")), "{laid:?}");
    assert!(requests.iter().any(|url| url.ends_with("missing.png")), "{requests:?}");
    assert!(complaints.iter().any(|line| line.contains("no")), "{complaints:?}");
}
