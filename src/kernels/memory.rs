//! `memory`: reading, writing and copying of arrays, the triad of the STREAM benchmark, which reads two words for each
//! word that it writes, and the sum of three words for each word that is written.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use super::launch_config::LaunchConfig;
use crate::gpu::{
    Check, Contents, CostModel, DeviceShape, Dispatch, Invariant, Property, Shader, ShaderFeature,
    Workload,
};

/// Number of loads after which the written values repeat, as in the shader.
const PERIOD: u32 = 1 << 16;
/// Indices of the arrays, both among the buffers of a workload and among the scratch buffers.
const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// Instructions per subgroup that the cost model counts besides the memory traffic.
const SETUP_ISSUES: f64 = 10.0;

/// The memory access of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Reads an array. Each invocation adds up the words that it reads.
    Read,
    /// Writes an array.
    Write,
    /// Reads an array and writes its words to another array.
    Copy,
    /// Reads arrays a and b and writes array c = a + 3b.
    Triad,
    /// Reads array a and both halves of array b, and writes array c = a + b + b′. Array b is twice as long as the others:
    /// four bindings would be more than some devices have.
    Sum,
}

impl Traffic {
    /// All kinds of traffic.
    pub const ALL: [Self; 5] = [Self::Read, Self::Write, Self::Copy, Self::Triad, Self::Sum];

    /// Returns the name of the traffic in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Copy => "copy",
            Self::Triad => "triad",
            Self::Sum => "sum",
        }
    }

    /// Returns the entry point.
    ///
    /// Functions named `read` and `write` would shadow the access modes of WGSL.
    fn entry(self) -> &'static str {
        match self {
            Self::Read => "read_words",
            Self::Write => "write_words",
            Self::Copy => "copy_words",
            Self::Triad => "triad_words",
            Self::Sum => "sum_words",
        }
    }

    /// Returns the number of words read and the number of words written for each word of an array.
    #[must_use]
    pub fn words(self) -> [u32; 2] {
        match self {
            Self::Read => [1, 0],
            Self::Write => [0, 1],
            Self::Copy => [1, 1],
            Self::Triad => [2, 1],
            Self::Sum => [3, 1],
        }
    }
}

/// Generates the module for the loads of `config`.
fn source(config: LaunchConfig) -> Arc<Shader> {
    let LaunchConfig { load, loads_in_flight, .. } = config;
    let words = load.vector_of("u32");
    let is_u64 = load.is_u64();
    let wide = load.vector_of(if is_u64 { "u64" } else { "u32" });
    // The vector of the offsets of a load's words: all words for 32-bit loads, every second word for the low
    // or high halves of 64-bit loads.
    let offsets = |first: u32, step: u32| {
        let all = (first..load.words()).step_by(step as usize);
        let all: Vec<String> = all.map(|word| format!("{}u", offset(word))).collect();
        format!("{words}({})", all.join(", "))
    };
    let at_first = if is_u64 {
        let high = format!("{wide}({words}(first) + {})", offsets(1, 2));
        format!("{wide}({words}(first) + {}) | ({high} << {words}(32u))", offsets(0, 2))
    } else {
        format!("{words}(first) + {}", offsets(0, 1))
    };
    let mut text = format!(
        "alias Wide = {wide};\n\nfn words_from(first: u32) -> Wide {{\n    return {at_first};\n}}\n\n"
    );
    text.push_str(include_str!("../../shaders/memory.wgsl"));
    let mut run = |name: &str, returns: &str, before: &str, each: &[String], after: &str| {
        let _infallible = write!(
            text,
            "\nfn {name}(first: u32, step: u32){returns} {{\n{before}    var i = first;\n    let steps = \
             params.steps;\n    for (var done = 0u; done < steps; done += {loads_in_flight}u) {{\n\
             {}        i += {loads_in_flight}u * step;\n    }}\n{after}}}\n",
            each.concat()
        );
    };
    let at = |load: u32| format!("i + {load}u * step");
    let load = |array: &str| config.each(|k| format!("let {array}{k} = {array}[{}];", at(k)));
    let store =
        |value: &dyn Fn(u32) -> String| config.each(|k| format!("c[{}] = {};", at(k), value(k)));
    let (sums, all) = config.sums();
    let add = config.each(|k| format!("sum{k} += a{k};"));
    run("read_all", " -> Wide", &sums, &[load("a"), add], &format!("    return {all};\n"));
    run("write_all", "", "", &[store(&|k| format!("word({})", at(k)))], "");
    run("copy_all", "", "", &[load("a"), store(&|k| format!("a{k}"))], "");
    let triad = store(&|k| format!("a{k} + b{k} + b{k} + b{k}"));
    run("triad_all", "", "", &[load("a"), load("b"), triad], "");
    let second = config.each(|k| format!("let d{k} = b[params.loads + {}];", at(k)));
    let sum = store(&|k| format!("a{k} + b{k} + d{k}"));
    run("sum_three", "", "", &[load("a"), load("b"), second, sum], "");
    Arc::new(Shader {
        name: format!("memory.{}", config.module()),
        source: text,
        needs: is_u64.then_some(ShaderFeature::U64).into_iter().collect(),
        checked: false,
        invariants: invariants(config),
    })
}

