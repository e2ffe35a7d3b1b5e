//! `predict batching`: the batch size for a share of peak, and the time of a batch.

use crate::experiments::batching::law::{
    batch_for_efficiency, half_performance_batch, time_per_item,
};
use crate::experiments::batching::level::Level;
use crate::model::figures;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{COUNT, OVERHEAD, SHARE, SHARE_OF_PEAK, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::round_numbers;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "batching",
    about: "How large must a batch be, and how long does a batch of B items take?",
    formula: "T(N) = (N/B)·α + N·t − o·min((N/B)·α, N·t); n½ = α/t if o = 0",
    parameters: &[
        Parameter::new("alpha", "fixed cost per batch α", OVERHEAD).at(&["batching.{level}.alpha"]),
        Parameter::new("t", "cost per item t", TIME).at(&["batching.{level}.t"]),
        Parameter::new("overlap", "share of α hidden behind items, o", SHARE)
            .at(&["batching.{level}.overlap"])
            .or(0.0),
        Parameter::new("share", "required share of peak", SHARE_OF_PEAK).or(0.9),
        Parameter::new("batch", "items per batch B", COUNT).swept(),
    ],
    choices: &[Choice {
        flag: "level",
        what: "level of batching in the record, such as dispatches_per_pass",
        default: "workgroups_per_dispatch",
        among: &[],
    }],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (alpha_s, item_s) = (given.get("alpha")?, given.get("t")?);
    let (overlap, share) = (given.get("overlap")?, given.get("share")?);
    let asked = given.range("batch")?;
    // Rounding noise must not turn an exact 360 into 361.
    let required =
        (batch_for_efficiency(alpha_s, item_s, overlap, share) * (1.0 - 1e-9)).ceil().max(1.0);
    // The default range goes from one item to ten times the required batch size.
    let (first, last) = match asked {
        Some((first, last)) if first < last => (first, last),
        Some((_, last)) => (1.0, last.max(10.0)),
        None => (1.0, (10.0 * required).max(10.0)),
    };
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("batch", ""), &round_numbers(first, last), axes);
    let per_item_s = |batch: f64| time_per_item(alpha_s, item_s, overlap, batch);
    let half = half_performance_batch(alpha_s, item_s, overlap);
    let content = given.chosen_of_record("level").and_then(Level::of).map(Level::content);
    answer.say(format!(
        "A batch of {} {} reaches {} of peak; a batch of {} reaches half of peak.",
        figures::count(required),
        content.as_deref().unwrap_or("items"),
        figure(share, SHARE_OF_ONE),
        figures::digits(half)
    ));
    if let Some((_, batch)) = asked {
        answer.say(format!(
            "A batch of {} takes {}, or {} per item, which is {} of peak.",
            figures::count(batch),
            figure(per_item_s(batch) * batch, "s"),
            figure(per_item_s(batch), "s"),
            figure(item_s / per_item_s(batch), SHARE_OF_ONE)
        ));
    }
    answer.figure("required batch size", "", required);
    answer.figure("n½", "", half);
    answer.curve("time per item", "s", per_item_s);
    answer.column("share of peak", SHARE_OF_ONE, |batch| item_s / per_item_s(batch));
    Ok(answer)
}
