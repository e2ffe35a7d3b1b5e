//! Tuners, which choose launch configurations: by autotuning, from a record, or by a fixed start. They also tell the
//! subgroup sizes of kernels.

use std::cell::RefCell;
use std::sync::atomic::AtomicBool;

use super::search::{Found, Search, Thoroughness, try_all};
use super::throughput::Throughput;
use crate::gpu::{Executor, GpuError, Workload};
use crate::model;

/// Chooses launch configurations.
pub trait Tuner {
    /// Returns the chosen configuration: one option for each axis of `search`.
    fn tune(&self, search: &Search) -> Vec<u32>;

    /// Returns the lanes per subgroup of the kernel of `workload`; `width` if the kernel does not tell them, or if
    /// timing found another `width` than the `observed` one.
    fn width_of(
        &self,
        workload: &Workload,
        width: Option<u32>,
        observed: Option<u32>,
    ) -> Option<u32>;
}

/// Chooses the start of every axis, without any search.
#[derive(Debug, Clone, Copy, Default)]
pub struct Untuned;

impl Tuner for Untuned {
    fn tune(&self, search: &Search) -> Vec<u32> {
        search.start()
    }

    fn width_of(&self, _: &Workload, width: Option<u32>, _: Option<u32>) -> Option<u32> {
        width
    }
}

/// Chooses the configurations that a record contains. A search that is not in the record gives its start.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Searches of the run.
    pub searches: &'a [model::Search],
    /// Lanes per subgroup for which the experiment was planned; `None` if the record does not tell them.
    pub width: Option<u32>,
}

impl Tuner for Recorded<'_> {
    fn tune(&self, search: &Search) -> Vec<u32> {
        let recorded = self.searches.iter().find(|recorded| recorded.name == search.name);
        let chosen = recorded.and_then(|recorded| recorded.chosen.as_deref());
        chosen.and_then(|words| search.options_of(words)).unwrap_or_else(|| search.start())
    }

    fn width_of(&self, _: &Workload, width: Option<u32>, _: Option<u32>) -> Option<u32> {
        self.width.or(width)
    }
}

/// Chooses configurations by autotuning. If the device fails, `finish` returns the error.
pub(super) struct Trying<'a> {
    state: RefCell<State<'a>>,
    how: Thoroughness,
    throughput: Throughput,
    stop: &'a AtomicBool,
}

struct State<'a> {
    executor: &'a mut dyn Executor,
    found: &'a mut Found,
    searched: Vec<model::Search>,
    seconds: f64,
    /// Lanes per subgroup that the plan asked for last.
    width: Option<u32>,
    failure: Option<GpuError>,
}

/// What a tuner did for a plan.
pub(super) struct Tuned {
    /// The searches.
    pub(super) searches: Vec<model::Search>,
    /// Their total time in seconds.
    pub(super) seconds: f64,
    /// Lanes per subgroup for which the plan was made; `None` if it did not ask for them.
    pub(super) width: Option<u32>,
}

impl<'a> Trying<'a> {
    pub(super) fn new(
        executor: &'a mut dyn Executor,
        found: &'a mut Found,
        how: Thoroughness,
        throughput: Throughput,
        stop: &'a AtomicBool,
    ) -> Self {
        let state = State {
            executor,
            found,
            searched: Vec::new(),
            seconds: 0.0,
            width: None,
            failure: None,
        };
        Self { state: RefCell::new(state), how, throughput, stop }
    }

    /// Returns what was done.
    ///
    /// # Errors
    /// Returns the first error of the device.
    pub(super) fn finish(self) -> Result<Tuned, GpuError> {
        let State { searched, seconds, width, failure, .. } = self.state.into_inner();
        failure.map_or(Ok(Tuned { searches: searched, seconds, width }), Err)
    }
}

impl State<'_> {
    /// Runs the kernel of a workload once. Returns its lanes per subgroup, if it tells one number for all dispatches.
    fn subgroup_size(&mut self, workload: &Workload) -> Result<Option<u32>, GpuError> {
        let refusals = self.executor.load(std::slice::from_ref(workload))?;
        if refusals.iter().any(Option::is_some) {
            return Ok(None);
        }
        self.executor.outputs(0)?;
        let sizes = self.executor.subgroup_sizes();
        Ok(sizes.first().copied().filter(|_| sizes.len() == 1))
    }
}

impl Tuner for Trying<'_> {
    fn tune(&self, search: &Search) -> Vec<u32> {
        let state = &mut *self.state.borrow_mut();
        if let Some(known) = state.found.0.get(&search.name) {
            return known.clone();
        }
        if state.failure.is_some() {
            return search.start();
        }
        match try_all(state.executor, search, self.how, self.throughput, self.stop) {
            Ok((options, searched)) => {
                if searched.chosen.is_some() {
                    state.found.0.insert(search.name.clone(), options.clone());
                }
                state.seconds += searched.took_s;
                state.searched.push(searched);
                options
            }
            Err(failure) => {
                state.failure = Some(failure);
                search.start()
            }
        }
    }

    fn width_of(
        &self,
        workload: &Workload,
        width: Option<u32>,
        observed: Option<u32>,
    ) -> Option<u32> {
        let state = &mut *self.state.borrow_mut();
        let size = if state.failure.is_none() && width == observed {
            state.subgroup_size(workload).unwrap_or_else(|failure| {
                state.failure = Some(failure);
                None
            })
        } else {
            None
        };
        state.width = size.or(width);
        state.width
    }
}
