//! Launch configurations: how the invocations of a grid divide an array. Autotuning chooses one for each
//! device.

use std::fmt;

use super::launch::MAX_ITERATIONS;

/// The launch configuration of a kernel that processes an array: the grid, and the loads of each invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LaunchConfig {
    /// Invocations per workgroup.
    pub workgroup_size: u32,
    /// Type of each load.
    pub load: Load,
    /// Independent loads that each invocation has in flight.
    pub loads_in_flight: u32,
    /// Maximum number of workgroups.
    pub workgroups: u32,
    /// Whether each invocation processes a contiguous block. If `false`, each strides over the array by the
    /// size of the grid.
    pub blocked: bool,
}

/// The type of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Load {
    /// One 32-bit word.
    Word,
    /// A vector of two 32-bit words.
    Vec2,
    /// A vector of four 32-bit words.
    Vec4,
    /// A vector of two 64-bit integers.
    Vec2U64,
    /// A vector of four 64-bit integers.
    Vec4U64,
}

impl Load {
    /// All types of loads. Those of 64-bit integers come last.
    pub const ALL: [Self; 5] = [Self::Word, Self::Vec2, Self::Vec4, Self::Vec2U64, Self::Vec4U64];

    /// Number of 32-bit words in the largest load.
    pub const MAX_WORDS: u32 = 8;

    /// Returns the number of 32-bit words in a load.
    #[must_use]
    pub fn words(self) -> u32 {
        self.parts() * if self.is_u64() { 2 } else { 1 }
    }

    /// Returns `true` if the load has 64-bit integers, which not every device supports.
    #[must_use]
    pub fn is_u64(self) -> bool {
        matches!(self, Self::Vec2U64 | Self::Vec4U64)
    }

    /// Returns the name of the type in records.
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

    /// Returns the number of vector components.
    pub(crate) fn parts(self) -> u32 {
        match self {
            Self::Word => 1,
            Self::Vec2 | Self::Vec2U64 => 2,
            Self::Vec4 | Self::Vec4U64 => 4,
        }
    }

    /// Returns the WGSL type with the same number of components, each of type `item`.
    pub(crate) fn vector_of(self, item: &str) -> String {
        match self.parts() {
            1 => item.to_owned(),
            parts => format!("vec{parts}<{item}>"),
        }
    }
}

impl LaunchConfig {
    /// Numbers of loads in flight for which modules exist.
    pub const LOADS_IN_FLIGHT: [u32; 3] = [1, 2, 4];

    /// Returns one configuration for each module of a kernel template, in the order of
    /// [`LaunchConfig::index`].
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

    /// Returns the index of this configuration's module among the modules of a kernel template.
    ///
    /// # Panics
    /// Panics if no module exists for the loads in flight of this configuration.
    pub(crate) fn index(self) -> usize {
        let same =
            |other: &Self| (other.load, other.loads_in_flight) == (self.load, self.loads_in_flight);
        Self::modules()
            .position(|other| same(&other))
            .expect("a module exists for this configuration")
    }

    /// Returns a strided configuration with 256 invocations per workgroup and one load of four words in
    /// flight.
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

    /// Returns the number of workgroups for an array of `words` words.
    ///
    /// The number is limited so that every workgroup but the last has words for one full loop iteration. It exceeds the
    /// number of the configuration where an invocation would otherwise have [`MAX_ITERATIONS`] iterations or more:
    /// a configuration that autotuning found on a smaller array then still works.
    #[must_use]
    pub fn workgroups_for(self, words: u32) -> u32 {
        let most = words.div_ceil(self.words_a_step() * self.workgroup_size);
        let least = most.div_ceil(MAX_ITERATIONS - 1).next_power_of_two();
        most.clamp(1, self.workgroups.max(least))
    }

    /// Returns the number of load instructions per loop iteration. No GPU loads more than 16 bytes at once.
    #[must_use]
    pub fn load_instructions(self) -> u32 {
        self.load.words().div_ceil(4) * self.loads_in_flight
    }

    /// Returns the number of words that an invocation loads per loop iteration.
    #[must_use]
    pub fn words_a_step(self) -> u32 {
        self.load.words() * self.loads_in_flight
    }

    /// Returns the maximum number of loop iterations of an invocation for an array of `words` words.
    #[must_use]
    pub fn iterations(self, words: u32) -> u32 {
        words.div_ceil(self.words_a_step() * self.workgroup_size * self.workgroups_for(words))
    }

    /// Returns the suffix that makes the name of this configuration's module unique.
    pub(crate) fn module(self) -> String {
        let u64_mark = if self.load.is_u64() { "p" } else { "" };
        format!("{}{u64_mark}x{}", self.load.parts(), self.loads_in_flight)
    }

    /// Returns one line of WGSL for each load in flight. `line` receives the index of the load.
    pub(crate) fn each(self, line: impl Fn(u32) -> String) -> String {
        (0..self.loads_in_flight).map(|load| format!("        {}\n", line(load))).collect()
    }

    /// Returns WGSL that declares one sum per load in flight, and a WGSL expression that adds these sums.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_invocation_has_more_iterations_than_a_loop_may_have() {
        for words in [1u32 << 12, 1 << 24, (1 << 24) + 1, 1 << 28] {
            for (workgroup_size, workgroups) in [(16, 1), (16, 8), (64, 1), (256, 8), (256, 65_536)]
            {
                for config in LaunchConfig::modules() {
                    let config = LaunchConfig { workgroup_size, workgroups, ..config };
                    assert!(config.iterations(words) < MAX_ITERATIONS, "{words} words, {config}");
                    let enough = words / (config.words_a_step() * workgroup_size * workgroups);
                    if enough <= MAX_ITERATIONS / 2 {
                        assert!(
                            config.workgroups_for(words) <= workgroups,
                            "{words} words, {config}"
                        );
                    }
                }
            }
        }
    }
}
