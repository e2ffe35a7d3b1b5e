//! `warplaw list`.

use std::process::ExitCode;

use super::{CliError, print_text, terminal_width};
use crate::experiments::REGISTRY;
use crate::measure::Idea;

pub(super) fn list() -> Result<ExitCode, CliError> {
    print_text(&text(terminal_width().map_or(UNKNOWN_WIDTH, usize::from)))?;
    Ok(ExitCode::SUCCESS)
}

/// Where nobody says how wide a line may be, as in a file, none is broken.
const UNKNOWN_WIDTH: usize = usize::MAX;

/// The ideas with their experiments: what each tells, and its law.
fn text(width: usize) -> String {
    const INDENT: &str = "               ";
    let mut text = String::new();
    let mut line = |first: &str, rest: &str, words: &str| {
        let options = textwrap::Options::new(width).initial_indent(first).subsequent_indent(rest);
        text.push_str(&textwrap::fill(words, options));
        text.push('\n');
    };
    for (index, idea) in Idea::ALL.into_iter().enumerate() {
        line(if index == 0 { "" } else { "\n" }, "", idea.advice());
        for experiment in REGISTRY.iter().filter(|experiment| experiment.idea == idea) {
            line(&format!("  {:<13}", experiment.id), INDENT, experiment.about);
            line(INDENT, INDENT, experiment.law);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_experiment_is_listed_once_under_its_idea_at_any_width() {
        for width in [40, 80, 200] {
            let text = text(width);
            for experiment in REGISTRY {
                let entry = format!("\n  {:<13}", experiment.id);
                assert_eq!(text.matches(&entry).count(), 1, "{} at {width}", experiment.id);
            }
        }
        let text = text(200);
        let busy = text.split("Keep the hardware busy").nth(1).expect("it is the last idea");
        assert!(busy.contains("occupancy") && busy.contains("overlap") && !busy.contains("ilp"));
    }
}
