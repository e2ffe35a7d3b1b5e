//! The steps of the chains of `ilp`: the operations that each invocation repeats, each step on the result of the last.

/// Odd factor that scatters small numbers over all bytes of a word.
const SCATTER: u32 = 2_654_435_761;

/// A step of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// 32-bit integers: an exclusive or, then a subtraction from a constant. No compiler can merge the two, and no GPU
    /// has an instruction that does both. Some do an exclusive or and an addition at once.
    U32,
    /// 32-bit integers: a multiplication and an addition, in one instruction if the hardware has it.
    MadU32,
    /// 32-bit floating-point numbers: a multiplication and an addition, fused if the hardware can.
    F32,
    /// 16-bit floating-point numbers: a multiplication and an addition, fused if the hardware can.
    F16,
    /// 8-bit integers, four in a word: the scalar product of two words, added to a 32-bit integer.
    I8,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 5] = [Self::U32, Self::MadU32, Self::F32, Self::F16, Self::I8];

    /// Returns the name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::U32 => "u32",
            Self::MadU32 => "mad_u32",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I8 => "i8",
        }
    }

    /// Returns the number of arithmetic operations in a step.
    #[must_use]
    pub fn operations(self) -> f64 {
        match self {
            Self::U32 | Self::MadU32 | Self::F32 | Self::F16 => 2.0,
            // Four multiplications and four additions.
            Self::I8 => 8.0,
        }
    }

    /// Returns the least number of vector instructions of a step on any GPU, and whether every GPU has this number.
    pub(super) fn instructions(self) -> (u32, bool) {
        match self {
            Self::U32 => (2, true),
            Self::F32 => (1, true),
            // Some GPUs add in an instruction of its own, or multiply in several.
            Self::MadU32 => (1, false),
            // Pairs of chains may share an instruction.
            Self::F16 => (1, false),
            // Without an instruction for scalar products, each byte has its own.
            Self::I8 => (1, false),
        }
    }

    /// Returns the instructions of a step that the cost model counts, each of which depends on the one before.
    pub(super) fn issues(self) -> u32 {
        match self {
            Self::U32 | Self::MadU32 | Self::I8 => 2,
            Self::F32 | Self::F16 => 1,
        }
    }

    /// Returns the integer multiplications of a step, and those that scatter the first number of a chain.
    pub(super) fn multiplies(self) -> [u32; 2] {
        match self {
            Self::MadU32 => [1, 0],
            Self::I8 => [0, 1],
            Self::U32 | Self::F32 | Self::F16 => [0, 0],
        }
    }

    /// Returns the instructions at the end of an iteration.
    pub(super) fn issues_after_iteration(self) -> u32 {
        if self == Self::I8 { 2 } else { 0 }
    }

    /// Returns the instructions that convert the operands, and those that convert a chain to and from a word.
    pub(super) fn issues_of_conversions(self) -> [u32; 2] {
        match self {
            Self::U32 | Self::MadU32 => [0, 0],
            Self::F32 | Self::I8 => [0, 1],
            Self::F16 => [3, 2],
        }
    }

    /// Returns the numbers of chains that a variable can have. On hardware with vector instructions, one instruction
    /// advances all chains of a variable. WGSL has no scalar products of vectors of words.
    #[must_use]
    pub fn vectors(self) -> &'static [u32] {
        if self == Self::I8 { &[1] } else { &[1, 2, 4] }
    }

    /// Returns the type of a chain in WGSL.
    pub(super) fn scalar(self) -> &'static str {
        match self {
            Self::U32 | Self::MadU32 => "u32",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I8 => "i32",
        }
    }

    /// Returns the WGSL that reads the operand `name` of the uniform block as a scalar.
    pub(super) fn operand(self, name: &str) -> String {
        match self {
            Self::U32 | Self::MadU32 | Self::I8 => format!("params.{name}"),
            Self::F32 => format!("bitcast<f32>(params.{name})"),
            // The bits are those of an f32, because a uniform block of 16-bit numbers is another optional feature.
            Self::F16 => format!("f16(bitcast<f32>(params.{name}))"),
        }
    }

    /// Returns the type of the operands in WGSL.
    pub(super) fn operand_type(self) -> &'static str {
        if self == Self::I8 { "u32" } else { self.scalar() }
    }

    /// Returns the WGSL of one step on the variable `x`.
    ///
    /// Steps with odd index add another constant in floating point, so that two successive steps do not cancel.
    pub(super) fn code(self, x: u32, odd: bool) -> String {
        match (self, odd) {
            (Self::U32, _) => format!("x{x} = a - (x{x} ^ b);"),
            (Self::MadU32, _) => format!("x{x} = x{x} * a + b;"),
            (Self::F32 | Self::F16, false) => format!("x{x} = fma(x{x}, a, b);"),
            (Self::F32 | Self::F16, true) => format!("x{x} = fma(x{x}, a, c);"),
            (Self::I8, _) => format!("x{x} = dot4I8Packed(bitcast<u32>(x{x}), a) + x{x};"),
        }
    }

    /// Returns the WGSL at the end of a loop iteration.
    ///
    /// In f16, the two constants change places, so that the next iteration subtracts what this one added. Without it,
    /// the numbers grow beyond 2,048, above which not all integers are exact. In i8, the factors change, because a
    /// number whose scalar product with them is zero would stay as it is.
    pub(super) fn after_iteration(self) -> &'static str {
        match self {
            Self::U32 | Self::MadU32 | Self::F32 => "",
            Self::F16 => "let swapped = b; b = c; c = swapped;",
            Self::I8 => "a = (a + b) ^ c;",
        }
    }

    /// Returns the WGSL of the first number of a chain, from a u32. In i8, all four bytes must be large.
    pub(super) fn start(self, from: &str) -> String {
        match self {
            Self::I8 => format!("bitcast<i32>(({from}) * {SCATTER}u)"),
            _ => format!("{}({from})", self.scalar()),
        }
    }

    /// Returns the WGSL that converts the value `x` of a chain to a word.
    pub(super) fn word(self, x: &str) -> String {
        match self {
            Self::F16 => format!("bitcast<u32>(f32({x}))"),
            _ => format!("bitcast<u32>({x})"),
        }
    }

    /// Returns the bit patterns of the operands `a`, `b` and `c`.
    pub(super) fn operands(self) -> [u32; 3] {
        match self {
            Self::U32 => [0x9E37_79B9, 0x85EB_CA6B, 0],
            // A factor of 1 modulo 4 and an odd summand, with which the numbers repeat after 2^32 steps.
            Self::MadU32 => [1_664_525, 1_013_904_223, 0],
            // Two steps map x to 3 − x and then to 4 − (3 − x) = x + 1. All values are small integers, which are
            // exact with and without intermediate rounding.
            Self::F32 | Self::F16 => [(-1f32).to_bits(), 3f32.to_bits(), 4f32.to_bits()],
            // The first factors are the bytes 7, −3, 5 and 1.
            Self::I8 => [0x0105_FD07, 0x9E37_79B9, 0x85EB_CA6B],
        }
    }

    /// Returns the word of a chain that began from `start`, after `iterations` of `steps` steps each.
    ///
    /// The number of steps must be even.
    pub(super) fn result(self, start: u32, iterations: u32, steps: u32) -> u32 {
        let all = iterations * steps;
        match self {
            Self::U32 => {
                let [a, b, _] = self.operands();
                (0..all).fold(start, |x, _| a.wrapping_sub(x ^ b))
            }
            Self::MadU32 => {
                let [a, b, _] = self.operands();
                (0..all).fold(start, |x, _| x.wrapping_mul(a).wrapping_add(b))
            }
            // Two steps add one.
            Self::F32 => ((start + all / 2) as f32).to_bits(),
            // An iteration adds half of its steps, and the next one subtracts them.
            Self::F16 => ((start + iterations % 2 * (steps / 2)) as f32).to_bits(),
            Self::I8 => {
                let [mut a, b, c] = self.operands();
                let mut x = start.wrapping_mul(SCATTER);
                for _ in 0..iterations {
                    x = (0..steps).fold(x, |x, _| dot4_i8_packed(x, a).wrapping_add(x));
                    a = a.wrapping_add(b) ^ c;
                }
                x
            }
        }
    }
}

