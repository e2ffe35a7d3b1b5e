//! `predict dependence`: the time of dependent and of independent dispatches.

use crate::experiments::dependence::law::{dependent_time, independent_time};
use crate::model::figures;
use crate::predict::answer::{Answer, Scale, figure};
use crate::predict::domain::{COUNT, OVERHEAD, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::round_numbers;
use crate::predict::{Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "dependence",
    about: "What do n small dispatches cost if they depend on one another, and if they are independent?",
    formula: "dependent: n·(α + t); independent: max(n·α_i + t, ⌈n/slots⌉·t + r·α_i), r = 1 + (n − 1) mod slots",
    parameters: &[
        Parameter::new("n", "number of dispatches, n", COUNT).or(16.0).swept(),
        Parameter::new("t", "execution time of a dispatch, t", TIME).at(&["dependence.t_dispatch"]),
        Parameter::new("alpha", "overhead of a dependent dispatch, α", OVERHEAD)
            .at(&["dependence.alpha"]),
        Parameter::new("issue", "overhead of an independent dispatch, α_i", OVERHEAD)
            .at(&["dependence.alpha_issue"]),
        Parameter::new("slots", "slots, the dispatches that run concurrently", COUNT)
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
        "{} dispatches take {} if each waits for the previous one, and {} if they are independent.",
        figures::count(n),
        figure(dependent(n), "s"),
        figure(independent(n), "s"),
    ));
    answer.figure("dependent", "s", dependent(n));
    answer.figure("independent", "s", independent(n));
    answer.figure("speed-up by independence", "x", dependent(n) / independent(n));
    answer.curve("dependent", "s", dependent);
    answer.curve("independent", "s", independent);
    answer.column("speed-up", "x", |n| dependent(n) / independent(n));
    Ok(answer)
}
