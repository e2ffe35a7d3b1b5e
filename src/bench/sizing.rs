//! Sizing: chooses the amount of work in a sample of each case.
//!
//! A sample must be long enough for the clock and short enough for a watchdog. Cases that are compared must
//! have equally long samples.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::case::CaseId;
use super::pause::{RISE_S, busy_s, keep_busy};
use super::plan::{CaseSpec, Sizing};
use super::profile::{MAX_SAMPLE_S, MAX_TARGET_S};
use super::throughput::{Throughput, WATCHDOG_S};
use crate::gpu::{BadSpan, Executor, GpuError, Span, Workload};

/// A case with its final scale.
pub(super) struct Sized {
    pub(super) scale: u32,
    pub(super) workload: Workload,
    pub(super) length: Length,
}

/// Whether a sample can contain the smallest amount of a case's work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Length {
    Fits,
    /// The smallest amount takes at least this many seconds. The case is verified but not timed.
    TooLong(f64),
    /// The smallest amount takes at least this many seconds. The case is not verified either.
    NearsWatchdog(f64),
}

impl Length {
    fn of(sample_s: f64, limits: Limits) -> Self {
        if sample_s > limits.verified_s {
            Self::NearsWatchdog(sample_s)
        } else if sample_s > limits.timed_s {
            Self::TooLong(sample_s)
        } else {
            Self::Fits
        }
    }

    /// Returns why the case of `workload` is not timed; `None` if it fits.
    pub(super) fn reason(self, workload: &Workload) -> Option<String> {
        let (Self::TooLong(sample_s) | Self::NearsWatchdog(sample_s)) = self else {
            return None;
        };
        Some(format!(
            "the smallest amount of work takes at least {:.0} ms, and a sample may take at most {:.0} ms",
            sample_s * 1e3,
            Limits::of(workload).timed_s * 1e3
        ))
    }
}

/// How long the smallest amount of a case's work may take, in seconds.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// In a sample that is timed.
    timed_s: f64,
    /// In a run that is verified.
    verified_s: f64,
}

impl Limits {
    const OF_DEVICE: Self = Self { timed_s: MAX_SAMPLE_S, verified_s: WATCHDOG_S };
    /// No watchdog ends a message. A longer one would leave little time for all others.
    const OF_MESSAGES: Self = Self { timed_s: 1.0, verified_s: 10.0 };

    fn of(workload: &Workload) -> Self {
        if workload.timing.is_of_device() { Self::OF_DEVICE } else { Self::OF_MESSAGES }
    }
}

/// Largest factor by which a scale grows from one trial to the next. The first trials consist mostly of fixed
/// cost.
const GROWTH: f64 = 16.0;
/// Largest number of trials.
const TRIALS: usize = 6;
/// Samples of each case in a trial. The shortest counts, since the first one may include compilation.
const REPEATS: usize = 2;
/// Samples of each case that should be as long as the longest of all others. If all of its samples are disturbed, it
/// becomes too short.
const REPEATS_OF_LONGEST: usize = 6;
/// Share of the target time from which a sample is long enough to compute the final scale.
const NEAR: f64 = 0.5;
/// Multiple of the target time above which sizing could not make a sample short enough.
const LONG: f64 = 1.5;

/// Cases that share a scale.
struct Group {
    members: Vec<usize>,
    granule: u32,
    most: u32,
    scale: u32,
    /// Whether samples should be as long as the longest of all other cases.
    is_longest: bool,
    /// Whether the scale is final.
    settled: bool,
    /// Sample time of the longest member at this scale, in seconds.
    sample_s: f64,
}

/// Chooses the scale of every case by timed trials, so that samples approach `target_s` seconds.
///
/// Once `stop` is set, no further trial begins, and each case keeps its scale from the trials so far.
pub(super) fn size(
    executor: &mut dyn Executor,
    cases: &[CaseSpec],
    target_s: f64,
    mut throughput: Throughput,
    stop: &AtomicBool,
) -> Result<Vec<Sized>, GpuError> {
    let mut groups = group(cases);
    let mut lengths = vec![Length::Fits; cases.len()];
    for is_longest in [false, true] {
        let target_s = if is_longest { longest_s(&groups, target_s) } else { target_s };
        for _ in 0..TRIALS {
            let open = open_cases(&groups, &lengths, is_longest);
            if open.is_empty() || stop.load(Ordering::Relaxed) {
                break;
            }
            let samples = trial(executor, cases, &groups, &open, is_longest, &mut throughput)?;
            adapt(&mut groups, &mut lengths, &open, &samples, target_s);
        }
    }
    size_followers(executor, cases, &groups, &mut lengths, target_s, &mut throughput)?;
    Ok(finish(cases, &groups, lengths))
}

