//! This build and its command line.

use std::path::Path;

use crate::bench::Profile;
use crate::model::Tool;

/// Returns whether this process is a bench, which cargo starts with `--bench`.
pub(super) fn is_bench() -> bool {
    std::env::args_os().skip(1).any(|word| word == "--bench")
}

/// Returns the command as a user would type it.
///
/// The program's path is reduced to its file name. A bench, which cargo starts with `--bench`, becomes
/// `cargo bench --bench laws`.
pub(super) fn command_line(arguments: impl Iterator<Item = std::ffi::OsString>) -> Vec<String> {
    // Arguments may be invalid UTF-8.
    let mut words = arguments.map(|argument| argument.to_string_lossy().into_owned());
    let program = words.next().unwrap_or_default();
    let name = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned());
    let (bench, rest): (Vec<String>, Vec<String>) = words.partition(|word| word == "--bench");
    let mut line: Vec<String> = if bench.is_empty() {
        vec![name.unwrap_or_else(|| "warplaw".to_owned())]
    } else {
        ["cargo", "bench", "--bench", "laws"].map(str::to_owned).to_vec()
    };
    line.extend((!bench.is_empty() && !rest.is_empty()).then(|| "--".to_owned()));
    line.extend(rest);
    line
}

/// Describes this build and its command line, for the record.
pub(super) fn tool(profile: Profile) -> Tool {
    tool_of(profile.name)
}

/// Describes this build and its command line, for a file made by `profile`.
pub(crate) fn tool_of(profile: &str) -> Tool {
    Tool {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_rev: option_env!("WARPLAW_GIT_REV").map(str::to_owned),
        dirty: option_env!("WARPLAW_GIT_DIRTY").map(|dirty| dirty == "true"),
        argv: command_line(std::env::args_os()),
        profile: profile.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_command_is_the_typed_command() {
        let line = |words: &[&str]| command_line(words.iter().map(Into::into)).join(" ");
        assert_eq!(line(&["/a/b/warplaw", "run", "--quick"]), "warplaw run --quick");
        assert_eq!(line(&["/t/laws-0123", "--bench"]), "cargo bench --bench laws");
        let chosen = line(&["/t/laws-0123", "--quick", "--bench"]);
        assert_eq!(chosen, "cargo bench --bench laws -- --quick");
    }
}
