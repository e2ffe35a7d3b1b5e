//! Random structured programs, as WGSL and as code of a small machine that knows nothing of WGSL or naga.
//!
//! All decisions of a program come from a table: the n-th decision of a lane is entry n of its column. After the end of the
//! table every decision is 0, which ends loops, so that every program ends.

use std::collections::BTreeMap;
use std::fmt::Write;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Lanes of a workgroup.
pub(crate) const LANES: usize = 128;
/// Entries of the table for each lane. The last one is 0.
pub(crate) const DECISIONS: usize = 48;

/// A statement.
#[derive(Debug, Clone)]
enum Node {
    /// A statement that is counted, with its number.
    Mark(usize),
    If(Vec<Node>, Vec<Node>),
    /// A switch: the blocks of its cases, of which the last is that of the default case. The first case has two selectors
    /// if there are more than two blocks.
    Switch(Vec<Vec<Node>>),
    /// A loop that decides at its begin whether to go on.
    While(Vec<Node>),
    /// A loop that decides at its end, and what it does there before it decides.
    Until(Vec<Node>, Vec<Node>),
    Break,
    Continue,
    Return,
    Call(usize),
}

/// A random program: a number of functions, each of which calls only those before it. The last one is the entry point.
#[derive(Debug)]
pub(crate) struct Program {
    functions: Vec<Vec<Node>>,
    pub(crate) marks: usize,
}

/// Where a statement stands.
#[derive(Clone, Copy)]
struct Place {
    function: usize,
    depth: u32,
    in_loop: bool,
    /// Whether a break would leave a loop or a switch that is not the end of a loop.
    can_break: bool,
}

impl Program {
    /// Returns the program of `seed`.
    pub(crate) fn random(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut program = Self { functions: Vec::new(), marks: 0 };
        let functions = rng.random_range(1..=3);
        for function in 0..functions {
            let place = Place { function, depth: 0, in_loop: false, can_break: false };
            let body = program.block(&mut rng, place);
            program.functions.push(body);
        }
        program
    }

    fn mark(&mut self) -> Node {
        self.marks += 1;
        Node::Mark(self.marks - 1)
    }

    fn block(&mut self, rng: &mut ChaCha8Rng, place: Place) -> Vec<Node> {
        let mut nodes = vec![self.mark()];
        let inner = Place { depth: place.depth + 1, ..place };
        for _ in 0..rng.random_range(0..=3u32.saturating_sub(place.depth / 2)) {
            let node = match rng.random_range(0..9) {
                0..=2 if place.depth < 4 => {
                    let accept = self.block(rng, inner);
                    let has_else = rng.random_bool(0.6);
                    let reject = if has_else { self.block(rng, inner) } else { vec![] };
                    Node::If(accept, reject)
                }
                3 if place.depth < 4 => {
                    let cases = rng.random_range(2..=4);
                    let of_case = Place { can_break: true, ..inner };
                    Node::Switch((0..cases).map(|_| self.block(rng, of_case)).collect())
                }
                4 if place.depth < 3 => {
                    let of_loop = Place { in_loop: true, can_break: true, ..inner };
                    Node::While(self.block(rng, of_loop))
                }
                5 if place.depth < 3 => {
                    let of_loop = Place { in_loop: true, can_break: true, ..inner };
                    let body = self.block(rng, of_loop);
                    Node::Until(body, vec![self.mark()])
                }
                6 if place.function > 0 => Node::Call(rng.random_range(0..place.function)),
                _ => self.mark(),
            };
            nodes.push(node);
        }
        // What ends a block stands at its end.
        if place.depth > 0 && rng.random_bool(0.25) {
            match rng.random_range(0..3) {
                0 if place.can_break => nodes.push(Node::Break),
                1 if place.in_loop => nodes.push(Node::Continue),
                2 => nodes.push(Node::Return),
                _ => (),
            }
        }
        nodes
    }

