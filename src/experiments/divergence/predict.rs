//! `predict divergence`: the cost of a k-way branch.

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
    formula: "T = t₀ + Σ (T_j − t₀) over the distinct paths that a subgroup takes; η = 1/k if t₀ = 0 and k ≤ W",
    parameters: &[
        Parameter::new("k", "number of paths of the branch, k", COUNT).swept(),
        WIDTH,
        Parameter::new("path", "time of one path alone, selection included, T_j", TIME)
            .at(&["divergence.t_arm_mean"]),
        Parameter::new("t0", "time to select a path, no path run, t₀", OVERHEAD)
            .at(&["divergence.t_reach"])
            .or(0.0),
    ],
    choices: &[],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (first, k) = given.swept("k", 1.0)?;
    let width = given.get("width")?;
    let (path, t0_s) = (given.find("path")?, given.find("t0")?.unwrap_or(0.0));
    // Without the time of a path, the answer is in multiples of that time, and t₀ counts as 0.
    let (path_s, t0_s) = path.map_or((1.0, 0.0), |path_s| (path_s, t0_s));
    if t0_s > path_s {
        return Err(given.unfit("t0", "t₀ is part of the time of a path and cannot exceed --path"));
    }
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("paths", ""), &doublings(first, k), axes);
    let time_s = |distinct: f64| time_of_paths(t0_s, path_s, distinct);
    let alternating = |k: f64| time_s(k.min(width)) / path_s;
    let drawn = |k: f64| time_s(expected_distinct(k, width)) / path_s;
    answer.say(format!(
        "A {}-way branch costs {} as much as one path if neighbouring lanes take different paths, and {} as \
         much if each lane takes a random path. If all lanes of a subgroup take the same path, it costs one \
         path.",
        figures::count(k),
        figure(alternating(k), "x"),
        figure(drawn(k), "x"),
    ));
    answer.figure("cost, interleaved", "x", alternating(k));
    answer.figure("cost, random", "x", drawn(k));
    answer.curve("interleaved", "x", alternating);
    answer.curve("random", "x", drawn);
    answer.column("efficiency η", SHARE_OF_ONE, |k| efficiency(k.min(width)));
    if path.is_some() {
        answer.column("interleaved, time", "s", |k| alternating(k) * path_s);
        answer.column("random, time", "s", |k| drawn(k) * path_s);
    }
    Ok(answer)
}
