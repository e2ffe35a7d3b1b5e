//! From the log of a dispatch to its profile: replay, lines, decisions, loops, paths, and costs.

use std::collections::BTreeMap;

use super::depends::dependences;
use super::device::BoundBuffer;
use super::error::ProfileError;
use super::lines::{Lines, decisions, loops, paths, totals};
use super::log::Log;
use super::price::Costs;
use super::probes::Probed;
use super::replaying::Specialized;
use super::sorting::{refusal, sort};
use super::work::work_of;
use crate::model::{
    Adapter, AtWidth, LanesSource, Line, Price, ProfiledDispatch, Record, Sample, Schema,
    ShaderProfile, Sorting, SubgroupLanes, Times,
};
use crate::simt::{Arrangement, Counted, Kind};

/// Subgroup sizes at which the totals of every profile are counted.
const WIDTHS: [u32; 6] = [4, 8, 16, 32, 64, 128];

/// Iterations after which lavapipe ends the loops of an invocation.
const ENDLESS: u64 = 65_535;

/// A dispatch to profile.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// File of the shader, or another name for it.
    pub file: String,
    /// WGSL source.
    pub source: String,
    /// Entry point.
    pub entry: String,
    /// Values of pipeline-overridable constants, by name.
    pub constants: BTreeMap<String, f64>,
    /// Number of workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// The buffers.
    pub buffers: Vec<BoundBuffer>,
    /// Lanes of a subgroup in the replay; if `None`, those of the pipeline.
    pub lanes: Option<u32>,
    /// Most bytes of the log of decisions.
    pub budget: u64,
    /// Seed of the sample of workgroups.
    pub seed: u64,
    /// A record of the device with its name, for estimates of time.
    pub record: Option<(&'a str, &'a Record)>,
    /// Whether the dispatch is timed, and its sorted order tried.
    pub timed: bool,
    /// Whether the addresses of accesses to memory are recorded too.
    pub accesses: bool,
}

/// Makes the profile of a dispatch that a program recorded by an [`Attachment`](super::Attachment), without times. The buffers of
/// `request` tell only how much memory the dispatch uses, for the costs of loads.
///
/// # Errors
/// Returns an error if the log does not fit the shader, or if nothing says how many lanes a subgroup has.
pub fn profile_of_log(
    request: &Request<'_>,
    adapter: Adapter,
    probed: &Probed,
    log: &Log,
) -> Result<ShaderProfile, ProfileError> {
    let constants: Vec<_> = request.constants.clone().into_iter().collect();
    let specialized = Specialized::new(probed, &constants)?;
    let mut analysis = Analysis::new(request, adapter, probed, &specialized, log)?;
    analysis.price(None);
    Ok(analysis.profile)
}

/// A profile with what it was made from.
pub(super) struct Analysis<'a> {
    pub(super) profile: ShaderProfile,
    pub(super) counted: Counted,
    pub(super) arrangement: Arrangement,
    pub(super) priced: Option<Priced<'a>>,
}

/// Costs of instructions, and where they come from.
pub(super) struct Priced<'a> {
    record: &'a str,
    pub(super) costs: Costs,
    /// The device of the record, if it is another one.
    device: Option<String>,
}

impl<'a> Analysis<'a> {
    /// Replays the sampled workgroups.
    pub(super) fn new(
        request: &Request<'a>,
        adapter: Adapter,
        probed: &Probed,
        specialized: &Specialized,
        log: &Log,
    ) -> Result<Self, ProfileError> {
        let workgroup_size = specialized.point().workgroup_size;
        let of_workgroup = specialized.lanes()?;
        let (subgroup_size, arrangement) = subgroups(request, &adapter, log, of_workgroup)?;
        let lanes = subgroup_size.lanes;
        let sampled: Vec<u32> = log.workgroups().collect();
        let replay = |arrangement: &Arrangement, widths: &[u32]| {
            specialized.replay(arrangement, widths, sampled.len(), |at| log.decisions(sampled[at]))
        };
        let mut counted = replay(&arrangement, if arrangement.is_flat() { &WIDTHS } else { &[] })?;
        if !arrangement.is_flat() {
            // The other sizes are those of devices that take invocations in their order.
            counted.widths = replay(&Arrangement::flat(of_workgroup, lanes), &WIDTHS)?.widths;
        }
        let priced = request.record.map(|(name, record)| -> Result<_, ProfileError> {
            let footprint = request.buffers.iter().map(|buffer| buffer.bytes.len() as u64).sum();
            let costs = Costs::from_record(record, lanes, footprint)
                .map_err(|metric| ProfileError::Unpriced { metric })?;
            let device = (!record.adapter.is_like(&adapter)).then(|| record.adapter.full_name());
            Ok(Priced { record: name, costs, device })
        });
        let priced = priced.transpose()?;
        let cost = |kind: Kind| priced.as_ref().map(|priced| priced.costs.of(kind));
        let places = Lines::new(probed);
        let depends = dependences(&specialized.module, &specialized.info, specialized.point());
        let mut profile = ShaderProfile {
            schema: Schema::new(ShaderProfile::NAME, ShaderProfile::VERSION),
            tool: None,
            adapter,
            dispatch: ProfiledDispatch {
                file: request.file.clone(),
                entry: request.entry.clone(),
                workgroups: request.workgroups,
                workgroup_size,
                constants: request.constants.clone(),
                source: request.source.clone(),
            },
            subgroup_size,
            sample: Sample {
                workgroups: sampled.len() as u32,
                of: request.workgroups.iter().product(),
                seed: request.seed,
                log_bytes: log.bytes,
            },
            totals: totals(&counted.statements),
            longest: counted.longest(),
            widths: counted
                .widths
                .iter()
                .map(|(&lanes, &totals)| AtWidth { lanes, totals })
                .collect(),
            lines: probed.lines(&counted.statements, cost),
            decisions: decisions(&places, &counted.statements, &depends),
            loops: loops(&places, &counted.statements),
            paths: paths(&places, &counted),
            work: work_of(&log.work),
            outputs: Vec::new(),
            times: None,
            price: None,
            sorting: None,
            accesses: None,
            notes: Vec::new(),
        };
        // lavapipe ends the loops of an invocation after so many iterations, and tells nobody.
        if profile.adapter.driver.contains("llvmpipe") && log.most_decisions() >= ENDLESS {
            profile.notes.push(format!(
                "This driver ends the loops of an invocation after {ENDLESS} iterations without telling. Some may have been longer."
            ));
        }
        let mut analysis = Self { profile, counted, arrangement, priced };
        analysis.profile.sorting = Some(analysis.sorting(request.seed, specialized, log)?);
        Ok(analysis)
    }