    /// Returns the program as WGSL, and the line of each mark, from 1.
    pub(crate) fn wgsl(&self) -> (String, BTreeMap<usize, u32>) {
        let mut text = format!(
            "@group(0) @binding(0) var<storage, read> table: array<u32>;\n\
             @group(0) @binding(1) var<storage, read_write> output: array<u32>;\n\
             var<private> lane: u32;\n\
             var<private> decided: u32;\n\
             var<private> sum: u32;\n\
             fn decide(outcomes: u32) -> u32 {{\n    \
                 let at = min(decided, {last}u);\n    \
                 decided += 1u;\n    \
                 return table[at * {LANES}u + lane] % outcomes;\n\
             }}\n",
            last = DECISIONS - 1
        );
        let mut lines = BTreeMap::new();
        let (entry, functions) = self.functions.split_last().expect("a program has an entry point");
        for (index, body) in functions.iter().enumerate() {
            let _infallible = writeln!(text, "fn f{index}() {{");
            write_block(&mut text, body, &mut lines);
            text.push_str("}\n");
        }
        text.push_str("fn body() {\n");
        write_block(&mut text, entry, &mut lines);
        let _infallible = write!(
            text,
            "}}\n@compute @workgroup_size({LANES})\n\
             fn main(@builtin(local_invocation_index) index: u32) {{\n    \
                 lane = index;\n    body();\n    output[index] = sum;\n}}\n"
        );
        (text, lines)
    }

    /// Returns the program as code of the machine.
    pub(crate) fn code(&self) -> Code {
        let mut code = Code { operations: Vec::new(), functions: Vec::new() };
        for body in &self.functions {
            code.functions.push(code.operations.len());
            let end = code.block(body, &mut Vec::new());
            let here = code.operations.len();
            code.aim(&end, here);
            code.operations.push(Operation::Return);
        }
        code
    }
}

fn write_block(text: &mut String, block: &[Node], lines: &mut BTreeMap<usize, u32>) {
    for node in block {
        write_node(text, node, lines);
    }
}

fn write_node(text: &mut String, node: &Node, lines: &mut BTreeMap<usize, u32>) {
    match node {
        Node::Mark(mark) => {
            let line = text.matches('\n').count() as u32 + 1;
            lines.insert(*mark, line);
            let _infallible = writeln!(text, "sum = sum * 5u + {}u;", mark + 1);
        }
        Node::If(accept, reject) => {
            text.push_str("if decide(2u) != 0u {\n");
            write_block(text, accept, lines);
            if !reject.is_empty() {
                text.push_str("} else {\n");
                write_block(text, reject, lines);
            }
            text.push_str("}\n");
        }
        Node::Switch(cases) => {
            let _infallible = writeln!(text, "switch decide({}u) {{", outcomes_of_switch(cases));
            let (default, others) = cases.split_last().expect("a switch has cases");
            let mut next = 0;
            for (index, case) in others.iter().enumerate() {
                let selectors = if index == 0 && cases.len() > 2 {
                    format!("{next}u, {}u", next + 1)
                } else {
                    format!("{next}u")
                };
                next += selectors.split(',').count();
                let _infallible = writeln!(text, "case {selectors}: {{");
                write_block(text, case, lines);
                text.push_str("}\n");
            }
            text.push_str("default: {\n");
            write_block(text, default, lines);
            text.push_str("}\n}\n");
        }
        Node::While(body) => {
            text.push_str("loop {\nif decide(3u) == 0u { break; }\n");
            write_block(text, body, lines);
            text.push_str("}\n");
        }
        Node::Until(body, end) => {
            text.push_str("loop {\n");
            write_block(text, body, lines);
            text.push_str("continuing {\n");
            write_block(text, end, lines);
            text.push_str("break if decide(3u) == 0u;\n}\n}\n");
        }
        Node::Break => text.push_str("break;\n"),
        Node::Continue => text.push_str("continue;\n"),
        Node::Return => text.push_str("return;\n"),
        Node::Call(function) => {
            let _infallible = writeln!(text, "f{function}();");
        }
    }
}

