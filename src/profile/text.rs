//! The text of a shader: parsing, with errors in one line, and declarations that do not move its lines.

use naga::Module;
use naga::valid::ModuleInfo;

use super::error::ProfileError;
use crate::gpu::{one_line, validator};

pub(super) fn parse(source: &str) -> Result<Module, ProfileError> {
    naga::front::wgsl::parse_str(&without_extensions(source)).map_err(|error| {
        let line = error.location(source).map(|location| location.line_number);
        invalid(line, error.message(), source)
    })
}

pub(super) fn validate(module: &Module, source: &str) -> Result<ModuleInfo, ProfileError> {
    validator().validate(module).map_err(|error| {
        let line = error.location(source).map(|location| location.line_number);
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error.as_inner());
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        invalid(line, &text, source)
    })
}

fn invalid(line: Option<u32>, message: &str, source: &str) -> ProfileError {
    let line = line.map_or(String::new(), |line| format!("line {line}: "));
    let is_template = ["#import", "#include", "#if", "#define", "{{", "{%"];
    let hint = if is_template.iter().any(|mark| source.contains(mark)) {
        "; it seems to need a preprocessor: give the shader that this makes"
    } else {
        ""
    };
    ProfileError::Invalid(format!("{line}{}{hint}", one_line(message)))
}

/// Returns the source without directives that naga does not know and does not need. Everything stays where it is.
fn without_extensions(source: &str) -> String {
    const SUBGROUPS: &str = "enable subgroups;";
    source.replace(SUBGROUPS, &" ".repeat(SUBGROUPS.len()))
}

/// Returns the shader with `declarations`, a single line, after its directives and on the lines that it has, and the bytes of
/// the declarations.
pub(super) fn with_declarations(
    source: &str,
    declarations: &str,
) -> (String, std::ops::Range<usize>) {
    let (before, after) = source.split_at(end_of_directives(source));
    let first = before.len() + 1;
    (format!("{before} {declarations} {after}"), first..first + declarations.len())
}

/// Returns the byte at which the directives of a shader end. Nothing may be declared before them.
pub(super) fn end_of_directives(source: &str) -> usize {
    let (mut end, mut at) = (0, 0);
    loop {
        at += blank(&source[at..]);
        let rest = &source[at..];
        let word =
            rest.len() - rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        if !["enable", "requires", "diagnostic"].contains(&&rest[..word]) {
            return end;
        }
        // Comments may stand in a directive, and contain anything.
        while !source[at..].starts_with(';') {
            let length = source[at..].chars().next().map(char::len_utf8);
            let Some(length) = length else { return end };
            at += blank(&source[at..]).max(length);
        }
        at += 1;
        end = at;
    }
}

/// Returns the length of the blank space and the comments with which `text` begins.
fn blank(text: &str) -> usize {
    const ENDS_OF_LINES: [char; 7] =
        ['\n', '\u{b}', '\u{c}', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let length = if rest.starts_with("//") {
            rest.find(ENDS_OF_LINES).unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            length_of_comment(rest)
        } else {
            rest.len() - rest.trim_start().len()
        };
        if length == 0 {
            return at;
        }
        at += length;
    }
}

/// Returns the length of the block comment with which `text` begins. Block comments can be in one another.
fn length_of_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}
