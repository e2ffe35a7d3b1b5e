//! The progress bar of a run.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::bench::{Experiment, Progress, Stage};
use crate::model::{figures, plain};

/// Returns a progress bar on standard error. The bar is hidden if standard error is not a terminal.
pub(super) fn progress_bar(experiment: &Experiment, index: usize, count: usize) -> ProgressBar {
    const STEPS: u64 = 1000;
    let bar = ProgressBar::new(STEPS);
    let template = "{prefix:>20} {bar:24} {percent:>3} % {wide_msg}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
    bar.set_prefix(format!("{}/{count} {}", index + 1, experiment.id));
    bar
}

/// Returns a sign on standard error that the program waits for `what`. It is hidden if standard error is not a terminal.
pub(super) fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let template = "{spinner} {prefix}, {elapsed}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
    bar.set_prefix(plain(what));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Updates the progress bar.
pub(super) fn show(bar: &ProgressBar, progress: Progress) {
    let steps = bar.length().unwrap_or(0) as f64;
    bar.set_position((progress.done * steps) as u64);
    bar.set_message(describe(progress));
}

/// Describes the stage. While samples are taken, the text contains the number of rounds, the half-width of
/// the widest judged interval, and the upper bound of the remaining seconds.
fn describe(progress: Progress) -> String {
    match progress.stage {
        Stage::Searching => "autotuning launch configurations".to_owned(),
        Stage::Sizing => "sizing samples".to_owned(),
        Stage::Verifying => "verifying outputs".to_owned(),
        Stage::Timing => {
            let width = progress.half_width.map(|half| format!(", ±{}", figures::per_cent(half)));
            let left = progress.left_s.map(|left_s| format!(", ≤ {:.0} s left", left_s.ceil()));
            let [width, left] = [width, left].map(Option::unwrap_or_default);
            format!("round {}{width}{left}", progress.rounds)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_shows_rounds_interval_width_and_time_left_if_known() {
        let timing = Progress {
            stage: Stage::Timing,
            done: 0.4,
            rounds: 21,
            half_width: Some(0.031),
            left_s: Some(3.2),
        };
        assert_eq!(describe(timing), "round 21, ±3.1 %, ≤ 4 s left");
        assert_eq!(describe(Progress { half_width: None, left_s: None, ..timing }), "round 21");
        assert_eq!(describe(Progress { stage: Stage::Sizing, ..timing }), "sizing samples");
    }
}
