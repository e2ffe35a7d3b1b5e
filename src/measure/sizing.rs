//! How much work a span holds: long enough for the clock, short enough for the watchdog, and equal
//! where cases are compared.

use std::collections::BTreeMap;

use super::plan::{CaseId, CaseSpec, Sizing};
use super::profile::LONGEST_SPAN_S;
use crate::gpu::{Executor, GpuError, Workload};

/// A case with its scale settled.
pub(super) struct Sized {
    pub(super) scale: u32,
    pub(super) workload: Workload,
    /// Why it can be run and verified, but not timed.
    pub(super) too_long: Option<String>,
}

/// Trials grow at most this much at once: the first ones are mostly fixed cost.
const GROWTH: f64 = 16.0;
const TRIALS: usize = 6;
/// A trial that reaches this share of the target is close enough to scale from for good.
const NEAR: f64 = 0.5;

/// Cases that share a scale.
struct Group {
    members: Vec<usize>,
    granule: u32,
    most: u32,
    scale: u32,
    settled: bool,
}

/// Settles every case's scale so that spans come near `target_s`, by timing trials.
pub(super) fn size(
    executor: &mut dyn Executor,
    cases: &[CaseSpec],
    target_s: f64,
) -> Result<Vec<Sized>, GpuError> {
    let mut groups = group(cases);
    let mut too_long: Vec<Option<String>> = vec![None; cases.len()];
    for _ in 0..TRIALS {
        let open: Vec<(usize, usize)> = groups
            .iter()
            .enumerate()
            .filter(|(_, group)| !group.settled)
            .flat_map(|(g, group)| group.members.iter().map(move |&case| (g, case)))
            .filter(|&(_, case)| too_long[case].is_none())
            .collect();
        if open.is_empty() {
            break;
        }
        let spans = trial(executor, cases, &groups, &open)?;
        let mut longest: BTreeMap<usize, f64> = BTreeMap::new();
        for (&(g, case), &span) in open.iter().zip(&spans) {
            let group = &groups[g];
            if span > LONGEST_SPAN_S && group.scale == group.granule {
                too_long[case] = Some(format!(
                    "the least of it takes {:.0} ms, and a span may take {:.0} ms",
                    span * 1e3,
                    LONGEST_SPAN_S * 1e3
                ));
            } else if span.is_finite() {
                let slot = longest.entry(g).or_insert(0.0);
                *slot = slot.max(span);
            }
        }
        for (g, span) in longest {
            groups[g].grow(span, target_s);
        }
    }
    Ok(finish(cases, &groups, too_long))
}

fn group(cases: &[CaseSpec]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for (case, spec) in cases.iter().enumerate() {
        let (name, granule, most) = match &spec.sizing {
            Sizing::Own { granule, most } => (None, *granule, *most),
            Sizing::Shared { group, granule, most } => (Some(group.as_str()), *granule, *most),
            Sizing::Follow(_) => continue,
        };
        let known = name.and_then(|name| named.get(name).copied());
        let index = known.unwrap_or_else(|| {
            groups.push(Group {
                members: Vec::new(),
                granule,
                most: most / granule * granule,
                scale: granule,
                settled: false,
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

/// Times each open case twice and keeps the shorter span, since the first run compiles; once, where that
/// is too long already. NaN for what cannot be run.
fn trial(
    executor: &mut dyn Executor,
    cases: &[CaseSpec],
    groups: &[Group],
    open: &[(usize, usize)],
) -> Result<Vec<f64>, GpuError> {
    let workloads: Vec<Workload> =
        open.iter().map(|&(g, case)| (cases[case].build)(groups[g].scale)).collect();
    let loaded = executor.load(&workloads)?;
    let mut runnable: Vec<usize> = (0..open.len()).filter(|&i| loaded[i].is_none()).collect();
    let mut spans = vec![f64::NAN; open.len()];
    for _ in 0..2 {
        runnable.retain(|&i| !(spans[i] > 2.0 * LONGEST_SPAN_S));
        for (&i, span) in runnable.iter().zip(executor.round(&runnable)?) {
            spans[i] = spans[i].min(span.unwrap_or(f64::NAN));
        }
    }
    Ok(spans)
}

impl Group {
    fn grow(&mut self, span_s: f64, target_s: f64) {
        let wanted = f64::from(self.scale) * (target_s / span_s).min(GROWTH);
        let granules = (wanted / f64::from(self.granule)).round().max(1.0);
        let scale = ((granules * f64::from(self.granule)).min(f64::from(self.most))) as u32;
        self.settled = span_s >= NEAR * target_s || scale <= self.scale;
        self.scale = scale;
    }
}

fn finish(cases: &[CaseSpec], groups: &[Group], too_long: Vec<Option<String>>) -> Vec<Sized> {
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
        .zip(too_long)
        .map(|((case, scale), too_long)| Sized { scale, workload: (case.build)(scale), too_long })
        .collect()
}
