//! The page of the machines, their parameters and the verdicts on them.

use std::fmt::Write;

use warplaw::experiments::REGISTRY;
use warplaw::model::figures;

use crate::parameters::{PARAMETERS, Parameter};
use crate::{BROKEN, Broken, Run};

/// Returns the page as Markdown.
pub(crate) fn page(runs: &[Run]) -> String {
    let mut text = String::from(
        "# Simulated machines\n\n\
         All experiments run on simulated GPUs whose parameters are known. Durations follow from mechanisms: schedulers \
         that resident subgroups share, caches by level, slices that serve atomics, a launch queue, a clock that slows \
         down in pauses. A machine uses no prediction of an experiment. So each table compares what an experiment finds with \
         the truth.\n\n\
         This proves that an experiment finds a parameter, and whether its law holds, on a device made of these \
         mechanisms. It does not prove that a GPU is made of them. Some mechanisms have the form of a law, such as the longer \
         of issuing and latency; there it proves only that the parameters are found. The machines have parameters of public size, and none is \
         a model of one product: see `src/sim/machines/`.\n\n\
         `WARPLAW_UPDATE=1 cargo test --test machines` makes this page. The test also asserts that 95 % of the parameters \
         are found within 5 % and all within 15 %, and that normal noise of 3 % turns no verdict into its opposite.\n\n\
         ## Verdicts\n\n",
    );
    let mut line = |cells: &[String]| {
        let _infallible = writeln!(text, "| {} |", cells.join(" | "));
    };
    let numbers: Vec<String> = (1..=runs.len()).map(|number| number.to_string()).collect();
    line(&[vec!["experiment".to_owned()], numbers].concat());
    line(&vec!["---".to_owned(); runs.len() + 1]);
    for experiment in REGISTRY {
        let verdicts = runs.iter().map(|run| {
            let verdict = run.experiment(experiment.id).verdict;
            verdict.map_or_else(|| "none".to_owned(), |verdict| verdict.as_str().to_owned())
        });
        line(&[vec![format!("`{}`", experiment.id)], verdicts.collect()].concat());
    }
    text.push_str("\nThe machines:\n\n");
    for (number, run) in runs.iter().enumerate() {
        let _infallible = writeln!(text, "{}. {}", number + 1, run.machine.name);
    }
    text.push_str(
        "\nWhere a law deviates, the diagnosis names the mechanism. The figures are those of the first machine in the list:\n\n",
    );
    for Broken { experiment, machines, words } in BROKEN {
        let numbers: Vec<String> = machines.iter().map(ToString::to_string).collect();
        let first = machines.first().and_then(|number| runs.get(number - 1));
        let said = first.into_iter().flat_map(|run| &run.experiment(experiment).diagnosis);
        let Some(said) = said.into_iter().find(|entry| entry.contains(words)) else { continue };
        let _infallible = writeln!(text, "- `{experiment}` ({}): {said}", numbers.join(", "));
    }
    text.push_str("\n## Parameters\n");
    for run in runs {
        let _infallible = write!(text, "\n### {}\n\n", run.machine.name);
        text.push_str("| parameter | truth | found | error | metric |\n");
        text.push_str("| --- | ---: | ---: | ---: | --- |\n");
        for parameter in PARAMETERS {
            if let Some(values) = run.values(parameter) {
                text.push_str(&row(parameter, values));
            }
        }
    }
    text
}

fn row(parameter: &Parameter, [truth, found]: [f64; 2]) -> String {
    let Parameter { label, unit, experiment, metric, .. } = parameter;
    let [true_figure, figure] = [truth, found].map(|value| figures::quantity(value, unit));
    let error = 100.0 * (found / truth - 1.0);
    // An error of zero has no sign.
    let error = if error.abs() < 0.05 { 0.0 } else { error };
    format!("| {label} | {true_figure} | {figure} | {error:.1} % | `{experiment}.{metric}` |\n")
}
