//! What the loads of the experiment suggest about the device.

use crate::model::Experiment;

pub(super) fn diagnose(outcome: &Experiment, is_cpu: bool) -> Vec<String> {
    let mut text = Vec::new();
    if is_cpu {
        text.push(
            "on a CPU each lane's load is issued by itself, and lines are fetched ahead of loads that follow a pattern: how \
             many lines a subgroup touches says little"
                .to_owned(),
        );
    }
    let size = |id: &str| outcome.number(id);
    match (size("line_bytes_aligned"), size("line_bytes_offset")) {
        (None, None) => text.push(
            "loads take as long whatever words lanes take: they are issued lane by lane, or caches serve them all"
                .to_owned(),
        ),
        (Some(a), Some(b)) if a != b => text.push(format!(
            "aligned loads show lines of {a} bytes, loads one word off lines of {b}: neighbouring lines are fetched \
             together"
        )),
        _ => (),
    }
    let off = |series: &str, over: bool| {
        outcome.points.iter().any(|point| point.series == series && point.deviates(over))
    };
    if off("aligned", true) || off("one word off", true) {
        text.push(
            "short strides cost more than the lines that they touch: lines are moved in smaller sectors that are each paid \
             for, or issuing is slower than at one word"
                .to_owned(),
        );
    }
    if off("aligned", false) || off("one word off", false) {
        text.push(
            "short strides cost less than the lines that they touch: lines that follow one another are cheaper than \
             lines far apart"
                .to_owned(),
        );
    }
    if off("random", true) {
        text.push(
            "random loads cost more than the lines that they touch: draws that meet in a bank of the cache wait for one another"
                .to_owned(),
        );
    }
    if off("random", false) {
        text.push(
            "random loads cost less than the lines that they touch: neighbouring loads find lines in a cache"
                .to_owned(),
        );
    }
    text
}
