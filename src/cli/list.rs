//! `warplaw list`.

use std::process::ExitCode;

use super::error::CliError;
use super::output::{print_text, terminal_width};
use crate::bench::Experiment;
use crate::experiments::REGISTRY;
use crate::model::{Category, figures};

/// How to write the list.
#[derive(Debug, clap::Args)]
pub(super) struct ListArguments {
    /// How to write it
    #[arg(long, value_enum, default_value = "terminal")]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ListFormat {
    Terminal,
    Markdown,
}

pub(super) fn list(arguments: &ListArguments) -> Result<ExitCode, CliError> {
    print_text(&match arguments.format {
        ListFormat::Terminal => text(terminal_width().map_or(UNKNOWN_WIDTH, usize::from)),
        ListFormat::Markdown => markdown(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A page of the experiments with their tolerances.
fn markdown() -> String {
    let mut text = String::from("# The experiments\n\n");
    for category in Category::ALL {
        let (advice, reason) = category.advice().split_once(": ").unwrap_or_default();
        text.push_str(&format!(
            "**{advice}**: {reason}\n\n| id | what it tells | the law | tolerance, and why |\n| --- | --- | --- | --- |\n"
        ));
        for experiment in REGISTRY.iter().filter(|experiment| experiment.category == category) {
            let Experiment { id, about, law, tolerance, .. } = experiment;
            let (ratio, reason) = (figures::per_cent(tolerance.ratio), tolerance.reason);
            text.push_str(&format!("| `{id}` | {about} | {law} | ±{ratio}: {reason} |\n"));
        }
        text.push('\n');
    }
    text.push_str("Made by `warplaw list --format markdown`.\n");
    text
}

/// Where nobody says how wide a line may be, as in a file, none is broken.
const UNKNOWN_WIDTH: usize = usize::MAX;

/// The categories with their experiments: what each tells, and its law.
fn text(width: usize) -> String {
    const INDENT: &str = "               ";
    let mut text = String::new();
    let mut line = |first: &str, rest: &str, words: &str| {
        let options = textwrap::Options::new(width).initial_indent(first).subsequent_indent(rest);
        text.push_str(&textwrap::fill(words, options));
        text.push('\n');
    };
    for (index, category) in Category::ALL.into_iter().enumerate() {
        line(if index == 0 { "" } else { "\n" }, "", category.advice());
        for experiment in REGISTRY.iter().filter(|experiment| experiment.category == category) {
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
    fn every_experiment_is_listed_once_under_its_category_at_any_width() {
        for width in [40, 80, 200] {
            let text = text(width);
            for experiment in REGISTRY {
                let entry = format!("\n  {:<13}", experiment.id);
                assert_eq!(text.matches(&entry).count(), 1, "{} at {width}", experiment.id);
            }
        }
        let text = text(200);
        let busy = text.split("Keep the hardware busy").nth(1).expect("it is the last category");
        assert!(busy.contains("occupancy") && busy.contains("overlap") && !busy.contains("ilp"));
    }
}
