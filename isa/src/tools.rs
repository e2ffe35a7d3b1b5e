//! Compilers that are programs of their own.

use std::path::{Path, PathBuf};
use std::process::Output;

/// Returns the first program of some names in `folder`, or in the folders of the variable `PATH`.
pub(crate) fn find(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    let all = folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    all.into_iter().find(|path| path.is_file())
}

/// Returns what a program wrote, to standard output and then to standard error.
///
/// # Errors
/// Returns why the program did not start, or what it wrote if it failed.
pub(crate) fn said(name: &str, output: std::io::Result<Output>) -> Result<String, String> {
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout) + &text(&output.stderr))
    } else {
        Err(format!("{name}: {}", text(&output.stderr)))
    }
}

/// Returns the number that stands before `word`.
pub(crate) fn number_before(text: &str, word: &str) -> Option<u32> {
    let before = &text[..text.find(word)?];
    before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Returns the number that stands after `word`.
pub(crate) fn number_after(text: &str, word: &str) -> Option<u32> {
    let (_, after) = text.split_once(word)?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
