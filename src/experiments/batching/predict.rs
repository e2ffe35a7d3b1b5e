//! How large a batch must be.

use crate::experiments::batching::law::{
    batch_for_efficiency, half_performance_batch, time_per_item,
};
use crate::experiments::batching::level::Level;
use crate::model::figures;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{COUNT, OVERHEAD, SHARE_OF_PEAK, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::round_numbers;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "batching",
    about: "How large must a batch be, and what does one of B items cost?",
    formula: "T(N) = (N/B)·α + N·t; n½ = α/t",
    parameters: &[
        Parameter::new("alpha", "fixed cost of a batch, α", OVERHEAD)
            .at(&["batching.{level}.alpha"]),
        Parameter::new("t", "cost of an item, t", TIME).at(&["batching.{level}.t"]),
        Parameter::new("share", "share of peak that is wanted", SHARE_OF_PEAK).or(0.9),
        Parameter::new("batch", "items in a batch, B", COUNT).swept(),
    ],
    choices: &[Choice {
        flag: "level",
        what: "level of the record's batching, such as dispatches_per_pass",
        default: "workgroups_per_dispatch",
        among: &[],
    }],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (alpha_s, item_s) = (given.get("alpha")?, given.get("t")?);
    let share = given.get("share")?;
    let asked = given.range("batch")?;
    // Less a trifle, so that 360 and rounding noise is no 361.
    let wanted = (batch_for_efficiency(alpha_s, item_s, share) * (1.0 - 1e-9)).ceil().max(1.0);
    // Unless asked, from a lone item to ten times the batch that is wanted.
    let (first, last) = match asked {
        Some((first, last)) if first < last => (first, last),
        Some((_, last)) => (1.0, last.max(10.0)),
        None => (1.0, (10.0 * wanted).max(10.0)),
    };
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("batch", ""), &round_numbers(first, last), axes);
    let per_item_s = |batch: f64| time_per_item(alpha_s, item_s, batch);
    let half = half_performance_batch(alpha_s, item_s);
    let content = given.chosen_of_record("level").and_then(Level::of).map(Level::content);
    answer.say(format!(
        "Batch {} {} for {} of peak; half of peak is reached at {}.",
        figures::count(wanted),
        content.as_deref().unwrap_or("items"),
        figure(share, SHARE_OF_ONE),
        figures::digits(half)
    ));
    if let Some((_, batch)) = asked {
        answer.say(format!(
            "A batch of {} takes {}, {} an item, {} of peak.",
            figures::count(batch),
            figure(per_item_s(batch) * batch, "s"),
            figure(per_item_s(batch), "s"),
            figure(item_s / per_item_s(batch), SHARE_OF_ONE)
        ));
    }
    answer.figure("batch for the share", "", wanted);
    answer.figure("n½", "", half);
    answer.curve("time per item", "s", per_item_s);
    answer.column("of peak", SHARE_OF_ONE, |batch| item_s / per_item_s(batch));
    Ok(answer)
}
