//! `predict allreduce`: the time of an all-reduce by each algorithm.

use crate::experiments::allreduce::law::{naive_time, recursive_doubling_time, ring_time};
use crate::model::{Interval, figures};
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{BANDWIDTH, BYTES_HELD, COUNT, OVERHEAD, TIME_PER_BYTE};
use crate::predict::given::{Given, Recorded, Unanswered};
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
    // The time per byte of a message depends on its length. A ring sends parts of m/p bytes.
    let betas = Betas { one: beta, by_size: given.by_size("beta") };
    let nearest = betas.nearest(m / p);
    if let Some((_, recorded)) = nearest {
        given.read_instead("beta", recorded);
    }
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("workers", ""), &round_numbers(first, p), axes);
    let ring = |p: f64| ring_time(p, m, alpha_s, betas.of(m / p));
    let doubling = |p: f64| recursive_doubling_time(p, m, alpha_s, betas.of(m));
    let naive = |p: f64| naive_time(p, m, alpha_s, betas.of(m));
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
    if let Some((size, _)) = nearest {
        answer.say(format!(
            "β depends on the length of messages: a ring sends parts of {}, and the nearest length in the record is {}.",
            figure(m / p, "B"),
            figure(*size, "B")
        ));
    }
    // The time grows with α and with β, so that the ends of their intervals give the ends of its range.
    let exactly = |value| Interval { lo: value, hi: value };
    let of_alpha = given.interval("alpha").unwrap_or(exactly(alpha_s));
    let of_beta = given.interval("beta").unwrap_or(exactly(betas.of(m / p)));
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
    answer.figure("naive", "s", naive(p));
    answer.maybe("latency share of the ring", SHARE_OF_ONE, share.is_finite().then_some(share));
    answer.curve("ring", "s", ring);
    answer.column("latency share", SHARE_OF_ONE, latency_share);
    answer.curve("doubling", "s", doubling);
    answer.curve("naive", "s", naive);
    Ok(answer)
}

/// β of messages by their length.
struct Betas {
    /// For all lengths, if none is known.
    one: f64,
    by_size: Vec<(f64, Recorded)>,
}

impl Betas {
    fn nearest(&self, bytes: f64) -> Option<&(f64, Recorded)> {
        let distance = |(size, _): &(f64, Recorded)| (size / bytes).ln().abs();
        self.by_size.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    /// Returns β of messages of `bytes` bytes.
    fn of(&self, bytes: f64) -> f64 {
        self.nearest(bytes).map_or(self.one, |(_, found)| found.value)
    }
}
