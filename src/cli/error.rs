//! Why a command could not be carried out.

use crate::gpu::GpuError;
use crate::model::RecordError;
use crate::predict::Unanswered;

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The device.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// A record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A law cannot be evaluated.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// `--only` names no experiment.
    #[error("no experiment is called `{name}`; there is: {known}")]
    UnknownExperiment {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A gallery of nothing.
    #[error("there is no record in `{folder}` or the folders in it: `warplaw run` makes one")]
    NoRecords {
        /// Where to look.
        folder: String,
    },
    /// A report cannot be written.
    #[error("cannot write `{path}`: {reason}; choose another place with --out FILE")]
    Unwritable {
        /// Where to.
        path: String,
        /// What the system said.
        reason: String,
    },
}
