//! A short search for the launch configuration in which a kernel is fastest on the device at hand.
//!
//! One axis after the other: every option of an axis is tried with the best found so far of the others, and the
//! fastest is kept; so many times over all axes, on as much work as the device needs to take a while. That finds
//! the best of few dozens among thousands, as a rule and not for sure. Every shape's output is verified before it is
//! timed, and what gives a wrong answer is left out.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

use super::throughput::{Throughput, WATCHDOG_S};
use super::verify::verify;
use crate::gpu::{Executor, GpuError, Workload};
use crate::model::{self, Tried};

/// What may be chosen, in order; the words say it in records.
#[derive(Debug, Clone)]
pub struct Axis {
    options: Vec<(u32, String)>,
    start: usize,
}

impl Axis {
    /// Numbers of `what`, from `start` on.
    ///
    /// # Panics
    /// When `start` is none of them.
    #[must_use]
    pub fn numbers(what: &str, options: impl IntoIterator<Item = u32>, start: u32) -> Self {
        let options = options.into_iter().map(|number| (number, format!("{number} {what}")));
        Self::new(options.collect(), start)
    }

    /// One of several words, by their places, from the `start`th on.
    ///
    /// # Panics
    /// When there is no such place.
    #[must_use]
    pub fn words<'a>(options: impl IntoIterator<Item = &'a str>, start: u32) -> Self {
        let options = options.into_iter().map(str::to_owned);
        Self::new((0..).zip(options).collect(), start)
    }

    fn new(options: Vec<(u32, String)>, start: u32) -> Self {
        let start = options.iter().position(|&(option, _)| option == start);
        Self { options, start: start.expect("the start is among the options") }
    }
}

/// A kernel in some shape.
pub struct Work {
    /// What is run.
    pub workload: Workload,
    /// Units of work in it.
    pub units: f64,
}

type Build = Box<dyn Fn(&[u32], u32) -> Option<Work>>;

/// What is to be searched.
pub struct Search {
    pub(super) name: String,
    unit: &'static str,
    axes: Vec<Axis>,
    amounts: RangeInclusive<u32>,
    build: Build,
}

impl Search {
    /// The shape with the most `unit`s of work in a second. `build` is given options and an amount of work, one of
    /// `amounts` by factors of two from the least on, and gives `None` for a shape that makes no sense.
    pub fn new(
        name: impl Into<String>,
        unit: &'static str,
        axes: Vec<Axis>,
        amounts: RangeInclusive<u32>,
        build: impl Fn(&[u32], u32) -> Option<Work> + 'static,
    ) -> Self {
        Self { name: name.into(), unit, axes, amounts, build: Box::new(build) }
    }

    /// The option that each axis starts from.
    #[must_use]
    pub fn start(&self) -> Vec<u32> {
        self.axes.iter().map(|axis| axis.options[axis.start].0).collect()
    }

    /// The options that `words` say, as records have them.
    pub(super) fn options_of(&self, words: &str) -> Option<Vec<u32>> {
        let mut words = words.split(", ");
        let options = self.axes.iter().map(|axis| {
            let word = words.next()?;
            let known =
                axis.options.iter().find(|(_, known)| known == word || same_number(known, word));
            known.map(|&(option, _)| option)
        });
        options.collect()
    }
}

/// Whether both say the same number, whatever is counted: earlier records call `256 invocations` `256 lanes`.
fn same_number(a: &str, b: &str) -> bool {
    let number = |text: &str| text.split(' ').next().and_then(|first| first.parse::<u32>().ok());
    number(a).is_some_and(|a| number(b) == Some(a))
}

/// What searches of a run have found, by their names.
#[derive(Default)]
pub(super) struct Found(pub(super) BTreeMap<String, Vec<u32>>);

/// How thoroughly to search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thoroughness {
    /// Times over all axes.
    pub sweeps: u32,
    /// Times that a shape is timed; the best few are timed more often in the end.
    pub rounds: u32,
    /// No further axis is begun after so many seconds.
    pub max_s: f64,
    /// The first shape is to take so many seconds, if there is as much work.
    pub sample_s: f64,
}

