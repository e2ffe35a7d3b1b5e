//! The head of the page and the table of the whole dispatch.

use super::cells::{per_cent, share};
use crate::model::{LanesSource, Median, ShaderProfile, Sorting, Totals, figures};
use crate::report::{Document, Table};

fn median(median: Median, unit: &str) -> String {
    figures::with_interval(median.value, unit, median.interval)
}

/// Returns sizes with their noun, such as `64 × 4 workgroups`.
fn dimensions(sizes: [u32; 3], noun: &str) -> String {
    let last = sizes.iter().rposition(|&size| size != 1).unwrap_or(0);
    let shown = sizes[..=last].iter().map(|&size| figures::count(size.into()));
    let plural = if sizes == [1; 3] { "" } else { "s" };
    format!("{} {noun}{plural}", shown.collect::<Vec<_>>().join(" × "))
}

pub(super) fn heading(document: &mut Document, profile: &ShaderProfile) {
    let ShaderProfile { adapter, dispatch, sample, subgroup_size, .. } = profile;
    document.text(format!(
        "{}, backend {}, driver {} {}.",
        adapter.full_name(),
        adapter.backend,
        adapter.driver,
        adapter.driver_info
    ));
    let constants = dispatch.constants.iter().map(|(name, value)| format!("{name} = {value}"));
    let constants = constants.collect::<Vec<_>>().join(", ");
    let constants =
        if constants.is_empty() { String::new() } else { format!(" Constants: {constants}.") };
    document.text(format!(
        "Dispatch of {} of {}.{constants}",
        dimensions(dispatch.workgroups, "workgroup"),
        dimensions(dispatch.workgroup_size, "invocation")
    ));
    let size = match subgroup_size.source {
        LanesSource::Pipeline => "as the pipeline ran",
        LanesSource::Record => "as the record measured",
        LanesSource::Given => "as given",
        LanesSource::Unknown => "by an unknown source",
    };
    let sampled = if sample.workgroups == sample.of {
        "all workgroups".to_owned()
    } else {
        format!(
            "a random sample of {} of {} workgroups (seed {})",
            figures::count(sample.workgroups.into()),
            figures::count(sample.of.into()),
            sample.seed
        )
    };
    if subgroup_size.used < subgroup_size.lanes {
        document.text(format!(
            "The workgroup fills {} of the {} lanes of a subgroup: it is too small, or the device does not let a subgroup span \
             its rows. The empty lanes are not among the lost ones.",
            subgroup_size.used, subgroup_size.lanes
        ));
    }
    document.text(format!(
        "The replay has subgroups of {} lanes, {size}. It covers {sampled}. Their decisions took {} of memory.",
        subgroup_size.lanes,
        figures::quantity(sample.log_bytes as f64, "B")
    ));
}

pub(super) fn summary(document: &mut Document, profile: &ShaderProfile) {
    let Totals { issues, slots, .. } = profile.totals;
    let mut table = Table::new(&["figure", "value [95 % interval]>", "note"]);
    let mut row = |name: &str, value: String, note: &str| {
        table.rows.push([name, &value, note].map(str::to_owned).to_vec());
    };
    row("SIMT efficiency η", per_cent(profile.totals.efficiency()), "active lanes over lane slots");
    row(
        "lost lane slots",
        per_cent(share(profile.totals.lost(), slots)),
        "issued without an active lane",
    );
    row(
        "instructions issued",
        figures::count(issues as f64),
        "by the subgroups that were replayed",
    );
    row(
        "instructions of the longest subgroup",
        figures::count(profile.longest as f64),
        &format!(
            "all subgroups together issue {} times as many; more at a time cannot shorten the dispatch",
            figures::digits(parallelism(profile))
        ),
    );
    if let Some(times) = profile.times {
        row(
            "time of the dispatch",
            median(times.plain_s, "s"),
            &format!("{} rounds, {}", times.rounds, times.clock.words()),
        );
        row("time with probes over without", median(times.overhead, "x"), "what recording costs");
    }
    if let Some(price) = &profile.price {
        row(
            &format!("time of the dispatch{}, predicted", on(profile)),
            figures::quantity(price.predicted_s, "s"),
            "by Little's law, from the two times below",
        );
        row(
            "time of all instructions, predicted",
            figures::quantity(price.issue_s, "s"),
            "at the full throughput of the device",
        );
        if let Some(longest_s) = price.longest_s {
            row(
                "time of the longest subgroup, predicted",
                figures::quantity(longest_s, "s"),
                "each instruction waits for the one before",
            );
        }
    }
    if let Some(sorting) = &profile.sorting {
        let by = if sorting.priced { "by the costs of the record" } else { "by instructions" };
        if let Some(predicted) = sorting.predicted {
            row(
                &format!("gain of sorting by work and path{}, predicted", on(profile)),
                figures::quantity(predicted, "x"),
                by,
            );
        }
        if let Some(measured) = sorting.measured {
            row(
                "gain of sorting by work and path, measured",
                median(measured, "x"),
                "dispatch order over sorted order, both by a permutation",
            );
        }
    }
    document.table(table);
    if let Some(sorting) = &profile.sorting {
        document.text(proof(sorting, &on(profile)));
    }
}

/// Returns the words that name the device of predictions, if it is another one.
fn on(profile: &ShaderProfile) -> String {
    let device = profile.price.as_ref().and_then(|price| price.device.as_ref());
    device.map_or(String::new(), |device| format!(" on {device}"))
}

/// Returns the instructions of a dispatch over those of its longest subgroup: the most subgroups that help at a time.
fn parallelism(profile: &ShaderProfile) -> f64 {
    let scale = f64::from(profile.sample.of) / f64::from(profile.sample.workgroups.max(1));
    scale * profile.totals.issues as f64 / profile.longest.max(1) as f64
}

/// Returns what sorting showed, in sentences.
fn proof(sorting: &Sorting, on: &str) -> String {
    if let Some(reason) = &sorting.refused {
        return format!(
            "Sorting the invocations by work and path was not tried, because {reason}."
        );
    }
    let times = |factor: f64| figures::quantity(factor, "x");
    let Some(predicted) = sorting.predicted else {
        return "The shader has no instructions to sort.".to_owned();
    };
    let Some(measured) = sorting.measured else {
        return format!(
            "Sorting the invocations by work and path: {} predicted{on}, not measured.",
            times(predicted)
        );
    };
    let over_plain = sorting.measured_over_plain.map_or(String::new(), |of| {
        format!(
            " Over the shader as it is, which loads no permutation, the gain is {}.",
            times(of.value)
        )
    });
    let outputs = match sorting.differing {
        Some(0) | None => String::new(),
        Some(words) => format!(
            " The sorted order changes {} of the outputs, so the outputs depend on the order of invocations.",
            figures::counted(words as usize, "word")
        ),
    };
    format!(
        "Sorting the invocations by work and path: {} predicted{on}, {} measured{}.{over_plain}{outputs}",
        times(predicted),
        times(measured.value),
        if on.is_empty() { "" } else { " on this one" },
    )
}
