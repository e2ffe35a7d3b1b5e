//! Sets two compile-time variables that identify the sources of a build:
//!
//! - `WARPLAW_GIT_REV`: the commit.
//! - `WARPLAW_GIT_DIRTY`: `true` if the sources, the shaders or `Cargo.toml` have uncommitted changes.
//!
//! Neither is set if git is missing or the build is outside a git checkout.

use std::process::Command;

fn main() {
    for path in [".git/HEAD", ".git/index", "src", "shaders", "Cargo.toml"] {
        // If a listed path is missing, as `.git` is in a source archive, cargo rebuilds the crate every time.
        if std::path::Path::new(path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    if let Some(rev) = git(&["rev-parse", "HEAD"]) {
        println!("cargo:rustc-env=WARPLAW_GIT_REV={rev}");
        if let Some(changes) = git(&["status", "--porcelain", "--", "src", "shaders", "Cargo.toml"])
        {
            println!("cargo:rustc-env=WARPLAW_GIT_DIRTY={}", !changes.is_empty());
        }
    }
}

/// Runs git and returns its output without surrounding whitespace, or `None` if git fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
