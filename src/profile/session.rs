//! A profile from begin to end: record, replay, price, time, and prove by sorting.

use std::collections::BTreeMap;

use super::depends::dependences;
use super::device::{BoundBuffer, Buffers, Gpu, Program, bound_by};
use super::error::ProfileError;
use super::lines::{Lines, decisions, loops, paths, totals};
use super::log::Log;
use super::price::Costs;
use super::probes::Probed;
use super::record::{Recorder, Recording};
use super::replaying::Specialized;
use super::sorting;
use super::timing::{Samples, Version, time};
use super::work::work_of;
use crate::model::{
    Adapter, AtWidth, LanesSource, Line, Output, Price, ProfiledDispatch, Record, Sample, Schema,
    ShaderProfile, Sorting, SubgroupLanes, Times,
};
use crate::simt::{Arrangement, Counted, Kind};

/// Subgroup sizes at which the totals of every profile are counted.
const WIDTHS: [u32; 6] = [4, 8, 16, 32, 64, 128];

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
}

/// Profiles a dispatch.
///
/// `adapter` describes the device of `device`.
///
/// # Errors
/// Returns an error if the shader is not valid or cannot be profiled, if an input is missing, or if the device fails.
pub fn profile(
    request: &Request<'_>,
    adapter: Adapter,
    device: &wgpu::Device,
    queue: &wgpu::Queue,
) -> Result<ShaderProfile, ProfileError> {
    let gpu = Gpu { device, queue };
    let most = device.limits().max_compute_workgroups_per_dimension;
    if request.workgroups.iter().any(|&count| count > most) {
        return Err(ProfileError::TooManyWorkgroups { most });
    }
    let Request { source, entry, workgroups, seed, .. } = request;
    let has_subgroups = device.features().contains(wgpu::Features::SUBGROUP);
    let probed = Probed::new(source, entry, has_subgroups)?;
    let recording = Recording {
        probed: &probed,
        constants: request.constants.clone().into_iter().collect(),
        workgroups: *workgroups,
        buffers: request.buffers.clone(),
        budget: request.budget,
        seed: *seed,
    };
    let specialized = Specialized::new(&probed, &recording.constants)?;
    let buffers = recording.upload(gpu)?;
    let recorder = recording.record(gpu, &buffers)?;
    let probed_outputs = buffers.read(gpu)?;
    let log = &recorder.log;
    let workgroup_size = specialized.point().workgroup_size;
    let of_workgroup = workgroup_size.iter().product();
    let (subgroup_size, arrangement) = subgroups(request, log, of_workgroup)?;
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
    let priced = request.record.map(|(name, record)| {
        let footprint = request.buffers.iter().map(|buffer| buffer.bytes.len() as u64).sum();
        let costs = Costs::from_record(record, lanes, footprint);
        costs.map(|costs| (name, costs)).map_err(|metric| ProfileError::Unpriced { metric })
    });
    let priced = priced.transpose()?;
    let places = Lines::new(&probed);
    let cost = |kind: Kind| priced.as_ref().map(|(_, costs)| costs.of(kind));
    let of_decisions = dependences(&specialized.module, &specialized.info, specialized.point());
    let mut profile = ShaderProfile {
        schema: Schema::new(ShaderProfile::NAME, ShaderProfile::VERSION),
        tool: None,
        adapter,
        dispatch: ProfiledDispatch {
            file: request.file.clone(),
            entry: entry.clone(),
            workgroups: *workgroups,
            workgroup_size,
            constants: request.constants.clone(),
            source: source.clone(),
        },
        subgroup_size,
        sample: Sample {
            workgroups: sampled.len() as u32,
            of: workgroups.iter().product(),
            seed: *seed,
            log_bytes: recorder.log_bytes,
        },
        totals: totals(&counted.statements),
        longest: counted.longest(),
        widths: counted.widths.iter().map(|(&lanes, &totals)| AtWidth { lanes, totals }).collect(),
        lines: probed.lines(&counted.statements, cost),
        decisions: decisions(&places, &counted.statements, &of_decisions),
        loops: loops(&places, &counted.statements),
        paths: paths(&places, &counted),
        work: work_of(&log.work),
        outputs: Vec::new(),
        times: None,
        price: None,
        sorting: None,
        notes: Vec::new(),
    };
    let of_plain =
        Plain { gpu, request, recording: &recording, specialized: &specialized, buffers: &buffers };
    let plain = of_plain.program()?;
    profile.outputs = of_plain.outputs(&plain, &probed_outputs)?;
    if request.timed {
        let costs = priced.as_ref().map(|(_, costs)| costs);
        let replayed = (&counted, &arrangement);
        of_plain.time_and_sort(&mut profile, &plain, &recorder, replayed, costs)?;
    }
    if let (Some((name, costs)), Some(times)) = (&priced, profile.times) {
        profile.price = Some(scaled(&mut profile, name, costs, &counted, times));
    } else {
        // Without a time, estimates have no scale.
        profile.lines.iter_mut().for_each(|line| line.estimated_s = None);
    }
    Ok(profile)
}

