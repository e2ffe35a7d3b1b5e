//! Autotuning: a short search for the launch configuration in which a kernel is fastest on this device.
//!
//! The search optimises one axis after the other. It tries every option of an axis together with the best
//! options of the other axes so far, and keeps the fastest. It sweeps over all axes in this way, up to a
//! given number of sweeps. The amount of work is chosen so that a sample takes a set time on this device.
//!
//! The search tries a few dozen configurations out of thousands. It usually finds the fastest one of all,
//! but this is not certain.
//!
//! The output of every configuration is verified before the configuration is timed. A configuration with a
//! wrong output is left out.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

use super::throughput::{Throughput, WATCHDOG_S};
use crate::gpu::{Executor, GpuError, Workload};
use crate::model::{self, Tried};

/// One parameter of a launch configuration, with its options in order.
///
/// Each option has a text by which records name it.
#[derive(Debug, Clone)]
pub struct Axis {
    options: Vec<(u32, String)>,
    start: usize,
}

impl Axis {
    /// Creates an axis of numbers, such as `256 invocations`. `what` names what is counted. The search starts
    /// at the number `start`.
    ///
    /// # Panics
    /// Panics if `start` is not among `options`.
    #[must_use]
    pub fn numbers(what: &str, options: impl IntoIterator<Item = u32>, start: u32) -> Self {
        let options = options.into_iter().map(|number| (number, format!("{number} {what}")));
        Self::new(options.collect(), start)
    }

    /// Creates an axis of named options. An option's value is its index. The search starts at index `start`.
    ///
    /// # Panics
    /// Panics if `start` is not the index of an option.
    #[must_use]
    pub fn words<'a>(options: impl IntoIterator<Item = &'a str>, start: u32) -> Self {
        let options = options.into_iter().map(str::to_owned);
        Self::new((0..).zip(options).collect(), start)
    }

    fn new(options: Vec<(u32, String)>, start: u32) -> Self {
        let start = options.iter().position(|&(option, _)| option == start);
        Self { options, start: start.expect("the start must be among the options") }
    }
}

/// A kernel in one launch configuration.
pub struct Work {
    /// The workload to time.
    pub workload: Workload,
    /// Units of work in the workload.
    pub units: f64,
}

type Build = Box<dyn Fn(&[u32], u32) -> Option<Work>>;

/// A kernel to autotune, with the axes of its launch configuration.
pub struct Search {
    pub(super) name: String,
    unit: &'static str,
    axes: Vec<Axis>,
    amounts: RangeInclusive<u32>,
    build: Build,
}

impl Search {
    /// Creates a search for the launch configuration with the most work per second, counted in `unit`.
    ///
    /// `build` receives one option for each axis and an amount of work. The amount starts at the lower end of
    /// `amounts` and grows by powers of two up to the upper end. `build` returns `None` for a configuration
    /// that makes no sense.
    pub fn new(
        name: impl Into<String>,
        unit: &'static str,
        axes: Vec<Axis>,
        amounts: RangeInclusive<u32>,
        build: impl Fn(&[u32], u32) -> Option<Work> + 'static,
    ) -> Self {
        Self { name: name.into(), unit, axes, amounts, build: Box::new(build) }
    }

    /// Starts at this configuration: one option for each axis.
    ///
    /// # Panics
    /// Panics if an axis does not have its option.
    #[must_use]
    pub fn starting_at(mut self, options: &[u32]) -> Self {
        assert_eq!(options.len(), self.axes.len(), "there is one option per axis");
        for (axis, &option) in self.axes.iter_mut().zip(options) {
            *axis = Axis::new(std::mem::take(&mut axis.options), option);
        }
        self
    }

    /// Returns the option at which each axis starts.
    #[must_use]
    pub fn start(&self) -> Vec<u32> {
        self.axes.iter().map(|axis| axis.options[axis.start].0).collect()
    }

    /// Parses a configuration as records write it: one option for each axis, or `None` if an option is
    /// unknown. Earlier records have the options in another order.
    pub(super) fn options_of(&self, words: &str) -> Option<Vec<u32>> {
        let is_known = |word: &&str| {
            self.axes.iter().any(|axis| axis.options.iter().any(|(_, known)| known == word))
        };
        let (known, renamed): (Vec<&str>, Vec<&str>) = words.split(", ").partition(is_known);
        let options = self.axes.iter().map(|axis| {
            let of_axis = |(_, option): &&(u32, String)| known.contains(&option.as_str());
            let of_number = |(_, option): &&(u32, String)| {
                renamed.iter().any(|renamed| same_number(option, renamed))
            };
            let options = &axis.options;
            let found = options.iter().find(of_axis).or_else(|| options.iter().find(of_number));
            found.map(|&(option, _)| option)
        });
        options.collect()
    }
}