/// Returns the number of outcomes of the decision of a switch: one for each selector and one for the default case.
fn outcomes_of_switch(cases: &[Vec<Node>]) -> u32 {
    cases.len() as u32 + u32::from(cases.len() > 2)
}

/// An operation of the machine.
#[derive(Debug, Clone)]
enum Operation {
    Mark(usize),
    /// Takes the next entry of the table modulo the number of targets and goes to the target with this number. A replay
    /// of the WGSL sees the outcome of the same number in `seen`, out of `of`.
    Decide {
        targets: Vec<usize>,
        seen: Vec<u32>,
        of: u32,
    },
    Jump(usize),
    Call(usize),
    Return,
}

/// The code of a program.
#[derive(Debug)]
pub(crate) struct Code {
    operations: Vec<Operation>,
    /// First operation of each function.
    functions: Vec<usize>,
}

/// Jumps out of a loop or of a switch whose targets are not known yet.
#[derive(Default)]
struct Out {
    is_loop: bool,
    breaks: Vec<usize>,
    continues: Vec<usize>,
}

impl Code {
    /// Adds a block. Returns its jumps to the end of the function.
    fn block(&mut self, block: &[Node], out: &mut Vec<Out>) -> Vec<usize> {
        let mut returns = Vec::new();
        for node in block {
            self.node(node, out, &mut returns);
        }
        returns
    }

    fn node(&mut self, node: &Node, out: &mut Vec<Out>, returns: &mut Vec<usize>) {
        match node {
            Node::Mark(mark) => self.operations.push(Operation::Mark(*mark)),
            Node::If(accept, reject) => {
                let decision = self.decide(vec![0, 1], 2);
                let accepting = self.operations.len();
                returns.extend(self.block(accept, out));
                let over = self.jump();
                let rejecting = self.operations.len();
                returns.extend(self.block(reject, out));
                self.set_targets(decision, vec![rejecting, accepting]);
                let here = self.operations.len();
                self.aim(&[over], here);
            }
            Node::Switch(cases) => {
                // Each selector is a case of its own. The first of two leads to the block of the second.
                let of = outcomes_of_switch(cases);
                let double = u32::from(cases.len() > 2);
                let seen = (0..of).map(|outcome| outcome.max(double)).collect();
                let decision = self.decide(seen, of);
                out.push(Out::default());
                let (mut starts, mut over) = (Vec::new(), Vec::new());
                for case in cases {
                    starts.push(self.operations.len());
                    returns.extend(self.block(case, out));
                    over.push(self.jump());
                }
                let here = self.operations.len();
                over.extend(out.pop().expect("the switch is on the stack").breaks);
                self.aim(&over, here);
                let targets =
                    (0..of).map(|outcome| starts[outcome.saturating_sub(double) as usize]);
                self.set_targets(decision, targets.collect());
            }
            Node::While(body) => {
                let first = self.operations.len();
                // The condition of the loop is that of a break.
                let decision = self.decide(vec![1, 0, 0], 2);
                let breaks = self.loop_body(body, out, returns);
                self.operations.push(Operation::Jump(first));
                self.end_loop(&breaks, decision, decision + 1);
            }
            Node::Until(body, at_end) => {
                let begin = self.operations.len();
                let breaks = self.loop_body(body, out, returns);
                returns.extend(self.block(at_end, out));
                let decision = self.decide(vec![1, 0, 0], 2);
                self.end_loop(&breaks, decision, begin);
            }
            Node::Break => {
                let jump = self.jump();
                out.last_mut().expect("a break stands in a loop or a switch").breaks.push(jump);
            }
            Node::Continue => {
                let jump = self.jump();
                let of_loop = out.iter_mut().rev().find(|out| out.is_loop);
                of_loop.expect("a continue stands in a loop").continues.push(jump);
            }
            Node::Return => {
                let jump = self.jump();
                returns.push(jump);
            }
            Node::Call(function) => {
                self.operations.push(Operation::Call(self.functions[*function]));
            }
        }
    }

