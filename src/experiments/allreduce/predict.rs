//! `predict allreduce`: the time of an all-reduce by each algorithm.

use crate::experiments::allreduce::law::{naive_time, recursive_doubling_time, ring_time};
use crate::model::{Interval, figures};
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{BANDWIDTH, BYTES_HELD, COUNT, OVERHEAD, TIME_PER_BYTE};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::round_numbers;
use crate::predict::{Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "allreduce",
    about: "How long do p workers take to all-reduce messages of m bytes?",
    formula: "ring: T = 2(p−1)·α + 2((p−1)/p)·β·m; recursive doubling: ⌈log₂ p⌉·(α + β·m); naive: \
              2(p−1)·(α + β·m)",
    parameters: &[
        Parameter::new("p", "workers", COUNT).swept(),
        Parameter::new("m", "bytes in each worker's message", BYTES_HELD),
        Parameter::new("alpha", "time per message α; in a record, that between ranks, or of two workers", OVERHEAD)
            .at(&["allreduce.alpha", "ring.alpha"]),
        Parameter::new(
            "beta",
            "time per byte β, or give --bandwidth; in a record, that between ranks, or of two workers",
            TIME_PER_BYTE,
        )
        .at(&["allreduce.beta", "ring.beta"]),
        Parameter::new("bandwidth", "bandwidth 1/β", BANDWIDTH).instead_of("beta"),
    ],
    choices: &[],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (first, p) = given.swept("p", 1.0)?;
    let (m, alpha_s) = (given.get("m")?, given.get("alpha")?);
    let beta = match given.find("bandwidth")? {
        Some(bandwidth) => 1.0 / bandwidth,
        None => given.get("beta")?,
    };
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("workers", ""), &round_numbers(first, p), axes);
    let ring = |p: f64| ring_time(p, m, alpha_s, beta);
    let doubling = |p: f64| recursive_doubling_time(p, m, alpha_s, beta);
    let latency_share = |p: f64| ring_time(p, 0.0, alpha_s, beta) / ring(p);
    let share = latency_share(p);
    let latency = if share.is_finite() {
        format!(" ({} latency)", figure(share, SHARE_OF_ONE))
    } else {
        String::new()
    };
    answer.say(format!(
        "An all-reduce of {} bytes among {} workers completes in {} by a ring{latency}; by recursive \
         doubling, in {}. The prediction assumes that the workers do not slow each other down.",
        figures::count(m),
        figures::count(p),
        figure(ring(p), "s"),
        figure(doubling(p), "s"),
    ));
    // The time grows with α and with β, so that the ends of their intervals give the ends of its range.
    let within = |flag, value| given.interval(flag).unwrap_or(Interval { lo: value, hi: value });
    let (of_alpha, of_beta) = (within("alpha", alpha_s), within("beta", beta));
    let range = [(of_alpha.lo, of_beta.lo), (of_alpha.hi, of_beta.hi)]
        .map(|(alpha_s, beta)| ring_time(p, m, alpha_s, beta));
    let range = Some(range).filter(|[least, most]| least < most);
    if let Some([least, most]) = range {
        answer.say(format!(
            "With α and β anywhere in their 95 % intervals, the ring completes in {} to {}. How other links and larger \
             numbers of workers differ from those that were measured comes on top.",
            figure(least, "s"),
            figure(most, "s")
        ));
    }
    answer.figure("ring", "s", ring(p));
    answer.maybe("ring, at least", "s", range.map(|[least, _]| least));
    answer.maybe("ring, at most", "s", range.map(|[_, most]| most));
    answer.figure("recursive doubling", "s", doubling(p));
    answer.figure("naive", "s", naive_time(p, m, alpha_s, beta));
    answer.maybe("latency share of the ring", SHARE_OF_ONE, share.is_finite().then_some(share));
    answer.curve("ring", "s", ring);
    answer.column("latency share", SHARE_OF_ONE, latency_share);
    answer.curve("doubling", "s", doubling);
    answer.curve("naive", "s", |p| naive_time(p, m, alpha_s, beta));
    Ok(answer)
}
