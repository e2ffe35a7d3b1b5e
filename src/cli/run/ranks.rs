//! Runs of several processes, which `mpirun` starts together.

use crate::bench::Experiment;
use crate::cli::error::CliError;
use crate::experiments::REGISTRY;

/// Returns the error of a build that has no message library, with what to type.
#[cfg(not(feature = "mpi"))]
pub(super) fn without_library(experiments: &[&'static Experiment]) -> CliError {
    let experiment = first_in_ranks(experiments);
    CliError::NeedsRanks {
        experiment,
        missing: "MPI, and this warplaw was built without it",
        remedy: format!(
            "sh setup.sh --mpi && cargo install --path . --features mpi, then mpirun -n 2 warplaw run --only {experiment}"
        ),
    }
}

/// Returns the id of the first experiment that needs several processes.
pub(super) fn first_in_ranks(experiments: &[&'static Experiment]) -> &'static str {
    experiments.iter().find(|experiment| experiment.needs_ranks).map_or("", |found| found.id)
}

/// Variables in which launchers tell a process its number, and how many they started.
const LAUNCHERS: [[&str; 2]; 2] =
    [["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"], ["PMI_RANK", "PMI_SIZE"]];

/// Refuses experiments of one process if `mpirun` started several.
///
/// # Errors
/// Returns an error if it did. All but the first process end here, without a word.
pub(super) fn refuse_several_processes(
    experiments: &[&'static Experiment],
) -> Result<(), CliError> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let launched = LAUNCHERS.iter().find_map(|[rank, size]| Some((number(rank)?, number(size)?)));
    let Some((rank, 2..)) = launched else { return Ok(()) };
    if rank > 0 {
        // The launcher ends all processes once one fails, and the first one has yet to say why.
        std::process::exit(0);
    }
    let in_ranks = REGISTRY.iter().filter(|experiment| experiment.needs_ranks);
    Err(CliError::SeveralProcesses {
        experiment: experiments.first().map_or("", |experiment| experiment.id),
        in_ranks: in_ranks.map(|experiment| experiment.id).collect::<Vec<_>>().join(","),
    })
}
