//! `warplaw gallery`: writes overview pages for a folder of records.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::error::CliError;
use super::input::{collect, named};
use super::output::{check_replaceable, print_text, write_text};
use crate::model::{RecordError, figures, plain};
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct GalleryArguments {
    /// Folder with records, or with one subfolder of records per device
    #[arg(default_value = "results", value_name = "FOLDER")]
    folder: PathBuf,
    /// Replace files that are no pages of warplaw
    #[arg(long)]
    force: bool,
}

pub(super) fn gallery(arguments: &GalleryArguments) -> Result<ExitCode, CliError> {
    make_gallery(&arguments.folder, arguments.force)
}

/// Writes the pages for all records in `folder` and its immediate subfolders into `folder`. Files that are no pages of
/// warplaw are replaced with `force` only.
///
/// # Errors
/// Returns an error if the folder contains no record, a file is in the way of a page, or a page cannot be
/// written.
pub fn make_gallery(folder: &Path, force: bool) -> Result<ExitCode, CliError> {
    let within = |path: &Path| {
        let within = path.strip_prefix(folder).unwrap_or(path);
        let names: Vec<_> = within.iter().map(|name| name.to_string_lossy()).collect();
        names.join("/")
    };
    // A file would be taken for a record.
    std::fs::read_dir(folder).map_err(|error| RecordError::unreadable(folder, &error))?;
    let records = collect(&[folder.to_owned()], |path, record| (within(Path::new(&path)), record))?;
    let shown = folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let command = format!("warplaw gallery {shown}");
    let pages = report::gallery(&named(&records), command.trim_end());
    if !force {
        for page in &pages {
            check_replaceable(&folder.join(&page.path), None)?;
        }
    }
    for page in &pages {
        write_text(&folder.join(&page.path), &page.text)?;
    }
    let summary = format!(
        "wrote {} for {} to {}",
        figures::counted(pages.len(), "page"),
        figures::counted(records.len(), "record"),
        folder.display()
    );
    print_text(&format!("{}\n", plain(&summary)))?;
    Ok(ExitCode::SUCCESS)
}
