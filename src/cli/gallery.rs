//! `warplaw gallery`: writes overview pages for a folder of records.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::error::CliError;
use super::output::{named, print_text, write_text};
use crate::model::{self, RecordError, plain};
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct GalleryArguments {
    /// Folder with records, or with one subfolder of records per device
    #[arg(default_value = "results", value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn gallery(arguments: &GalleryArguments) -> Result<ExitCode, CliError> {
    make_gallery(&arguments.folder)
}

/// Writes the pages for all records in `folder` and its immediate subfolders into `folder`.
///
/// # Errors
/// Returns an error if the folder contains no record, a file cannot be read, or a page cannot be written.
pub fn make_gallery(folder: &Path) -> Result<ExitCode, CliError> {
    let mut paths = Vec::new();
    find(folder, DEPTH, &mut paths)?;
    if paths.is_empty() {
        return Err(CliError::NoRecords { folder: folder.display().to_string() });
    }
    paths.sort();
    let mut records = Vec::with_capacity(paths.len());
    for path in &paths {
        let within = path.strip_prefix(folder).unwrap_or(path);
        let names: Vec<_> = within.iter().map(|name| name.to_string_lossy()).collect();
        records.push((names.join("/"), model::read(path)?));
    }
    let shown = folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let command = format!("warplaw gallery {shown}");
    let pages = report::gallery(&named(&records), command.trim_end());
    for page in &pages {
        write_text(&folder.join(&page.path), &page.text)?;
    }
    let summary = format!(
        "wrote {} pages for {} records to {}",
        pages.len(),
        records.len(),
        folder.display()
    );
    print_text(&format!("{}\n", plain(&summary)))?;
    Ok(ExitCode::SUCCESS)
}

/// Folder levels that are searched for records: the folder itself, and one subfolder per device.
const DEPTH: u32 = 2;

/// Adds the `.json` files of `folder` to `found`, and those of its subfolders if `depth` is above 1.
fn find(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let unreadable = |error: std::io::Error| RecordError::Unreadable {
        path: folder.display().to_string(),
        reason: error.to_string(),
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            if depth > 1 {
                find(&path, depth - 1, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    Ok(())
}
