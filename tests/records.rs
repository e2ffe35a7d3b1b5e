//! Records on disk: an old one stays readable, a write is whole or not at all, unknowns are absent.

use std::path::{Path, PathBuf};

use warplaw::record::{Record, RecordError, Status, default_path, read, write};
use warplaw::stats::{Interval, Verdict};

fn golden() -> Record {
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/record-1.0.0.json")))
        .expect("a record of version 1.0.0 stays readable")
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("warplaw-records-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a scratch folder can be made");
    folder.join(name)
}

#[test]
fn a_record_of_version_1_0_0_reads_as_it_was_meant() {
    let record = golden();
    assert_eq!(record.adapter.name, "Acme <Warp> & Weft | 9000");
    assert_eq!(record.adapter.subgroup_size.observed, Some(32));
    let lanes = &record.experiments[0];
    assert_eq!((lanes.status, lanes.verdict), (Status::Measured, Some(Verdict::Holds)));
    assert_eq!(lanes.points[0].ratio_ci, Some(Interval { lo: 0.995, hi: 1.001 }));
    assert_eq!(record.experiments[1].status, Status::Unsupported);
    assert!(record.experiments[1].points.is_empty());
    assert_eq!(record.cases[0].samples_s, [Some(0.0041), None, Some(0.0042)]);
    assert!(record.cases[1].failure.is_some());
}

#[test]
fn what_is_written_is_read_back_to_the_last_bit() {
    let record = golden();
    let path = scratch("round-trip.json");
    write(&record, &path).expect("the scratch folder is writable");
    assert_eq!(read(&path).expect("it is a record"), record);
    let first = std::fs::read(&path).expect("it is there");
    write(&record, &path).expect("an old record can be replaced");
    assert_eq!(std::fs::read(&path).expect("it is there"), first);
}

#[test]
fn what_a_later_minor_version_adds_is_ignored() {
    let text = serde_json::to_string(&golden()).expect("a record is JSON");
    let later = text
        .replacen("\"1.0.0\"", "\"1.7.0\"", 1)
        .replacen("\"seed\":", "\"mood\": \"good\", \"seed\":", 1)
        .replacen("\"series\":", "\"colour\": 3, \"series\":", 1);
    assert_ne!(later, text);
    let path = scratch("later.json");
    std::fs::write(&path, later).expect("the scratch folder is writable");
    assert_eq!(read(&path).expect("it is readable").experiments, golden().experiments);
}

#[test]
fn a_write_that_fails_leaves_the_old_record_and_no_litter() {
    let folder = scratch("occupied");
    std::fs::create_dir_all(folder.join("record.json")).expect("a folder can be made");
    let error = write(&golden(), &folder.join("record.json")).expect_err("a folder is no file");
    assert!(matches!(error, RecordError::Unwritable { .. }));
    let left: Vec<_> = std::fs::read_dir(&folder).expect("it can be listed").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn unknowns_are_absent_and_never_zero() {
    let mut record = golden();
    record.clock.host_check_ratio = None;
    record.tool.git_rev = None;
    record.experiments[0].points[0].ratio_ci = None;
    let text = serde_json::to_string(&record).expect("a record is JSON");
    assert!(!text.contains("host_check_ratio") && !text.contains("git_rev"));
    assert!(text.contains("[0.0041,null,0.0042]"));
}

#[test]
fn the_default_place_names_gpu_date_backend_and_rev() {
    let path = default_path(&golden());
    assert_eq!(path, Path::new("results/acme-warp-weft-9000/2026-11-24-vulkan-012345678.json"));
}
