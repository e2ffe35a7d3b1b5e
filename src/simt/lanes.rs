//! The values of all lanes of a workgroup: what a walk over WGSL reads, decides and writes.

use std::rc::Rc;

use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{
    Expression, Function, GlobalVariable, Handle, Module, Scalar, Statement, SwitchCase,
    SwitchValue, Type, TypeInner,
};

use super::instructions::Instructed;
use super::mask::Mask;
use super::memory::{Layouts, Memory, Place};
use super::unsupported::Unsupported;
use super::walk::Lanes;

/// A value of every lane: for each of its scalars the bits in each lane.
pub(super) type Column = Vec<Vec<u64>>;

pub(super) type Found<T> = Result<T, Unsupported>;

/// A function that is being executed.
pub(super) struct Frame<'a> {
    pub(super) function: &'a Function,
    info: &'a FunctionInfo,
    /// Values of the expressions that have one.
    values: Vec<Option<Rc<Column>>>,
    pub(super) arguments: Vec<Rc<Column>>,
    /// Region of the first local variable.
    pub(super) locals: u32,
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
    pub(super) globals: Vec<Option<u32>>,
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

    pub(super) fn frame(&self) -> &Frame<'a> {
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
    pub(super) fn uniform(&self, bits: &[u64]) -> Column {
        bits.iter().map(|&bits| vec![bits; self.lanes]).collect()
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
