//! Buffers, workgroup memory and local variables, as bytes.

use naga::proc::{GlobalCtx, Layouter};
use naga::{ArraySize, Handle, Module, Scalar, ScalarKind, Type, TypeInner, VectorSize};

use super::unsupported::Unsupported;

/// A place in memory: the number of a region, and a byte in it.
///
/// As a value of a pointer it is one number, with the region in the upper half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) region: u32,
    pub(super) byte: u32,
}

impl Place {
    pub(super) fn bits(self) -> u64 {
        u64::from(self.region) << 32 | u64::from(self.byte)
    }

    pub(super) fn of_bits(bits: u64) -> Self {
        Self { region: (bits >> 32) as u32, byte: bits as u32 }
    }
}

/// A region of memory: a buffer, a variable of the workgroup, or a local variable of every lane.
#[derive(Debug, Clone, Default)]
struct Region {
    bytes: Vec<u8>,
    /// Bytes of each lane, or zero if all lanes share the region.
    of_a_lane: usize,
}

/// All memory that the lanes of a workgroup reach.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    regions: Vec<Region>,
}

impl Memory {
    /// Adds a region that all lanes share. Returns its number.
    pub(super) fn share(&mut self, bytes: Vec<u8>) -> u32 {
        self.regions.push(Region { bytes, of_a_lane: 0 });
        self.regions.len() as u32 - 1
    }

    /// Adds a region in which each of `lanes` lanes has `bytes` zero bytes. Returns its number.
    pub(super) fn give(&mut self, lanes: usize, bytes: usize) -> u32 {
        self.regions.push(Region { bytes: vec![0; lanes * bytes], of_a_lane: bytes });
        self.regions.len() as u32 - 1
    }

    /// Forgets the regions from number `first` on.
    pub(super) fn forget(&mut self, first: u32) {
        self.regions.truncate(first as usize);
    }

    /// Returns the number of regions.
    pub(super) fn len(&self) -> u32 {
        self.regions.len() as u32
    }

    /// Returns the bytes of a region.
    pub(super) fn bytes(&self, region: u32) -> &[u8] {
        &self.regions[region as usize].bytes
    }

    /// Takes the bytes of a region.
    pub(super) fn take(&mut self, region: u32) -> Vec<u8> {
        std::mem::take(&mut self.regions[region as usize].bytes)
    }

    fn range(&self, place: Place, lane: usize, width: u8) -> std::ops::Range<usize> {
        let begin = lane * self.regions[place.region as usize].of_a_lane + place.byte as usize;
        begin..begin + usize::from(width)
    }

    /// Returns the scalar at `place`. Beyond the end of a buffer it is zero.
    pub(super) fn load(&self, place: Place, lane: usize, width: u8) -> u64 {
        let range = self.range(place, lane, width);
        let mut bits = [0; 8];
        if let Some(bytes) = self.regions[place.region as usize].bytes.get(range) {
            bits[..bytes.len()].copy_from_slice(bytes);
        }
        u64::from_le_bytes(bits)
    }

    /// Stores a scalar at `place`. Beyond the end of a buffer nothing is stored.
    pub(super) fn store(&mut self, place: Place, lane: usize, width: u8, bits: u64) {
        let range = self.range(place, lane, width);
        if let Some(bytes) = self.regions[place.region as usize].bytes.get_mut(range) {
            bytes.copy_from_slice(&bits.to_le_bytes()[..usize::from(width)]);
        }
    }
}

/// The layouts of a module's types.
pub(super) struct Layouts<'a> {
    module: &'a Module,
    layouter: Layouter,
}

impl<'a> Layouts<'a> {
    pub(super) fn new(module: &'a Module) -> Result<Self, Unsupported> {
        let mut layouter = Layouter::default();
        layouter
            .update(GlobalCtx {
                types: &module.types,
                constants: &module.constants,
                overrides: &module.overrides,
                global_expressions: &module.global_expressions,
            })
            .map_err(|error| Unsupported(error.to_string()))?;
        Ok(Self { module, layouter })
    }

    /// Returns the size of a type in bytes. An array without a length counts one element.
    pub(super) fn size(&self, ty: Handle<Type>) -> usize {
        self.layouter[ty].size as usize
    }

    /// Returns the scalars of a type, each with its byte.
    pub(super) fn scalars(&self, ty: &TypeInner) -> Result<Vec<(u32, Scalar)>, Unsupported> {
        let of = |ty: Handle<Type>| self.scalars(&self.module.types[ty].inner);
        let moved = |scalars: Vec<(u32, Scalar)>, by: u32| {
            scalars.into_iter().map(move |(byte, scalar)| (by + byte, scalar))
        };
        match *ty {
            TypeInner::Scalar(scalar) | TypeInner::Atomic(scalar) => Ok(vec![(0, scalar)]),
            TypeInner::Vector { size, scalar } => Ok(vector(size, scalar)),
            TypeInner::Array { base, size: ArraySize::Constant(count), stride } => {
                let element = of(base)?;
                let elements = (0..count.get()).flat_map(|i| moved(element.clone(), i * stride));
                Ok(elements.collect())
            }
            TypeInner::Struct { ref members, .. } => {
                let mut all = Vec::new();
                for member in members {
                    all.extend(moved(of(member.ty)?, member.offset));
                }
                Ok(all)
            }
            // A pointer is one number.
            TypeInner::Pointer { .. } | TypeInner::ValuePointer { .. } => {
                Ok(vec![(0, Scalar { kind: ScalarKind::Uint, width: 8 })])
            }
            _ => Err(Unsupported(format!("values of the type {ty:?}"))),
        }
    }

    /// Returns the bytes from one element or member of a type to element or member `index`.
    pub(super) fn offset(&self, ty: &TypeInner, index: u32) -> Result<u32, Unsupported> {
        match *ty {
            TypeInner::Vector { scalar, .. } => Ok(index * u32::from(scalar.width)),
            TypeInner::Array { stride, .. } => Ok(index * stride),
            TypeInner::Struct { ref members, .. } => Ok(members[index as usize].offset),
            _ => Err(Unsupported(format!("an element of {ty:?}"))),
        }
    }
}

fn vector(size: VectorSize, scalar: Scalar) -> Vec<(u32, Scalar)> {
    (0..size as u32).map(|i| (i * u32::from(scalar.width), scalar)).collect()
}
