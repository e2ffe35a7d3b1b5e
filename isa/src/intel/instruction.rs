//! Instructions of Intel's GPUs.

/// An instruction such as `(f0.0) add (16|M0) r2.0<1>:d r4.0<1;1,0>:d 1:w {I@1} // comment`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instruction<'a> {
    /// The flag that it depends on, with `W` if it is executed in all lanes, whichever are on.
    pub(super) predicate: &'a str,
    pub(super) mnemonic: &'a str,
    /// The number of lanes, and the first of them.
    pub(super) lanes: &'a str,
    /// A condition with the flag that it writes, results and operands.
    pub(super) operands: &'a str,
    /// What it waits for, in braces.
    pub(super) schedule: &'a str,
    pub(super) comment: &'a str,
}

impl<'a> Instruction<'a> {
    /// Returns the instruction of a line; `None` if it has none.
    pub(super) fn of(line: &'a str) -> Option<Self> {
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let (predicate, code) = in_parentheses(code.trim());
        let (mnemonic, code) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
        // The operands of `sync` may stand in parentheses, too.
        let (lanes, code) = match in_parentheses(code.trim()) {
            (lanes, rest) if lanes.contains('|') => (lanes, rest),
            _ => ("", code),
        };
        let (operands, schedule) = code.split_once('{').unwrap_or((code, ""));
        let is_one = !mnemonic.is_empty() && !mnemonic.ends_with(':');
        is_one.then_some(Self {
            predicate,
            mnemonic,
            lanes,
            operands: operands.trim(),
            schedule,
            comment,
        })
    }

    /// Returns whether it is executed in all lanes, whichever are on: for what is the same in all lanes.
    pub(super) fn is_scalar(&self) -> bool {
        self.predicate.starts_with('W')
    }

    /// Returns whether it executes the first lanes. The compiler splits an operation of 32 lanes into two or four
    /// instructions, of which this one stands for all.
    pub(super) fn is_first_part(&self) -> bool {
        self.lanes.ends_with("|M0")
    }

    pub(super) fn is_call(&self) -> bool {
        self.mnemonic.starts_with("call")
    }

    pub(super) fn starts(&self, beginnings: &[&str]) -> bool {
        beginnings.iter().any(|beginning| self.mnemonic.starts_with(beginning))
    }

    /// Returns whether it branches.
    pub(super) fn is_branch(&self) -> bool {
        self.starts(&["goto", "jmpi", "while", "if", "else", "break", "cont"])
    }

    /// Returns the flag by which each lane is executed or not.
    pub(super) fn flag(&self) -> Option<&'a str> {
        let flag = self.predicate.trim_start_matches('~');
        (!self.is_scalar() && !flag.is_empty()).then_some(flag)
    }
}

/// Returns the label of a line such as `_0_011:`.
pub(super) fn label(line: &str) -> Option<&str> {
    line.split("//").next()?.trim().strip_suffix(':')
}

/// Splits a text into what stands in parentheses at its beginning, if anything, and the rest.
pub(super) fn in_parentheses(text: &str) -> (&str, &str) {
    let split = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    split.map_or(("", text), |(inside, rest)| (inside, rest.trim()))
}

/// Returns the tokens such as `$3` with the ending that is asked for, such as `.dst`.
pub(super) fn tokens<'a>(text: &'a str, ending: &'a str) -> impl Iterator<Item = &'a str> {
    let words = text.split([',', '(', ')', '}', ' ']);
    words.filter_map(move |word| {
        let (name, end) = word.split_at(word.find('.').unwrap_or(word.len()));
        (name.starts_with('$') && end == ending).then_some(name)
    })
}