/// Returns what the machine code of the module for `config` must be like.
fn invariants(config: LaunchConfig) -> Vec<Invariant> {
    const REASON: &str = "a load that waits for the one before it shows latency and not bandwidth";
    let loads = config.load_instructions();
    vec![
        Invariant::new(&["read_words", "copy_words"], Property::LoadsInFlight(loads), REASON),
        Invariant::new(&["triad_words"], Property::LoadsInFlight(2 * loads), REASON),
        Invariant::new(&["sum_words"], Property::LoadsInFlight(3 * loads), REASON),
        Invariant::new(
            &["write_words", "copy_words", "triad_words", "sum_words"],
            Property::StoresInLoop(loads),
            "a store that is dropped costs nothing",
        ),
    ]
}

/// Returns the workgroup, of a power of two of them, whose share a workgroup has in a sweep, as in the shader.
fn workgroup_of_sweep(workgroup: u32, workgroups: u32, sweep: u32) -> u32 {
    workgroup ^ ((sweep.wrapping_mul(0x9E37_79B9) >> 16) & (workgroups - 1))
}

/// Returns the difference between word `word` of a load and its first word.
fn offset(word: u32) -> u32 {
    word.wrapping_mul(0x3C6E_F372)
}

/// Returns the modules, one for each load type and number of loads in flight.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    static SHADERS: LazyLock<Vec<Arc<Shader>>> =
        LazyLock::new(|| LaunchConfig::modules().map(source).collect());
    SHADERS.clone()
}

/// One dispatch of memory traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The memory access.
    pub traffic: Traffic,
    /// Number of 32-bit words in each array. A power of two.
    pub words: u32,
    /// Launch configuration. All its numbers are powers of two.
    pub config: LaunchConfig,
    /// Seed of the array contents.
    pub seed: u32,
    /// Number of times that the grid covers the arrays. Without any, this is the floor case: a baseline whose duration is
    /// that of the launch and is subtracted from other cases. That is only valid for [`Traffic::Read`].
    pub sweeps: u32,
}