/// Returns the lanes of a subgroup in the replay, and which lanes of a workgroup of `lanes` lanes form one.
fn subgroups(
    request: &Request<'_>,
    log: &Log,
    lanes: u32,
) -> Result<(SubgroupLanes, Arrangement), ProfileError> {
    let of_pipeline = log.subgroup_size.filter(|&size| request.lanes.is_none() && size > 0);
    if let (Some(size), Some(arrangement)) = (of_pipeline, log.arrangement()?) {
        let used = arrangement.width().min(size);
        return Ok((
            SubgroupLanes { lanes: size, used, source: LanesSource::Pipeline },
            arrangement,
        ));
    }
    let given = request.lanes.map(|lanes| (lanes, LanesSource::Given));
    let of_record = || {
        let (_, record) = request.record?;
        let width = record.experiments.iter().find(|experiment| experiment.id == "width")?;
        Some((width.number("effective_width")? as u32, LanesSource::Record))
    };
    let found = given.or_else(of_record).filter(|(size, _)| size.is_power_of_two());
    let (size, source) = found.ok_or(ProfileError::NoLanes)?;
    let used = size.min(lanes.next_power_of_two());
    Ok((SubgroupLanes { lanes: size, used, source }, Arrangement::flat(lanes, size)))
}

/// Scales the estimates of the lines to the measured time of the dispatch.
fn scaled(
    profile: &mut ShaderProfile,
    record: &str,
    costs: &Costs,
    counted: &Counted,
    times: Times,
) -> Price {
    let of_sample = costs.issue_s(&counted.statements);
    let Sample { workgroups, of, .. } = profile.sample;
    let issue_s = of_sample * f64::from(of) / f64::from(workgroups);
    let scale = |line: &mut Line| {
        line.estimated_s = line.estimated_s.map(|s| s / of_sample * times.plain_s.value);
    };
    profile.lines.iter_mut().for_each(scale);
    let predicted_s = costs.time_s(counted, f64::from(workgroups) / f64::from(of));
    let longest_s = costs.longest_s(counted);
    Price { record: record.to_owned(), predicted_s, issue_s, longest_s }
}

/// The shader without probes on the device.
struct Plain<'a> {
    gpu: Gpu<'a>,
    request: &'a Request<'a>,
    recording: &'a Recording<'a>,
    specialized: &'a Specialized,
    buffers: &'a Buffers,
}

