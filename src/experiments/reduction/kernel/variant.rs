//! The classical reduction algorithms.

/// An algorithm that combines many items into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// One atomic per item.
    AtomicPerItem,
    /// One subgroup sum and one atomic per subgroup.
    SubgroupThenAtomic,
    /// One tree with interleaved addressing and one atomic per workgroup. The first step of the tree adds
    /// neighbours.
    TreeInterleaved,
    /// One tree with sequential addressing and one atomic per workgroup. The first step of the tree adds the
    /// second half of the workgroup's values to the first half.
    TreeSequential,
    /// One tree with sequential addressing per workgroup. Further dispatches sum the partial sums in the same
    /// way until one sum is left.
    MultiPass,
    /// A grid of bounded size in which each invocation sums several items, then one tree per workgroup. A
    /// second dispatch sums the partial sums.
    TwoPass,
    /// Like `TwoPass`, except that one atomic per workgroup replaces the second dispatch.
    SinglePass,
    /// Like `SinglePass`, except that one subgroup sum and one atomic per subgroup replace the tree.
    SubgroupSinglePass,
}

impl Variant {
    /// All variants.
    pub const ALL: [Self; 8] = [
        Self::AtomicPerItem,
        Self::SubgroupThenAtomic,
        Self::TreeInterleaved,
        Self::TreeSequential,
        Self::MultiPass,
        Self::TwoPass,
        Self::SinglePass,
        Self::SubgroupSinglePass,
    ];

    /// Returns the name in records. For a variant of one dispatch, the name is also its entry point.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtomicPerItem => "atomic_per_item",
            Self::SubgroupThenAtomic => "subgroup_then_atomic",
            Self::TreeInterleaved => "tree_interleaved",
            Self::TreeSequential => "tree_sequential",
            Self::MultiPass => "multi_pass",
            Self::TwoPass => "two_pass",
            Self::SinglePass => "single_pass",
            Self::SubgroupSinglePass => "subgroup_single_pass",
        }
    }

    /// Returns whether the variant needs subgroup operations.
    #[must_use]
    pub fn needs_subgroups(self) -> bool {
        matches!(self, Self::SubgroupThenAtomic | Self::SubgroupSinglePass)
    }

    /// Returns whether workgroups add their sums by atomics.
    #[must_use]
    pub fn needs_atomics(self) -> bool {
        !matches!(self, Self::MultiPass | Self::TwoPass)
    }

    /// Returns whether invocations share the items: the grid is smaller than the input, and a
    /// [`LaunchConfig`](crate::kernels::LaunchConfig) divides the items among the invocations.
    #[must_use]
    pub fn shares(self) -> bool {
        matches!(self, Self::TwoPass | Self::SinglePass | Self::SubgroupSinglePass)
    }
}
