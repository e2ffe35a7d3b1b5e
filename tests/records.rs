//! Tests of records on disk.
//!
//! A record of an old version stays readable. A write stores the complete record or changes nothing. Unknown
//! values are absent from the file.

use std::path::{Path, PathBuf};

use warplaw::model::{Interval, Verdict};
use warplaw::model::{Record, RecordError, Schema, Status, default_path, new_file, read, write};

/// Reads the golden record.
fn golden() -> Record {
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/record-1.0.0.json")))
        .expect("a record of version 1.0.0 stays readable")
}

/// Returns the path of a temporary file.
fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("warplaw-records-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the scratch folder can be created");
    folder.join(name)
}

#[test]
fn a_record_of_version_1_0_0_is_read_with_its_original_content() {
    let record = golden();
    assert_eq!(record.adapter.name, "Acme <Warp> & Weft | 9000");
    assert_eq!(record.adapter.subgroup_size.observed, Some(32));
    let lanes = &record.experiments[0];
    assert_eq!((lanes.status, lanes.verdict), (Status::Measured, Some(Verdict::Holds)));
    assert_eq!(lanes.points[0].ratio_ci, Some(Interval { lo: 0.995, hi: 1.001 }));
    assert_eq!(record.experiments[1].status, Status::Unsupported);
    assert!(record.experiments[1].points.is_empty());
    let cases: Vec<_> = record.cases().collect();
    assert_eq!(cases[0].samples_s, [Some(0.0041), None, Some(0.0042)]);
    assert!(cases[1].failure.is_some());
}

#[test]
fn a_written_record_is_read_back_bit_for_bit() {
    let record = golden();
    let path = scratch("round-trip.json");
    write(&record, &path).expect("the scratch folder is writable");
    assert_eq!(read(&path).expect("the file is a record"), record);
    let first = std::fs::read(&path).expect("the file exists");
    write(&record, &path).expect("an old record can be replaced");
    assert_eq!(std::fs::read(&path).expect("the file exists"), first);
}

#[test]
fn fields_of_a_later_minor_version_are_ignored() {
    let text = serde_json::to_string(&golden()).expect("a record is JSON");
    let later = text
        .replacen(&format!("\"{}\"", Schema::VERSION), "\"2.7.0\"", 1)
        .replacen("\"seed\":", "\"mood\": \"good\", \"seed\":", 1)
        .replacen("\"series\":", "\"colour\": 3, \"series\":", 1);
    for added in ["2.7.0", "mood", "colour"] {
        assert!(later.contains(added), "the text lacks `{added}`");
    }
    let path = scratch("later.json");
    std::fs::write(&path, later).expect("the scratch folder is writable");
    assert_eq!(read(&path).expect("the record is readable").experiments, golden().experiments);
}

#[test]
fn a_failed_write_leaves_the_destination_and_no_temporary_file() {
    let folder = scratch("occupied");
    std::fs::create_dir_all(folder.join("record.json")).expect("the folder can be created");
    let error =
        write(&golden(), &folder.join("record.json")).expect_err("the destination is a folder");
    assert!(matches!(error, RecordError::Unwritable { .. }));
    let left: Vec<_> = std::fs::read_dir(&folder).expect("the folder can be listed").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn unknown_values_are_absent_or_null_and_never_zero() {
    let mut record = golden();
    record.clock.host_check_ratio = None;
    record.tool.git_rev = None;
    record.experiments[0].points[0].ratio_ci = None;
    let text = serde_json::to_string(&record).expect("a record is JSON");
    assert!(!text.contains("host_check_ratio") && !text.contains("git_rev"));
    assert!(text.contains("[4100000,null,4200000]"));
}

#[test]
fn the_default_path_names_the_gpu_the_date_the_backend_and_the_revision() {
    let path = default_path(&golden());
    assert_eq!(path, Path::new("records/acme-warp-weft-9000/2026-11-24-vulkan-012345678.json"));
    // Two equal GPUs of one machine have folders of their own.
    let mut second = golden();
    second.adapter.pci_bus_id = Some("0000:41:00.0".to_owned());
    let path = default_path(&second);
    assert!(path.starts_with("records/acme-warp-weft-9000-0000-41-00-0"), "{}", path.display());
}

#[test]
fn runs_that_start_at_once_get_files_of_their_own() {
    let root = tempfile::tempdir().expect("a folder can be made");
    let paths: Vec<PathBuf> = std::thread::scope(|scope| {
        let run = || scope.spawn(|| new_file(&golden(), root.path()).expect("a file can be made"));
        let runs: Vec<_> = (0..16).map(|_| run()).collect();
        runs.into_iter().map(|run| run.join().expect("no run panics")).collect()
    });
    let different: std::collections::BTreeSet<&PathBuf> = paths.iter().collect();
    assert_eq!(different.len(), 16, "{paths:?}");
}

#[cfg(unix)]
#[test]
fn a_write_through_a_link_keeps_the_link_and_the_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (target, link) = (scratch("target.json"), scratch("link.json"));
    std::fs::write(&target, "old").expect("the scratch folder is writable");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&target, private.clone()).expect("the permissions can be set");
    symlink(&target, &link).expect("the link can be created");
    write(&golden(), &link).expect("the record can be written through the link");
    assert!(link.is_symlink());
    assert_eq!(read(&target).expect("the target is a record"), golden());
    let now = target.metadata().expect("the target exists").permissions();
    assert_eq!(now.mode() & 0o777, private.mode() & 0o777);
    std::fs::remove_file(&target).expect("the target can be removed");
    let error = write(&golden(), &link).expect_err("the link has no target");
    assert!(error.to_string().contains("symbolic link without target"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_does_not_replace_a_device() {
    use std::os::unix::fs::FileTypeExt;
    // A faulty write to `/dev/null` would affect the whole machine. A faulty write to `/dev/stdin` affects
    // only this process.
    let device = Path::new("/dev/stdin");
    let before = device.symlink_metadata().expect("the device exists").file_type();
    let _written_or_refused = write(&golden(), device);
    let after = device.symlink_metadata().expect("the device exists").file_type();
    assert_eq!((before.is_symlink(), before.is_file()), (after.is_symlink(), after.is_file()));
    assert!(!after.is_file() && !after.is_block_device());
}

/// While a thread alternately writes two records to one path, each read gives one of the two.
#[test]
fn a_reader_never_sees_a_partial_record() {
    let path = scratch("contended.json");
    let mut other = golden();
    other.experiments[0].cases[0].samples_s = vec![Some(1e-3); 50_000];
    write(&other, &path).expect("the scratch folder is writable");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..20 {
                for record in [&golden(), &other] {
                    write(record, &path).expect("the record can be replaced");
                }
            }
        });
        let mut reads = 0;
        while !writer.is_finished() {
            let record = read(&path).expect("the record is complete");
            assert!(record == other || record == golden());
            reads += 1;
        }
        assert!(reads > 5, "{reads} reads are too few for this test");
    });
}
