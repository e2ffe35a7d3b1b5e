//! `predict lanes`: the speed-up of the active lanes of a subgroup.

use crate::experiments::lanes::law::{control_per_item, lane_speed_up};
use crate::experiments::width::parameter::WIDTH;
use crate::model::figures;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::WORKGROUP_SIZE;
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::doublings;
use crate::predict::{Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "lanes",
    about: "How much faster than one lane are several active lanes of a subgroup?",
    formula: "speed-up min(a, W); control per item (t_f + t_d) / min(a, W)",
    parameters: &[Parameter::new("a", "number of active lanes, a", WORKGROUP_SIZE).swept(), WIDTH],
    choices: &[],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (first, a) = given.swept("a", 1.0)?;
    let width = given.get("width")?;
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("active lanes", ""), &doublings(first, a), axes);
    let speed_up = |a: f64| lane_speed_up(a, width);
    answer.say(format!(
        "With {width} lanes per subgroup, the speed-up of {} over one lane is {}.",
        figures::counted(a as usize, "active lane"),
        figure(speed_up(a), "x")
    ));
    answer.figure("speed-up", "x", speed_up(a));
    answer.curve("speed-up", "x", speed_up);
    answer.column("share of subgroup lanes used", SHARE_OF_ONE, |a| speed_up(a) / width);
    answer.column("fetch and decode per item, relative to one lane", SHARE_OF_ONE, |a| {
        control_per_item(speed_up(a), 1.0, 0.0)
    });
    Ok(answer)
}
