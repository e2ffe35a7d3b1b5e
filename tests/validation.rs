//! The suite under the Khronos validation layer, synchronisation included: nothing to complain of.
//!
//! On lavapipe, as `tests/lavapipe.rs`, with `apt-get install vulkan-validationlayers`, and only when asked:
//! `cargo test --test validation -- --ignored`.

#![cfg(target_os = "linux")]

use std::process::Command;

use warplaw::model::{Status, read};

/// With advice on practices among the messages: there is always some, which shows that messages arrive.
const SETTINGS: &str = "khronos_validation.debug_action = VK_DBG_LAYER_ACTION_LOG_MSG
khronos_validation.report_flags = error,warn,perf
khronos_validation.enables = VK_VALIDATION_FEATURE_ENABLE_BEST_PRACTICES_EXT,\
VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
";

#[test]
#[ignore = "needs the Khronos validation layer: cargo test --test validation -- --ignored"]
fn every_experiment_is_clean_under_the_validation_layer() {
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let [log, settings, out] =
        ["log.txt", "vk_layer_settings.txt", "record.json"].map(|name| folder.path().join(name));
    let text = format!("{SETTINGS}khronos_validation.log_filename = {}\n", log.display());
    std::fs::write(&settings, text).expect("the scratch folder is writable");
    let output = Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args([
            "run",
            "--quick",
            "--backend",
            "vulkan",
            "--adapter",
            "llvmpipe",
            "--seed",
            "1",
            "--out",
        ])
        .arg(&out)
        .env("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation")
        .env("VK_LAYER_SETTINGS_PATH", &settings)
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let record = read(&out).expect("a run leaves a record");
    let unmeasured = record.experiments.iter().filter(|e| e.status != Status::Measured);
    assert_eq!(unmeasured.map(|e| &e.id).collect::<Vec<_>>(), [""; 0]);
    let log = std::fs::read_to_string(&log).expect("the layer is installed and keeps a log");
    assert!(
        log.contains("BestPractices"),
        "no message of the layer arrives, so silence says nothing"
    );
    let faults: Vec<&str> =
        log.lines().filter(|l| l.contains("VUID-") || l.contains("SYNC-")).collect();
    assert_eq!(faults, [""; 0]);
}
