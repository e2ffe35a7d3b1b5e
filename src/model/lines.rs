//! JSON that is readable in a diff: outer levels are indented, and each deeper value is one line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// Depth from which an object is one line: a point, a metric, or a case with all samples.
const OBJECT_IN_A_LINE: usize = 4;
/// Depth from which an array is one line.
const ARRAY_IN_A_LINE: usize = 5;

/// Serialises `value` as JSON that ends with a line break.
pub(super) fn to_lines(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Lines::default()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Formatter that indents outer levels and writes each deeper value as one line.
#[derive(Default)]
struct Lines<'a> {
    pretty: PrettyFormatter<'a>,
    compact: CompactFormatter,
    /// Number of open objects and arrays.
    depth: usize,
    /// Depth of the value that the current line contains; `None` outside such a value.
    line: Option<usize>,
}

/// Implements methods that call the compact formatter inside a line, else the pretty formatter.
macro_rules! delegate {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $method<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $type)*) -> io::Result<()> {
            if self.line.is_some() {
                self.compact.$method(writer $(, $argument)*)
            } else {
                self.pretty.$method(writer $(, $argument)*)
            }
        })*
    };
}

impl Lines<'_> {
    /// Opens an object or array, which begins a line at depth `in_a_line` or deeper.
    fn enter(&mut self, in_a_line: usize) {
        self.depth += 1;
        if self.line.is_none() && self.depth >= in_a_line {
            self.line = Some(self.depth);
        }
    }

    /// Closes an object or array, and the line that began with it.
    fn leave(&mut self) {
        if self.line == Some(self.depth) {
            self.line = None;
        }
        self.depth -= 1;
    }
}

impl Formatter for Lines<'_> {
    delegate! {
        begin_array_value(first: bool);
        end_array_value();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter(ARRAY_IN_A_LINE);
        if self.line.is_some() {
            self.compact.begin_array(writer)
        } else {
            self.pretty.begin_array(writer)
        }
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let ended = if self.line.is_some() {
            self.compact.end_array(writer)
        } else {
            self.pretty.end_array(writer)
        };
        self.leave();
        ended
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter(OBJECT_IN_A_LINE);
        if self.line.is_some() {
            self.compact.begin_object(writer)
        } else {
            self.pretty.begin_object(writer)
        }
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let ended = if self.line.is_some() {
            self.compact.end_object(writer)
        } else {
            self.pretty.end_object(writer)
        };
        self.leave();
        ended
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::to_lines;

    #[test]
    fn outer_levels_are_indented_and_each_point_is_one_line() {
        let point = json!({"x": {"at": [1, 2]}, "y": 2});
        let record =
            json!({"name": "a", "all": [{"id": "e", "points": [point, point], "none": []}]});
        let text = String::from_utf8(to_lines(&record).expect("a write to memory succeeds"))
            .expect("JSON is UTF-8");
        let expected = r#"{
  "all": [
    {
      "id": "e",
      "none": [],
      "points": [
        {"x":{"at":[1,2]},"y":2},
        {"x":{"at":[1,2]},"y":2}
      ]
    }
  ],
  "name": "a"
}
"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).expect("it is JSON"), record);
    }
}