impl Memory {
    /// Returns the workload, timed as one pass.
    ///
    /// The output is the written array. For [`Traffic::Read`], it is the sums of each invocation.
    ///
    /// # Panics
    /// Panics if `words` is not a power of two, or if an array has too few words for one loop iteration of
    /// one workgroup. Panics if there are no sweeps for traffic that writes an array.
    #[must_use]
    pub fn workload(self) -> Workload {
        let Self { traffic, words, config, .. } = self;
        assert!(
            self.sweeps > 0 || traffic == Traffic::Read,
            "a kernel without sweeps does not write the array that is checked"
        );
        assert!(words.is_power_of_two() && words >= config.words_a_step() * config.workgroup_size);
        let written = match traffic {
            Traffic::Read => self.invocations() * config.load.words(),
            _ => words,
        };
        let sources = self.sources();
        // Every array has a buffer, since all entry points of the module share their bindings.
        let needed = |array: usize| match sources.get(array) {
            _ if array == C => written,
            Some(&words) => words,
            None => config.load.words(),
        };
        let mut buffers: Vec<Contents> =
            [A, B, C].map(|array| Contents::Scratch(array, needed(array) as usize)).into();
        let fills = (0..).zip(&sources).map(|(source, &words)| {
            let seed = self.seed_of(source);
            let fill = Self { traffic: Traffic::Write, words, seed, sweeps: 1, ..self };
            fill.dispatch(&mut buffers, source)
        });
        let prepare = fills.collect();
        let dispatches = vec![self.dispatch(&mut buffers, C)];
        let check = Check { buffers: vec![C], expected: Arc::new(move || self.reference()) };
        let label = format!("{} {words} words, {config}", traffic.as_str());
        Workload { prepare, ..Workload::new(label, dispatches, buffers, check) }
    }

    /// Returns the words of the arrays that are read, which are [`A`] and [`B`] in this order.
    fn sources(self) -> Vec<u32> {
        match self.traffic {
            Traffic::Write => vec![],
            Traffic::Read | Traffic::Copy => vec![self.words],
            Traffic::Triad => vec![self.words, self.words],
            Traffic::Sum => vec![self.words, 2 * self.words],
        }
    }

    /// Returns the number of loads of an array.
    fn loads(self) -> u32 {
        self.words / self.config.load.words()
    }

    /// Returns the number of invocations in the grid.
    fn invocations(self) -> u32 {
        self.config.workgroups_for(self.words) * self.config.workgroup_size
    }

    /// Returns the number of loads of each invocation from each array in a sweep.
    fn steps(self) -> u32 {
        self.loads() / self.invocations()
    }

    /// Returns the seed of the contents of an input array.
    fn seed_of(self, array: usize) -> u32 {
        self.seed.wrapping_add(array as u32 + 1)
    }

    /// Returns the dispatch that writes to buffer `target`, and adds its uniform block to `buffers`.
    fn dispatch(self, buffers: &mut Vec<Contents>, target: usize) -> Dispatch {
        let Self { config, traffic, .. } = self;
        let blocked = u32::from(config.blocked);
        buffers.push(Contents::Uniform(vec![
            ("steps", self.steps()),
            ("blocked", blocked),
            ("seed", self.seed),
            ("sweeps", self.sweeps),
            ("loads", self.loads()),
        ]));
        let bindings = vec![("params", buffers.len() - 1), ("a", A), ("b", B), ("c", target)];
        Dispatch {
            shader: Arc::clone(&shaders()[config.index()]),
            entry: traffic.entry(),
            constants: vec![("WORKGROUP_SIZE", config.workgroup_size)],
            bindings,
            workgroups: [self.invocations() / config.workgroup_size, 1],
            cost_model: Arc::new(move |shape| self.cost_model(shape)),
        }
    }

    /// Returns the words at load index `load` of an array that was written with `seed`.
    fn load(self, load: u32, seed: u32) -> impl Iterator<Item = u32> {
        let first = ((load & (PERIOD - 1)) ^ seed).wrapping_mul(0x9E37_79B9);
        (0..self.config.load.words()).map(move |word| first.wrapping_add(offset(word)))
    }

