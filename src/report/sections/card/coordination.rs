//! What it costs to work together: atomics, barriers, dependencies, agreement.

use super::{Row, both};
use crate::record::Experiment;
use crate::report::figures;

pub(super) fn reduction_rows(reduction: &Experiment, row: &mut Row<'_>) {
    let text = |name: &str| reduction.finding(name).map(figures::finding);
    let of = reduction.number("largest_input");
    let of = of.map(|items| format!("of {} items; ", figures::count(items)));
    if let (Some(variant), Some(best), Some(ceiling)) =
        (text("best_variant"), text("best_gb_per_s"), text("read_ceiling_gb_per_s"))
    {
        row(
            "best reduction of u32",
            best,
            format!("{}{variant}; reading alone reaches {ceiling}", of.unwrap_or_default()),
        );
    }
    for (name, what, note) in [
        (
            "t_barrier",
            "a barrier of 256 lanes",
            "in a tree, with the additions between two of them",
        ),
        ("t_tree_sequential", "a tree of 256 lanes", "with the hardware full"),
        ("t_subgroup_sum", "a sum over a subgroup", "with the hardware full"),
    ] {
        if let Some(parameter) = reduction.parameter(name) {
            row(what, figures::parameter(parameter), note.to_owned());
        }
    }
}

pub(super) fn contention_rows(contention: &Experiment, row: &mut Row<'_>) {
    for (word, what) in
        [("add", "an atomic on one address"), ("max", "an atomic maximum on one address")]
    {
        let parameter = |name: &str| contention.parameter(&format!("{name}.{word}"));
        let number = |name: &str| contention.number(&format!("{name}.{word}"));
        let (Some(serial), Some(parallel)) = (parameter("t_serial"), parameter("t_parallel"))
        else {
            continue;
        };
        let apart = figures::quantity(parallel.value, &parallel.unit);
        let buys = both(number("privatising_buys"), number("privatising_buys_predicted"), "x");
        let buys = buys
            .map_or_else(String::new, |buys| format!("; a counter in each workgroup buys {buys}"));
        row(what, figures::parameter(serial), format!("{apart} on one of its own{buys}"));
        if let Some(times) = number("dearest_in_turn").filter(|&times| times > 1.0) {
            row(
                "the same, a few counters taken in turn by all lanes",
                format!("up to {} as long", figures::quantity(times, "x")),
                "give each block of lanes or each workgroup its own instead".to_owned(),
            );
        }
    }
}

pub(super) fn dependence_row(dependence: &Experiment, row: &mut Row<'_>) {
    let Some(price) = dependence.parameter("price_of_dependency") else {
        return;
    };
    let nothing = price.ci.is_some_and(|ci| ci.lo <= 0.0 && ci.hi >= 0.0);
    let told = if nothing {
        "not to be told from nothing"
    } else if !price.is_firm() {
        "inconclusive: known to no better than a fifth"
    } else {
        "on every dispatch that waits"
    };
    let in_flight = dependence.number("dispatches_in_flight").map_or_else(String::new, |n| {
        format!("; of small dispatches on buffers apart {} run side by side", figures::digits(n))
    });
    row("a dependency between dispatches", figures::parameter(price), format!("{told}{in_flight}"));
}

pub(super) fn allreduce_rows(allreduce: &Experiment, row: &mut Row<'_>) {
    let (Some(alpha), Some(beta)) = (allreduce.parameter("alpha"), allreduce.parameter("beta"))
    else {
        return;
    };
    row(
        "a step of an all-reduce",
        figures::parameter(alpha),
        format!("among two workgroups, and {}", figures::quantity(beta.value, &beta.unit)),
    );
    for finding in &allreduce.findings {
        let workers = finding.name.strip_prefix("share_of_copy_ceiling.");
        if let Some(workers) = workers.and_then(|workers| workers.parse().ok()) {
            row(
                &format!("a copy by {}", figures::counted(workers, "workgroup")),
                figures::finding(finding),
                "of the bytes that the whole device copies in as long".to_owned(),
            );
        }
    }
    for finding in &allreduce.findings {
        let Some(workers) = finding.name.strip_prefix("ring_overtakes_doubling_measured.") else {
            continue;
        };
        let predicted = allreduce.number(&format!("ring_overtakes_doubling_predicted.{workers}"));
        let Some(from) = both(finding.value.number(), predicted, "B") else {
            continue;
        };
        row(
            &format!("an all-reduce among {workers} workgroups"),
            format!("a ring from {from}"),
            "is faster than recursive doubling".to_owned(),
        );
    }
}
