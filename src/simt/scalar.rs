//! Arithmetic on one scalar, kept as the bits of a u64.
//!
//! Integers wrap. A number of 16 bits is calculated in 64 bits and rounded once.

use half::f16;
use naga::{
    AtomicFunction, BinaryOperator, Literal, MathFunction, Scalar, ScalarKind, UnaryOperator,
};

use super::unsupported::Unsupported;

/// Returns the bits of a literal.
pub(super) fn literal(literal: Literal) -> Result<u64, Unsupported> {
    Ok(match literal {
        Literal::F64(x) => x.to_bits(),
        Literal::F32(x) => x.to_bits().into(),
        Literal::F16(x) => x.to_bits().into(),
        Literal::U16(x) => x.into(),
        Literal::I16(x) => u64::from(x as u16),
        Literal::U32(x) => x.into(),
        Literal::I32(x) => u64::from(x as u32),
        Literal::U64(x) => x,
        Literal::I64(x) => x as u64,
        Literal::Bool(x) => x.into(),
        Literal::AbstractInt(_) | Literal::AbstractFloat(_) => {
            return Err(Unsupported("literals without a type".to_owned()));
        }
    })
}

/// Returns the low bits of `x` that a scalar of `width` bytes has.
fn truncated(x: u64, width: u8) -> u64 {
    if width >= 8 { x } else { x & ((1 << (8 * width)) - 1) }
}

/// Returns an integer with its sign.
pub(super) fn signed(bits: u64, width: u8) -> i64 {
    let unused = 64 - 8 * u32::from(width.min(8));
    (bits << unused) as i64 >> unused
}

/// Returns the value of a floating-point number.
fn real(bits: u64, width: u8) -> f64 {
    match width {
        2 => f16::from_bits(bits as u16).to_f64(),
        4 => f32::from_bits(bits as u32).into(),
        _ => f64::from_bits(bits),
    }
}

/// Returns the bits of the floating-point number nearest to `x`.
fn rounded(x: f64, width: u8) -> u64 {
    match width {
        2 => f16::from_f64(x).to_bits().into(),
        4 => (x as f32).to_bits().into(),
        _ => x.to_bits(),
    }
}

/// Returns `op` on `x`.
pub(super) fn unary(op: UnaryOperator, of: Scalar, x: u64) -> u64 {
    match (op, of.kind) {
        (UnaryOperator::Negate, ScalarKind::Float) => rounded(-real(x, of.width), of.width),
        (UnaryOperator::Negate, _) => truncated(x.wrapping_neg(), of.width),
        (UnaryOperator::LogicalNot, _) => u64::from(x == 0),
        (UnaryOperator::BitwiseNot, _) => truncated(!x, of.width),
    }
}

/// Returns `x op y`. Both have the type `of`, except that a shift has a u32 on its right.
pub(super) fn binary(op: BinaryOperator, of: Scalar, x: u64, y: u64) -> u64 {
    use BinaryOperator as Op;
    let width = of.width;
    match of.kind {
        ScalarKind::Float => {
            let (a, b) = (real(x, width), real(y, width));
            // Of 32 bits in 64, sums, products and quotients are rounded correctly by a second rounding.
            match op {
                Op::Add => rounded(a + b, width),
                Op::Subtract => rounded(a - b, width),
                Op::Multiply => rounded(a * b, width),
                Op::Divide => rounded(a / b, width),
                Op::Modulo => rounded(a % b, width),
                Op::Equal => u64::from(a == b),
                Op::NotEqual => u64::from(a != b),
                Op::Less => u64::from(a < b),
                Op::LessEqual => u64::from(a <= b),
                Op::Greater => u64::from(a > b),
                _ => u64::from(a >= b),
            }
        }
        kind => {
            let is_signed = kind == ScalarKind::Sint;
            let (a, b) = (signed(x, width), signed(y, width));
            let less = if is_signed { a < b } else { x < y };
            let shift = (y as u32) % (8 * u32::from(width));
            let result = match op {
                Op::Add => x.wrapping_add(y),
                Op::Subtract => x.wrapping_sub(y),
                Op::Multiply => x.wrapping_mul(y),
                // WGSL: a division by zero gives the dividend, and a remainder by zero gives zero.
                Op::Divide if is_signed => a.checked_div(b).unwrap_or(a) as u64,
                Op::Divide => x.checked_div(y).unwrap_or(x),
                Op::Modulo if is_signed => a.checked_rem(b).unwrap_or(0) as u64,
                Op::Modulo => x.checked_rem(y).unwrap_or(0),
                Op::Equal => u64::from(x == y),
                Op::NotEqual => u64::from(x != y),
                Op::Less => u64::from(less),
                Op::LessEqual => u64::from(less || x == y),
                Op::Greater => u64::from(!less && x != y),
                Op::GreaterEqual => u64::from(!less),
                Op::And | Op::LogicalAnd => x & y,
                Op::ExclusiveOr => x ^ y,
                Op::InclusiveOr | Op::LogicalOr => x | y,
                Op::ShiftLeft => x << shift,
                Op::ShiftRight if is_signed => (a >> shift) as u64,
                Op::ShiftRight => x >> shift,
            };
            truncated(result, width)
        }
    }
}

