//! What it takes to keep the hardware busy: subgroups, and batches under way.

use super::{Row, both};
use crate::record::{Experiment, Finding};
use crate::report::figures;

pub(super) fn ceilings_rows(ceilings: &Experiment, row: &mut Row<'_>) {
    // Of the smallest array and of the largest that could be measured.
    for (traffic, what) in [("read", "reading memory"), ("copy", "copying memory")] {
        let prefix = format!("{traffic}_gb_per_s.");
        let of = |finding: &&Finding| finding.name.starts_with(&prefix);
        let mut sizes = ceilings.findings.iter().filter(of);
        let Some(nearest) = sizes.next() else { continue };
        let farthest = sizes.next_back().unwrap_or(nearest);
        let size = |finding: &Finding| finding.name[prefix.len()..].replace('_', " ");
        row(
            &format!("{what}, {}", size(farthest)),
            figures::finding_with_interval(farthest),
            format!("{} of {}", figures::finding(nearest), size(nearest)),
        );
    }
    for (name, what, note) in [
        ("fma_f32_gop_per_s", "f32", "a multiplication and an addition are two"),
        ("u32_gop_per_s", "u32", "additions and exclusive ors"),
        ("atomic_add_gop_per_s", "atomics", "on addresses that few lanes share"),
    ] {
        if let Some(finding) = ceilings.finding(name) {
            row(
                &format!("{what} at most"),
                figures::finding_with_interval(finding),
                note.to_owned(),
            );
        }
    }
    if let Some(finding) = ceilings.finding("workgroup_memory_gb_per_s") {
        let figure = figures::finding_with_interval(finding);
        row("reading workgroup memory", figure, "without a conflict".to_owned());
    }
}

pub(super) fn occupancy_rows(occupancy: &Experiment, row: &mut Row<'_>) {
    for parameter in &occupancy.parameters {
        let Some(id) = parameter.name.strip_prefix("latency_of_a_lane.") else {
            continue;
        };
        let knee = both(
            occupancy.number(&format!("knee_measured.{id}")),
            occupancy.number(&format!("knee_predicted.{id}")),
            "",
        );
        let subgroup =
            occupancy.parameter(&format!("latency.{id}")).map_or_else(String::new, |p| {
                format!("{} for a full subgroup; ", figures::quantity(p.value, &p.unit))
            });
        row(
            &format!("a load from {}", id.replace('_', " ")),
            figures::parameter(parameter),
            knee.map_or(subgroup.clone(), |knee| format!("{subgroup}{knee} subgroups reach peak")),
        );
    }
}

pub(super) fn overlap_rows(overlap: &Experiment, row: &mut Row<'_>) {
    for finding in &overlap.findings {
        let Some(path) = finding.name.strip_prefix("upload_gb_per_s.") else {
            continue;
        };
        let prefix = format!("hidden_share.{path}.");
        let shares = overlap.findings.iter().filter_map(|finding| {
            let depth = finding.name.strip_prefix(&prefix)?;
            Some((depth, finding.value.number()?)).filter(|&(depth, _)| depth != "1")
        });
        let best = shares.max_by(|a, b| a.1.total_cmp(&b.1));
        let hidden = best.map_or_else(String::new, |(depth, share)| {
            let share = figures::per_cent(share.clamp(0.0, 1.0));
            format!(
                "{share} of the shorter of uploading and computing hides, with {depth} batches under way"
            )
        });
        row(&format!("an upload by {path}"), figures::finding(finding), hidden);
    }
}