    fn reference(&self) -> Vec<u32> {
        let loads = self.loads().min(PERIOD);
        let [a, b] = [A, B].map(|array| self.seed_of(array));
        match self.traffic {
            Traffic::Read => self.sums(),
            Traffic::Write => (0..loads).flat_map(|load| self.load(load, self.seed)).collect(),
            Traffic::Copy => (0..loads).flat_map(|load| self.load(load, a)).collect(),
            Traffic::Triad => {
                let triad = |load| {
                    let both = self.numbers(load, a).zip(self.numbers(load, b));
                    self.words_of(both.map(|(a, b)| a.wrapping_add(b.wrapping_mul(3))))
                };
                (0..loads).flat_map(triad).collect()
            }
            Traffic::Sum => {
                let sum = |load| {
                    let two = self.numbers(load, a).zip(self.numbers(load, b));
                    let three = two.zip(self.numbers(self.loads() + load, b));
                    self.words_of(three.map(|((a, b), d)| a.wrapping_add(b).wrapping_add(d)))
                };
                (0..loads).flat_map(sum).collect()
            }
        }
    }

    /// Returns the sums of each invocation.
    fn sums(self) -> Vec<u32> {
        let of_a_sweep = self.sums_of_a_sweep();
        if self.sweeps == 1 {
            return self.words_of(of_a_sweep.into_iter()).collect();
        }
        let grid = self.invocations() / self.config.workgroup_size;
        let each = (self.config.workgroup_size * self.config.load.parts()) as usize;
        let mut times = BTreeMap::<u32, u64>::new();
        for sweep in 0..self.sweeps {
            *times.entry(workgroup_of_sweep(0, grid, sweep)).or_default() += 1;
        }
        let mut sums = vec![0u64; grid as usize * each];
        for (workgroup, sums) in (0..grid).zip(sums.chunks_exact_mut(each)) {
            for (&flipped, &times) in &times {
                // The shares of a sweep repeat, in strided order.
                let first = (workgroup ^ flipped) as usize * each % of_a_sweep.len();
                for (sum, number) in sums.iter_mut().zip(&of_a_sweep[first..]) {
                    *sum = sum.wrapping_add(number.wrapping_mul(times));
                }
            }
        }
        self.words_of(sums.into_iter()).collect()
    }

    /// Returns the sums of each invocation in a sweep, one per component of a load.
    fn sums_of_a_sweep(self) -> Vec<u64> {
        let (invocations, steps) = (self.invocations(), self.steps());
        let step = if self.config.blocked { 1 } else { invocations };
        // The values that an invocation reads repeat after this number of loads.
        let cycle = (PERIOD / step).clamp(1, steps);
        let cycles = u64::from(steps / cycle);
        // In strided order, invocations whose indices differ by a period read equal values.
        let distinct = if self.config.blocked { invocations } else { invocations.min(PERIOD) };
        let sums_of = |invocation: u32| {
            let first = if self.config.blocked { invocation * steps } else { invocation };
            let mut sums = [0u64; 4];
            for i in 0..cycle {
                let numbers = self.numbers(first + i * step, self.seed_of(0));
                sums.iter_mut().zip(numbers).for_each(|(sum, n)| *sum = sum.wrapping_add(n));
            }
            let parts = self.config.load.parts() as usize;
            sums.into_iter().take(parts).map(move |sum| sum.wrapping_mul(cycles))
        };
        (0..distinct).flat_map(sums_of).collect()
    }

    /// Returns the components of the vector at load index `load`: 32-bit words or 64-bit integers.
    fn numbers(self, load: u32, seed: u32) -> impl Iterator<Item = u64> {
        let mut words = self.load(load, seed).map(u64::from);
        let is_u64 = self.config.load.is_u64();
        std::iter::from_fn(move || {
            let low = words.next()?;
            Some(if is_u64 { low | words.next()? << 32 } else { low })
        })
    }

    /// Returns the 32-bit words of `numbers` in memory order.
    fn words_of(self, numbers: impl Iterator<Item = u64>) -> impl Iterator<Item = u32> {
        let words = if self.config.load.is_u64() { 2 } else { 1 };
        numbers.flat_map(move |n| [n as u32, (n >> 32) as u32].into_iter().take(words))
    }

