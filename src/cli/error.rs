//! Errors of the subcommands.

use crate::gpu::GpuError;
use crate::model::RecordError;
use crate::predict::Unanswered;

/// Reason why a subcommand failed. Each message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// No adapter matches, or the device failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// A record cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A law cannot be evaluated with the given parameters.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// `--only` contains an unknown id.
    #[error("unknown experiment `{name}` in --only; use any of: {known}")]
    UnknownExperiment {
        /// The unknown id.
        name: String,
        /// Known ids, comma-separated.
        known: String,
    },
    /// The folders or patterns that a user named contain no record.
    #[error(
        "`{place}` contains no record (.json, .json.gz or .json.zst); make one with `warplaw run`"
    )]
    NoRecords {
        /// The first folder or pattern.
        place: String,
    },
    /// A comparison has one record only.
    #[error(
        "compare needs two records or more, and found one; name another record, or a folder with several"
    )]
    OneRecord,
    /// A record is checked against that of another device.
    #[error(
        "`{record}` is of {device}, and the baseline is of {baseline}: check records of one device, or add \
         --across-devices"
    )]
    OtherDevice {
        /// Path of the record.
        record: String,
        /// Its device.
        device: String,
        /// The device of the baseline.
        baseline: String,
    },
    /// Costs are to come from the record of another device.
    #[error(
        "`{record}` is of {device}, and the shader runs on {adapter}: give a record of the latter, or add \
         --across-devices to predict the time on the former"
    )]
    OtherRecord {
        /// Path of the record.
        record: String,
        /// Its device.
        device: String,
        /// The device that runs the shader.
        adapter: String,
    },
    /// One file is to hold the records of several adapters.
    #[error(
        "--out {path} names one file, and each adapter has a record of its own; leave out --out"
    )]
    OneFile {
        /// The path.
        path: String,
    },
    /// The other build of a comparison cannot be used.
    #[error(
        "cannot measure against `{program}`: {reason}; give another build of warplaw by --against PROGRAM"
    )]
    OtherBuild {
        /// The program.
        program: String,
        /// Why, in words.
        reason: String,
    },
    /// A process that measures for a comparison failed.
    #[error("{program} failed at {experiment}: {reason}{kept}")]
    Process {
        /// The program.
        program: String,
        /// Id of the experiment.
        experiment: &'static str,
        /// Why, in words.
        reason: String,
        /// Where the results before it are, in words.
        kept: String,
    },
    /// A comparison of two builds is to measure on several adapters.
    #[error(
        "--against measures on one adapter, and --adapter is given {count} times; give it once"
    )]
    OneAdapter {
        /// Number of adapters.
        count: usize,
    },
    /// An experiment needs several processes, and cannot be measured in this one.
    #[error("`{experiment}` needs {missing}: {remedy}")]
    NeedsRanks {
        /// Id of the experiment.
        experiment: &'static str,
        /// What is missing, in words.
        missing: &'static str,
        /// What to type.
        remedy: String,
    },
    /// Experiments of one process are to be measured by several at the same time.
    #[error(
        "mpirun started several processes, which would measure `{experiment}` on the same devices at the same time: \
         start warplaw without mpirun, or add --only {in_ranks}"
    )]
    SeveralProcesses {
        /// Id of the first experiment that one process measures.
        experiment: &'static str,
        /// Ids of the experiments that need several processes, comma-separated.
        in_ranks: String,
    },
    /// The processes that were started together cannot measure together.
    #[error("{0}")]
    Ranks(String),
    /// A shader, or a file with its inputs, cannot be used.
    #[error("`{path}`: {reason}")]
    Unusable {
        /// Path of the file.
        path: String,
        /// Why, in words.
        reason: String,
    },
    /// An output would replace one of the inputs.
    #[error(
        "`{path}` is one of the inputs and is not replaced; choose another file with --out FILE"
    )]
    OutputIsInput {
        /// The path.
        path: String,
    },
    /// An output would replace a file that exists.
    #[error(
        "`{path}` exists and is not replaced; choose another file with --out FILE, or add --force"
    )]
    Exists {
        /// The path.
        path: String,
    },
    /// A file beside the output exists.
    #[error("`{path}` exists and is not replaced; choose another file")]
    Kept {
        /// The path.
        path: String,
    },
    /// An output cannot be written.
    #[error("cannot write `{path}`: {reason}; choose another file with --out FILE")]
    Unwritable {
        /// The path, or `standard output`.
        path: String,
        /// Message of the operating system.
        reason: String,
    },
}
