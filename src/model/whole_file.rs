//! Files that are written completely or not at all, even if the process ends during the write.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{Error, Result, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes a file at once: see [`WholeFile`].
///
/// # Errors
/// Returns an error if `path` is a directory or a symbolic link without target, or if the operating system
/// reports an error.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(bytes)?;
    file.finish()
}

/// A file that takes the place of an earlier one only when it is complete.
///
/// The bytes go to a hidden file in the same folder, which [`WholeFile::finish`] renames. A missing folder is created,
/// and the permissions of an existing file are kept. A symbolic link is kept, and its target replaced. If the path is
/// not a regular file, or is below `/dev` or `/proc`, the bytes are appended to it at once.
pub struct WholeFile(Destination);

enum Destination {
    Special(File),
    Hidden(NamedTempFile, PathBuf),
}

impl WholeFile {
    /// Opens a hidden file for the file at `path`.
    ///
    /// # Errors
    /// Returns an error if `path` is a directory or a symbolic link without target, or if the operating system
    /// reports an error.
    pub fn create(path: &Path) -> Result<Self> {
        let existing = path.metadata();
        if existing.as_ref().is_ok_and(Metadata::is_dir) {
            return Err(Error::other("the path is a directory"));
        }
        let is_special = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
        if is_special || existing.as_ref().is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(Self(Destination::Special(OpenOptions::new().append(true).open(path)?)));
        }
        if existing.is_err() && path.is_symlink() {
            return Err(Error::other("the path is a symbolic link without target"));
        }
        let target = if existing.is_ok() { path.canonicalize()? } else { path.to_owned() };
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(folder)?;
        let permissions = existing.ok().map(|metadata| metadata.permissions());
        let file = hidden_file(permissions).tempfile_in(folder)?;
        Ok(Self(Destination::Hidden(file, target)))
    }

    /// Puts the complete file in its place.
    ///
    /// # Errors
    /// Returns the error of the operating system.
    pub fn finish(self) -> Result<()> {
        if let Destination::Hidden(file, target) = self.0 {
            file.as_file().sync_all()?;
            file.persist(target)?;
        }
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match &mut self.0 {
            Destination::Special(file) => file.write(bytes),
            Destination::Hidden(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.0 {
            Destination::Special(file) => file.flush(),
            Destination::Hidden(file, _) => file.flush(),
        }
    }
}

/// Returns a builder for a hidden file with these permissions, or with the system's default for new files.
fn hidden_file(permissions: Option<Permissions>) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".warplaw-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(permissions.unwrap_or_else(|| Permissions::from_mode(0o666)));
    }
    #[cfg(not(unix))]
    let _unused = permissions;
    builder
}