/// Returns the scalar product of two words of four signed bytes each.
fn dot4_i8_packed(x: u32, y: u32) -> u32 {
    let products = x.to_le_bytes().into_iter().zip(y.to_le_bytes());
    products.map(|(x, y)| i32::from(x as i8) * i32::from(y as i8)).sum::<i32>() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A driver that ends a loop early must be seen.
    #[test]
    fn one_iteration_less_changes_nearly_every_result() {
        for step in Step::ALL {
            for iterations in [1, 2, 3, 100, 513] {
                let changes = |start: &u32| {
                    step.result(*start, iterations, 16) != step.result(*start, iterations - 1, 16)
                };
                let changed = (1..400).filter(changes).count();
                assert!(changed > 390, "{step:?} after {iterations}: {changed} of 399");
            }
        }
    }

    #[test]
    fn the_results_match_calculations_by_hand() {
        let [a, b, _] = Step::U32.operands();
        assert_eq!(Step::U32.result(5, 1, 2), a.wrapping_sub(a.wrapping_sub(5 ^ b) ^ b));

        assert_eq!(Step::MadU32.result(1, 1, 1), 1_664_525 + 1_013_904_223);

        // 3 − 5 = −2, 4 + 2 = 6, 3 − 6 = −3, 4 + 3 = 7. After 16 steps, the value is 5 + 8.
        let floats = Step::F32.operands().map(f32::from_bits);
        let [a, b, c] = floats;
        let expected = (0..8).fold(5f32, |x, _| (x * a + b) * a + c);
        assert_eq!(expected, 13.0);
        assert_eq!(Step::F32.result(5, 1, 16), expected.to_bits());
        assert_eq!(Step::F16.result(5, 1, 16), expected.to_bits());
        let expected = (0..8).fold(expected, |x, _| (x * a + c) * a + b);
        assert_eq!(expected, 5.0);
        assert_eq!(Step::F16.result(5, 2, 16), expected.to_bits());

        // The first number from 5 is 0x17156075, whose bytes are 117, 96, 21 and 23, lowest first:
        // 117·7 − 96·3 + 21·5 + 23·1 = 659. The sum has the bytes 8, 99, 21 and 23: 56 − 297 + 105 + 23 = −113.
        assert_eq!(Step::I8.result(5, 1, 1), 0x1715_6075 + 659);
        assert_eq!(Step::I8.result(5, 1, 2), 0x1715_6075 + 659 - 113);
        // The next factors are −85, −68, −42 and 26: −8·85 − 99·68 − 21·42 + 23·26 = −7696.
        assert_eq!(Step::I8.result(5, 2, 1), 0x1715_6075 + 659 - 7696);
        assert_eq!(dot4_i8_packed(0x80FF_7F02, 0x0101_0103), 6 + 127 - 1 - 128);
    }
}
