//! The subgroup size that a pipeline runs with, which belongs to the pipeline on some GPUs: the first invocation of a
//! dispatch stores it.

use naga::{
    AddressSpace, BinaryOperator, Binding, Block, BuiltIn, Expression, Function, FunctionArgument,
    GlobalVariable, Handle, Literal, Module, ResourceBinding, Scalar, Span, Statement,
    StorageAccess, Type, TypeInner, VectorSize,
};

/// Name of the variable that receives the subgroup size.
pub(super) const VARIABLE: &str = "warplaw_subgroup_size";

/// Adds the store to every entry point of a module that has no such store yet.
pub(super) fn add_to(module: &mut Module) {
    let mut of =
        |inner: TypeInner| module.types.insert(Type { name: None, inner }, Span::UNDEFINED);
    let types = Types {
        scalar: of(TypeInner::Scalar(Scalar::U32)),
        vector: of(TypeInner::Vector { size: VectorSize::Tri, scalar: Scalar::U32 }),
    };
    let used = module.global_variables.iter().filter_map(|(_, variable)| variable.binding);
    let binding = used.map(|used| used.binding + 1).max().unwrap_or(0);
    let variable = GlobalVariable {
        name: Some(VARIABLE.to_owned()),
        space: AddressSpace::Storage { access: StorageAccess::LOAD | StorageAccess::STORE },
        binding: Some(ResourceBinding { group: 0, binding }),
        ty: types.scalar,
        init: None,
        memory_decorations: naga::MemoryDecorations::empty(),
    };
    let variable = module.global_variables.append(variable, Span::UNDEFINED);
    for entry in &mut module.entry_points {
        store_first(&mut entry.function, &types, variable);
    }
}

/// The types of built-in values.
struct Types {
    scalar: Handle<Type>,
    vector: Handle<Type>,
}

/// Puts at the start of an entry point: invocation 0 of workgroup 0 stores the subgroup size.
fn store_first(function: &mut Function, types: &Types, variable: Handle<GlobalVariable>) {
    let invocation = built_in(function, BuiltIn::LocalInvocationIndex, types.scalar);
    let workgroup = built_in(function, BuiltIn::WorkGroupId, types.vector);
    let size = built_in(function, BuiltIn::SubgroupSize, types.scalar);
    let expressions = &mut function.expressions;
    let mut add = |expression| expressions.append(expression, Span::UNDEFINED);
    let pointer = add(Expression::GlobalVariable(variable));
    let zero = add(Expression::Literal(Literal::U32(0)));
    let x = add(Expression::AccessIndex { base: workgroup, index: 0 });
    let y = add(Expression::AccessIndex { base: workgroup, index: 1 });
    let mut binary = |op, left, right| add(Expression::Binary { op, left, right });
    let either = binary(BinaryOperator::InclusiveOr, x, y);
    let any = binary(BinaryOperator::InclusiveOr, invocation, either);
    let is_first = binary(BinaryOperator::Equal, any, zero);
    let mut body = Block::new();
    body.push(Statement::Emit(naga::Range::new_from_bounds(x, is_first)), Span::UNDEFINED);
    let store = Statement::Store { pointer, value: size };
    body.push(
        Statement::If {
            condition: is_first,
            accept: Block::from_vec(vec![store]),
            reject: Block::new(),
        },
        Span::UNDEFINED,
    );
    body.extend_block(std::mem::take(&mut function.body));
    function.body = body;
}

/// Returns the built-in value of an entry point, which becomes an argument if it is none yet.
fn built_in(function: &mut Function, value: BuiltIn, ty: Handle<Type>) -> Handle<Expression> {
    let binding = Some(Binding::BuiltIn(value));
    let present = function.arguments.iter().position(|argument| argument.binding == binding);
    let index = present.unwrap_or_else(|| {
        function.arguments.push(FunctionArgument { name: None, ty, binding });
        function.arguments.len() - 1
    });
    function.expressions.append(Expression::FunctionArgument(index as u32), Span::UNDEFINED)
}
