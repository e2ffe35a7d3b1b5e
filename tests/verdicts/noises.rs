//! Every kind of noise under which the subjects are measured.

use std::sync::LazyLock;

use warplaw::sim::{Clocks, Interference, Noise, Preemption, Throttle};

/// Factors by which the samples of a run on lavapipe were longer than the lower third of their case, in the order of
/// the samples. Each line of the file is a round, in thousandths.
fn recorded(text: &str) -> &'static [f64] {
    let factors = text.split_whitespace().map(|word| word.parse::<f64>().expect("a number") / 1e3);
    factors.collect::<Vec<_>>().leak()
}

/// Noise of lavapipe with two threads on an idle virtual machine of two cores.
static TWO_THREADS: LazyLock<&[f64]> =
    LazyLock::new(|| recorded(include_str!("../data/noise/two-threads.txt")));
/// Noise of lavapipe with one thread on the same machine.
static ONE_THREAD: LazyLock<&[f64]> =
    LazyLock::new(|| recorded(include_str!("../data/noise/one-thread.txt")));

pub(crate) const NOISES: usize = 10;

/// Returns every kind of noise with its name. The start of the throttle depends on the seed.
pub(crate) fn noises(seed: u64) -> [(&'static str, Noise); NOISES] {
    let still = Noise { spread: 0.003, ..Noise::default() };
    // The throttle starts in the middle of a round. A run has two warm-up rounds and at least fourteen counted
    // rounds.
    let after_rounds = 3.5 + (seed % 11) as f64;
    [
        ("none", Noise::default()),
        ("normal", Noise { spread: 0.03, ..Noise::default() }),
        ("drift", Noise { drift: 0.01, ..still }),
        ("bimodal clocks", Noise { clocks: Some(Clocks { ratio: 1.8, change: 0.02 }), ..still }),
        ("heavy tail", Noise { tail: 0.2, ..still }),
        ("throttle", Noise { throttle: Some(Throttle { after_rounds, ratio: 2.0 }), ..still }),
        (
            "interference",
            Noise {
                interference: Some(Interference { period_s: 25e-3, share: 0.4, ratio: 3.0 }),
                ..still
            },
        ),
        (
            "preemption",
            Noise { preemption: Some(Preemption { per_s: 200.0, for_s: 4e-3 }), ..still },
        ),
        ("recorded, 2 threads", Noise { recorded: Some(*TWO_THREADS), ..Noise::default() }),
        ("recorded, 1 thread", Noise { recorded: Some(*ONE_THREAD), ..Noise::default() }),
    ]
}
