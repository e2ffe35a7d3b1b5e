//! What a k-way branch costs.

use crate::experiments::divergence::law::{efficiency, expected_distinct, time_of_paths};
use crate::experiments::width::parameter::WIDTH;
use crate::model::figures;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{COUNT, OVERHEAD, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::doublings;
use crate::predict::{Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "divergence",
    about: "What does a k-way branch cost?",
    formula: "T = t₀ + Σ (T_j − t₀) over the distinct paths a subgroup takes; η = 1/k",
    parameters: &[
        Parameter::new("k", "paths of the branch", COUNT).swept(),
        WIDTH,
        Parameter::new("arm", "one path alone, choosing it included, T_j", TIME)
            .at(&["divergence.t_arm_mean"]),
        Parameter::new("reach", "choosing alone, no path run, t₀", OVERHEAD)
            .at(&["divergence.t_reach"])
            .or(0.0),
    ],
    choices: &[],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (first, k) = given.swept("k", 1.0)?;
    let width = given.get("width")?;
    let (path, reach_s) = (given.find("arm")?, given.find("reach")?.unwrap_or(0.0));
    // Without a path's time there is still its multiple, of a path beside which choosing is nothing.
    let (path_s, reach_s) = path.map_or((1.0, 0.0), |path_s| (path_s, reach_s));
    if reach_s > path_s {
        return Err(
            given.unfit("reach", "choosing is part of what --arm takes, and cannot take longer")
        );
    }
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("paths", ""), &doublings(first, k), axes);
    let time_s = |distinct: f64| time_of_paths(reach_s, path_s, distinct);
    let alternating = |k: f64| time_s(k.min(width)) / path_s;
    let drawn = |k: f64| time_s(expected_distinct(k, width)) / path_s;
    answer.say(format!(
        "A {}-way branch costs {} one path where neighbouring lanes take different ones, {} where each lane draws \
         its own, and no more than one path where whole subgroups agree.",
        figures::count(k),
        figure(alternating(k), "x"),
        figure(drawn(k), "x"),
    ));
    answer.figure("cost, interleaved", "x", alternating(k));
    answer.figure("cost, random", "x", drawn(k));
    answer.curve("interleaved", "x", alternating);
    answer.curve("random", "x", drawn);
    answer.column("η = 1/k", SHARE_OF_ONE, |k| efficiency(k.min(width)));
    if path.is_some() {
        answer.column("interleaved, time", "s", |k| alternating(k) * path_s);
        answer.column("random, time", "s", |k| drawn(k) * path_s);
    }
    Ok(answer)
}
