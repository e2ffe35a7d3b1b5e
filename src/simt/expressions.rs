//! The values of expressions.

use naga::{
    Constant, Expression, GlobalVariable, Handle, LocalVariable, MathFunction, RelationalFunction,
    Scalar, ScalarKind, Type, TypeInner,
};

use super::lanes::{Column, Found, Values};
use super::mask::Mask;
use super::memory::Place;
use super::scalar;
use super::unsupported::Unsupported;

impl<'a> Values<'a> {
    /// Returns the value of an expression for the lanes of `active`.
    pub(super) fn compute(
        &mut self,
        expression: Handle<Expression>,
        active: &Mask,
    ) -> Found<Column> {
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
