//! `predict occupancy`: the number of subgroups that hide the latency of memory.

use crate::experiments::ilp::law::{chains_to_hide, step_time};
use crate::model::figures;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{COUNT, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::doublings;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "occupancy",
    about: "How many subgroups hide the latency of memory, and what share of peak do n subgroups reach?",
    formula: "n subgroups load at the rate min(n/L, peak); the knee is at n = L·peak",
    parameters: &[
        Parameter::new("latency", "load latency, L", TIME).at(&["occupancy.latency.{size}"]),
        Parameter::new("step", "time per subgroup load at peak, 1/peak", TIME)
            .at(&["occupancy.t_step.{size}"]),
        Parameter::new("n", "number of subgroups, n", COUNT).or(64.0).swept(),
    ],
    choices: &[Choice {
        flag: "size",
        what: "working set whose measurements are taken from the record",
        default: "64_MiB",
        among: &["16_KiB", "256_KiB", "64_MiB"],
    }],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (latency_s, least_s) = (given.get("latency")?, given.get("step")?);
    let (first, n) = given.swept("n", 1.0)?;
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("subgroups", ""), &doublings(first, n), axes);
    let knee = chains_to_hide(latency_s, least_s);
    let time_s = |n: f64| step_time(latency_s, least_s, n);
    let of_peak = |n: f64| least_s.min(latency_s) / time_s(n);
    answer.say(format!(
        "The peak needs {} subgroups. At n = {}, the launch reaches {} of the peak.",
        figures::digits(knee),
        figures::count(n),
        figure(of_peak(n), SHARE_OF_ONE)
    ));
    answer.figure("subgroups to reach peak", "", knee);
    answer.figure("share of peak", SHARE_OF_ONE, of_peak(n));
    answer.curve("time per subgroup load", "s", time_s);
    answer.column("share of peak", SHARE_OF_ONE, of_peak);
    Ok(answer)
}
