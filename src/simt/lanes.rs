//! The values of all lanes of a workgroup: what a walk over WGSL reads, decides and writes.

use std::rc::Rc;

use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{
    Constant, Expression, Function, GlobalVariable, Handle, LocalVariable, MathFunction, Module,
    RelationalFunction, Scalar, ScalarKind, Statement, SwitchCase, SwitchValue, Type, TypeInner,
};

use super::instructions::Instructed;
use super::mask::Mask;
use super::memory::{Layouts, Memory, Place};
use super::scalar;
use super::unsupported::Unsupported;
use super::walk::Lanes;

/// A value of every lane: for each of its scalars the bits in each lane.
pub(super) type Column = Vec<Vec<u64>>;

type Found<T> = Result<T, Unsupported>;

/// A function that is being executed.
struct Frame<'a> {
    function: &'a Function,
    info: &'a FunctionInfo,
    /// Values of the expressions that have one.
    values: Vec<Option<Rc<Column>>>,
    arguments: Vec<Rc<Column>>,
    /// Region of the first local variable.
    locals: u32,
    /// What the function returns.
    given: Option<Column>,
}

/// The lanes of one workgroup with their values.
pub(super) struct Values<'a> {
    pub(super) module: &'a Module,
    info: &'a ModuleInfo,
    pub(super) layouts: Layouts<'a>,
    pub(super) memory: Memory,
    /// Regions of the global variables, by their index. Absent for a variable that the entry point does not use.
    globals: Vec<Option<u32>>,
    frames: Vec<Frame<'a>>,
    /// Number of lanes.
    pub(super) lanes: usize,
    /// Lanes of a subgroup.
    pub(super) width: usize,
}

impl<'a> Values<'a> {
    pub(super) fn new(
        module: &'a Module,
        info: &'a ModuleInfo,
        [lanes, width]: [usize; 2],
    ) -> Found<Self> {
        let layouts = Layouts::new(module)?;
        let (memory, globals) = (Memory::default(), vec![None; module.global_variables.len()]);
        Ok(Self { module, info, layouts, memory, globals, frames: Vec::new(), lanes, width })
    }

    /// Gives a global variable its bytes.
    pub(super) fn bind(&mut self, variable: Handle<GlobalVariable>, bytes: Vec<u8>) {
        self.globals[variable.index()] = Some(self.memory.share(bytes));
    }

    /// Takes the bytes of a global variable back.
    pub(super) fn unbind(&mut self, variable: Handle<GlobalVariable>) -> Vec<u8> {
        self.globals[variable.index()]
            .take()
            .map_or_else(Vec::new, |region| self.memory.take(region))
    }

