//! The statements of a shader in a fixed order, by which they are numbered.

use naga::{Block, EntryPoint, Function, Handle, Module, Span, Statement};

/// A statement with its place in the module.
#[derive(Clone, Copy)]
pub(crate) struct Placed<'a> {
    /// The function that contains it.
    pub(crate) function: &'a Function,
    /// Its handle; `None` for the entry point.
    pub(crate) handle: Option<Handle<Function>>,
    /// The statement.
    pub(crate) statement: &'a Statement,
    /// Bytes of the source.
    pub(crate) span: Span,
}

/// Returns the statements of an entry point and then those of all functions, each before the statements of its blocks.
pub(crate) fn statements<'a>(module: &'a Module, entry: &'a EntryPoint) -> Vec<Placed<'a>> {
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

/// Returns the blocks of a statement.
pub(crate) fn blocks(statement: &Statement) -> Vec<&Block> {
    match statement {
        Statement::Block(block) => vec![block],
        Statement::If { accept, reject, .. } => vec![accept, reject],
        Statement::Switch { cases, .. } => cases.iter().map(|case| &case.body).collect(),
        Statement::Loop { body, continuing, .. } => vec![body, continuing],
        _ => vec![],
    }
}
