//! `predict ilp`: the number of independent chains that hides a latency.

use crate::experiments::ilp::law::{chains_to_hide, step_time};
use crate::model::figures;
use crate::predict::answer::{Answer, Scale, figure};
use crate::predict::domain::{COUNT, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::doublings;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "ilp",
    about: "How many independent chains hide a latency, and how much speed-up do c chains give?",
    formula: "T = max(L/c, t) per operation; the knee is at c = L/t",
    parameters: &[
        Parameter::new("latency", "latency of an operation, L", TIME).at(&["ilp.latency.{type}"]),
        Parameter::new("issue", "issue time of an independent operation, t", TIME)
            .at(&["ilp.t_issue.{type}"]),
        Parameter::new("c", "number of independent chains, c", COUNT).or(16.0).swept(),
    ],
    choices: &[Choice {
        flag: "type",
        what: "number type to read from the record",
        default: "u32",
        among: &["u32", "f32"],
    }],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (latency_s, issue_s) = (given.get("latency")?, given.get("issue")?);
    let (first, c) = given.swept("c", 1.0)?;
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("chains", ""), &doublings(first, c), axes);
    let knee = chains_to_hide(latency_s, issue_s);
    let time_s = |c: f64| step_time(latency_s, issue_s, c);
    let speed_up = |c: f64| time_s(1.0) / time_s(c);
    answer.say(format!(
        "{} independent chains hide the latency. The speed-up of {} chains over one chain is {}.",
        figures::digits(knee),
        figures::count(c),
        figure(speed_up(c), "x")
    ));
    answer.figure("chains to hide the latency", "", knee);
    answer.figure("speed-up", "x", speed_up(c));
    answer.curve("time per operation", "s", time_s);
    answer.column("speed-up", "x", speed_up);
    Ok(answer)
}