/// Returns the function `fun` of scalars of the type `of`.
pub(super) fn math(fun: MathFunction, of: Scalar, args: &[u64]) -> Result<u64, Unsupported> {
    use MathFunction as Fun;
    let unsupported = || Unsupported(format!("the function {fun:?} of {:?}", of.kind));
    let width = of.width;
    let at = |i: usize| args.get(i).copied().ok_or_else(unsupported);
    if of.kind == ScalarKind::Float {
        let x = |i: usize| at(i).map(|bits| real(bits, width));
        let result = match fun {
            // The product of two numbers of 32 bits is exact in 64 bits.
            Fun::Fma => x(0)?.mul_add(x(1)?, x(2)?),
            Fun::Min => x(0)?.min(x(1)?),
            Fun::Max => x(0)?.max(x(1)?),
            Fun::Clamp => x(0)?.max(x(1)?).min(x(2)?),
            Fun::Saturate => x(0)?.clamp(0.0, 1.0),
            Fun::Abs => x(0)?.abs(),
            Fun::Floor => x(0)?.floor(),
            Fun::Ceil => x(0)?.ceil(),
            Fun::Trunc => x(0)?.trunc(),
            Fun::Round => x(0)?.round_ties_even(),
            Fun::Fract => x(0)? - x(0)?.floor(),
            Fun::Sqrt => x(0)?.sqrt(),
            Fun::InverseSqrt => x(0)?.sqrt().recip(),
            Fun::Exp => x(0)?.exp(),
            Fun::Exp2 => x(0)?.exp2(),
            Fun::Log => x(0)?.ln(),
            Fun::Log2 => x(0)?.log2(),
            Fun::Sin => x(0)?.sin(),
            Fun::Cos => x(0)?.cos(),
            Fun::Pow => x(0)?.powf(x(1)?),
            _ => return Err(unsupported()),
        };
        return Ok(rounded(result, width));
    }
    let pick = |op: BinaryOperator, x: u64, y: u64| {
        if binary(op, of, x, y) == 1 { x } else { y }
    };
    let bits = 8 * u32::from(width);
    let unused = 64 - bits;
    Ok(match fun {
        Fun::Min => pick(BinaryOperator::Less, at(0)?, at(1)?),
        Fun::Max => pick(BinaryOperator::Greater, at(0)?, at(1)?),
        Fun::Clamp => {
            let low = pick(BinaryOperator::Greater, at(0)?, at(1)?);
            pick(BinaryOperator::Less, low, at(2)?)
        }
        Fun::Abs if of.kind == ScalarKind::Sint => {
            truncated(signed(at(0)?, width).unsigned_abs(), width)
        }
        Fun::Abs => at(0)?,
        Fun::CountOneBits => at(0)?.count_ones().into(),
        Fun::CountLeadingZeros => (at(0)?.leading_zeros() - unused).into(),
        Fun::CountTrailingZeros => at(0)?.trailing_zeros().min(bits).into(),
        Fun::ReverseBits => at(0)?.reverse_bits() >> unused,
        Fun::Dot4I8Packed => {
            let [x, y] = [at(0)?, at(1)?].map(|word| (word as u32).to_le_bytes());
            let products =
                x.into_iter().zip(y).map(|(x, y)| i32::from(x as i8) * i32::from(y as i8));
            u64::from(products.sum::<i32>() as u32)
        }
        Fun::Dot4U8Packed => {
            let [x, y] = [at(0)?, at(1)?].map(|word| (word as u32).to_le_bytes());
            x.into_iter().zip(y).map(|(x, y)| u64::from(x) * u64::from(y)).sum()
        }
        _ => return Err(unsupported()),
    })
}

