//! Invariants of kernels: what their machine code must be like, whichever compiler makes it.
//!
//! A kernel measures what its WGSL says only if no compiler merges its paths, drops its operations or makes its loads
//! wait for each other. The invariants of a kernel say so beside its source. The tests compile every kernel for GPUs
//! of several vendors, and hold the machine code against them.

/// An invariant of the machine code of some entry points.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Invariant {
    /// Names of the entry points.
    pub entries: &'static [&'static str],
    /// What is true of their machine code.
    pub property: Property,
    /// What would go wrong without it.
    pub reason: &'static str,
}

/// A property of machine code. Loops are those that are left after the compiler has unrolled what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Property {
    /// This many loops at least.
    Loops(u32),
    /// The largest innermost loop has this many vector instructions that compute, or a multiple of it if the loop is
    /// unrolled, and at most a quarter of it more.
    Computes(u32),
    /// The largest innermost loop has this many vector instructions that compute, or more.
    ComputesAtLeast(u32),
    /// This many loads from buffers are on their way at some time before the first of them is waited for.
    LoadsInFlight(u32),
    /// A loop has this many atomic operations on buffers, or a multiple of it.
    AtomicsInLoop(u32),
    /// A loop has this many atomic operations on workgroup memory, or a multiple of it.
    WorkgroupAtomicsInLoop(u32),
    /// A loop has loads of this many bytes of workgroup memory for each invocation, or a multiple of it.
    WorkgroupBytesInLoop(u32),
    /// A loop has this many loads from buffers, or a multiple of it.
    LoadsInLoop(u32),
    /// A loop has this many stores to buffers, or a multiple of it.
    StoresInLoop(u32),
    /// No branch in a loop depends on data: lanes stay together.
    StaysTogether,
    /// The code has at most this many bytes.
    CodeBytes(u32),
}

impl Invariant {
    /// Creates an invariant of the entry points `entries`.
    #[must_use]
    pub const fn new(
        entries: &'static [&'static str],
        property: Property,
        reason: &'static str,
    ) -> Self {
        Self { entries, property, reason }
    }
}