    /// Returns the function that is being executed.
    pub(super) fn typed(&self) -> Option<Instructed<'a>> {
        let Frame { function, info, .. } = *self.frames.last()?;
        Some(Instructed::new(self.module, function, info))
    }

    /// Begins a function with these arguments.
    pub(super) fn begin(
        &mut self,
        function: &'a Function,
        info: &'a FunctionInfo,
        arguments: Vec<Rc<Column>>,
    ) -> Found<()> {
        let locals = self.memory.len();
        for (_, variable) in function.local_variables.iter() {
            self.memory.give(self.lanes, self.layouts.size(variable.ty));
        }
        let values = vec![None; function.expressions.len()];
        self.frames.push(Frame { function, info, values, arguments, locals, given: None });
        let inits = function.local_variables.iter().filter_map(|(local, v)| Some((local, v.init?)));
        for (local, init) in inits {
            let value = self.value(init)?;
            let region = locals + local.index() as u32;
            self.fill(region, function.local_variables[local].ty, &value)?;
        }
        Ok(())
    }

    /// Stores the value of a variable of type `ty` in each lane.
    fn fill(&mut self, region: u32, ty: Handle<Type>, value: &Column) -> Found<()> {
        let scalars = self.layouts.scalars(&self.module.types[ty].inner)?;
        for ((byte, scalar), bits) in scalars.into_iter().zip(value.iter()) {
            for (lane, &bits) in bits.iter().enumerate() {
                self.memory.store(Place { region, byte }, lane, scalar.width, bits);
            }
        }
        Ok(())
    }

    /// Gives each lane a private global variable.
    pub(super) fn give_private(
        &mut self,
        handle: Handle<GlobalVariable>,
        variable: &GlobalVariable,
    ) -> Found<()> {
        let region = self.memory.len();
        self.memory.give(self.lanes, self.layouts.size(variable.ty));
        self.globals[handle.index()] = Some(region);
        match variable.init {
            Some(init) => {
                let value = self.global(init)?;
                self.fill(region, variable.ty, &value)
            }
            None => Ok(()),
        }
    }

    /// Ends the function that is being executed. Returns what it gave.
    pub(super) fn end(&mut self) -> Option<Column> {
        let frame = self.frames.pop()?;
        self.memory.forget(frame.locals);
        frame.given
    }

    fn frame(&self) -> &Frame<'a> {
        self.frames.last().expect("a function is being executed")
    }

    /// Returns the type of an expression of the function that is being executed.
    pub(super) fn type_of(&self, expression: Handle<Expression>) -> &'a TypeInner {
        self.frame().info[expression].ty.inner_with(&self.module.types)
    }

    /// Returns the scalar type of which an expression consists.
    pub(super) fn scalar_of(&self, expression: Handle<Expression>) -> Found<Scalar> {
        let ty = self.type_of(expression);
        ty.scalar().ok_or_else(|| Unsupported(format!("arithmetic on {ty:?}")))
    }

    /// Returns the value of an expression.
    pub(super) fn value(&mut self, expression: Handle<Expression>) -> Found<Rc<Column>> {
        if let Some(value) = &self.frame().values[expression.index()] {
            return Ok(Rc::clone(value));
        }
        // What is never emitted is the same in every iteration: constants, arguments and variables.
        let value = Rc::new(self.compute(expression, &Mask::below(self.lanes))?);
        self.set(expression, &value);
        Ok(value)
    }

    pub(super) fn set(&mut self, expression: Handle<Expression>, value: &Rc<Column>) {
        let frame = self.frames.last_mut().expect("a function is being executed");
        frame.values[expression.index()] = Some(Rc::clone(value));
    }

    /// Returns a column of `scalars` scalars, in which the lanes of `active` have the bits that `of` returns.
    pub(super) fn column(
        &self,
        scalars: usize,
        active: &Mask,
        mut of: impl FnMut(usize, usize) -> Found<u64>,
    ) -> Found<Column> {
        let mut column = vec![vec![0; self.lanes]; scalars];
        for (scalar, bits) in column.iter_mut().enumerate() {
            for lane in active.lanes() {
                bits[lane] = of(scalar, lane)?;
            }
        }
        Ok(column)
    }

    /// Returns a column with the same bits in every lane.
    fn uniform(&self, bits: &[u64]) -> Column {
        bits.iter().map(|&bits| vec![bits; self.lanes]).collect()
    }

    fn compute(&mut self, expression: Handle<Expression>, active: &Mask) -> Found<Column> {
        let ty = self.type_of(expression);
        match &self.frame().function.expressions[expression] {
            Expression::Literal(literal) => Ok(self.uniform(&[scalar::literal(*literal)?])),
            Expression::Constant(constant) => self.constant(*constant),
            Expression::ZeroValue(ty) => self.zero(*ty),
            Expression::Compose { components, .. } => {
                let mut all = Column::new();
                for &component in components {
                    all.extend(self.value(component)?.iter().cloned());
                }
                Ok(all)
            }
            Expression::Splat { size, value } => {
                let value = self.value(*value)?;
                Ok(vec![value[0].clone(); *size as usize])
            }
            Expression::Swizzle { size, vector, pattern } => {
                let vector = self.value(*vector)?;
                let picked = pattern.iter().take(*size as usize);
                Ok(picked.map(|&component| vector[component as usize].clone()).collect())
            }
            &Expression::AccessIndex { base, index } => self.member(base, index, active),
            &Expression::Access { base, index } => self.element(base, index, active),
            Expression::FunctionArgument(index) => {
                Ok(self.frame().arguments[*index as usize].as_ref().clone())
            }
            Expression::GlobalVariable(variable) => {
                let region = self.globals[variable.index()];
                let region = region.ok_or_else(|| self.unbound(*variable))?;
                Ok(self.uniform(&[Place { region, byte: 0 }.bits()]))
            }
            Expression::LocalVariable(variable) => {
                Ok(self.uniform(&[self.local(*variable).bits()]))
            }
            &Expression::Load { pointer } => self.load(pointer, ty, active),
            &Expression::Unary { op, expr } => {
                let (of, x) = (self.scalar_of(expr)?, self.value(expr)?);
                self.column(x.len(), active, |i, lane| Ok(scalar::unary(op, of, x[i][lane])))
            }
            &Expression::Binary { op, left, right } => {
                let of = self.scalar_of(left)?;
                let (x, y) = (self.value(left)?, self.value(right)?);
                let is_matrix = |ty: &TypeInner| matches!(ty, TypeInner::Matrix { .. });
                if is_matrix(self.type_of(left)) || is_matrix(self.type_of(right)) {
                    return Err(Unsupported("arithmetic on matrices".to_owned()));
                }
                // A scalar beside a vector counts for each of the vector's components.
                self.column(x.len().max(y.len()), active, |i, lane| {
                    let of_side = |side: &Column| side[i.min(side.len() - 1)][lane];
                    Ok(scalar::binary(op, of, of_side(&x), of_side(&y)))
                })
            }
            &Expression::Select { condition, accept, reject } => {
                let [condition, accept, reject] =
                    [self.value(condition)?, self.value(accept)?, self.value(reject)?];
                self.column(accept.len(), active, |i, lane| {
                    let is_accepted = condition[i.min(condition.len() - 1)][lane] != 0;
                    Ok(if is_accepted { accept[i][lane] } else { reject[i][lane] })
                })
            }
            &Expression::Relational { fun, argument } => {
                let (of, x) = (self.scalar_of(argument)?, self.value(argument)?);
                match fun {
                    RelationalFunction::All => self.column(1, active, |_, lane| {
                        Ok(u64::from(x.iter().all(|bits| bits[lane] != 0)))
                    }),
                    RelationalFunction::Any => self.column(1, active, |_, lane| {
                        Ok(u64::from(x.iter().any(|bits| bits[lane] != 0)))
                    }),
                    _ => Err(Unsupported(format!("{fun:?} of {:?}", of.kind))),
                }
            }
            &Expression::Math { fun, arg, arg1, arg2, arg3 } => {
                let of = self.scalar_of(arg)?;
                let mut args = Vec::new();
                for argument in [Some(arg), arg1, arg2, arg3].into_iter().flatten() {
                    args.push(self.value(argument)?);
                }
                if fun == MathFunction::Dot {
                    return Err(Unsupported("scalar products of vectors".to_owned()));
                }
                self.column(args[0].len(), active, |i, lane| {
                    let bits: Vec<u64> = args.iter().map(|x| x[i.min(x.len() - 1)][lane]).collect();
                    scalar::math(fun, of, &bits)
                })
            }
            &Expression::As { expr, kind, convert } => {
                let (of, x) = (self.scalar_of(expr)?, self.value(expr)?);
                let Some(width) = convert else { return Ok(x.as_ref().clone()) };
                let to = Scalar { kind, width };
                self.column(x.len(), active, |i, lane| Ok(scalar::converted(x[i][lane], of, to)))
            }
            &Expression::ArrayLength(pointer) => {
                let TypeInner::Array { stride, .. } = *self.pointee(pointer)? else {
                    return Err(Unsupported("the length of what is no array".to_owned()));
                };
                let places = self.value(pointer)?;
                self.column(1, active, |_, lane| {
                    let place = Place::of_bits(places[0][lane]);
                    let bytes = self.memory.bytes(place.region).len() as u64;
                    Ok((bytes - u64::from(place.byte)) / u64::from(stride))
                })
            }
            other => Err(Unsupported(format!("the expression {other:?}"))),
        }
    }

    /// Returns the value of the type `ty` to which `pointer` points.
    pub(super) fn load(
        &mut self,
        pointer: Handle<Expression>,
        ty: &TypeInner,
        active: &Mask,
    ) -> Found<Column> {
        let (places, scalars) = (self.value(pointer)?, self.layouts.scalars(ty)?);
        self.column(scalars.len(), active, |scalar, lane| {
            let (byte, scalar) = scalars[scalar];
            let place = Place::of_bits(places[0][lane] + u64::from(byte));
            Ok(self.memory.load(place, lane, scalar.width))
        })
    }

    fn unbound(&self, variable: Handle<GlobalVariable>) -> Unsupported {
        let name = self.module.global_variables[variable].name.as_deref().unwrap_or("?");
        Unsupported(format!("the variable `{name}` without a buffer"))
    }

    fn local(&self, variable: Handle<LocalVariable>) -> Place {
        Place { region: self.frame().locals + variable.index() as u32, byte: 0 }
    }

    fn zero(&self, ty: Handle<Type>) -> Found<Column> {
        let scalars = self.layouts.scalars(&self.module.types[ty].inner)?;
        Ok(self.uniform(&vec![0; scalars.len()]))
    }

    /// Returns the value of a constant of the module.
    fn constant(&self, constant: Handle<Constant>) -> Found<Column> {
        self.global(self.module.constants[constant].init)
    }

    /// Returns the value of an expression outside of functions.
    pub(super) fn global(&self, expression: Handle<Expression>) -> Found<Column> {
        match &self.module.global_expressions[expression] {
            Expression::Literal(literal) => Ok(self.uniform(&[scalar::literal(*literal)?])),
            Expression::Constant(constant) => self.constant(*constant),
            Expression::ZeroValue(ty) => self.zero(*ty),
            Expression::Compose { components, .. } => {
                let mut all = Column::new();
                for &component in components {
                    all.extend(self.global(component)?);
                }
                Ok(all)
            }
            Expression::Splat { size, value } => {
                Ok(vec![self.global(*value)?.swap_remove(0); *size as usize])
            }
            other => Err(Unsupported(format!("the constant {other:?}"))),
        }
    }

    /// Returns the type to which a pointer points.
    fn pointee(&self, pointer: Handle<Expression>) -> Found<&'a TypeInner> {
        match self.type_of(pointer) {
            TypeInner::Pointer { base, .. } => Ok(&self.module.types[*base].inner),
            ty => Err(Unsupported(format!("a pointer of the type {ty:?}"))),
        }
    }

    /// Returns member or element `index` of `base`, a value or a pointer.
    fn member(&mut self, base: Handle<Expression>, index: u32, active: &Mask) -> Found<Column> {
        let ty = self.type_of(base);
        let value = self.value(base)?;
        if let TypeInner::Pointer { .. } | TypeInner::ValuePointer { .. } = ty {
            let offset = u64::from(self.step(base, index)?);
            return self.column(1, active, |_, lane| Ok(value[0][lane] + offset));
        }
        let count =
            |ty: Handle<Type>| Ok(self.layouts.scalars(&self.module.types[ty].inner)?.len());
        let (first, count) = match ty {
            TypeInner::Vector { .. } => (index as usize, 1),
            TypeInner::Array { base, .. } => (index as usize * count(*base)?, count(*base)?),
            TypeInner::Struct { members, .. } => {
                let before = &members[..index as usize];
                let first = before.iter().map(|member| count(member.ty)).sum::<Found<usize>>()?;
                (first, count(members[index as usize].ty)?)
            }
            _ => return Err(Unsupported(format!("an element of {ty:?}"))),
        };
        Ok(value[first..first + count].to_vec())
    }

    /// Returns the bytes from the place of a pointer to member or element `index` of what is there.
    fn step(&self, pointer: Handle<Expression>, index: u32) -> Found<u32> {
        if let TypeInner::ValuePointer { scalar, .. } = self.type_of(pointer) {
            return Ok(index * u32::from(scalar.width));
        }
        self.layouts.offset(self.pointee(pointer)?, index)
    }

    /// Returns the element of `base` that `index` says in each lane.
    fn element(
        &mut self,
        base: Handle<Expression>,
        index: Handle<Expression>,
        active: &Mask,
    ) -> Found<Column> {
        let (ty, of) = (self.type_of(base), self.scalar_of(index)?);
        let (value, index) = (self.value(base)?, self.value(index)?);
        let index = |lane: usize| match of.kind {
            ScalarKind::Sint => scalar::signed(index[0][lane], of.width) as u64,
            _ => index[0][lane],
        };
        match *ty {
            TypeInner::Pointer { .. } | TypeInner::ValuePointer { .. } => {
                let stride = u64::from(self.step(base, 1)?);
                self.column(1, active, |_, lane| {
                    let place = Place::of_bits(value[0][lane]);
                    let byte = u64::from(place.byte).wrapping_add(index(lane).wrapping_mul(stride));
                    // Far beyond the end of every buffer, like the index itself.
                    let byte = u32::try_from(byte).unwrap_or(u32::MAX);
                    Ok(Place { byte, ..place }.bits())
                })
            }
            TypeInner::Vector { .. } => self.column(1, active, |_, lane| {
                Ok(value.get(index(lane) as usize).map_or(0, |bits| bits[lane]))
            }),
            TypeInner::Array { base, .. } => {
                let count = self.layouts.scalars(&self.module.types[base].inner)?.len();
                self.column(count, active, |i, lane| {
                    let at = (index(lane) as usize).saturating_mul(count).saturating_add(i);
                    Ok(value.get(at).map_or(0, |bits| bits[lane]))
                })
            }
            _ => Err(Unsupported(format!("an element of {ty:?}"))),
        }
    }
}

