//! Diagnosis of `contention`: how the device appears to execute atomics.

use crate::experiments::contention::kernel::Operation;
use crate::experiments::contention::law::Merging;
use crate::experiments::ilp::knee::STILL_FALLING;
use crate::model::{Experiment, Point};

/// Ratio of two times from which the difference is more than chance. If atomics on an address that the
/// compiler can see are faster by this factor, the compiler must have combined them.
const CLEARLY: f64 = 1.5;
/// Why counters for blocks of invocations help less than the law says on a CPU.
const QUEUED_NEIGHBOURS: &str = "Neighbouring invocations share a counter, so their atomics run one after another, and \
                                 more counters for other blocks do not help.";
/// Why more counters help less than the law says on a GPU.
const SHARED_UNITS: &str = "The counters share units that perform atomics: the addresses fall on the units unevenly, \
                            and the unit with the most of them is done last. More counters even this out.";

/// Facts about the device that the diagnosis uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Device {
    /// Lanes whose atomics may be merged; 1 on a CPU or if unknown.
    pub(super) width: u32,
    /// Invocations of a dispatch, which is also the largest number of counters.
    pub(super) invocations: u32,
    /// Whether the device is a CPU.
    pub(super) narrow: bool,
}

/// Returns one text for each effect that the metrics and the points show.
pub(super) fn diagnose(outcome: &Experiment, device: Device) -> Vec<String> {
    let mut text = Vec::new();
    for word in Operation::ALL.map(Operation::as_str) {
        let number = |name: &str| outcome.number(&format!("{name}.{word}"));
        let off = |layout: &str, over: bool| -> Vec<&Point> {
            let series = format!("{word}, {layout}");
            let here = |p: &&Point| p.series == series && p.deviates(over);
            outcome.points.iter().filter(here).collect()
        };
        let seen = number("one_address_seen_by_compiler").map(of_compiler);
        let most = device.invocations;
        let falling =
            number("knee_predicted").filter(|knee| *knee > STILL_FALLING * f64::from(most));
        let falling = falling.map(|_| {
            format!(
                "even {most} counters, one per invocation, hardly end the contention. An atomic without \
                 contention may be faster than measured, and the knee may be at more counters."
            )
        });
        let merging = outcome.metric(&format!("merging.{word}")).and_then(|m| m.text.as_deref());
        let merging =
            merging.and_then(|text| Merging::ALL.into_iter().find(|m| m.as_str() == text));
        let merged = merging.map(|merging| of_merging(merging, device.width));
        let serial = number("t_serial").unwrap_or(f64::NAN);
        let slow_round_robin = of_slow_round_robin(&off("round-robin", true), serial, device);
        let by_block = counters(&off("by block", false)).map(|counters| {
            format!(
                "with a counter for each block of invocations ({counters} counters), an atomic takes less \
                 time than predicted. Part of the time on one counter is the cost of sharing it between \
                 cores, and fewer cores share the counter of a block. Give each block of invocations a \
                 separate counter."
            )
        });
        let slow_by_block = counters(&off("by block", true)).map(|counters| {
            let cause = if device.narrow { QUEUED_NEIGHBOURS } else { SHARED_UNITS };
            format!(
                "with a counter for each block of invocations ({counters} counters), an atomic takes longer \
                 than predicted. {cause}"
            )
        });
        let round_robin = counters(&off("round-robin", false)).map(|counters| {
            format!(
                "with {counters} round-robin counters, an atomic takes less time than predicted. The largest \
                 number of counters, which calibrates the prediction, probably does not fit the cache \
                 nearest to the atomic units."
            )
        });
        let private = |over: bool, how: &str| {
            let off = off("one counter per workgroup", over);
            (!off.is_empty()).then(|| {
                format!(
                    "one counter per workgroup, in workgroup memory, takes {how} than its launch, barriers \
                     and atomics measured separately."
                )
            })
        };
        let said = [
            merged,
            seen,
            falling,
            slow_round_robin,
            by_block,
            slow_by_block,
            round_robin,
            private(true, "longer"),
            private(false, "less time"),
        ];
        text.extend(said.into_iter().flatten().map(|said| format!("{word}: {said}")));
    }
    text
}

