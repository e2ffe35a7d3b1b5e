//! `predict imbalance`: the cost of stragglers.

use crate::experiments::imbalance::law::straggler_slowdown;
use crate::experiments::width::parameter::WIDTH;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{FACTOR, SHARE};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::{even, round_numbers};
use crate::predict::{Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "imbalance",
    about: "What do stragglers cost, and how much does sorting the work gain?",
    formula: "T/mean = (1 + (h−1)(1−(1−q)^W)) / (1 + (h−1)q); η = mean/max",
    parameters: &[
        Parameter::new("h", "length of a straggler relative to the other items, h", FACTOR),
        Parameter::new("q", "share of items that are stragglers, q", SHARE).swept(),
        WIDTH,
    ],
    choices: &[],
    answer,
};

/// First share of the table if a single share is given. Smaller shares of stragglers hardly matter.
const MIN_SHARE: f64 = 1e-4;

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let h = given.get("h")?;
    let (first, q) = given.swept("q", MIN_SHARE)?;
    let width = given.get("width")?;
    // A logarithmic scale cannot start at 0.
    let (rows, x) = if first > 0.0 {
        (round_numbers(first, q), Scale::Logarithmic)
    } else {
        (even(first, q), Scale::Linear)
    };
    let mut answer =
        Answer::new(given, ("share of stragglers", SHARE_OF_ONE), &rows, [x, Scale::Linear]);
    let slowdown = |q: f64| straggler_slowdown(q, h, width);
    answer.say(format!(
        "If {} of the items take {} as long as the others and the order is random, a subgroup of {width} \
         lanes takes {} the mean time of its lanes. Sorting the items by length gives this speed-up.",
        figure(q, SHARE_OF_ONE),
        figure(h, "x"),
        figure(slowdown(q), "x")
    ));
    answer.figure("slowdown, and speed-up by sorting", "x", slowdown(q));
    answer.figure("efficiency", SHARE_OF_ONE, 1.0 / slowdown(q));
    answer.curve("slowdown", "x", slowdown);
    answer.column("η = mean/max", SHARE_OF_ONE, |q| 1.0 / slowdown(q));
    Ok(answer)
}
