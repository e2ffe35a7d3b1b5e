//! What it takes to keep the hardware busy: subgroups, and batches under way.

use super::{Row, both};
use crate::record::Experiment;
use crate::report::figures;

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
