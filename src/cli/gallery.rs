//! `warplaw gallery`: the pages of a folder of records.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::error::CliError;
use super::output::{named, print_text, write_text};
use crate::model::{self, Performance, RecordError, plain};
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct GalleryArguments {
    /// The folder with a folder of records for each device
    #[arg(default_value = "results", value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn gallery(arguments: &GalleryArguments) -> Result<ExitCode, CliError> {
    make_gallery(&arguments.folder)
}

/// Makes the pages of a folder of records and of what benches left there.
///
/// # Errors
/// When there is no record, one cannot be read, or a page cannot be written.
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
    let mut parts = Vec::new();
    let performance = folder.join(Performance::FOLDER);
    if performance.is_dir() {
        let mut paths = Vec::new();
        find(&performance, 1, &mut paths)?;
        paths.sort();
        for path in &paths {
            parts.push(Performance::read(path)?);
        }
    }
    let shown = folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let command = format!("warplaw gallery {shown}");
    let pages = report::gallery(&named(&records), &parts, command.trim_end());
    for page in &pages {
        write_text(&folder.join(&page.path), &page.text)?;
    }
    let said =
        format!("{} pages of {} records in {}", pages.len(), records.len(), folder.display());
    print_text(&format!("{}\n", plain(&said)))?;
    Ok(ExitCode::SUCCESS)
}

/// A folder of devices, and each device's folder.
const DEPTH: u32 = 2;

/// Every file that ends in `.json`.
fn find(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let unreadable = |error: std::io::Error| RecordError::Unreadable {
        path: folder.display().to_string(),
        reason: error.to_string(),
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            if depth > 1 && !path.ends_with(Performance::FOLDER) {
                find(&path, depth - 1, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    Ok(())
}
