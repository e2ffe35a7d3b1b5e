//! What the figures suggest about how the device executes atomics.

use crate::experiments::contention::kernel::Operation;
use crate::experiments::ilp::knee::STILL_FALLING;
use crate::model::{Experiment, Point};

/// Faster than this, a compiler that can see that all lanes share an address must have combined them; slower, a
/// figure is slower by more than chance.
const CLEARLY: f64 = 1.5;
/// So many times as long on few counters as on one, hardware must treat the one in another way.
const MANY_TIMES: f64 = 3.0;

/// What is known of the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Device {
    /// Lanes in a subgroup; 1 where nobody knows.
    pub(super) width: u32,
    /// Lanes of a dispatch, and so the most counters.
    pub(super) lanes: u32,
    /// Whether it is a CPU.
    pub(super) narrow: bool,
}

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
        let most = device.lanes;
        let falling =
            number("knee_predicted").filter(|knee| *knee > STILL_FALLING * f64::from(most));
        let falling = falling.map(|_| {
            format!(
                "{most} counters hardly keep lanes apart, so that an atomic of its own may be cheaper than they \
                 show and the knee later"
            )
        });
        let serial = number("t_serial").unwrap_or(f64::NAN);
        let dear_in_turn = of_dear_in_turn(&off("in turn", true), serial, device);
        let by_block = counters(&off("by block", false)).map(|counters| {
            format!(
                "with a counter for each block of lanes, {counters} of them, an atomic takes less than its share \
                 of the price on one: part of that price is what cores pay for meeting at a counter, and fewer meet at each"
            )
        });
        let dear_by_block = counters(&off("by block", true)).map(|counters| {
            format!(
                "with a counter for each block of lanes, {counters} of them, an atomic takes longer than \
                 predicted: neighbours on one counter follow one another, however many counters others have"
            )
        });
        let in_turn = counters(&off("in turn", false)).map(|counters| {
            format!(
                "{counters} counters taken in turn are cheaper than predicted: the most do not fit the cache \
                 nearest to the atomics"
            )
        });
        let private = |over: bool, how: &str| {
            let off = off("each workgroup its own", over);
            (!off.is_empty()).then(|| {
                format!("a counter in each workgroup's memory is {how} than its atomics and barriers alone")
            })
        };
        let said = [
            seen,
            falling,
            dear_in_turn,
            by_block,
            dear_by_block,
            in_turn,
            private(true, "dearer"),
            private(false, "cheaper"),
        ];
        text.extend(said.into_iter().flatten().map(|said| format!("{word}: {said}")));
    }
    text
}

/// What follows from how long an atomic takes where the compiler can see that all lanes use one address, over one
/// where it cannot.
fn of_compiler(seen: f64) -> String {
    let combines = if seen * CLEARLY < 1.0 {
        "the compiler combines them"
    } else {
        "the compiler does not combine them; whether the hardware does is not seen by this"
    };
    format!(
        "where the compiler can see that all atomics of a subgroup go to one address, one takes {seen:.2} times as \
         long as where it cannot: {combines}"
    )
}

/// Why atomics on counters taken in turn take longer than predicted, where `over` do.
fn of_dear_in_turn(over: &[&Point], serial: f64, device: Device) -> Option<String> {
    let dearest = over.iter().max_by(|a, b| a.measured.total_cmp(&b.measured))?;
    let times = dearest.measured / serial;
    let on_dearest = format!(
        "on {} counters taken in turn an atomic takes {times:.1} times as long as on one",
        dearest.x.value
    );
    let few = |point: &Point| point.x.value <= f64::from(2 * device.width);
    Some(if device.narrow && times > CLEARLY {
        format!(
            "{on_dearest}: as cores take turns at each counter it moves from cache to cache, while the only one stays \
             with a core for a while"
        )
    } else if !device.narrow && times > MANY_TIMES && few(dearest) {
        format!(
            "{on_dearest}: the hardware merges the atomics of a subgroup where all go to one address, so that one counter \
             is cheap"
        )
    } else if over.iter().all(|point| few(point)) {
        format!(
            "up to about a subgroup's {} lanes, counters taken in turn save less than they should: lanes of a subgroup \
             on one address are merged, so that one counter is cheap",
            device.width
        )
    } else {
        "counters taken in turn save less than they should: they share more than an address, or their atomics queue \
         at few units"
            .to_owned()
    })
}

/// On how many counters each; `None` for no points.
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
        let record: Record =
            read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(H200)).expect("it is there");
        let outcome =
            record.experiments.iter().find(|e| e.id == "contention").expect("it is in it");
        diagnose(outcome, Device { width: 32, lanes: 32_768, narrow })
    }

    fn has(said: &[String], words: &str) -> bool {
        said.iter().any(|text| text.contains(words))
    }

    #[test]
    fn one_counter_that_a_gpu_merges_is_not_laid_to_cores_and_caches() {
        let said = said(false);
        assert!(has(&said, "add: on 2 counters taken in turn an atomic takes 37.1 times as long"));
        assert!(has(&said, "the hardware merges the atomics of a subgroup"));
        assert!(!has(&said, "from cache to cache"));
        assert!(has(&said, "whether the hardware does is not seen by this"));
    }

    #[test]
    fn on_a_cpu_it_is_laid_to_cores_and_caches() {
        let said = said(true);
        assert!(has(&said, "from cache to cache"));
        assert!(!has(&said, "the hardware merges"));
    }
}
