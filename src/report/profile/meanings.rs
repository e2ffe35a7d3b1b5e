//! What the figures of a page mean, and what they do not.

use crate::model::{Depends, LanesSource, ShaderProfile};

/// Returns what the figures mean, and what they do not.
pub(super) fn meanings(profile: &ShaderProfile) -> Vec<String> {
    let mut texts = vec![
        "η is the share of lane slots that were active. It counts the operations of the source: a compiler may turn a short \
         branch into a selection, move code out of a loop, or unroll it."
            .to_owned(),
        "The lanes of a subgroup meet again as early as the source allows. A device that lets them meet later issues more."
            .to_owned(),
    ];
    let decisions = &profile.decisions;
    let has = |wanted: Depends| decisions.iter().any(|of| of.depends == Some(wanted));
    if has(Depends::Waits) {
        texts.push(
            "A loop ends when an atomic says so: it waits for other invocations, or tries again. How often it iterates depends \
             on the speed of the others, and probes change that. Its figures are those of one run."
                .to_owned(),
        );
    }
    if has(Depends::Atomic) {
        texts.push(
            "Some decisions depend on the order in which atomics are performed. Another run may decide otherwise."
                .to_owned(),
        );
    }
    if has(Depends::Subgroup) {
        texts.push(
            if profile.subgroup_size.source == LanesSource::Pipeline {
                "Some decisions depend on the lanes of a subgroup. At other subgroup sizes the shader would decide otherwise, so \
                 that the table of other sizes does not apply."
            } else {
                "Some decisions depend on the lanes of a subgroup, and the replay has subgroups of another size than the device. \
                 The shader would decide otherwise there, so that no figure of this page is certain."
            }
                .to_owned(),
        );
    }
    if profile.accesses.is_some() {
        texts.push(
            "The tables of accesses tell what a subgroup asks for at once. A cache may hold it already, and a store may be merged \
             with the next one. Lines and sectors are those of the record, or else those of most GPUs; banks are 4 B wide. \
             Estimated times are those of the experiment `coalescing`, at the full throughput of the device; the predicted time of \
             the dispatch does not use them."
                .to_owned(),
        );
    }
    if let Some(price) = &profile.price {
        let is_measured = price.device.is_none() && profile.times.is_some();
        let shared = if is_measured { "measured" } else { "predicted" };
        texts.push(format!(
            "The {shared} time is divided among the lines in proportion to their estimated costs, from {}. Loads count as \
             coalesced. Where memory or latency hides instructions, a line can save less than its estimate.",
            price.record
        ));
        texts.push(
            "Predicted times know how many instructions there are and how long they wait for one another. They do not know \
             whether loads are coalesced, whether atomics contend, and what a compiler saves."
                .to_owned(),
        );
    }
    texts.extend(profile.notes.iter().cloned());
    texts
}
