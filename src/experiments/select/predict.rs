//! `predict select`: the times of a branch and of a select.

use crate::experiments::select::law::Costs;
use crate::experiments::width::parameter::WIDTH;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{OVERHEAD, SHARE, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::even;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "select",
    about: "Is it faster to branch, or to run both paths and select?",
    formula: "branch: t_b + (1−q^W)·T₀ + (1−(1−q)^W)·T₁; select: t_s + T₀′ + T₁′",
    parameters: &[
        Parameter::new("q", "share of lanes that take path 1, q", SHARE).or(1.0).swept(),
        WIDTH,
        Parameter::new("path0", "time of path 0 under a branch, T₀", TIME)
            .at(&["select.t_arm_0.{paths}"]),
        Parameter::new("path1", "time of path 1 under a branch, T₁", TIME)
            .at(&["select.t_arm_1.{paths}"]),
        Parameter::new(
            "straight0",
            "time of path 0 without a branch, T₀′; equal to --path0 unless given",
            TIME,
        )
        .at(&["select.t_straight_0.{paths}"]),
        Parameter::new(
            "straight1",
            "time of path 1 without a branch, T₁′; equal to --path1 unless given",
            TIME,
        )
        .at(&["select.t_straight_1.{paths}"]),
        Parameter::new("branch", "time to choose by branch, t_b", OVERHEAD)
            .at(&["select.t_branch.{paths}"])
            .or(0.0),
        Parameter::new("select", "time to choose by select, t_s", OVERHEAD)
            .at(&["select.t_select.{paths}"])
            .or(0.0),
    ],
    choices: &[Choice {
        flag: "paths",
        what: "path length whose measurements are taken from the record",
        default: "64_trips",
        among: &[],
    }],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (first, q) = given.swept("q", 0.0)?;
    let width = given.get("width")?;
    let branched_s = [given.get("path0")?, given.get("path1")?];
    let straight_s = [
        given.find("straight0")?.unwrap_or(branched_s[0]),
        given.find("straight1")?.unwrap_or(branched_s[1]),
    ];
    let costs = Costs {
        branch_s: given.get("branch")?,
        select_s: given.get("select")?,
        branched_s,
        straight_s,
    };
    let axes = [Scale::Linear, Scale::Linear];
    let mut answer = Answer::new(given, ("lanes on path 1", SHARE_OF_ONE), &even(first, q), axes);
    let pays = costs.selecting_pays(width);
    let dearest = costs.dearest_branch(width);
    let saved = 1.0 - costs.select_time() / costs.branch_time(dearest, width);
    answer.say(match pays {
        Some([from, to]) => format!(
            "A select is cheaper while {} to {} of the lanes take path 1, and saves at most {}.",
            figure(from, SHARE_OF_ONE),
            figure(to, SHARE_OF_ONE),
            figure(saved, SHARE_OF_ONE)
        ),
        None => "The branch is cheaper at every share of lanes.".to_owned(),
    });
    answer.say(format!(
        "With {} of the lanes on path 1, a branch takes {} and a select {}.",
        figure(q, SHARE_OF_ONE),
        figure(costs.branch_time(q, width), "s"),
        figure(costs.select_time(), "s")
    ));
    answer.maybe(
        "lowest share at which select is cheaper",
        SHARE_OF_ONE,
        pays.map(|[from, _]| from),
    );
    answer.maybe("highest share at which select is cheaper", SHARE_OF_ONE, pays.map(|[_, to]| to));
    answer.figure("largest saving by select", SHARE_OF_ONE, saved.max(0.0));
    answer.figure("branch", "s", costs.branch_time(q, width));
    answer.figure("select", "s", costs.select_time());
    answer.curve("branch", "s", |q| costs.branch_time(q, width));
    answer.curve("select", "s", |_| costs.select_time());
    answer.column("branch / select", "x", |q| costs.branch_time(q, width) / costs.select_time());
    Ok(answer)
}
