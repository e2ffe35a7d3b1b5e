//! Tells the binary which commit it was built from; outside a checkout it says nothing.

use std::process::Command;

fn main() {
    for path in [".git/HEAD", ".git/index", "src", "shaders", "Cargo.toml"] {
        // A path that is missing, as in a tarball, would mean building anew every time.
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

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
