//! The shader without probes: whether its outputs are the same, how long it takes, and what sorting its invocations gains.

use super::analysis::Request;
use super::device::{Buffers, Contents, Gpu, Program, bound_by};
use super::error::ProfileError;
use super::log::Log;
use super::record::{Recorder, Recording};
use super::replaying::Specialized;
use super::sorting;
use super::timing::{Samples, Version, time};
use crate::model::{Output, ShaderProfile, Times};

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

    /// Runs the shader without probes twice, and compares its outputs with those with probes and with one another. Returns the
    /// comparison, and the outputs without probes.
    pub(super) fn outputs(
        &self,
        plain: &Program,
        probed: &Contents,
    ) -> Result<(Vec<Output>, Contents), ProfileError> {
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
        let compared = compared.collect();
        Ok((compared, first))
    }

    /// Times the shader with and without probes, and in sorted order if that is possible. `outputs` are those of the shader as
    /// it is.
    pub(super) fn time_and_sort(
        &self,
        profile: &mut ShaderProfile,
        plain: &Program,
        recorder: &Recorder,
        outputs: &Contents,
    ) -> Result<(), ProfileError> {
        let with_log = vec![self.buffers, &recorder.log_buffers];
        let time = |more: Vec<Version<'_>>| -> Result<Samples, ProfileError> {
            let mut versions = vec![
                Version { program: plain, buffers: vec![self.buffers] },
                Version { program: &recorder.program, buffers: with_log.clone() },
            ];
            versions.extend(more);
            time(self.gpu, self.recording.workgroups, &versions, self.request.seed)
        };
        let samples = match &mut profile.sorting {
            Some(sorting) if sorting.refused.is_none() => {
                let [identity, sorted] = self.orders(&recorder.log)?;
                let [in_order, by_rank] = self.permuted([&identity, &sorted])?;
                by_rank.run(self.gpu, self.recording.workgroups, &[self.buffers, &sorted])?;
                let of_sorted = self.buffers.read(self.gpu)?;
                let pairs = outputs.iter().zip(&of_sorted);
                sorting.differing = Some(pairs.map(|((_, a), (_, b))| differing(a, b)).sum());
                let samples = time(vec![
                    Version { program: &in_order, buffers: vec![self.buffers, &identity] },
                    Version { program: &by_rank, buffers: vec![self.buffers, &sorted] },
                ])?;
                sorting.measured = samples.ratio(2, 3);
                sorting.measured_over_plain = samples.ratio(0, 3);
                samples
            }
            _ => time(Vec::new())?,
        };
        profile.times = times_of(&samples);
        if profile.times.is_none() {
            profile
                .notes
                .push("There are no times, because the clock of the device gave none.".to_owned());
        }
        Ok(())
    }

    /// Returns buffers with the invocations in the order of the dispatch, and sorted.
    fn orders(&self, log: &Log) -> Result<[Buffers; 2], ProfileError> {
        let upload =
            |order: &[u32]| Buffers::of_words(self.gpu, self.recording.probed.group, order);
        let identity: Vec<u32> = (0..log.work.len() as u32).collect();
        let mut sorted = identity.clone();
        let lanes = self.specialized.lanes()? as usize;
        let rank = |&invocation: &u32| log.rank(invocation as usize);
        sorting::sort(&mut sorted, lanes, self.request.seed, rank);
        Ok([upload(&identity)?, upload(&sorted)?])
    }

    /// Compiles the shader whose invocations take the places that these orders name.
    fn permuted(&self, orders: [&Buffers; 2]) -> Result<[Program; 2], ProfileError> {
        let Request { source, entry, workgroups, .. } = self.request;
        let Recording { probed, constants, .. } = self.recording;
        let size = self.specialized.point().workgroup_size;
        let (module, info) = sorting::permuted(source, entry, probed.group, [size, *workgroups])?;
        let of = |order: &Buffers| {
            Program::new(self.gpu, (&module, &info), entry, constants, &[self.buffers, order])
        };
        Ok([of(orders[0])?, of(orders[1])?])
    }
}

/// Returns the times of the shader with and without probes.
fn times_of(samples: &Samples) -> Option<Times> {
    Some(Times {
        plain_s: samples.of(0)?,
        probed_s: samples.of(1)?,
        overhead: samples.ratio(1, 0)?,
        rounds: samples.rounds,
        clock: samples.clock,
    })
}

/// Returns the number of 32-bit words that differ.
fn differing(a: &[u8], b: &[u8]) -> u64 {
    let words = a.chunks(4).zip(b.chunks(4));
    words.filter(|(a, b)| a != b).count() as u64
}
