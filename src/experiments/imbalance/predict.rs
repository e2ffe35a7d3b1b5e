//! What stragglers cost.

use crate::experiments::imbalance::law::straggler_slowdown;
use crate::experiments::width::parameter::WIDTH;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{FACTOR, SHARE};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::{even, round_numbers};
use crate::predict::{Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "imbalance",
    about: "What do stragglers cost, and what does sorting the work buy?",
    formula: "T/mean = (1 + (h−1)(1−(1−q)^W)) / (1 + (h−1)q); η = mean/max",
    parameters: &[
        Parameter::new("h", "how many times as long a straggler takes as the others", FACTOR),
        Parameter::new("q", "share of the work that straggles", SHARE).swept(),
        WIDTH,
    ],
    choices: &[],
    answer,
};

/// Where a single share is tabled from: a tenth of a thousandth of it would be nobody's straggler.
const MIN_SHARE: f64 = 1e-4;

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let h = given.get("h")?;
    let (first, q) = given.swept("q", MIN_SHARE)?;
    let width = given.get("width")?;
    // From nothing on there are no equal factors.
    let (rows, x) = if first > 0.0 {
        (round_numbers(first, q), Scale::Logarithmic)
    } else {
        (even(first, q), Scale::Linear)
    };
    let mut answer = Answer::new(given, ("straggling", SHARE_OF_ONE), &rows, [x, Scale::Linear]);
    let slowdown = |q: f64| straggler_slowdown(q, h, width);
    answer.say(format!(
        "Where {} of the work takes {} as long, in random order, subgroups of {width} lanes take {} as long as \
         their mean lane works: so much would sorting buy.",
        figure(q, SHARE_OF_ONE),
        figure(h, "x"),
        figure(slowdown(q), "x")
    ));
    answer.figure("slowdown, and what sorting buys", "x", slowdown(q));
    answer.figure("efficiency", SHARE_OF_ONE, 1.0 / slowdown(q));
    answer.curve("slowdown", "x", slowdown);
    answer.column("η = mean/max", SHARE_OF_ONE, |q| 1.0 / slowdown(q));
    Ok(answer)
}