/// The fastest configuration, an option of each axis, by trying on a device of which nothing else is known.
///
/// # Errors
/// When the device fails.
pub fn search(
    executor: &mut dyn Executor,
    search: &Search,
    how: Thoroughness,
) -> Result<(Vec<u32>, model::Search), GpuError> {
    try_all(executor, search, how, Throughput::UNKNOWN, &AtomicBool::new(false))
}

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
        descent.hold_final(executor)?;
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

/// A search under way.
struct Descent<'a> {
    search: &'a Search,
    how: Thoroughness,
    throughput: Throughput,
    /// The best so far: an option's place on each axis.
    at: Vec<usize>,
    /// Of work in each shape.
    amount: u32,
    /// Units of work in a second by shape; `None` for what was left out.
    rates: BTreeMap<Vec<usize>, Option<f64>>,
    /// Shapes in the order tried.
    order: Vec<Vec<usize>>,
    left_out: u32,
    stop: &'a AtomicBool,
}

impl Descent<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// As much work as makes the first shape take as long as it should, approached from below.
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

    /// Moves to the best option of one axis.
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

    /// Moves to the fastest of `configs`, if any of them worked.
    fn move_to_best(&mut self, configs: Vec<Vec<usize>>) {
        let rate = |config: &Vec<usize>| self.rates.get(config).copied().flatten();
        let known = configs.into_iter().filter_map(|config| Some((rate(&config)?, config)));
        if let Some((_, best)) = known.max_by(|a, b| a.0.total_cmp(&b.0)) {
            self.at = best;
        }
    }

    /// Times the best few once more, side by side and for longer, since they may have been timed at different times,
    /// and the best of many short looks is as likely lucky as fast.
    fn hold_final(&mut self, executor: &mut dyn Executor) -> Result<(), GpuError> {
        const FINALISTS: usize = 4;
        const TIMES_AS_LONG: u32 = 4;
        let known = self.rates.iter().filter_map(|(config, rate)| Some(((*rate)?, config.clone())));
        let mut known: Vec<(f64, Vec<usize>)> = known.collect();
        known.sort_by(|a, b| b.0.total_cmp(&a.0));
        known.truncate(FINALISTS);
        let finalists: Vec<Vec<usize>> = known.into_iter().map(|(_, config)| config).collect();
        self.time(finalists.clone(), TIMES_AS_LONG * self.how.rounds, executor)?;
        self.move_to_best(finalists);
        Ok(())
    }

    /// Verifies shapes and times them in turn, so many times each.
    fn time(
        &mut self,
        configs: Vec<Vec<usize>>,
        rounds: u32,
        executor: &mut dyn Executor,
    ) -> Result<(), GpuError> {
        let build = |config: Vec<usize>| {
            let work = (self.search.build)(&self.options(&config), self.amount)?;
            // What may near a watchdog is not tried.
            (self.throughput.expected_s(&work.workload) <= WATCHDOG_S).then_some((config, work))
        };
        let (configs, works): (Vec<Vec<usize>>, Vec<Work>) =
            configs.into_iter().filter_map(build).unzip();
        if works.is_empty() {
            return Ok(());
        }
        let workloads: Vec<Workload> = works.iter().map(|work| work.workload.clone()).collect();
        let refusals = executor.load(&workloads)?;
        let mut right = Vec::new();
        for (index, workload) in workloads.iter().enumerate() {
            if refusals[index].is_none() && verify(executor, index, workload)?.is_ok() {
                right.push(index);
            } else {
                self.left_out += 1;
                self.rates.insert(configs[index].clone(), None);
            }
        }
        // The first round wakes what verifying has let sleep, and is not counted. Of the others the shortest span
        // counts: whatever interferes only lengthens.
        executor.round(&right)?;
        let mut shortest = vec![f64::INFINITY; works.len()];
        for _ in 0..rounds {
            for (&index, sample) in right.iter().zip(executor.round(&right)?) {
                shortest[index] = shortest[index].min(sample.unwrap_or(f64::INFINITY));
            }
        }
        for index in right {
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