/// Returns the longest sample time of the groups so far that is timed, within what may be planned, or `target_s` if
/// that is longer.
fn longest_s(groups: &[Group], target_s: f64) -> f64 {
    let timed = groups.iter().map(|group| group.sample_s).filter(|&s| s <= MAX_SAMPLE_S);
    timed.fold(target_s, f64::max).min(MAX_TARGET_S)
}

/// Returns the cases whose scale is not final, each with its group.
fn open_cases(groups: &[Group], lengths: &[Length], is_longest: bool) -> Vec<(usize, usize)> {
    groups
        .iter()
        .enumerate()
        .filter(|(_, group)| group.is_longest == is_longest && !group.settled)
        .flat_map(|(g, group)| group.members.iter().map(move |&case| (g, case)))
        .filter(|&(_, case)| lengths[case] == Length::Fits)
        .collect()
}

/// Adapts the scales of the open cases to their samples.
fn adapt(
    groups: &mut [Group],
    lengths: &mut [Length],
    open: &[(usize, usize)],
    samples: &[(f64, Limits)],
    target_s: f64,
) {
    let mut longest: BTreeMap<usize, f64> = BTreeMap::new();
    for (&(g, case), &(sample, limits)) in open.iter().zip(samples) {
        if groups[g].scale == groups[g].granule {
            lengths[case] = Length::of(sample, limits);
        }
        if lengths[case] == Length::Fits && sample.is_finite() {
            let slot = longest.entry(g).or_insert(0.0);
            *slot = slot.max(sample);
        }
    }
    for (g, sample) in longest {
        groups[g].grow(sample, target_s);
    }
}

/// Decides whether each follower fits in a sample at the scale of its leader, the case that it follows.
///
/// A follower takes over the length of its leader. If the leader fits but could not be made short enough, the
/// follower is tried.
fn size_followers(
    executor: &mut dyn Executor,
    cases: &[CaseSpec],
    groups: &[Group],
    lengths: &mut [Length],
    target_s: f64,
    throughput: &mut Throughput,
) -> Result<(), GpuError> {
    let mut open = Vec::new();
    for (case, spec) in cases.iter().enumerate() {
        let Sizing::Follow(CaseId(leader)) = spec.sizing else { continue };
        lengths[case] = lengths[leader];
        let group = groups.iter().position(|group| group.members.contains(&leader));
        let long = |&group: &usize| groups[group].sample_s > LONG * target_s;
        if let Some(group) = group.filter(long).filter(|_| lengths[case] == Length::Fits) {
            open.push((group, case));
        }
    }
    if !open.is_empty() {
        let samples = trial(executor, cases, groups, &open, false, throughput)?;
        for (&(_, case), (sample_s, limits)) in open.iter().zip(samples) {
            lengths[case] = Length::of(sample_s, limits);
        }
    }
    Ok(())
}

/// Groups the cases that share a scale. A case with a scale for itself is a group of one.
fn group(cases: &[CaseSpec]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for (case, spec) in cases.iter().enumerate() {
        let (name, granule, most) = match &spec.sizing {
            Sizing::Own { granule, most } => (None, *granule, *most),
            Sizing::Shared { group, granule, most } | Sizing::Longest { group, granule, most } => {
                (Some(group.as_str()), *granule, *most)
            }
            Sizing::Follow(_) => continue,
        };
        let known = name.and_then(|name| named.get(name).copied());
        let index = known.unwrap_or_else(|| {
            groups.push(Group {
                members: Vec::new(),
                granule,
                most: most / granule * granule,
                scale: granule,
                is_longest: matches!(spec.sizing, Sizing::Longest { .. }),
                settled: false,
                sample_s: 0.0,
            });
            groups.len() - 1
        });
        if let Some(name) = name {
            named.insert(name, index);
        }
        groups[index].members.push(case);
    }
    groups
}

