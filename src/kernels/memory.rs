//! `memory`: words read, written, copied, and two read for each one written (a triad, as STREAM has it).

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use super::launch_config::LaunchConfig;
use crate::gpu::{Check, Contents, CostModel, Dispatch, Shader, Workload};

/// Loads after which what is written is written again, as in the shader.
const PERIOD: u32 = 1 << 16;
/// The arrays, as buffers of a workload and as places of scratch.
const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// Issued per subgroup around the work itself.
const SETUP_ISSUES: f64 = 10.0;

/// What is done with memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Words are added up by who reads them.
    Read,
    /// Words are written.
    Write,
    /// Words are read and written elsewhere.
    Copy,
    /// c = a + 3b.
    Triad,
}

impl Traffic {
    /// All.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Copy, Self::Triad];

    /// Its name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Copy => "copy",
            Self::Triad => "triad",
        }
    }

    /// `read` and `write` alone would hide the access modes.
    fn entry(self) -> &'static str {
        match self {
            Self::Read => "read_words",
            Self::Write => "write_words",
            Self::Copy => "copy_words",
            Self::Triad => "triad_words",
        }
    }

    /// Words read and words written for each word of an array.
    #[must_use]
    pub fn words(self) -> [u32; 2] {
        match self {
            Self::Read => [1, 0],
            Self::Write => [0, 1],
            Self::Copy => [1, 1],
            Self::Triad => [2, 1],
        }
    }
}

fn source(config: LaunchConfig) -> Arc<Shader> {
    let LaunchConfig { load, loads_in_flight, .. } = config;
    let words = load.vector_of("u32");
    let pairs = load.is_u64();
    let wide = load.vector_of(if pairs { "u64" } else { "u32" });
    // Words of a load from the first on, or every other one.
    let offsets = |first: u32, step: u32| {
        let all = (first..load.words()).step_by(step as usize);
        let all: Vec<String> = all.map(|word| format!("{}u", offset(word))).collect();
        format!("{words}({})", all.join(", "))
    };
    let at_first = if pairs {
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
             params.steps;\n    for (var done = 0u; done < steps; done += {loads_in_flight}u) {{\n{}        i += {loads_in_flight}u * \
             step;\n    }}\n{after}}}\n",
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
    Arc::new(Shader {
        name: format!("memory.{}", config.module()),
        source: text,
        needs_subgroups: false,
        needs_u64: pairs,
    })
}

/// How much later words of a load are larger than its first.
fn offset(word: u32) -> u32 {
    word.wrapping_mul(0x3C6E_F372)
}

/// The modules, by words a load and loads ahead.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    static SHADERS: LazyLock<Vec<Arc<Shader>>> =
        LazyLock::new(|| LaunchConfig::modules().map(source).collect());
    SHADERS.clone()
}

/// One dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// What is done.
    pub traffic: Traffic,
    /// Words in each array, a power of two.
    pub words: u32,
    /// How the grid goes through them, all of it powers of two.
    pub config: LaunchConfig,
    /// What the words are made of.
    pub seed: u32,
    /// Whether lanes are launched and go through nothing: what launching them takes. Of reading alone.
    pub idle: bool,
}

impl Memory {
    /// The workload, timed as one pass. Its output is what was written, or each lane's sums.
    ///
    /// # Panics
    /// When words or shape are not powers of two, or the words do not fill a step of one workgroup.
    #[must_use]
    pub fn workload(self) -> Workload {
        let Self { traffic, words, config, .. } = self;
        assert!(!self.idle || traffic == Traffic::Read, "idle lanes write nothing to be checked");
        assert!(words.is_power_of_two() && words >= config.words_a_step() * config.workgroup_size);
        let written = match traffic {
            Traffic::Read => self.invocations() * config.load.words(),
            _ => words,
        };
        let mut buffers =
            vec![Contents::Scratch(A, words as usize), Contents::Scratch(B, words as usize)];
        buffers.push(Contents::Scratch(C, written as usize));
        let [read, _] = traffic.words();
        let sources = (0..read as usize).map(|source| {
            let wrote = Self { traffic: Traffic::Write, seed: self.seed_of(source), ..self };
            wrote.dispatch(&mut buffers, source)
        });
        let prepare = sources.collect();
        let dispatches = vec![self.dispatch(&mut buffers, C)];
        let check = Check { buffers: vec![C], expected: Arc::new(move || self.reference()) };
        let label = format!("{} {words} words, {config}", traffic.as_str());
        Workload { prepare, ..Workload::new(label, dispatches, buffers, check) }
    }

    /// Lanes of the grid.
    fn invocations(self) -> u32 {
        self.config.workgroups_for(self.words) * self.config.workgroup_size
    }

    /// Loads of each lane from each array.
    fn steps(self) -> u32 {
        if self.idle { 0 } else { self.words / self.config.load.words() / self.invocations() }
    }

    /// Of an array that is read.
    fn seed_of(self, array: usize) -> u32 {
        self.seed.wrapping_add(array as u32 + 1)
    }

    fn dispatch(self, buffers: &mut Vec<Contents>, target: usize) -> Dispatch {
        let Self { config, traffic, .. } = self;
        let blocked = u32::from(config.blocked);
        buffers.push(Contents::Uniform(vec![
            ("steps", self.steps()),
            ("blocked", blocked),
            ("seed", self.seed),
        ]));
        let bindings = vec![("params", buffers.len() - 1), ("a", A), ("b", B), ("c", target)];
        Dispatch {
            shader: Arc::clone(&shaders()[config.index()]),
            entry: traffic.entry(),
            constants: vec![("WORKGROUP_SIZE", config.workgroup_size)],
            bindings,
            workgroups: [self.invocations() / config.workgroup_size, 1],
            cost_model: Arc::new(move |width| self.cost_model(width)),
        }
    }

