//! The accesses of a statement to memory, and how the address of each follows from values.

use naga::{AddressSpace, Expression, GlobalVariable, Handle, Span, Statement, TypeInner};

use super::instructions::Instructed;
use crate::model::{AccessKind, Memory};

/// An access of a statement to a storage buffer or to workgroup memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryAccess {
    /// What it does.
    pub kind: AccessKind,
    /// Where its variable is.
    pub memory: Memory,
    /// The variable.
    pub variable: Handle<GlobalVariable>,
    /// Bytes that each lane accesses.
    pub bytes: u32,
    /// The pointer, among the expressions of the function.
    pub pointer: Handle<Expression>,
    /// Bytes of the source that ask for it; `None` if the statement does.
    pub span: Option<Span>,
}

/// A part of an address, in bytes from the begin of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressPart {
    /// So many bytes.
    Bytes(u32),
    /// This index times so many bytes.
    Index(Handle<Expression>, u32),
}

impl<'a> Instructed<'a> {
    /// Returns the accesses of a statement in the order in which a lane makes them, without those of its blocks.
    ///
    /// Accesses through a pointer that the function received are not among them: its variable is unknown here.
    pub(crate) fn accesses(self, statement: &Statement) -> Vec<MemoryAccess> {
        let found = match statement {
            Statement::Emit(range) => {
                let load = |expression| match self.function.expressions[expression] {
                    Expression::Load { pointer } => {
                        let span = self.function.expressions.get_span(expression);
                        self.access(AccessKind::Load, pointer, Some(span))
                    }
                    _ => None,
                };
                return range.clone().filter_map(load).collect();
            }
            Statement::Store { pointer, .. } => self.access(AccessKind::Store, *pointer, None),
            Statement::Atomic { pointer, .. } => self.access(AccessKind::Atomic, *pointer, None),
            Statement::WorkGroupUniformLoad { pointer, .. } => {
                self.access(AccessKind::Load, *pointer, None)
            }
            _ => None,
        };
        found.into_iter().collect()
    }

    fn access(
        self,
        kind: AccessKind,
        pointer: Handle<Expression>,
        span: Option<Span>,
    ) -> Option<MemoryAccess> {
        let memory = match self.type_of(pointer).pointer_space()? {
            AddressSpace::Storage { .. } => Memory::Buffer,
            AddressSpace::WorkGroup => Memory::Workgroup,
            _ => return None,
        };
        let bytes = match *self.type_of(pointer) {
            TypeInner::Pointer { base, .. } => {
                self.module.types[base].inner.size(self.module.to_ctx())
            }
            TypeInner::ValuePointer { size, scalar, .. } => {
                u32::from(scalar.width) * size.map_or(1, |size| size as u32)
            }
            _ => return None,
        };
        let variable = self.variable(pointer)?;
        Some(MemoryAccess { kind, memory, variable, bytes, pointer, span })
    }

    /// Returns the variable that a pointer leads to; `None` if the function received the pointer.
    fn variable(self, pointer: Handle<Expression>) -> Option<Handle<GlobalVariable>> {
        match self.function.expressions[pointer] {
            Expression::GlobalVariable(variable) => Some(variable),
            Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => {
                self.variable(base)
            }
            _ => None,
        }
    }

    /// Returns the parts of the address of a pointer that leads to a variable.
    pub(crate) fn address(self, pointer: Handle<Expression>) -> Vec<AddressPart> {
        let (base, part) = match self.function.expressions[pointer] {
            Expression::Access { base, index } => {
                (base, AddressPart::Index(index, self.stride(base)))
            }
            Expression::AccessIndex { base, index } => {
                let bytes = match self.pointee(base) {
                    Some(TypeInner::Struct { members, .. }) => members[index as usize].offset,
                    // As the address of the shader wraps.
                    _ => index.wrapping_mul(self.stride(base)),
                };
                (base, AddressPart::Bytes(bytes))
            }
            _ => return Vec::new(),
        };
        let mut parts = self.address(base);
        parts.push(part);
        parts
    }

    /// Returns the type to which a pointer points; `None` if that is a part of a vector.
    fn pointee(self, pointer: Handle<Expression>) -> Option<&'a TypeInner> {
        match *self.type_of(pointer) {
            TypeInner::Pointer { base, .. } => Some(&self.module.types[base].inner),
            _ => None,
        }
    }

    /// Returns the bytes from one element of what a pointer points to to the next one.
    fn stride(self, pointer: Handle<Expression>) -> u32 {
        match (self.pointee(pointer), self.type_of(pointer)) {
            (Some(&TypeInner::Array { stride, .. }), _) => stride,
            (Some(&TypeInner::Vector { scalar, .. }), _)
            | (None, &TypeInner::ValuePointer { scalar, .. }) => scalar.width.into(),
            // A column of three rows takes as much as one of four.
            (Some(&TypeInner::Matrix { rows, scalar, .. }), _) => {
                u32::from(scalar.width) * (rows as u32).next_power_of_two()
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;

    /// Returns the kind, the bytes and the address of each access of a function `main` with this body.
    fn accesses(body: &str) -> Vec<(AccessKind, u32, Vec<AddressPart>)> {
        let source = format!(
            "struct Ray {{ kind: u32, frame: mat3x3<f32>, corners: array<vec4<f32>, 4> }}
             @group(0) @binding(0) var<storage, read_write> rays: array<Ray>;
             @compute @workgroup_size(1) fn main(@builtin(local_invocation_index) i: u32) {{ {body} }}"
        );
        let module = naga::front::wgsl::parse_str(&source).expect("the shader is valid");
        let info = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module);
        let info = info.expect("the shader is valid");
        let function = &module.entry_points[0].function;
        let typed = Instructed::new(&module, function, info.get_entry_point(0));
        let of = |access: MemoryAccess| (access.kind, access.bytes, typed.address(access.pointer));
        function.body.iter().flat_map(|statement| typed.accesses(statement)).map(of).collect()
    }

    #[test]
    fn an_address_goes_through_arrays_structures_matrices_and_vectors() {
        use AddressPart::Bytes;
        // A ray takes 128 bytes: 16 with the kind, three columns of 16, and four corners of 16.
        let [(kind, bytes, address)] = &accesses("rays[i].frame[1][2] = 1.0;")[..] else {
            panic!("there is one access")
        };
        assert_eq!((*kind, *bytes), (AccessKind::Store, 4));
        let [AddressPart::Index(_, 128), rest @ ..] = &address[..] else { panic!("{address:?}") };
        assert_eq!(rest, [Bytes(16), Bytes(16), Bytes(8)]);
        let [(kind, bytes, address)] = &accesses("let corner = rays[2].corners[i];")[..] else {
            panic!("there is one access")
        };
        assert_eq!((*kind, *bytes), (AccessKind::Load, 16));
        let [Bytes(256), Bytes(64), AddressPart::Index(_, 16)] = address[..] else {
            panic!("{address:?}")
        };
    }
}
