//! The statements of a shader in a fixed order, by which they are numbered.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use naga::{Block, EntryPoint, Function, Handle, Module, Span, Statement};

/// A statement with its place in the module.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The function that contains it.
    pub function: &'a Function,
    /// Its handle; `None` for the entry point.
    pub handle: Option<Handle<Function>>,
    /// The statement.
    pub statement: &'a Statement,
    /// Bytes of the source.
    pub span: Span,
}

/// Returns the statements of an entry point and then those of all functions, each before the statements of its blocks.
#[must_use]
pub fn statements<'a>(module: &'a Module, entry: &'a EntryPoint) -> Vec<Placed<'a>> {
    let mut found = Vec::new();
    add(&entry.function.body, &entry.function, None, &mut found);
    for (handle, function) in module.functions.iter() {
        add(&function.body, function, Some(handle), &mut found);
    }
    found
}

fn add<'a>(
    block: &'a Block,
    function: &'a Function,
    handle: Option<Handle<Function>>,
    found: &mut Vec<Placed<'a>>,
) {
    for (statement, span) in block.span_iter() {
        found.push(Placed { function, handle, statement, span: *span });
        for block in blocks(statement) {
            add(block, function, handle, found);
        }
    }
}

/// Numbers of statements.
#[derive(Default)]
pub(super) struct Places(HashMap<usize, usize, BuildHasherDefault<Spread>>);

impl Places {
    /// Gives a statement the next number. It must stay where it is in memory.
    pub(super) fn add(&mut self, statement: &Statement) {
        self.0.insert(std::ptr::from_ref(statement).addr(), self.0.len());
    }

    /// Returns the number of a statement.
    pub(super) fn of(&self, statement: &Statement) -> usize {
        self.0[&std::ptr::from_ref(statement).addr()]
    }
}

/// A hash of an address by one multiplication: a replay looks up every statement that a subgroup executes.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_usize(byte.into()));
    }

    fn write_usize(&mut self, address: usize) {
        // The low bits of the product would not depend on the high bits of the address.
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }
}

/// Returns the blocks of a statement.
#[must_use]
pub fn blocks(statement: &Statement) -> Vec<&Block> {
    match statement {
        Statement::Block(block) => vec![block],
        Statement::If { accept, reject, .. } => vec![accept, reject],
        Statement::Switch { cases, .. } => cases.iter().map(|case| &case.body).collect(),
        Statement::Loop { body, continuing, .. } => vec![body, continuing],
        _ => vec![],
    }
}