    /// Adds the body of a loop, whose continues go to its end. Returns its breaks.
    fn loop_body(
        &mut self,
        body: &[Node],
        out: &mut Vec<Out>,
        returns: &mut Vec<usize>,
    ) -> Vec<usize> {
        out.push(Out { is_loop: true, ..Out::default() });
        returns.extend(self.block(body, out));
        let of_loop = out.pop().expect("the loop is on the stack");
        let end = self.operations.len();
        self.aim(&of_loop.continues, end);
        of_loop.breaks
    }

    /// Ends a loop that goes on at `begin` by `decision`.
    fn end_loop(&mut self, breaks: &[usize], decision: usize, begin: usize) {
        let here = self.operations.len();
        self.aim(breaks, here);
        self.set_targets(decision, vec![here, begin, begin]);
    }

    fn jump(&mut self) -> usize {
        self.operations.push(Operation::Jump(usize::MAX));
        self.operations.len() - 1
    }

    fn decide(&mut self, seen: Vec<u32>, of: u32) -> usize {
        self.operations.push(Operation::Decide { targets: Vec::new(), seen, of });
        self.operations.len() - 1
    }

    fn set_targets(&mut self, decision: usize, to: Vec<usize>) {
        if let Operation::Decide { targets, .. } = &mut self.operations[decision] {
            *targets = to;
        }
    }

    fn aim(&mut self, jumps: &[usize], target: usize) {
        for &jump in jumps {
            self.operations[jump] = Operation::Jump(target);
        }
    }
}

/// What a mark counted: executions by subgroups, and the lanes that were active in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) executions: u64,
    pub(crate) lanes: u64,
}

/// A decision as a replay sees it: the outcome, and the number of outcomes.
pub(crate) type Seen = (u32, u32);

/// What a lane does next: the calls that it is in, and its next operation. The lane that is furthest behind comes first.
type Position = Vec<usize>;

impl Code {
    /// Runs the program with the lanes `lanes` as one subgroup. Those that are furthest behind in the code go on together,
    /// so that all meet again as early as the code allows.
    ///
    /// Returns the decisions of each lane.
    pub(crate) fn subgroup(
        &self,
        table: &[u32],
        lanes: std::ops::Range<usize>,
        counts: &mut [Count],
    ) -> Vec<Vec<Seen>> {
        let start = *self.functions.last().expect("a program has an entry point");
        let mut positions: Vec<Option<Position>> = vec![Some(vec![start]); lanes.len()];
        let mut seen: Vec<Vec<Seen>> = vec![Vec::new(); lanes.len()];
        while let Some(behind) = positions.iter().flatten().min().cloned() {
            let together: Vec<usize> = (0..lanes.len())
                .filter(|&lane| positions[lane].as_ref() == Some(&behind))
                .collect();
            let at = *behind.last().expect("a position has an operation");
            for &lane in &together {
                let position = positions[lane].as_mut().expect("the lane runs");
                let next = position.last_mut().expect("a position has an operation");
                match &self.operations[at] {
                    Operation::Mark(_) => *next += 1,
                    Operation::Jump(target) => *next = *target,
                    Operation::Call(function) => position.push(*function),
                    Operation::Return => {
                        position.pop();
                        match position.last_mut() {
                            Some(caller) => *caller += 1,
                            None => positions[lane] = None,
                        }
                    }
                    Operation::Decide { targets, seen: outcomes, of } => {
                        let entry = seen[lane].len().min(DECISIONS - 1);
                        let value = table[entry * LANES + lanes.start + lane];
                        let outcome = value as usize % targets.len();
                        seen[lane].push((outcomes[outcome], *of));
                        *next = targets[outcome];
                    }
                }
            }
            if let Operation::Mark(mark) = self.operations[at] {
                counts[mark].executions += 1;
                counts[mark].lanes += together.len() as u64;
            }
        }
        seen
    }
}

/// Returns a table of decisions.
pub(crate) fn table(seed: u64) -> Vec<u32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x7AB1E);
    let mut table: Vec<u32> = (0..DECISIONS * LANES).map(|_| rng.random()).collect();
    table[(DECISIONS - 1) * LANES..].fill(0);
    table
}
