//! What a shader needs: its bindings with the layout of their memory, its pipeline-overridable constants and entry points.

use std::collections::BTreeMap;

use naga::{
    AddressSpace, ArraySize, Module, ScalarKind as Kind, ShaderStage, StorageAccess, TypeInner,
};

use super::device::bound_by;
use super::error::ProfileError;
use super::replaying::Specialized;
use super::text::{parse, validate};

/// What an entry point of a shader needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// Name of the entry point.
    pub entry: String,
    /// Buffers that it binds, by group and binding.
    pub buffers: Vec<NeededBuffer>,
    /// Pipeline-overridable constants of the module.
    pub constants: Vec<NeededConstant>,
}

/// A buffer that an entry point binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededBuffer {
    /// Bind group.
    pub group: u32,
    /// Binding in the group.
    pub binding: u32,
    /// Name of the variable.
    pub name: String,
    /// How the shader uses it.
    pub access: Access,
    /// Layout of its memory.
    pub layout: Layout,
}

/// How a shader uses a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As a uniform buffer.
    Uniform,
    /// As a storage buffer that it reads.
    Read,
    /// As a storage buffer that it may write.
    ReadWrite,
}

/// A pipeline-overridable constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededConstant {
    /// Its name, or its number if it has one.
    pub name: String,
    /// Whether it has a value without being given one.
    pub has_default: bool,
}

/// Layout of a value in memory. Sizes and offsets are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A number.
    Scalar(Scalar),
    /// Vectors of numbers without gaps, a stride apart: one for a vector, several for a matrix.
    Vectors {
        /// The numbers.
        scalar: Scalar,
        /// Numbers of a vector.
        size: u32,
        /// Vectors.
        count: u32,
        /// Bytes from one vector to the next.
        stride: u32,
    },
    /// An array.
    Array {
        /// An element.
        element: Box<Layout>,
        /// Bytes from one element to the next.
        stride: u32,
        /// Elements; `None` if the buffer's size decides.
        count: Option<u32>,
    },
    /// A structure.
    Struct {
        /// Members: name, offset and layout.
        members: Vec<(String, u32, Layout)>,
        /// Size, without the elements of an array at its end whose number the buffer's size decides.
        size: u32,
    },
}

/// A kind of number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `u32`
    U32,
    /// `i32`
    I32,
    /// `f32`
    F32,
    /// `f16`
    F16,
    /// `u64`
    U64,
    /// `i64`
    I64,
    /// `f64`
    F64,
}

