//! A profile from begin to end: record, replay, price, time, and prove by sorting.

use std::borrow::Cow;

use super::accesses::accesses;
use super::analysis::{Analysis, Request};
use super::device::{Gpu, check_workgroups};
use super::error::ProfileError;
use super::probes::Probed;
use super::proof::Plain;
use super::record::Recording;
use super::replaying::Specialized;
use crate::model::{Adapter, ShaderProfile};

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
    check_workgroups(device, request.workgroups)?;
    let has_subgroups = device.features().contains(wgpu::Features::SUBGROUP);
    let probed = Probed::new(&request.source, &request.entry, has_subgroups)?;
    let recording = Recording {
        probed: &probed,
        constants: request.constants.clone().into_iter().collect(),
        workgroups: request.workgroups,
        buffers: Cow::Borrowed(&request.buffers),
        budget: request.budget,
        seed: request.seed,
    };
    let specialized = Specialized::new(&probed, &recording.constants)?;
    check_workgroup_memory(device, &specialized)?;
    let buffers = recording.upload(gpu)?;
    let recorder = recording.record(gpu, &buffers)?;
    let probed_outputs = buffers.read(gpu)?;
    let mut analysis = Analysis::new(request, adapter, &probed, &specialized, &recorder.log)?;
    let of_plain =
        Plain { gpu, request, recording: &recording, specialized: &specialized, buffers: &buffers };
    let plain = of_plain.program()?;
    let (compared, outputs) = of_plain.outputs(&plain, &probed_outputs)?;
    analysis.profile.outputs = compared;
    if request.accesses {
        let shader = (request.source.as_str(), has_subgroups);
        let record = request.record.map(|(_, record)| record);
        let recorded = (&recording, &buffers);
        match accesses(gpu, recorded, shader, &analysis.arrangement, record) {
            Ok(found) => analysis.profile.accesses = Some(found),
            // The rest of the profile is as good without them.
            Err(ProfileError::Budget { bytes, needed }) => analysis.profile.notes.push(format!(
                "Addresses were not recorded: those of a single workgroup need {needed} bytes of memory, and there may be {bytes}."
            )),
            Err(error) => return Err(error),
        }
    }
    if request.timed {
        of_plain.time_and_sort(&mut analysis.profile, &plain, &recorder, &outputs)?;
    }
    analysis.price(analysis.profile.times);
    Ok(analysis.profile)
}

/// Checks that the device has the workgroup memory of the shader.
fn check_workgroup_memory(
    device: &wgpu::Device,
    Specialized { module, .. }: &Specialized,
) -> Result<(), ProfileError> {
    let used = module.global_variables.iter().map(|(_, variable)| variable);
    let shared = used.filter(|variable| variable.space == naga::AddressSpace::WorkGroup);
    let sizes = shared.map(|of| u64::from(module.types[of.ty].inner.size(module.to_ctx())));
    let (bytes, most) = (sizes.sum(), device.limits().max_compute_workgroup_storage_size.into());
    if bytes > most { Err(ProfileError::WorkgroupMemory { bytes, most }) } else { Ok(()) }
}