impl Lanes for Values<'_> {
    type Error = Unsupported;

    fn execute(&mut self, statement: &Statement, active: &Mask) -> Found<()> {
        let Statement::Emit(range) = statement else { return self.effect(statement, active) };
        for expression in range.clone() {
            let value = Rc::new(self.compute(expression, active)?);
            self.set(expression, &value);
        }
        Ok(())
    }

    fn holds(&mut self, condition: Handle<Expression>, active: &Mask) -> Found<Mask> {
        let value = self.value(condition)?;
        Ok(active.filtered(|lane| value[0][lane] != 0))
    }

    fn choose(
        &mut self,
        selector: Handle<Expression>,
        cases: &[SwitchCase],
        active: &Mask,
    ) -> Found<Vec<Mask>> {
        let value = self.value(selector)?;
        let mut waiting = *active;
        let mut chosen: Vec<Mask> = Vec::new();
        for case in cases {
            let wanted = match case.value {
                SwitchValue::I32(value) => u64::from(value as u32),
                SwitchValue::U32(value) => value.into(),
                SwitchValue::Default => {
                    chosen.push(Mask::EMPTY);
                    continue;
                }
            };
            let lanes = waiting.filtered(|lane| value[0][lane] == wanted);
            waiting = waiting - lanes;
            chosen.push(lanes);
        }
        // The default case takes the lanes that no other case takes, wherever it stands.
        let default = cases.iter().position(|case| case.value == SwitchValue::Default);
        if let Some(default) = default {
            chosen[default] = waiting;
        }
        Ok(chosen)
    }

    fn enter(
        &mut self,
        function: Handle<Function>,
        arguments: &[Handle<Expression>],
        _active: &Mask,
    ) -> Found<()> {
        let arguments: Found<Vec<_>> =
            arguments.iter().map(|&argument| self.value(argument)).collect();
        self.begin(&self.module.functions[function], &self.info[function], arguments?)
    }

    fn give(&mut self, value: Handle<Expression>, active: &Mask) -> Found<()> {
        let value = self.value(value)?;
        let lanes = self.lanes;
        let frame = self.frames.last_mut().expect("a function is being executed");
        let given = frame.given.get_or_insert_with(|| vec![vec![0; lanes]; value.len()]);
        for (given, bits) in given.iter_mut().zip(value.iter()) {
            for lane in active.lanes() {
                given[lane] = bits[lane];
            }
        }
        Ok(())
    }

    fn leave(&mut self, result: Option<Handle<Expression>>) {
        let given = self.end();
        if let (Some(result), Some(given)) = (result, given) {
            self.set(result, &Rc::new(given));
        }
    }
}