/// Times each open case a few times and returns its shortest sample in seconds, with the limits of its samples. `is_longest`
/// tells whether the cases should be as long as the longest of all others.
///
/// A case is not tried if the sample of its smaller case shows that it is too long. The result is then that
/// sample, scaled up. A case that could come near a watchdog is not tried either. The result is then its
/// expected time. The result is NaN for a case that cannot be run.
fn trial(
    executor: &mut dyn Executor,
    cases: &[CaseSpec],
    groups: &[Group],
    open: &[(usize, usize)],
    is_longest: bool,
    throughput: &mut Throughput,
) -> Result<Vec<(f64, Limits)>, GpuError> {
    let repeats = if is_longest { REPEATS_OF_LONGEST } else { REPEATS };
    let mut idle_since_s = executor.elapsed_s();
    let workloads: Vec<Workload> =
        open.iter().map(|&(g, case)| (cases[case].build)(groups[g].scale)).collect();
    let loaded = executor.load(&workloads)?;
    let mut samples = vec![f64::NAN; open.len()];
    let mut waiting: Vec<usize> = (0..open.len()).filter(|&i| loaded[i].is_none()).collect();
    while !waiting.is_empty() {
        // A case waits as long as its smaller case waits.
        let smaller = |i: usize| {
            let (CaseId(smaller), times) = cases[open[i].1].smaller?;
            Some((open.iter().position(|&(_, case)| case == smaller)?, times))
        };
        let (later, now): (Vec<usize>, Vec<usize>) =
            waiting.iter().partition(|&&i| smaller(i).is_some_and(|(s, _)| waiting.contains(&s)));
        let (known, untried): (Vec<usize>, Vec<usize>) = now.iter().partition(|&&i| {
            let limits = Limits::of(&workloads[i]);
            smaller(i).is_some_and(|(s, times)| is_too_long(samples[s], times, limits))
        });
        for &i in &known {
            let (s, times) = smaller(i).expect("a case of known length has a smaller case");
            samples[i] = samples[s] * times;
        }
        // A case that may be too long waits until shorter cases have shown how much work the device does
        // concurrently.
        let expected_s = |i: usize| throughput.expected_s(&workloads[i]);
        let (tried, mut risky): (Vec<usize>, Vec<usize>) =
            untried.iter().partition(|&&i| expected_s(i) <= WATCHDOG_S);
        if tried.is_empty() && known.is_empty() {
            risky.drain(..).for_each(|i| samples[i] = expected_s(i));
        }
        // While pipelines were built, the device may have lowered its clocks. The samples of the longest cases must not be
        // too short, so that the clocks get all the time that they may need.
        let busy_s = match busy_s(executor.facts().device_type, executor.elapsed_s() - idle_since_s)
        {
            busy_s if is_longest && busy_s > 0.0 => RISE_S,
            busy_s => busy_s,
        };
        keep_busy(executor, &tried, busy_s)?;
        for _ in 0..repeats {
            let before_s = executor.elapsed_s();
            let round = executor.round(&tried)?;
            let mean_s = (executor.elapsed_s() - before_s) / tried.len().max(1) as f64;
            for (&i, sample) in tried.iter().zip(round) {
                samples[i] = samples[i].min(seconds(sample, mean_s));
            }
        }
        tried.iter().for_each(|&i| throughput.learn(&workloads[i], samples[i]));
        idle_since_s = executor.elapsed_s();
        waiting = later.into_iter().chain(risky).collect();
    }
    Ok(samples.into_iter().zip(workloads.iter().map(Limits::of)).collect())
}

/// Returns the time of a sample in seconds, or NaN if the sample was lost.
///
/// A sample too short for the clock counts as `mean_s`, the round's mean time per sample by the host's clock.
/// So a clock that stands still does not make a case grow without end.
fn seconds(sample: Span, mean_s: f64) -> f64 {
    match sample {
        Err(BadSpan::Zero) => mean_s,
        sample => sample.unwrap_or(f64::NAN),
    }
}

/// Returns whether `times` the sample of a smaller case is certainly too long.
///
/// A short sample does not show this, since it may consist entirely of fixed cost.
fn is_too_long(sample_s: f64, times: f64, limits: Limits) -> bool {
    sample_s > 0.1 * limits.timed_s && sample_s * times > limits.timed_s
}

impl Group {
    /// Adapts the scale so that the longest sample, `sample_s` at the current scale, approaches `target_s`.
    fn grow(&mut self, sample_s: f64, target_s: f64) {
        let wanted = f64::from(self.scale) * (target_s / sample_s).min(GROWTH);
        let granules = (wanted / f64::from(self.granule)).round().max(1.0);
        let scale = ((granules * f64::from(self.granule)).min(f64::from(self.most))) as u32;
        self.settled = sample_s >= NEAR * target_s || scale <= self.scale;
        self.sample_s = sample_s * f64::from(scale) / f64::from(self.scale);
        self.scale = scale;
    }
}

fn finish(cases: &[CaseSpec], groups: &[Group], lengths: Vec<Length>) -> Vec<Sized> {
    let mut scales = vec![0; cases.len()];
    for group in groups {
        for &case in &group.members {
            scales[case] = group.scale;
        }
    }
    for (case, spec) in cases.iter().enumerate() {
        if let Sizing::Follow(CaseId(leader)) = spec.sizing {
            scales[case] = scales[leader];
        }
    }
    cases
        .iter()
        .zip(scales)
        .zip(lengths)
        .map(|((case, scale), length)| Sized { scale, workload: (case.build)(scale), length })
        .collect()
}