/// Returns the text about the atomics of a subgroup on one address.
fn of_merging(merging: Merging, width: u32) -> String {
    match merging {
        Merging::Nothing => {
            "the atomics of a subgroup on one address run one after another: nothing merges them."
                .to_owned()
        }
        Merging::All => format!(
            "if all {width} lanes of a subgroup use one address, their atomics take the time of one, and if the lanes use \
             two addresses, they run one after another. Let all lanes of a subgroup use the same counter, or each \
             lane another one."
        ),
        Merging::Any => {
            "lanes of a subgroup that use the same address are merged, however many there are."
                .to_owned()
        }
    }
}

/// Returns the text about compilers. `seen` is the time of an atomic on an address that the compiler can see
/// to be the same for all lanes, relative to an address that the compiler cannot see.
fn of_compiler(seen: f64) -> String {
    let combines = if seen * CLEARLY < 1.0 {
        "So the compiler combines them."
    } else {
        "So the compiler adds nothing to what the hardware does."
    };
    format!(
        "where the compiler can see that all atomics of a subgroup use one address, an atomic takes \
         {seen:.2} times as long as where the compiler cannot see that. {combines}"
    )
}

/// Returns the likely cause if the round-robin points `over` take longer than predicted; `None` if there are
/// no such points. `serial` is the time of an atomic on one counter, in seconds.
fn of_slow_round_robin(over: &[&Point], serial: f64, device: Device) -> Option<String> {
    let slowest = over.iter().max_by(|a, b| a.ratio.total_cmp(&b.ratio))?;
    let (counters, ratio) = (slowest.x.value, slowest.ratio);
    let times = slowest.measured / serial;
    Some(if device.narrow && times > CLEARLY {
        format!(
            "on {counters} round-robin counters an atomic takes {times:.1} times as long as on one counter. All \
             cores use each counter, so it moves from cache to cache, while a single counter stays with one \
             core for a while. Give each block of invocations or each workgroup a separate counter."
        )
    } else {
        format!(
            "on {counters} round-robin counters an atomic takes {ratio:.1} times as long as predicted. {SHARED_UNITS}"
        )
    })
}

/// Returns the numbers of counters of `points`, separated by commas; `None` if there are no points.
fn counters(points: &[&Point]) -> Option<String> {
    let counters: Vec<String> = points.iter().map(|point| point.x.value.to_string()).collect();
    (!counters.is_empty()).then(|| counters.join(", "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::{Record, read};

    const H200: &str = "tests/data/record-1.2.0.json";

    fn said(narrow: bool) -> Vec<String> {
        let record: Record = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(H200))
            .expect("the record is readable");
        let outcome = record
            .experiments
            .iter()
            .find(|e| e.id == "contention")
            .expect("the record has `contention`");
        diagnose(outcome, Device { width: 32, invocations: 32_768, narrow })
    }

    fn has(said: &[String], words: &str) -> bool {
        said.iter().any(|text| text.contains(words))
    }

    #[test]
    fn a_gpu_whose_counters_share_units_is_diagnosed_so() {
        let said = said(false);
        assert!(has(&said, "add: on 2 round-robin counters an atomic takes 74.3 times as long"));
        assert!(has(&said, "The counters share units"));
        assert!(!has(&said, "from cache to cache"));
    }

    #[test]
    fn a_cpu_whose_counters_move_between_caches_is_diagnosed_so() {
        let said = said(true);
        assert!(has(&said, "from cache to cache"));
        assert!(!has(&said, "on 2 round-robin counters an atomic takes 74.3 times"));
    }
}
