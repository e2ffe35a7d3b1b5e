//! Tuners, which choose launch configurations: by autotuning, from a record, or by a fixed start.

use std::cell::RefCell;
use std::sync::atomic::AtomicBool;

use super::search::{Found, Search, Thoroughness, try_all};
use super::throughput::Throughput;
use crate::gpu::{Executor, GpuError};
use crate::model;

/// Chooses launch configurations.
pub trait Tuner {
    /// Returns the chosen configuration: one option for each axis of `search`.
    fn tune(&self, search: &Search) -> Vec<u32>;
}

/// Chooses the start of every axis, without any search.
#[derive(Debug, Clone, Copy, Default)]
pub struct Untuned;

impl Tuner for Untuned {
    fn tune(&self, search: &Search) -> Vec<u32> {
        search.start()
    }
}

/// Chooses the configurations that a record contains. A search that is not in the record gives its start.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a>(pub &'a [model::Search]);

impl Tuner for Recorded<'_> {
    fn tune(&self, search: &Search) -> Vec<u32> {
        let recorded = self.0.iter().find(|recorded| recorded.name == search.name);
        let chosen = recorded.and_then(|recorded| recorded.chosen.as_deref());
        chosen.and_then(|words| search.options_of(words)).unwrap_or_else(|| search.start())
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
    failure: Option<GpuError>,
}

impl<'a> Trying<'a> {
    pub(super) fn new(
        executor: &'a mut dyn Executor,
        found: &'a mut Found,
        how: Thoroughness,
        throughput: Throughput,
        stop: &'a AtomicBool,
    ) -> Self {
        let state = State { executor, found, searched: Vec::new(), seconds: 0.0, failure: None };
        Self { state: RefCell::new(state), how, throughput, stop }
    }

    /// Returns the searches and their total time in seconds.
    ///
    /// # Errors
    /// Returns the first error of the device.
    pub(super) fn finish(self) -> Result<(Vec<model::Search>, f64), GpuError> {
        let State { searched, seconds, failure, .. } = self.state.into_inner();
        failure.map_or(Ok((searched, seconds)), Err)
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
}
