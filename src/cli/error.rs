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
    /// The folder of a gallery contains no record.
    #[error(
        "`{folder}` and its subfolders contain no record (.json file); make one with `warplaw run`"
    )]
    NoRecords {
        /// The folder.
        folder: String,
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