/// Returns whether both texts begin with the same number.
///
/// The rest of the text is ignored, since earlier records say `256 lanes` instead of `256 invocations`.
fn same_number(a: &str, b: &str) -> bool {
    let number = |text: &str| text.split(' ').next().and_then(|first| first.parse::<u32>().ok());
    number(a).is_some_and(|a| number(b) == Some(a))
}

/// Launch configurations that the searches of a run have found, by the name of the search.
#[derive(Default)]
pub(super) struct Found(pub(super) BTreeMap<String, Vec<u32>>);

/// How thoroughly to search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thoroughness {
    /// Largest number of sweeps over all axes.
    pub sweeps: u32,
    /// Samples of each configuration. The fastest few get more samples at the end.
    pub rounds: u32,
    /// Time in seconds after which the search of no further axis begins.
    pub max_s: f64,
    /// Target time of a sample in the start configuration, in seconds. The largest amount of work may take
    /// less.
    pub sample_s: f64,
}

/// Searches for the fastest launch configuration on a device about which nothing else is known.
///
/// Returns one option for each axis, and the search as the record stores it.
///
/// # Errors
/// Returns an error if the device fails.
pub fn search(
    executor: &mut dyn Executor,
    search: &Search,
    how: Thoroughness,
) -> Result<(Vec<u32>, model::Search), GpuError> {
    try_all(executor, search, how, Throughput::UNKNOWN, &AtomicBool::new(false))
}

/// Searches for the fastest launch configuration until the search is complete or `stop` is set.
pub(super) fn try_all(
    executor: &mut dyn Executor,
    search: &Search,
    how: Thoroughness,
    throughput: Throughput,
    stop: &AtomicBool,
) -> Result<(Vec<u32>, model::Search), GpuError> {
    let began_s = executor.elapsed_s();
    let at = search.axes.iter().map(|axis| axis.start).collect();
    let mut descent = Descent {
        search,
        how,
        throughput,
        at,
        amount: *search.amounts.start(),
        rates: BTreeMap::new(),
        order: Vec::new(),
        left_out: 0,
        stop,
    };
    descent.choose_amount(executor)?;
    for _ in 0..how.sweeps {
        let before = descent.at.clone();
        for axis in 0..search.axes.len() {
            let spent_s = executor.elapsed_s() - began_s;
            if spent_s < how.max_s && !descent.is_stopped() {
                descent.along(axis, executor)?;
            }
        }
        if descent.at == before {
            break;
        }
    }
    if !descent.is_stopped() {
        descent.compare_best(executor)?;
    }
    let worked = descent.rates.get(&descent.at).is_some_and(Option::is_some);
    let options = if worked { descent.options(&descent.at) } else { search.start() };
    let searched = model::Search {
        name: search.name.clone(),
        chosen: worked.then(|| descent.words(&descent.at)),
        tried: descent.tried(),
        left_out: descent.left_out,
        took_s: executor.elapsed_s() - began_s,
    };
    Ok((options, searched))
}

/// Share of a rate by which a configuration must be faster than the present one. Configurations of nearly the same rate at
/// the amount of work that is searched may differ at another amount, and chance would decide between them in each run.
const EQUAL: f64 = 0.02;

/// A search in progress.
struct Descent<'a> {
    search: &'a Search,
    how: Thoroughness,
    throughput: Throughput,
    /// Best configuration so far, as the index of an option on each axis.
    at: Vec<usize>,
    /// Amount of work in a sample.
    amount: u32,
    /// Units of work per second by configuration; `None` for one that was left out or has no valid
    /// sample.
    rates: BTreeMap<Vec<usize>, Option<f64>>,
    /// Timed configurations in the order tried.
    order: Vec<Vec<usize>>,
    left_out: u32,
    stop: &'a AtomicBool,
}

