//! What dispatches cost that wait for one another, and what those cost that do not.

use crate::experiments::dependence::law::{dependent_time, independent_time};
use crate::model::figures;
use crate::predict::answer::{Answer, Scale, figure};
use crate::predict::domain::{COUNT, OVERHEAD, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::round_numbers;
use crate::predict::{Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "dependence",
    about: "What do n small dispatches cost that wait for one another, and n that do not?",
    formula: "dependent: n·(α + t); independent: n·α_i + t·⌈n/slots⌉",
    parameters: &[
        Parameter::new("n", "dispatches", COUNT).or(16.0).swept(),
        Parameter::new("t", "work of a dispatch, t", TIME).at(&["dependence.t_dispatch"]),
        Parameter::new("alpha", "cost of a dispatch that waits, α", OVERHEAD)
            .at(&["dependence.alpha"]),
        Parameter::new("issue", "cost of a dispatch that does not, α_i", OVERHEAD)
            .at(&["dependence.alpha_issue"]),
        Parameter::new("slots", "dispatches that run side by side", COUNT)
            .at(&["dependence.slots"]),
    ],
    choices: &[],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (first, n) = given.swept("n", 1.0)?;
    let (work_s, slots) = (given.get("t")?, given.get("slots")?);
    let (alpha_s, issue_s) = (given.get("alpha")?, given.get("issue")?);
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("dispatches", ""), &round_numbers(first, n), axes);
    let dependent = |n: f64| dependent_time(n, alpha_s, work_s);
    let independent = |n: f64| independent_time(n, issue_s, work_s, slots);
    answer.say(format!(
        "{} dispatches that wait for one another take {}, those that do not {}.",
        figures::count(n),
        figure(dependent(n), "s"),
        figure(independent(n), "s"),
    ));
    answer.figure("dependent", "s", dependent(n));
    answer.figure("independent", "s", independent(n));
    answer.figure("speed-up of independence", "x", dependent(n) / independent(n));
    answer.curve("dependent", "s", dependent);
    answer.curve("independent", "s", independent);
    answer.column("speed-up", "x", |n| dependent(n) / independent(n));
    Ok(answer)
}
