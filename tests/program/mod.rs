//! The program as a process, for tests.

#![allow(unreachable_pub, reason = "the tests are crates of their own")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs warplaw in `folder` with these environment variables and with `input` on standard input.
pub fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // A program that fails at once, or reads nothing, closes the pipe.
    let _unread = child.stdin.take().expect("standard input is a pipe").write_all(input);
    child.wait_with_output().expect("the binary ends")
}