impl Descent<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Chooses the amount of work so that a sample of the start configuration approaches its target time from
    /// below.
    fn choose_amount(&mut self, executor: &mut dyn Executor) -> Result<(), GpuError> {
        const MAX_GROWTH: f64 = 16.0;
        let most = *self.search.amounts.end();
        while self.amount < most && !self.is_stopped() {
            let options = self.options(&self.at);
            let Some(work) = (self.search.build)(&options, self.amount) else { break };
            if executor.load(std::slice::from_ref(&work.workload))?[0].is_some() {
                break;
            }
            let samples = executor.round(&[0, 0, 0])?;
            let shortest = samples.into_iter().flatten().fold(f64::INFINITY, f64::min);
            self.throughput.learn(&work.workload, shortest);
            let missing = self.how.sample_s / shortest;
            if missing < 2.0 {
                break;
            }
            let growth = missing.min(MAX_GROWTH).log2().floor().exp2() as u32;
            self.amount = self.amount.saturating_mul(growth).min(most);
        }
        Ok(())
    }

    /// Tries all options of one axis and moves to the fastest.
    fn along(&mut self, axis: usize, executor: &mut dyn Executor) -> Result<(), GpuError> {
        let options = 0..self.search.axes[axis].options.len();
        let configs: Vec<Vec<usize>> = options
            .map(|option| {
                let mut config = self.at.clone();
                config[axis] = option;
                config
            })
            .collect();
        let new =
            configs.iter().filter(|config| !self.rates.contains_key(*config)).cloned().collect();
        self.time(new, self.how.rounds, executor)?;
        self.move_to_best(configs);
        Ok(())
    }

    /// Moves to the fastest of `configs`, if it is faster than the present one by more than [`EQUAL`].
    fn move_to_best(&mut self, configs: Vec<Vec<usize>>) {
        let rate = |config: &Vec<usize>| self.rates.get(config).copied().flatten();
        let known = configs.into_iter().filter_map(|config| Some((rate(&config)?, config)));
        let Some((best_rate, best)) = known.max_by(|a, b| a.0.total_cmp(&b.0)) else { return };
        if rate(&self.at).is_none_or(|present| best_rate > present * (1.0 + EQUAL)) {
            self.at = best;
        }
    }

    /// Times the fastest few configurations again in the same rounds, with more samples, and moves to the
    /// fastest.
    ///
    /// Their earlier samples may be from different times. The best of many short trials may also be due to
    /// luck.
    fn compare_best(&mut self, executor: &mut dyn Executor) -> Result<(), GpuError> {
        const COMPARED: usize = 4;
        const MORE_ROUNDS: u32 = 4;
        let known = self.rates.iter().filter_map(|(config, rate)| Some(((*rate)?, config.clone())));
        let mut known: Vec<(f64, Vec<usize>)> = known.collect();
        known.sort_by(|a, b| b.0.total_cmp(&a.0));
        known.truncate(COMPARED);
        let mut best: Vec<Vec<usize>> = known.into_iter().map(|(_, config)| config).collect();
        if !best.contains(&self.at) {
            best.push(self.at.clone());
        }
        self.time(best.clone(), MORE_ROUNDS * self.how.rounds, executor)?;
        self.move_to_best(best);
        Ok(())
    }

    /// Verifies `configs`, then times them round-robin, `rounds` times each.
    fn time(
        &mut self,
        configs: Vec<Vec<usize>>,
        rounds: u32,
        executor: &mut dyn Executor,
    ) -> Result<(), GpuError> {
        let build = |config: Vec<usize>| {
            let work = (self.search.build)(&self.options(&config), self.amount)?;
            // A dispatch that could come near a watchdog is not tried.
            (self.throughput.expected_s(&work.workload) <= WATCHDOG_S).then_some((config, work))
        };
        let (configs, works): (Vec<Vec<usize>>, Vec<Work>) =
            configs.into_iter().filter_map(build).unzip();
        if works.is_empty() {
            return Ok(());
        }
        let workloads: Vec<Workload> = works.iter().map(|work| work.workload.clone()).collect();
        let refusals = executor.load(&workloads)?;
        let mut correct = Vec::new();
        for (index, workload) in workloads.iter().enumerate() {
            if refusals[index].is_none() && executor.verify(index, workload)?.is_ok() {
                correct.push(index);
            } else {
                self.left_out += 1;
                self.rates.insert(configs[index].clone(), None);
            }
        }
        // The first round does not count, since the device may have idled down during verification. Of the
        // other rounds the shortest sample counts, since interference only lengthens samples.
        executor.round(&correct)?;
        let mut shortest = vec![f64::INFINITY; works.len()];
        for _ in 0..rounds {
            for (&index, sample) in correct.iter().zip(executor.round(&correct)?) {
                shortest[index] = shortest[index].min(sample.unwrap_or(f64::INFINITY));
            }
        }
        for index in correct {
            self.throughput.learn(&workloads[index], shortest[index]);
            let rate = works[index].units / shortest[index];
            self.rates.insert(configs[index].clone(), (rate > 0.0).then_some(rate));
            if !self.order.contains(&configs[index]) {
                self.order.push(configs[index].clone());
            }
        }
        Ok(())
    }

    fn options(&self, config: &[usize]) -> Vec<u32> {
        self.search.axes.iter().zip(config).map(|(axis, &option)| axis.options[option].0).collect()
    }

    fn words(&self, config: &[usize]) -> String {
        let axes = self.search.axes.iter().zip(config);
        let words: Vec<&str> =
            axes.map(|(axis, &option)| axis.options[option].1.as_str()).collect();
        words.join(", ")
    }

    fn tried(&self) -> Vec<Tried> {
        let timed = self.order.iter().filter_map(|config| Some((config, self.rates[config]?)));
        let unit = format!("{}/s", self.search.unit);
        timed
            .map(|(config, rate)| Tried {
                configuration: self.words(config),
                rate,
                unit: unit.clone(),
            })
            .collect()
    }
}
