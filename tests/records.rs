//! Records on disk: an old one stays readable, a write is whole or not at all, unknowns are absent.

use std::path::{Path, PathBuf};

use warplaw::model::{Interval, Verdict};
use warplaw::model::{Record, RecordError, Status, default_path, read, write};

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
    let cases: Vec<_> = record.cases().collect();
    assert_eq!(cases[0].samples_s, [Some(0.0041), None, Some(0.0042)]);
    assert!(cases[1].failure.is_some());
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
        .replacen("\"2.0.0\"", "\"2.7.0\"", 1)
        .replacen("\"seed\":", "\"mood\": \"good\", \"seed\":", 1)
        .replacen("\"series\":", "\"colour\": 3, \"series\":", 1);
    for added in ["2.7.0", "mood", "colour"] {
        assert!(later.contains(added), "{added} is not in the text");
    }
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
    assert!(text.contains("[4100000,null,4200000]"));
}

#[test]
fn the_default_place_names_gpu_date_backend_and_rev() {
    let path = default_path(&golden());
    assert_eq!(path, Path::new("results/acme-warp-weft-9000/2026-11-24-vulkan-012345678.json"));
}

#[cfg(unix)]
#[test]
fn a_link_is_kept_its_target_replaced_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (target, link) = (scratch("target.json"), scratch("link.json"));
    std::fs::write(&target, "old").expect("the scratch folder is writable");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&target, private.clone()).expect("they can be set");
    symlink(&target, &link).expect("a link can be made");
    write(&golden(), &link).expect("a link can be written through");
    assert!(link.is_symlink());
    assert_eq!(read(&target).expect("it is a record"), golden());
    let now = target.metadata().expect("it is there").permissions();
    assert_eq!(now.mode() & 0o777, private.mode() & 0o777);
    std::fs::remove_file(&target).expect("it can be removed");
    let error = write(&golden(), &link).expect_err("there is nowhere to write to");
    assert!(error.to_string().contains("a link to nothing"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_written_to_and_not_replaced() {
    use std::os::unix::fs::FileTypeExt;
    // `/dev/null` would be lost to the whole machine if this went wrong, a terminal's end to nobody.
    let null = Path::new("/dev/stdin");
    let before = null.symlink_metadata().expect("it is there").file_type();
    let _written_or_refused = write(&golden(), null);
    let after = null.symlink_metadata().expect("it is there").file_type();
    assert_eq!((before.is_symlink(), before.is_file()), (after.is_symlink(), after.is_file()));
    assert!(!after.is_file() && !after.is_block_device());
}

/// However often it is written over, whoever reads sees one record or the other, and whole.
#[test]
fn a_reader_never_sees_a_record_half_written() {
    let path = scratch("contended.json");
    let mut other = golden();
    other.experiments[0].cases[0].samples_s = vec![Some(1e-3); 50_000];
    write(&other, &path).expect("the scratch folder is writable");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..20 {
                for record in [&golden(), &other] {
                    write(record, &path).expect("it can be written over");
                }
            }
        });
        let mut reads = 0;
        while !writer.is_finished() {
            let record = read(&path).expect("it is whole");
            assert!(record == other || record == golden());
            reads += 1;
        }
        assert!(reads > 5, "{reads} reads say little");
    });
}
