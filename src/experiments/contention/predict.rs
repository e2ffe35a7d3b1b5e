//! `predict contention`: the time of an atomic on few and on many counters.

use crate::experiments::contention::law::{atomic_time, counters_to_spread};
use crate::model::figures;
use crate::predict::answer::{Answer, Scale, figure};
use crate::predict::domain::{COUNT, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::doublings;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "contention",
    about: "What does an atomic cost if the atomics are spread over c counters?",
    formula: "T = max(t_s/c, t_p) per atomic; the knee is at c = t_s/t_p",
    parameters: &[
        Parameter::new("serial", "time from one atomic to the next on a shared counter, t_s", TIME)
            .at(&["contention.t_request.{operation}", "contention.t_serial.{operation}"]),
        Parameter::new("parallel", "time per atomic without contention, t_p", TIME)
            .at(&["contention.t_parallel.{operation}"]),
        Parameter::new("c", "number of counters, c", COUNT).or(64.0).swept(),
    ],
    choices: &[Choice {
        flag: "operation",
        what: "atomic operation to read from the record",
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
        "On {} counters, an atomic takes {} at best, which is {} as fast as on one counter. More than {} \
         counters give no further speed-up.",
        figures::count(c),
        figure(time_s(c), "s"),
        figure(speed_up(c), "x"),
        figures::digits(knee),
    ));
    answer.figure("counters needed to end contention", "", knee);
    answer.figure("speed-up", "x", speed_up(c));
    answer.curve("time per atomic", "s", time_s);
    answer.column("speed-up", "x", speed_up);
    Ok(answer)
}
