//! How a grid goes through memory: what a short search chooses for the device at hand.

use std::fmt;

/// How many workgroups of how many lanes divide what lies in memory, and what each lane asks for at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LaunchConfig {
    /// Lanes in a workgroup.
    pub workgroup_size: u32,
    /// What a load brings.
    pub load: Load,
    /// Loads of a lane that do not wait for one another.
    pub loads_in_flight: u32,
    /// Workgroups at most.
    pub workgroups: u32,
    /// Whether each lane has a block to itself, or all stride over the whole together.
    pub blocked: bool,
}

/// The type of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Load {
    /// A word of 32 bits.
    Word,
    /// Two.
    Vec2,
    /// Four.
    Vec4,
    /// Two pairs of words, each pair an integer of 64 bits.
    Vec2U64,
    /// Four pairs.
    Vec4U64,
}

impl Load {
    /// All; those of pairs last.
    pub const ALL: [Self; 5] = [Self::Word, Self::Vec2, Self::Vec4, Self::Vec2U64, Self::Vec4U64];

    /// Words of 32 bits in the largest.
    pub const MAX_WORDS: u32 = 8;

    /// Words of 32 bits in it.
    #[must_use]
    pub fn words(self) -> u32 {
        self.parts() * if self.is_u64() { 2 } else { 1 }
    }

    /// Whether it takes integers of 64 bits, which not every device has.
    #[must_use]
    pub fn is_u64(self) -> bool {
        matches!(self, Self::Vec2U64 | Self::Vec4U64)
    }

    /// Its name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Word => "u32",
            Self::Vec2 => "vec2<u32>",
            Self::Vec4 => "vec4<u32>",
            Self::Vec2U64 => "vec2<u64>",
            Self::Vec4U64 => "vec4<u64>",
        }
    }

    /// Components of its vector.
    pub(crate) fn parts(self) -> u32 {
        match self {
            Self::Word => 1,
            Self::Vec2 | Self::Vec2U64 => 2,
            Self::Vec4 | Self::Vec4U64 => 4,
        }
    }

    /// A vector of as many components.
    pub(crate) fn vector_of(self, item: &str) -> String {
        match self.parts() {
            1 => item.to_owned(),
            parts => format!("vec{parts}<{item}>"),
        }
    }
}

impl LaunchConfig {
    /// Loads ahead that there are modules for.
    pub const LOADS_IN_FLIGHT: [u32; 3] = [1, 2, 4];

    /// A shape for each module that a family of kernels needs, in the order of [`LaunchConfig::index`].
    pub(crate) fn modules() -> impl Iterator<Item = Self> {
        let of = |load| {
            Self::LOADS_IN_FLIGHT.map(|loads_in_flight| Self {
                load,
                loads_in_flight,
                ..Self::strided(1)
            })
        };
        Load::ALL.into_iter().flat_map(of)
    }

    /// Which of a family's modules is its own.
    ///
    /// # Panics
    /// When there is none.
    pub(crate) fn index(self) -> usize {
        let own =
            |other: &Self| (other.load, other.loads_in_flight) == (self.load, self.loads_in_flight);
        Self::modules().position(|other| own(&other)).expect("a module of such loads")
    }

    /// Four words a load, one load at a time, in workgroups of 256 lanes that stride over the whole.
    #[must_use]
    pub const fn strided(workgroups: u32) -> Self {
        Self {
            workgroup_size: 256,
            load: Load::Vec4,
            loads_in_flight: 1,
            workgroups,
            blocked: false,
        }
    }

    /// Workgroups for so many words: no more than have a full step to make.
    #[must_use]
    pub fn workgroups_for(self, words: u32) -> u32 {
        words.div_ceil(self.words_a_step() * self.workgroup_size).clamp(1, self.workgroups)
    }

    /// Words that a lane asks for at once.
    #[must_use]
    pub fn words_a_step(self) -> u32 {
        self.load.words() * self.loads_in_flight
    }

    /// Trips of a lane's loop through so many words, at most.
    #[must_use]
    pub fn iterations(self, words: u32) -> u32 {
        words.div_ceil(self.words_a_step() * self.workgroup_size * self.workgroups_for(words))
    }

    /// What tells its modules from those of other shapes.
    pub(crate) fn module(self) -> String {
        let pairs = if self.load.is_u64() { "p" } else { "" };
        format!("{}{pairs}x{}", self.load.parts(), self.loads_in_flight)
    }

    /// A line of WGSL for each load that goes ahead, by its number.
    pub(crate) fn each(self, line: impl Fn(u32) -> String) -> String {
        (0..self.loads_in_flight).map(|load| format!("        {}\n", line(load))).collect()
    }

    /// WGSL that declares a sum of its own for each load ahead, and what they come to.
    pub(crate) fn sums(self) -> (String, String) {
        let declared =
            (0..self.loads_in_flight).map(|k| format!("    var sum{k} = Wide();\n")).collect();
        let all: Vec<String> = (0..self.loads_in_flight).map(|k| format!("sum{k}")).collect();
        (declared, all.join(" + "))
    }
}

impl fmt::Display for LaunchConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workgroup_size, load, loads_in_flight, workgroups, blocked } = self;
        let order = if *blocked { "blocked" } else { "strided" };
        write!(
            f,
            "{workgroups} × {workgroup_size} invocations, {loads_in_flight} × {}, {order}",
            load.as_str()
        )
    }
}
