//! Diagnosis of the measurement itself: wrong outputs, cases that were not timed, rejected samples, samples
//! that are too short for the clock, and a clock that cannot be trusted.

use std::collections::{BTreeMap, BTreeSet};

use super::controls::tolerance_of;
use super::plan::Plan;
use super::profile::MIN_TICKS;
use super::session::is_too_coarse;
use super::verify::Checked;
use crate::gpu::BadSpan;
use crate::model::{Check, Clock, ClockKind, Control, Experiment, Status, Verdict};
use crate::stats;

/// Adds the session's clock check to the controls of the experiment, unless the plan has controls of its own: then the device
/// times nothing.
pub(super) fn add_clock_control(plan: &Plan, clock: &Clock, outcome: &mut Experiment) {
    if plan.control.is_some() {
        return;
    }
    let mut distrust = |why: String| {
        outcome.verdict = outcome.verdict.map(|_| Verdict::Inconclusive);
        outcome.diagnosis.push(why);
    };
    if is_too_coarse(clock) {
        distrust(format!(
            "the clock is too coarse, so nothing is decided: {}",
            clock.faults.join("; ")
        ));
    }
    if clock.kind != ClockKind::TimestampQuery {
        outcome.diagnosis.push(
            "timed by the host's clock: every sample includes a submission and a wait; floor cases measure \
             this time, and figures subtract it"
                .to_owned(),
        );
        return;
    }
    let Some(ratio) = clock.host_check_ratio else {
        let faults = clock.faults.iter().map(|fault| format!("; {fault}")).collect::<String>();
        distrust(format!("control `clock` could not be read, so nothing is decided{faults}"));
        return;
    };
    let passed = (ratio - 1.0).abs() <= tolerance_of(Check::Clock).ratio;
    if !passed {
        distrust(format!(
            "control `clock` reads {ratio:.3} instead of 1: the time of a long dispatch by timestamps is \
             this multiple of its time by the host's clock, so the timestamps are not to be trusted"
        ));
    }
    outcome.controls.push(Control { check: Check::Clock, ratio, ratio_ci: None, passed });
}

/// Returns the first names of a list, and the number of the others.
fn first_of(ids: &[&str]) -> String {
    const NAMED: usize = 3;
    let (named, rest) = ids.split_at(ids.len().min(NAMED));
    let named = named.join(", ");
    if rest.is_empty() { named } else { format!("{named} and {} more", rest.len()) }
}

/// Returns a line of diagnosis if cases ran with another subgroup size than that for which they were made.
fn other_sizes(checked: &[Checked], width: Option<u32>) -> Option<String> {
    let width = width?;
    let is_other =
        |checked: &&Checked| checked.case.subgroup_sizes.iter().any(|&size| size != width);
    let other: Vec<&Checked> = checked.iter().filter(is_other).collect();
    let sizes: BTreeSet<u32> =
        other.iter().flat_map(|checked| checked.case.subgroup_sizes.iter().copied()).collect();
    let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
    let ids: Vec<&str> = other.iter().map(|checked| checked.case.id.as_str()).collect();
    (!ids.is_empty()).then(|| {
        format!(
            "made for subgroups of {width} lanes, but {} ran with {}: predictions that depend on the size do not \
             hold for them",
            first_of(&ids),
            sizes.join(" and ")
        )
    })
}

/// Returns one line of diagnosis for each reason for which cases were not timed.
fn not_timed(checked: &[Checked]) -> Vec<String> {
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    for Checked { case, .. } in checked {
        let Some(reason) = case.failure.as_deref() else { continue };
        match by_reason.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, ids)) => ids.push(&case.id),
            None => by_reason.push((reason, vec![&case.id])),
        }
    }
    let line = |(reason, ids): (&str, Vec<&str>)| {
        let verb = if ids.len() == 1 { "was" } else { "were" };
        format!("{} {verb} not timed: {reason}", first_of(&ids))
    };
    by_reason.into_iter().map(line).collect()
}

/// Adds the diagnosis of cases that were not timed, of rejected samples, and of samples that are too short.
///
/// A wrong output fails the experiment, and so does a case that the device refuses to load. A case that does not fit the
/// memory of the device is only left out, and so is one that a single rank refuses.
pub(super) fn add_case_diagnosis(clock: &Clock, checked: &[Checked], outcome: &mut Experiment) {
    if let Some(wrong) = checked.iter().find(|checked| checked.mismatched || checked.refused) {
        let failure = wrong.case.failure.as_deref().unwrap_or("wrong output");
        outcome.status = Status::Failed;
        outcome.reason = Some(format!("{}: {failure}", wrong.case.id));
        outcome.verdict = None;
    }
    outcome.diagnosis.extend(not_timed(checked));
    outcome.diagnosis.extend(other_sizes(checked, outcome.width));
    outcome.diagnosis.extend(rejected(checked));
    let least_s = MIN_TICKS * clock.resolution_ns * 1e-9;
    let timed = checked.iter().filter(|checked| checked.case.failure.is_none());
    for Checked { case, is_floor, .. } in timed {
        let samples: Vec<f64> = case.samples_s.iter().copied().flatten().collect();
        let coarse = stats::median(&samples).is_some_and(|median| median < least_s);
        if coarse && !is_floor {
            outcome.diagnosis.push(format!(
                "{}: its typical sample is shorter than {MIN_TICKS} ticks of the clock",
                case.id
            ));
        }
    }
}

/// Returns one line of diagnosis for each reason for which samples were rejected.
fn rejected(checked: &[Checked]) -> Vec<String> {
    let all: usize = checked.iter().map(|checked| checked.case.samples_s.len()).sum();
    let mut by_reason: BTreeMap<BadSpan, (usize, usize)> = BTreeMap::new();
    for (reason, samples) in checked.iter().flat_map(|checked| &checked.bad) {
        let (total, cases) = by_reason.entry(*reason).or_default();
        *total += samples;
        *cases += 1;
    }
    let line = |(reason, (samples, cases)): (BadSpan, (usize, usize))| {
        format!(
            "{samples} of {all} samples, in {cases} cases, were rejected by the clock: {reason}"
        )
    };
    by_reason.into_iter().map(line).collect()
}
