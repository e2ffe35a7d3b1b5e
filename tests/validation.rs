//! Runs the suite under the Khronos validation layer, with synchronisation validation. The layer must report
//! no fault.
//!
//! The run uses lavapipe, as `tests/lavapipe` does, and needs `apt-get install vulkan-validationlayers`.
//! The test is ignored by default: `cargo test --test validation -- --ignored` runs it.

#![cfg(target_os = "linux")]

use std::process::Command;

use warplaw::model::{Status, read};

/// Settings of the layer. Best-practice messages are enabled because every run causes some. Their presence
/// shows that messages arrive.
const SETTINGS: &str = "khronos_validation.debug_action = VK_DBG_LAYER_ACTION_LOG_MSG
khronos_validation.report_flags = error,warn,perf
khronos_validation.enables = VK_VALIDATION_FEATURE_ENABLE_BEST_PRACTICES_EXT,\
VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
";

#[test]
#[ignore = "needs the Khronos validation layer: cargo test --test validation -- --ignored"]
fn the_validation_layer_finds_no_fault_in_any_experiment() {
    let folder = tempfile::tempdir().expect("the scratch folder can be created");
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
            "--force",
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
    let log = std::fs::read_to_string(&log).expect("the layer is installed and writes a log");
    assert!(
        log.contains("BestPractices"),
        "no message of the layer arrives, so an empty list of faults proves nothing"
    );
    let faults: Vec<&str> =
        log.lines().filter(|l| l.contains("VUID-") || l.contains("SYNC-")).collect();
    assert_eq!(faults, [""; 0]);
}