    /// The words that place `load` holds of what was written with `seed`.
    fn load(self, load: u32, seed: u32) -> impl Iterator<Item = u32> {
        let first = ((load & (PERIOD - 1)) ^ seed).wrapping_mul(0x9E37_79B9);
        (0..self.config.load.words()).map(move |word| first.wrapping_add(offset(word)))
    }

    fn reference(&self) -> Vec<u32> {
        let loads = (self.words / self.config.load.words()).min(PERIOD);
        let [a, b] = [0, 1].map(|array| self.seed_of(array));
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
        }
    }

    /// What each lane adds up.
    fn sums(self) -> Vec<u32> {
        let (lanes, steps) = (self.invocations(), self.steps());
        let step = if self.config.blocked { 1 } else { lanes };
        // A lane comes back to where it was in the period after so many steps.
        let again = (PERIOD / step).clamp(1, steps.max(1));
        let times = u64::from(steps / again);
        // Lanes a period apart read the same.
        let unlike = if self.config.blocked { lanes } else { lanes.min(PERIOD) };
        let lane = |lane: u32| {
            let first = if self.config.blocked { lane * steps } else { lane };
            let mut sums = [0u64; 4];
            for i in 0..if times > 0 { again } else { 0 } {
                let numbers = self.numbers(first + i * step, self.seed_of(0));
                sums.iter_mut().zip(numbers).for_each(|(sum, n)| *sum = sum.wrapping_add(n));
            }
            let parts = self.config.load.parts() as usize;
            self.words_of(sums.into_iter().take(parts).map(move |sum| sum.wrapping_mul(times)))
        };
        (0..unlike).flat_map(lane).collect()
    }

    /// The numbers that a load is to its lane: words, or pairs of them.
    fn numbers(self, load: u32, seed: u32) -> impl Iterator<Item = u64> {
        let mut words = self.load(load, seed).map(u64::from);
        let pairs = self.config.load.is_u64();
        std::iter::from_fn(move || {
            let low = words.next()?;
            Some(if pairs { low | words.next()? << 32 } else { low })
        })
    }

    /// Such numbers in memory.
    fn words_of(self, numbers: impl Iterator<Item = u64>) -> impl Iterator<Item = u32> {
        let words = if self.config.load.is_u64() { 2 } else { 1 };
        numbers.flat_map(move |n| [n as u32, (n >> 32) as u32].into_iter().take(words))
    }

    fn cost_model(self, width: u32) -> CostModel {
        let workgroups = f64::from(self.invocations() / self.config.workgroup_size);
        let subgroups = workgroups * f64::from(self.config.workgroup_size.div_ceil(width));
        let words: u32 = if self.idle { 0 } else { self.traffic.words().iter().sum() };
        CostModel {
            workgroups,
            subgroups,
            issues: subgroups * SETUP_ISSUES,
            bytes: f64::from(self.words) * 4.0 * f64::from(words),
            ..CostModel::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Load;

    #[test]
    fn the_references_by_hand() {
        let config = LaunchConfig {
            workgroup_size: 2,
            load: Load::Vec2,
            loads_in_flight: 1,
            workgroups: 2,
            blocked: false,
        };
        let of = |traffic, config| {
            Memory { traffic, words: 16, config, seed: 5, idle: false }.reference()
        };
        let word = |load: u32, seed: u32, word: u32| {
            (load ^ seed).wrapping_mul(2_654_435_769).wrapping_add(word * 0x3C6E_F372)
        };
        let written = of(Traffic::Write, config);
        assert_eq!((written.len(), written[0], written[7]), (16, word(0, 5, 0), word(3, 5, 1)));
        assert_eq!(of(Traffic::Copy, config)[6], word(3, 6, 0));
        let triad = word(3, 6, 1).wrapping_add(word(3, 7, 1).wrapping_mul(3));
        assert_eq!(of(Traffic::Triad, config)[7], triad);
        // Eight loads of four lanes: lane 1 has loads 1 and 5, or 2 and 3.
        let sum = |i: u32, j: u32, w: u32| word(i, 6, w).wrapping_add(word(j, 6, w));
        assert_eq!(of(Traffic::Read, config)[2..4], [sum(1, 5, 0), sum(1, 5, 1)]);
        let blocked = LaunchConfig { blocked: true, ..config };
        assert_eq!(of(Traffic::Read, blocked)[2..4], [sum(2, 3, 0), sum(2, 3, 1)]);
    }

    #[test]
    fn a_lane_that_comes_back_to_where_it_was_adds_it_up_again() {
        let config = LaunchConfig {
            workgroup_size: 256,
            load: Load::Word,
            loads_in_flight: 1,
            workgroups: 128,
            blocked: false,
        };
        let memory =
            Memory { traffic: Traffic::Read, words: 1 << 18, config, seed: 1, idle: false };
        let idle = Memory { idle: true, ..memory };
        assert!(idle.reference().iter().all(|&sum| sum == 0));
        let by_hand = (0..8).fold(0u32, |sum, i| {
            let mut word = memory.load(3 + i * 32_768, memory.seed_of(0));
            sum.wrapping_add(word.next().expect("a load has a word"))
        });
        assert_eq!(memory.reference()[3], by_hand);
    }
}
