//! `predict amdahl`: the speed-up of partly parallel work.

use crate::experiments::amdahl::law::{ceiling, speed_up};
use crate::model::figures;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{SHARE, WORTH};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::round_numbers;
use crate::predict::{Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "amdahl",
    about: "How much faster is partly parallel work on p workers than on one?",
    formula: "S(p) = 1 / ((1−f) + f/p), ceiling 1/(1−f)",
    parameters: &[
        Parameter::new("f", "parallel share of the work", SHARE),
        Parameter::new("p", "workers", WORTH).at(&["amdahl.hardware_workers"]).swept(),
    ],
    choices: &[],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let f = given.get("f")?;
    let (first, p) = given.swept("p", 1.0)?;
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("workers", ""), &round_numbers(first, p), axes);
    let (speed, ceiling) = (speed_up(f, p), ceiling(f));
    let limit = if ceiling.is_finite() {
        format!("no number of workers is more than {} as fast", figure(ceiling, "x"))
    } else {
        "the speed-up has no ceiling".to_owned()
    };
    answer.say(format!(
        "Work that is {} parallel is {} as fast on {} workers as on one worker; {limit}.",
        figure(f, SHARE_OF_ONE),
        figure(speed, "x"),
        figures::count(p),
    ));
    answer.figure("speed-up", "x", speed);
    answer.maybe("ceiling", "x", ceiling.is_finite().then_some(ceiling));
    answer.curve("speed-up", "x", |p| speed_up(f, p));
    answer.column("share of ceiling", SHARE_OF_ONE, |p| speed_up(f, p) / ceiling);
    answer.column("parallel efficiency", SHARE_OF_ONE, |p| speed_up(f, p) / p);
    Ok(answer)
}