/// Returns `bits` of the type `from` as a scalar of the type `to`.
pub(super) fn converted(bits: u64, from: Scalar, to: Scalar) -> u64 {
    let is_float = |scalar: Scalar| scalar.kind == ScalarKind::Float;
    match (is_float(from), is_float(to)) {
        (true, true) => rounded(real(bits, from.width), to.width),
        (true, false) => {
            let x = real(bits, from.width);
            let bits = 8 * u32::from(to.width);
            match to.kind {
                ScalarKind::Bool => u64::from(x != 0.0),
                // A number that is out of range becomes the nearest one.
                ScalarKind::Sint => {
                    let most = i64::MAX >> (64 - bits);
                    truncated((x as i64).clamp(-most - 1, most) as u64, to.width)
                }
                _ => (x as u64).min(u64::MAX >> (64 - bits)),
            }
        }
        (false, true) if from.kind == ScalarKind::Sint => {
            rounded(signed(bits, from.width) as f64, to.width)
        }
        (false, true) => rounded(bits as f64, to.width),
        (false, false) if to.kind == ScalarKind::Bool => u64::from(bits != 0),
        (false, false) if from.kind == ScalarKind::Sint => {
            truncated(signed(bits, from.width) as u64, to.width)
        }
        (false, false) => truncated(bits, to.width),
    }
}

/// Returns what an atomic operation stores at a place that holds `old`. `compare` is the value with which an exchange
/// compares it.
pub(super) fn atomic(
    fun: &AtomicFunction,
    of: Scalar,
    [old, value]: [u64; 2],
    compare: Option<u64>,
) -> Result<u64, Unsupported> {
    let operation = match fun {
        AtomicFunction::Add => BinaryOperator::Add,
        AtomicFunction::Subtract => BinaryOperator::Subtract,
        AtomicFunction::And => BinaryOperator::And,
        AtomicFunction::ExclusiveOr => BinaryOperator::ExclusiveOr,
        AtomicFunction::InclusiveOr => BinaryOperator::InclusiveOr,
        AtomicFunction::Min => return math(MathFunction::Min, of, &[old, value]),
        AtomicFunction::Max => return math(MathFunction::Max, of, &[old, value]),
        AtomicFunction::Exchange { .. } => {
            return Ok(if compare.is_none_or(|compare| compare == old) { value } else { old });
        }
    };
    Ok(binary(operation, of, old, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_and_keep_their_sign() {
        let (op, minus_3) = (BinaryOperator::Add, u64::from(-3i32 as u32));
        assert_eq!(binary(op, Scalar::U32, u32::MAX.into(), 2), 1);
        assert_eq!(binary(op, Scalar::I32, minus_3, 1), u64::from(-2i32 as u32));
        assert_eq!(
            binary(BinaryOperator::ShiftRight, Scalar::I32, minus_3, 1),
            u64::from(-2i32 as u32)
        );
        assert_eq!(binary(BinaryOperator::Less, Scalar::I32, minus_3, 1), 1);
        assert_eq!(binary(BinaryOperator::Less, Scalar::U32, minus_3, 1), 0);
        assert_eq!(binary(BinaryOperator::Divide, Scalar::U32, 7, 0), 7);
        assert_eq!(binary(BinaryOperator::ShiftLeft, Scalar::U32, 1, 33), 2);
    }

    #[test]
    fn conversions_saturate_and_round() {
        let half = Scalar { kind: ScalarKind::Float, width: 2 };
        let bits = |x: f32| u64::from(x.to_bits());
        assert_eq!(converted(bits(-1.5), Scalar::F32, Scalar::U32), 0);
        assert_eq!(converted(bits(1e20), Scalar::F32, Scalar::I32), u64::from(i32::MAX as u32));
        assert_eq!(converted(u64::from(-3i32 as u32), Scalar::I32, Scalar::F32), bits(-3.0));
        assert_eq!(
            converted(bits(2049.0), Scalar::F32, half),
            u64::from(f16::from_f32(2048.0).to_bits())
        );
        assert_eq!(converted(5, Scalar::U32, Scalar::BOOL), 1);
    }

    #[test]
    fn atomics_store_what_wgsl_says() {
        let exchange = AtomicFunction::Exchange { compare: None };
        assert_eq!(atomic(&AtomicFunction::Max, Scalar::U32, [3, 9], None), Ok(9));
        assert_eq!(atomic(&exchange, Scalar::U32, [3, 9], Some(4)), Ok(3));
        assert_eq!(atomic(&exchange, Scalar::U32, [3, 9], Some(3)), Ok(9));
    }
}
