//! Words of records before schema 2.1, translated to those of today, so that old and new records compare.

use super::labels;
use crate::model::Record;

/// Series by experiment, with `*` for any part: the name in records before 2.1, and the name since.
const SERIES: &[(&str, &str, &str)] = &[
    ("width", "granularity", "branch granularity"),
    ("width", "lanes", "workgroup size"),
    ("select", "branch, arms of * trips", "branch, * iterations per path"),
    ("select", "select, arms of * trips", "select, * iterations per path"),
    ("imbalance", "*, what sorting buys", "*, speed-up by sorting"),
    ("coalescing", "one word off", "offset by one word"),
    ("contention", "*, in turn", "*, round-robin"),
    ("contention", "*, each workgroup its own", "*, one counter per workgroup"),
    ("dependence", "on one result", "dependent, one result"),
    ("dependence", "on parts of one buffer", "independent, parts of one buffer"),
    ("dependence", "on buffers apart", "independent, separate buffers"),
    ("occupancy", "* KiB", "* KiB working set"),
    ("occupancy", "* MiB", "* MiB working set"),
    ("overlap", "*, copied and computed in turn", "*, copy and compute serialised"),
];

/// Names of what is swept, in the same way.
const SWEPT: &[(&str, &str, &str)] = &[
    ("width", "lanes per arm", "consecutive lanes per path"),
    ("width", "lanes per workgroup", "invocations per workgroup"),
    ("select", "share of lanes in arm 1", "share of lanes on path 1"),
    ("imbalance", "longest over shortest", "longest-to-shortest ratio"),
    ("coalescing", "words from lane to lane", "words of stride"),
    ("coalescing", "words drawn from", "words in the random range"),
    ("batching", "per batch", "items per batch"),
    ("contention", "atomics of a lane", "atomics per invocation"),
    ("overlap", "batches under way", "batches in flight"),
];

/// Replaces the names of series, swept quantities and metrics in `record` by those of today.
pub(in crate::model) fn translate(record: &mut Record) {
    for experiment in &mut record.experiments {
        let id = experiment.id.as_str();
        for point in &mut experiment.points {
            rename(SERIES, id, &mut point.series);
            rename(SWEPT, id, &mut point.x.name);
        }
        for curve in &mut experiment.curves {
            rename(SERIES, id, &mut curve.series);
        }
        for metric in &mut experiment.metrics {
            if let Some((label, known)) = labels::find(id, &metric.id) {
                metric.label = label;
                metric.better = known.better;
            }
            // A launch configuration, such as `single_pass, 8 × 16 lanes, 2 × vec2<u64>, blocked`.
            if let Some(text) = &mut metric.text {
                *text = text.replace(" lanes, ", " invocations, ");
            }
        }
    }
}

fn rename(table: &[(&str, &str, &str)], experiment: &str, name: &mut String) {
    let of_experiment = table.iter().filter(|(of, ..)| *of == experiment);
    let mut renamed = of_experiment
        .filter_map(|(_, old, new)| Some(new.replace('*', labels::matched(old, name)?)));
    if let Some(new) = renamed.next() {
        *name = new;
    }
}
