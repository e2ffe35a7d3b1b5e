//! What atomics cost on few counters and on many.

use crate::experiments::contention::law::{atomic_time, counters_to_spread};
use crate::model::figures;
use crate::predict::answer::{Answer, Scale, figure};
use crate::predict::domain::{COUNT, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::doublings;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "contention",
    about: "What does an atomic cost where they are spread over c counters?",
    formula: "an atomic takes max(t_s/c, t_p); the knee is at c = t_s/t_p",
    parameters: &[
        Parameter::new("serial", "time of an atomic behind another on its counter, t_s", TIME)
            .at(&["contention.t_serial.{operation}"]),
        Parameter::new("parallel", "time of an atomic where each has its own counter, t_p", TIME)
            .at(&["contention.t_parallel.{operation}"]),
        Parameter::new("c", "counters", COUNT).or(64.0).swept(),
    ],
    choices: &[Choice {
        flag: "operation",
        what: "the record's atomics",
        default: "add",
        among: &["add", "max"],
    }],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (serial_s, parallel_s) = (given.get("serial")?, given.get("parallel")?);
    let (first, c) = given.swept("c", 1.0)?;
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("counters", ""), &doublings(first, c), axes);
    let knee = counters_to_spread(serial_s, parallel_s);
    let time_s = |c: f64| atomic_time(serial_s, parallel_s, c);
    let speed_up = |c: f64| time_s(1.0) / time_s(c);
    answer.say(format!(
        "On {} counters an atomic takes {} at best, {} as fast as on one; more than {} buy nothing further.",
        figures::count(c),
        figure(time_s(c), "s"),
        figure(speed_up(c), "x"),
        figures::digits(knee),
    ));
    answer.figure("counters that are enough", "", knee);
    answer.figure("speed-up", "x", speed_up(c));
    answer.curve("time per atomic", "s", time_s);
    answer.column("speed-up", "x", speed_up);
    Ok(answer)
}