impl Plain<'_> {
    fn program(&self) -> Result<Program, ProfileError> {
        let Recording { probed, constants, .. } = self.recording;
        let of = (&probed.module, &probed.info);
        Program::new(self.gpu, of, &probed.entry, constants, &[self.buffers])
    }

    /// Runs the shader without probes twice, and compares its outputs with those with probes and with one another.
    fn outputs(
        &self,
        plain: &Program,
        probed: &[(super::device::Place, Vec<u8>)],
    ) -> Result<Vec<Output>, ProfileError> {
        let run = || {
            plain.run(self.gpu, self.recording.workgroups, &[self.buffers])?;
            self.buffers.read(self.gpu)
        };
        let [first, second] = [run()?, run()?];
        let of = &self.recording.probed;
        let bound = bound_by(&of.module, &of.info, &of.entry);
        let each = probed.iter().zip(&first).zip(&second);
        let compared = each.filter_map(|(((place, probed), (_, first)), (_, second))| {
            let bound = bound.iter().find(|bound| bound.place == *place)?;
            Some(Output {
                name: bound.name.clone(),
                words: probed.len() as u64 / 4,
                differing: differing(probed, first),
                differing_without_probes: differing(first, second),
            })
        });
        Ok(compared.collect())
    }

    /// Times the shader with and without probes, and in sorted order if that is possible.
    fn time_and_sort(
        &self,
        profile: &mut ShaderProfile,
        plain: &Program,
        recorder: &Recorder,
        (counted, arrangement): (&Counted, &Arrangement),
        costs: Option<&Costs>,
    ) -> Result<(), ProfileError> {
        let with_log = vec![self.buffers, &recorder.log_buffers];
        let versions = |more: Vec<Version<'_>>| -> Result<Samples, ProfileError> {
            let mut versions = vec![
                Version { program: plain, buffers: vec![self.buffers] },
                Version { program: &recorder.program, buffers: with_log.clone() },
            ];
            versions.extend(more);
            time(self.gpu, self.recording.workgroups, &versions)
        };
        let mut sorting = Sorting {
            predicted: None,
            priced: costs.is_some(),
            totals: None,
            longest: None,
            measured: None,
            measured_over_plain: None,
            differing: None,
            refused: sorting::refusal(self.specialized, &profile.decisions),
        };
        let samples = if sorting.refused.is_some() {
            versions(Vec::new())?
        } else {
            let sorted = self.sorted(&recorder.log, arrangement)?;
            let share = f64::from(profile.sample.workgroups) / f64::from(profile.sample.of);
            let cost = |counted: &Counted| match costs {
                Some(costs) => costs.time_s(counted, share),
                None => totals(&counted.statements).issues as f64,
            };
            (sorting.totals, sorting.longest) =
                (Some(totals(&sorted.statements)), Some(sorted.longest()));
            sorting.predicted = Some(cost(counted) / cost(&sorted));
            let [identity, sorted] = self.orders(&recorder.log)?;
            let (module, info) = self.permuted()?;
            let program = |order: &Buffers| {
                let Recording { probed, constants, .. } = self.recording;
                let both = [self.buffers, order];
                Program::new(self.gpu, (&module, &info), &probed.entry, constants, &both)
            };
            let [in_order, by_work] = [program(&identity)?, program(&sorted)?];
            let mut outputs = Vec::new();
            for (program, order) in [(&in_order, &identity), (&by_work, &sorted)] {
                program.run(self.gpu, self.recording.workgroups, &[self.buffers, order])?;
                outputs.push(self.buffers.read(self.gpu)?);
            }
            let pairs = outputs[0].iter().zip(&outputs[1]);
            sorting.differing = Some(pairs.map(|((_, a), (_, b))| differing(a, b)).sum());
            let samples = versions(vec![
                Version { program: &in_order, buffers: vec![self.buffers, &identity] },
                Version { program: &by_work, buffers: vec![self.buffers, &sorted] },
            ])?;
            sorting.measured = samples.ratio(2, 3);
            sorting.measured_over_plain = samples.ratio(0, 3);
            samples
        };
        let times = || {
            Some(Times {
                plain_s: samples.of(0)?,
                probed_s: samples.of(1)?,
                overhead: samples.ratio(1, 0)?,
                rounds: samples.rounds,
                clock: samples.clock,
            })
        };
        profile.times = times();
        profile.sorting = Some(sorting);
        Ok(())
    }

    /// Replays the sampled invocations in the order of their work.
    fn sorted(&self, log: &Log, arrangement: &Arrangement) -> Result<Counted, ProfileError> {
        let size = self.specialized.point().workgroup_size;
        let lanes = size.iter().product::<u32>() as usize;
        let mut sampled: Vec<(u32, usize)> =
            log.workgroups().flat_map(|w| (0..lanes).map(move |lane| (w, lane))).collect();
        let work = |&(workgroup, lane): &(u32, usize)| log.work[workgroup as usize * lanes + lane];
        sorting::sort(&mut sampled, lanes, self.request.seed, work);
        let groups: Vec<&[(u32, usize)]> = sampled.chunks(lanes).collect();
        self.specialized.replay(arrangement, &[], groups.len(), |at| log.decisions_of(groups[at]))
    }

    /// Returns buffers with the invocations in the order of the dispatch, and in that of their work.
    fn orders(&self, log: &Log) -> Result<[Buffers; 2], ProfileError> {
        let upload = |order: &[u32]| {
            let bytes = bytemuck::cast_slice(order).to_vec();
            let buffer = BoundBuffer { group: self.recording.probed.group, binding: 0, bytes };
            Buffers::new(self.gpu, &[buffer], |_| false)
        };
        let identity: Vec<u32> = (0..log.work.len() as u32).collect();
        let mut sorted = identity.clone();
        let lanes = self.specialized.point().workgroup_size.iter().product::<u32>() as usize;
        let work = |&invocation: &u32| log.work[invocation as usize];
        sorting::sort(&mut sorted, lanes, self.request.seed, work);
        Ok([upload(&identity)?, upload(&sorted)?])
    }

    fn permuted(&self) -> Result<(naga::Module, naga::valid::ModuleInfo), ProfileError> {
        let Request { source, entry, workgroups, .. } = self.request;
        let size = self.specialized.point().workgroup_size;
        let group = self.recording.probed.group;
        sorting::permuted(source, entry, group, [size, *workgroups])
    }
}

/// Returns the number of 32-bit words that differ.
fn differing(a: &[u8], b: &[u8]) -> u64 {
    let words = a.chunks(4).zip(b.chunks(4));
    words.filter(|(a, b)| a != b).count() as u64
}
