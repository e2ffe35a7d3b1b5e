//! The classical ways.

/// How the items are brought to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Each item is added atomically.
    AtomicPerItem,
    /// Each subgroup adds its sum atomically.
    SubgroupThenAtomic,
    /// Each workgroup sums by a tree of neighbours, then adds atomically.
    TreeInterleaved,
    /// Each workgroup sums by a tree of halves, then adds atomically.
    TreeSequential,
    /// A tree of halves per workgroup, level after level, a dispatch each.
    MultiPass,
    /// By a grid of fixed size, then a tree in each workgroup; a second dispatch sums the partials.
    TwoPass,
    /// The same, but each workgroup adds atomically in the one dispatch.
    SinglePass,
    /// The same, but each subgroup sums and adds atomically, without a tree.
    SubgroupSinglePass,
}

impl Variant {
    /// Every variant.
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

    /// Its name in records, and its entry point where it has one of its own.
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

    /// Whether it needs subgroup operations.
    #[must_use]
    pub fn needs_subgroups(self) -> bool {
        matches!(self, Self::SubgroupThenAtomic | Self::SubgroupSinglePass)
    }

    /// Whether its grid is smaller than the items and so divides them by a [`LaunchConfig`](crate::kernels::Shape).
    #[must_use]
    pub fn shares(self) -> bool {
        matches!(self, Self::TwoPass | Self::SinglePass | Self::SubgroupSinglePass)
    }
}