    /// Predicts what sorting the invocations by work and path gains, by a replay of the sampled ones in that order.
    fn sorting(
        &self,
        seed: u64,
        specialized: &Specialized,
        log: &Log,
    ) -> Result<Sorting, ProfileError> {
        let costs = self.priced.as_ref().map(|priced| &priced.costs);
        let mut sorting = Sorting {
            priced: costs.is_some(),
            refused: refusal(specialized, &self.profile.decisions),
            ..Sorting::default()
        };
        if sorting.refused.is_some() {
            return Ok(sorting);
        }
        let lanes = specialized.lanes()? as usize;
        let mut sampled: Vec<(u32, usize)> =
            log.workgroups().flat_map(|w| (0..lanes).map(move |lane| (w, lane))).collect();
        let rank = |&(workgroup, lane): &(u32, usize)| log.rank(workgroup as usize * lanes + lane);
        sort(&mut sampled, lanes, seed, rank);
        let groups: Vec<&[(u32, usize)]> = sampled.chunks(lanes).collect();
        let sorted = specialized
            .replay(&self.arrangement, &[], groups.len(), |at| log.decisions_of(groups[at]))?;
        let time = |counted: &Counted| match costs {
            Some(costs) => costs.time_s(counted, self.share()),
            None => totals(&counted.statements).issues as f64,
        };
        let least = time(&sorted);
        sorting.predicted = (least > 0.0).then(|| time(&self.counted) / least);
        sorting.totals = Some(totals(&sorted.statements));
        sorting.longest = Some(sorted.longest());
        Ok(sorting)
    }

    /// Returns the share of the dispatch that was replayed.
    pub(super) fn share(&self) -> f64 {
        f64::from(self.profile.sample.workgroups) / f64::from(self.profile.sample.of)
    }

    /// Predicts the time of the dispatch, and scales the estimates of its lines to the measured time. If it was not timed, or
    /// not on the device of the record, to the predicted one.
    pub(super) fn price(&mut self, times: Option<Times>) {
        let Some(Priced { record, costs, device }) = &self.priced else { return };
        let of_sample = costs.issue_s(&self.counted.statements);
        let share = self.share();
        let predicted_s = costs.time_s(&self.counted, share);
        let measured_s = times.filter(|_| device.is_none()).map(|times| times.plain_s.value);
        self.profile.price = Some(Price {
            record: (*record).to_owned(),
            device: device.clone(),
            predicted_s,
            issue_s: of_sample / share,
            longest_s: costs.longest_s(&self.counted),
        });
        let scale = measured_s.unwrap_or(predicted_s) / of_sample;
        let scaled = |line: &mut Line| line.estimated_s = line.estimated_s.map(|s| s * scale);
        self.profile.lines.iter_mut().for_each(scaled);
    }
}

/// Returns the lanes of a subgroup in the replay, and which lanes of a workgroup of `lanes` lanes form one: as given, or as those
/// of the other device that a record is of, or as the pipeline ran.
fn subgroups(
    request: &Request<'_>,
    adapter: &Adapter,
    log: &Log,
    lanes: u32,
) -> Result<(SubgroupLanes, Arrangement), ProfileError> {
    let of_record = |record: &Record| {
        let width = record.experiments.iter().find(|experiment| experiment.id == "width")?;
        Some((width.number("effective_width")? as u32, LanesSource::Record))
    };
    let record = request.record.map(|(_, record)| record);
    let other = record.filter(|record| !record.adapter.is_like(adapter));
    let given = request.lanes.map(|lanes| (lanes, LanesSource::Given));
    let given = given.or_else(|| other.and_then(of_record));
    let of_pipeline = log.subgroup_size.filter(|&size| given.is_none() && size > 0);
    let arrangement = of_pipeline.map(|_| log.arrangement()).transpose()?.flatten();
    if let (Some(size), Some(arrangement)) = (of_pipeline, arrangement) {
        let used = arrangement.width().min(size);
        let size = SubgroupLanes { lanes: size, used, source: LanesSource::Pipeline };
        return Ok((size, arrangement));
    }
    let found = given.or_else(|| record.and_then(of_record));
    let found = found.filter(|(size, _)| size.is_power_of_two());
    let (size, source) = found.ok_or(ProfileError::NoLanes)?;
    let used = size.min(lanes.next_power_of_two());
    Ok((SubgroupLanes { lanes: size, used, source }, Arrangement::flat(lanes, size)))
}