impl Scalar {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::U32, Self::I32, Self::F32, Self::F16, Self::U64, Self::I64, Self::F64];

    /// Returns the name in WGSL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }

    /// Returns whether numbers of this kind have fractions.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::F32 | Self::F64)
    }

    /// Returns the size in bytes.
    #[must_use]
    pub fn bytes(self) -> u32 {
        match self {
            Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

impl Layout {
    /// Returns the size in bytes if it has `elements` elements where the buffer's size decides.
    #[must_use]
    pub fn bytes(&self, elements: u64) -> u64 {
        match self {
            Self::Scalar(scalar) => scalar.bytes().into(),
            Self::Vectors { scalar, size, count: 1, .. } => u64::from(scalar.bytes() * size),
            Self::Vectors { count, stride, .. } => u64::from(*count) * u64::from(*stride),
            Self::Array { stride, count, .. } => {
                u64::from(*stride).saturating_mul(count.map_or(elements, u64::from))
            }
            Self::Struct { size, .. } => match self.tail() {
                Some((offset, stride)) => {
                    let elements = elements.saturating_mul(stride.into());
                    elements.saturating_add(offset.into()).max((*size).into())
                }
                None => (*size).into(),
            },
        }
    }

    /// Returns where the array begins whose number of elements the buffer's size decides, and the bytes from one element to
    /// the next; `None` if there is none.
    #[must_use]
    pub fn tail(&self) -> Option<(u32, u32)> {
        match self {
            Self::Array { stride, count: None, .. } => Some((0, *stride)),
            Self::Struct { members, .. } => {
                let (_, offset, last) = members.last()?;
                last.tail().map(|(inner, stride)| (offset + inner, stride))
            }
            _ => None,
        }
    }

    /// Calls `each` with the place and the kind of every number in a buffer of `bytes` bytes, in order.
    pub fn numbers(&self, bytes: u64, each: &mut impl FnMut(u64, Scalar)) {
        self.numbers_from(0, bytes, each);
    }

    fn numbers_from(&self, first: u64, end: u64, each: &mut impl FnMut(u64, Scalar)) {
        match self {
            Self::Scalar(scalar) => each(first, *scalar),
            Self::Vectors { scalar, size, count, stride } => {
                for vector in 0..*count {
                    for number in 0..*size {
                        let at = vector * stride + number * scalar.bytes();
                        each(first + u64::from(at), *scalar);
                    }
                }
            }
            Self::Array { element, stride, count } => {
                let of_buffer = end.saturating_sub(first) / u64::from(*stride).max(1);
                for index in 0..count.map_or(of_buffer, u64::from) {
                    element.numbers_from(first + index * u64::from(*stride), end, each);
                }
            }
            Self::Struct { members, .. } => {
                for (_, offset, layout) in members {
                    layout.numbers_from(first + u64::from(*offset), end, each);
                }
            }
        }
    }

    /// Returns the kind of its numbers if all have the same.
    #[must_use]
    pub fn scalar(&self) -> Option<Scalar> {
        match self {
            Self::Scalar(scalar) | Self::Vectors { scalar, .. } => Some(*scalar),
            Self::Array { element, .. } => element.scalar(),
            Self::Struct { members, .. } => {
                let mut kinds = members.iter().map(|(_, _, layout)| layout.scalar());
                let first = kinds.next()??;
                kinds.all(|kind| kind == Some(first)).then_some(first)
            }
        }
    }
}

impl Needs {
    /// Returns what the entry point `entry` of WGSL `source` needs. Without a name, the module must have a single compute
    /// entry point.
    ///
    /// # Errors
    /// Returns an error if the shader is not valid, has no such entry point, or binds something else than buffers.
    pub fn of(source: &str, entry: Option<&str>) -> Result<Self, ProfileError> {
        let module = parse(source)?;
        let info = validate(&module, source)?;
        let points = module.entry_points.iter().filter(|of| of.stage == ShaderStage::Compute);
        let known: Vec<String> = points.map(|of| of.name.clone()).collect();
        let entry = match (entry, &known[..]) {
            (None, [only]) => only.clone(),
            (None, []) => return Err(ProfileError::NoCompute),
            (None, _) => return Err(ProfileError::SeveralEntryPoints { known }),
            (Some(wanted), _) if known.iter().any(|name| name == wanted) => wanted.to_owned(),
            (Some(wanted), _) => {
                return Err(ProfileError::NoEntryPoint { wanted: wanted.to_owned(), known });
            }
        };
        let mut buffers = Vec::new();
        for bound in bound_by(&module, &info, &entry) {
            let variable = &module.global_variables[bound.variable];
            let access = match variable.space {
                AddressSpace::Uniform => Access::Uniform,
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
                    Access::ReadWrite
                }
                AddressSpace::Storage { .. } => Access::Read,
                _ => {
                    let what = format!(
                        "{}, which is a texture, a sampler or an acceleration structure: the command line binds buffers only",
                        bound.name
                    );
                    return Err(ProfileError::Unsupported(what));
                }
            };
            let layout = layout(&module, variable.ty).ok_or_else(|| {
                ProfileError::Unsupported(format!("{}, whose type has no layout", bound.name))
            })?;
            let (group, binding) = bound.place;
            let name = variable.name.clone().unwrap_or_default();
            buffers.push(NeededBuffer { group, binding, name, access, layout });
        }
        buffers.sort_by_key(|of| (of.group, of.binding));
        let constant = |of: &naga::Override| NeededConstant {
            name: of.id.map_or_else(|| of.name.clone().unwrap_or_default(), |id| id.to_string()),
            has_default: of.init.is_some(),
        };
        let constants = module.overrides.iter().map(|(_, of)| constant(of)).collect();
        Ok(Self { entry, buffers, constants })
    }
}

/// Returns the invocations of a workgroup in x, y and z of the entry point `entry` of WGSL `source`, with these values of
/// pipeline-overridable constants.
///
/// # Errors
/// Returns an error if the shader is not valid, or if a constant is missing or has a wrong value.
pub fn workgroup_size(
    source: &str,
    entry: &str,
    constants: &BTreeMap<String, f64>,
) -> Result<[u32; 3], ProfileError> {
    let module = parse(source)?;
    let info = validate(&module, source)?;
    let constants: Vec<(String, f64)> = constants.clone().into_iter().collect();
    Ok(Specialized::of(&module, &info, entry, &constants)?.point().workgroup_size)
}

/// Returns the layout of a type; `None` if it cannot be in a buffer.
fn layout(module: &Module, ty: naga::Handle<naga::Type>) -> Option<Layout> {
    match &module.types[ty].inner {
        TypeInner::Scalar(of) | TypeInner::Atomic(of) => Some(Layout::Scalar(scalar(*of)?)),
        TypeInner::Vector { size, scalar: of } => {
            let (scalar, size) = (scalar(*of)?, *size as u32);
            Some(Layout::Vectors { scalar, size, count: 1, stride: scalar.bytes() * size })
        }
        TypeInner::Matrix { columns, rows, scalar: of } => {
            let scalar = scalar(*of)?;
            // A column of three numbers is aligned like one of four.
            let aligned = if *rows as u32 == 3 { 4 } else { *rows as u32 };
            Some(Layout::Vectors {
                scalar,
                size: *rows as u32,
                count: *columns as u32,
                stride: scalar.bytes() * aligned,
            })
        }
        TypeInner::Array { base, size, stride } => {
            let count = match size {
                ArraySize::Constant(count) => Some(count.get()),
                ArraySize::Dynamic => None,
                ArraySize::Pending(_) => return None,
            };
            let element = Box::new(layout(module, *base)?);
            Some(Layout::Array { element, stride: *stride, count })
        }
        TypeInner::Struct { members, span } => {
            let member = |(index, of): (usize, &naga::StructMember)| {
                let name = of.name.clone().unwrap_or_else(|| index.to_string());
                Some((name, of.offset, layout(module, of.ty)?))
            };
            let members = members.iter().enumerate().map(member).collect::<Option<_>>()?;
            Some(Layout::Struct { members, size: *span })
        }
        _ => None,
    }
}

fn scalar(of: naga::Scalar) -> Option<Scalar> {
    match (of.kind, of.width) {
        (Kind::Uint, 4) => Some(Scalar::U32),
        (Kind::Sint, 4) => Some(Scalar::I32),
        (Kind::Float, 4) => Some(Scalar::F32),
        (Kind::Float, 2) => Some(Scalar::F16),
        (Kind::Uint, 8) => Some(Scalar::U64),
        (Kind::Sint, 8) => Some(Scalar::I64),
        (Kind::Float, 8) => Some(Scalar::F64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
struct Params { repeats: u32, gain: vec3f, turn: mat3x3f, steps: array<vec4u, 2>, }
struct Tail { count: atomic<u32>, pairs: array<vec2f>, }
override LANES: u32; @id(7) override more: f32 = 1.0;
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> words: array<u32>;
@group(1) @binding(3) var<storage, read_write> tail: Tail;
@group(0) @binding(9) var<storage, read> unused: array<u32>;
@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
    tail.pairs[id.x] = params.gain.xy * f32(words[params.repeats]) * params.turn[0].x * more;
}
@compute @workgroup_size(1) fn other() { }";

    #[test]
    fn a_shader_tells_what_it_binds_and_where_its_numbers_are() {
        let needs = Needs::of(SOURCE, Some("main")).expect("the shader is valid");
        let places: Vec<_> = needs.buffers.iter().map(|of| (of.group, of.binding)).collect();
        assert_eq!(places, [(0, 0), (0, 1), (1, 3)]);
        let [params, words, tail] = &needs.buffers[..] else { unreachable!() };
        assert_eq!(
            [params.access, words.access, tail.access],
            [Access::Uniform, Access::Read, Access::ReadWrite]
        );
        assert_eq!(params.layout.bytes(99), 112);
        assert_eq!(words.layout.bytes(99), 396);
        assert_eq!((tail.layout.tail(), tail.layout.bytes(3)), (Some((8, 8)), 32));
        let matrix = Layout::Vectors { scalar: Scalar::F32, size: 3, count: 3, stride: 16 };
        assert_eq!(matrix.bytes(0), 48);
        let mut numbers = Vec::new();
        params.layout.numbers(112, &mut |at, scalar| numbers.push((at, scalar)));
        assert_eq!(numbers[..3], [(0, Scalar::U32), (16, Scalar::F32), (20, Scalar::F32)]);
        // The columns of the matrix begin at 32, 48 and 64.
        assert_eq!((numbers.len(), numbers[7]), (1 + 3 + 9 + 8, (48, Scalar::F32)));
        assert_eq!((words.layout.scalar(), tail.layout.scalar()), (Some(Scalar::U32), None));
        let constants: Vec<_> =
            needs.constants.iter().map(|of| (&*of.name, of.has_default)).collect();
        assert_eq!(constants, [("LANES", false), ("7", true)]);
    }

    #[test]
    fn what_cannot_be_bound_is_refused_in_one_line() {
        let error = Needs::of(SOURCE, None).expect_err("there are two entry points").to_string();
        assert!(error.contains("`main`, `other`"), "{error}");
        let texture = "@group(0) @binding(2) var image: texture_2d<f32>;
            @compute @workgroup_size(1) fn main() { _ = textureDimensions(image); }";
        let error = Needs::of(texture, None).expect_err("a texture is bound").to_string();
        assert!(error.contains("0.2 `image`") && !error.contains('\n'), "{error}");
    }
}
