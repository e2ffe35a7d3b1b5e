//! Whether to branch or to select.

use crate::experiments::select::law::Costs;
use crate::experiments::width::parameter::WIDTH;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{OVERHEAD, SHARE, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::even;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "select",
    about: "Branch, or run both sides and select?",
    formula: "branch: t_b + (1−q^W)·T₀ + (1−(1−q)^W)·T₁; select: t_s + T₀′ + T₁′",
    parameters: &[
        Parameter::new("q", "share of lanes that take arm 1", SHARE).or(1.0).swept(),
        WIDTH,
        Parameter::new("arm0", "arm 0 under a branch, T₀", TIME).at(&["select.t_arm_0.{arms}"]),
        Parameter::new("arm1", "arm 1 under a branch, T₁", TIME).at(&["select.t_arm_1.{arms}"]),
        Parameter::new(
            "straight0",
            "arm 0 with no branch around it, T₀′; as arm0 unless given",
            TIME,
        )
        .at(&["select.t_straight_0.{arms}"]),
        Parameter::new(
            "straight1",
            "arm 1 with no branch around it, T₁′; as arm1 unless given",
            TIME,
        )
        .at(&["select.t_straight_1.{arms}"]),
        Parameter::new("branch", "choosing by branch, t_b", OVERHEAD)
            .at(&["select.t_branch.{arms}"])
            .or(0.0),
        Parameter::new("select", "choosing by select, t_s", OVERHEAD)
            .at(&["select.t_select.{arms}"])
            .or(0.0),
    ],
    choices: &[Choice {
        flag: "arms",
        what: "which arms of the record",
        default: "64_trips",
        among: &[],
    }],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (first, q) = given.swept("q", 0.0)?;
    let width = given.get("width")?;
    let branched_s = [given.get("arm0")?, given.get("arm1")?];
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
    let mut answer = Answer::new(given, ("in arm 1", SHARE_OF_ONE), &even(first, q), axes);
    let pays = costs.selecting_pays(width);
    let dearest = costs.dearest_branch(width);
    let saved = 1.0 - costs.select_time() / costs.branch_time(dearest, width);
    answer.say(match pays {
        Some([from, to]) => format!(
            "Selecting is cheaper while {} to {} of the lanes are in arm 1, and saves {} at most.",
            figure(from, SHARE_OF_ONE),
            figure(to, SHARE_OF_ONE),
            figure(saved, SHARE_OF_ONE)
        ),
        None => "The branch is cheaper however lanes choose.".to_owned(),
    });
    answer.say(format!(
        "With {} of them there a branch takes {} and a select {}.",
        figure(q, SHARE_OF_ONE),
        figure(costs.branch_time(q, width), "s"),
        figure(costs.select_time(), "s")
    ));
    answer.maybe("selecting pays from", SHARE_OF_ONE, pays.map(|[from, _]| from));
    answer.maybe("selecting pays to", SHARE_OF_ONE, pays.map(|[_, to]| to));
    answer.figure("saved at most", SHARE_OF_ONE, saved.max(0.0));
    answer.figure("branch", "s", costs.branch_time(q, width));
    answer.figure("select", "s", costs.select_time());
    answer.curve("branch", "s", |q| costs.branch_time(q, width));
    answer.curve("select", "s", |_| costs.select_time());
    answer.column("branch / select", "x", |q| costs.branch_time(q, width) / costs.select_time());
    Ok(answer)
}
