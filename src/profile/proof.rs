//! The shader without probes: whether its outputs are the same, how long it takes, and what sorting its invocations gains.

use super::analysis::{Analysis, Request};
use super::device::{BoundBuffer, Buffers, Gpu, Place, Program, bound_by};
use super::error::ProfileError;
use super::lines::totals;
use super::log::Log;
use super::record::{Recorder, Recording};
use super::replaying::Specialized;
use super::sorting;
use super::timing::{Samples, Version, time};
use crate::model::{Output, Sorting, Times};
use crate::simt::{Arrangement, Counted};

/// The shader without probes on the device.
pub(super) struct Plain<'a> {
    pub(super) gpu: Gpu<'a>,
    pub(super) request: &'a Request<'a>,
    pub(super) recording: &'a Recording<'a>,
    pub(super) specialized: &'a Specialized,
    pub(super) buffers: &'a Buffers,
}

impl Plain<'_> {
    pub(super) fn program(&self) -> Result<Program, ProfileError> {
        let Recording { probed, constants, .. } = self.recording;
        let of = (&probed.module, &probed.info);
        Program::new(self.gpu, of, &probed.entry, constants, &[self.buffers])
    }

    /// Runs the shader without probes twice, and compares its outputs with those with probes and with one another.
    pub(super) fn outputs(
        &self,
        plain: &Program,
        probed: &[(Place, Vec<u8>)],
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
    pub(super) fn time_and_sort(
        &self,
        analysis: &mut Analysis<'_>,
        plain: &Program,
        recorder: &Recorder,
    ) -> Result<(), ProfileError> {
        let costs = analysis.priced.as_ref().map(|priced| &priced.costs);
        let (counted, share) = (&analysis.counted, analysis.share());
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
            refused: sorting::refusal(self.specialized, &analysis.profile.decisions),
        };
        let samples = if sorting.refused.is_some() {
            versions(Vec::new())?
        } else {
            let sorted = self.sorted(&recorder.log, &analysis.arrangement)?;
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
        analysis.profile.times = times();
        analysis.profile.sorting = Some(sorting);
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