    fn cost_model(self, shape: DeviceShape) -> CostModel {
        let Self { config, traffic, .. } = self;
        let workgroups = f64::from(self.invocations() / config.workgroup_size);
        let slots = workgroups * f64::from(shape.issue_slots(config.workgroup_size));
        let [read, written] = traffic.words();
        let bytes = f64::from(self.words) * 4.0 * f64::from(read + written);
        CostModel {
            workgroups,
            subgroups: workgroups * f64::from(config.workgroup_size.div_ceil(shape.width)),
            issues: slots * SETUP_ISSUES,
            bytes: bytes * f64::from(self.sweeps),
            footprint: bytes,
            // A store does not make an invocation wait.
            bytes_in_flight: if read == 0 {
                0.0
            } else {
                let words = (read + written) * config.words_a_step() * config.workgroup_size;
                f64::from(words) * 4.0
            },
            ..CostModel::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Load;

    #[test]
    fn the_references_match_calculations_by_hand() {
        let config = LaunchConfig {
            workgroup_size: 2,
            load: Load::Vec2,
            loads_in_flight: 1,
            workgroups: 2,
            blocked: false,
        };
        let of =
            |traffic, config| Memory { traffic, words: 16, config, seed: 5, sweeps: 1 }.reference();
        let word = |load: u32, seed: u32, word: u32| {
            (load ^ seed).wrapping_mul(2_654_435_769).wrapping_add(word * 0x3C6E_F372)
        };
        let written = of(Traffic::Write, config);
        assert_eq!((written.len(), written[0], written[7]), (16, word(0, 5, 0), word(3, 5, 1)));
        assert_eq!(of(Traffic::Copy, config)[6], word(3, 6, 0));
        let triad = word(3, 6, 1).wrapping_add(word(3, 7, 1).wrapping_mul(3));
        assert_eq!(of(Traffic::Triad, config)[7], triad);
        // The second half of array b begins at load 8.
        let sum = word(3, 6, 1).wrapping_add(word(3, 7, 1)).wrapping_add(word(11, 7, 1));
        assert_eq!(of(Traffic::Sum, config)[7], sum);
        // Eight loads by four invocations: invocation 1 has loads 1 and 5, or loads 2 and 3 if blocked.
        let sum = |i: u32, j: u32, w: u32| word(i, 6, w).wrapping_add(word(j, 6, w));
        assert_eq!(of(Traffic::Read, config)[2..4], [sum(1, 5, 0), sum(1, 5, 1)]);
        let blocked = LaunchConfig { blocked: true, ..config };
        assert_eq!(of(Traffic::Read, blocked)[2..4], [sum(2, 3, 0), sum(2, 3, 1)]);
    }

    #[test]
    fn repeated_values_are_added_every_time_they_are_read() {
        let config = LaunchConfig {
            workgroup_size: 256,
            load: Load::Word,
            loads_in_flight: 1,
            workgroups: 128,
            blocked: false,
        };
        let memory = Memory { traffic: Traffic::Read, words: 1 << 18, config, seed: 1, sweeps: 1 };
        let idle = Memory { sweeps: 0, ..memory };
        assert!(idle.reference().iter().all(|&sum| sum == 0));
        let by_hand = (0..8).fold(0u32, |sum, i| {
            let mut word = memory.load(3 + i * 32_768, memory.seed_of(0));
            sum.wrapping_add(word.next().expect("a load has at least one word"))
        });
        assert_eq!(memory.reference()[3], by_hand);
        // In the second sweep, each workgroup has the share of the one whose index differs in the bits of 0x9E37 & 127 = 55.
        let (once, twice) = (memory.reference(), Memory { sweeps: 2, ..memory }.reference());
        for workgroup in [1, 127] {
            let (sum, other) = (workgroup * 256 + 3, (workgroup ^ 55) * 256 + 3);
            assert_eq!(twice[sum], once[sum].wrapping_add(once[other]));
        }
        assert_eq!(twice.len(), 128 * 256);
    }
}
