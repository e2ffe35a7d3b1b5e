//! `warplaw predict`: evaluates a law with given or recorded parameters.
//!
//! Each law of the registry is one subcommand. Its flags and their help are generated from the declaration of
//! the law.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::error::CliError;
use super::output::{Forms, Output, json, quoted};
use crate::experiments::laws;
use crate::model::{self, ALIASES};
use crate::predict::Law;
use crate::report;

/// A law with the values of its parameters and choices.
#[derive(Debug)]
pub(super) struct PredictArguments {
    law: &'static Law,
    /// Parameters as flag and range. Both ends of the range are equal for a single value.
    numbers: Vec<(&'static str, (f64, f64))>,
    /// Choices as flag and word.
    words: Vec<(&'static str, String)>,
    /// Record that supplies the other parameters.
    from: Option<PathBuf>,
    output: Output,
}

impl Args for PredictArguments {
    fn augment_args(command: Command) -> Command {
        command
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommand_value_name("LAW")
            .subcommand_help_heading("Laws")
            .disable_help_subcommand(true)
            .subcommands(laws().map(subcommand))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Returns the subcommand for `law`.
fn subcommand(law: &'static Law) -> Command {
    let numbers = law.parameters.iter().map(|parameter| {
        let domain = parameter.domain;
        Arg::new(parameter.flag)
            .long(parameter.flag)
            .value_name(if parameter.swept { "N|A..B" } else { "N" })
            .help(parameter.help())
            .conflicts_with_all(parameter.instead_of)
            // A negative value must fail the domain check, not parse as an unknown flag.
            .allow_hyphen_values(true)
            .value_parser(move |text: &str| {
                if parameter.swept {
                    domain.parse_range(text)
                } else {
                    domain.parse(text).map(|value| (value, value))
                }
            })
    });
    let words = law.choices.iter().map(|choice| {
        let word = Arg::new(choice.flag)
            .long(choice.flag)
            .value_name("WORD")
            .help(choice.what)
            .default_value(choice.default);
        if choice.among.is_empty() { word } else { word.value_parser(choice.among.to_vec()) }
    });
    let aliases = ALIASES.iter().filter(|(_, present)| *present == law.name).map(|(old, _)| *old);
    let command = Command::new(law.name)
        .aliases(aliases)
        .arg_required_else_help(true)
        .args(numbers)
        .args(words)
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("RECORD")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Take parameters that are not given from this record"),
        );
    // `augment_args` sets `about` to the doc comment of `Output`, so the text of the law is set afterwards.
    Output::augment_args(command)
        .about(law.about)
        .long_about(format!("{}\n\n{}", law.about, law.formula))
}

impl FromArgMatches for PredictArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let chosen = matches
            .subcommand()
            .and_then(|(name, matches)| Some((laws().find(|law| law.name == name)?, matches)));
        let (law, matches) =
            chosen.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))?;
        let number = |flag: &'static str| Some((flag, *matches.get_one::<(f64, f64)>(flag)?));
        let word = |flag: &'static str| Some((flag, matches.get_one::<String>(flag)?.clone()));
        Ok(Self {
            law,
            numbers: law.parameters.iter().filter_map(|p| number(p.flag)).collect(),
            words: law.choices.iter().filter_map(|choice| word(choice.flag)).collect(),
            from: matches.get_one::<PathBuf>("from").cloned(),
            output: Output::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Evaluates the law and writes the answer.
///
/// # Errors
/// Returns an error if the record cannot be read, a parameter is missing or invalid, or the answer cannot be
/// written.
pub(super) fn predict(arguments: &PredictArguments) -> Result<ExitCode, CliError> {
    let record = arguments.from.as_ref().map(|path| model::read(path)).transpose()?;
    let mut given = arguments.law.given(record);
    for &(flag, range) in &arguments.numbers {
        given.number(flag, range);
    }
    for (flag, word) in &arguments.words {
        given.word(flag, word.clone());
    }
    let answer = arguments.law.ask(&mut given)?;
    let forms = Forms {
        page: Box::new(|| report::answer(&answer)),
        table: Box::new(|| report::answer_table(&answer)),
        json: Box::new(|| json(&answer)),
    };
    arguments.output.write(forms, &command(arguments), &[])?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the subcommand with its arguments as a user would type it.
fn command(arguments: &PredictArguments) -> String {
    let mut words = vec!["predict".to_owned(), arguments.law.name.to_owned()];
    for (flag, (first, last)) in &arguments.numbers {
        let value = if first < last { format!("{first}..{last}") } else { last.to_string() };
        words.push(format!("--{flag} {value}"));
    }
    for (flag, word) in &arguments.words {
        words.push(format!("--{flag} {word}"));
    }
    words.extend(arguments.from.iter().map(|path| format!("--from {}", quoted(path))));
    words.join(" ")
}
