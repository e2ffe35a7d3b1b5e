//! Tests that runs are repeatable. No GPU is needed.
//!
//! The same seed gives the same plan in the same order. On the simulated device it also gives the same
//! record, byte for byte.

mod sim;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use sim::{params, suite, suite_seeded};
use warplaw::bench::{Profile, Session, run};
use warplaw::experiments::{REGISTRY, find};
use warplaw::gpu::{AdapterFacts, Built, Executor, GpuError, Span, Workload};
use warplaw::sim::{Machine, Noise, Simulator};

/// Builds a simulated device with enough noise that samples never repeat by chance.
fn noisy() -> Simulator {
    let noise = Noise { spread: 0.05, spikes: 0.05, tail: 0.02, ..Noise::QUIET };
    Simulator::new(Machine { noise, ..Machine::lawful(16) })
}

#[test]
fn the_same_seed_gives_the_same_record_byte_for_byte() {
    let ids: Vec<&str> = REGISTRY.iter().map(|experiment| experiment.id).collect();
    let bytes = || serde_json::to_vec(&suite(vec![noisy()], &ids)).expect("a record is JSON");
    assert!(bytes() == bytes());
}

#[test]
fn another_seed_gives_other_samples() {
    let samples = |seed| {
        suite_seeded(vec![noisy()], &["lanes"], seed).experiments[0].cases[0].samples_s.clone()
    };
    assert_ne!(samples(1), samples(2));
}

/// An executor that logs the loaded workloads and the order of the samples.
struct Logging {
    inner: Simulator,
    log: Rc<RefCell<Vec<String>>>,
}

impl Executor for Logging {
    fn facts(&self) -> &AdapterFacts {
        self.inner.facts()
    }

    fn use_host_clock(&mut self, reason: String) {
        self.inner.use_host_clock(reason);
    }

    fn built(&self) -> Built {
        self.inner.built()
    }

    fn elapsed_s(&self) -> f64 {
        self.inner.elapsed_s()
    }

    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError> {
        self.log.borrow_mut().extend(workloads.iter().map(|workload| {
            format!("{} {:?} {:?}", workload.label(), workload.dispatches(), params(workload))
        }));
        self.inner.load(workloads)
    }

    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError> {
        self.inner.outputs(index)
    }

    fn subgroup_sizes(&self) -> &[u32] {
        self.inner.subgroup_sizes()
    }

    fn round(&mut self, order: &[usize]) -> Result<Vec<Span>, GpuError> {
        self.log.borrow_mut().push(format!("{order:?}"));
        self.inner.round(order)
    }
}

#[test]
fn the_same_seed_gives_the_same_plan_in_the_same_order() {
    let log_of = |id: &str, seed| {
        let log = Rc::new(RefCell::default());
        let inner = Simulator::new(Machine::lawful(16));
        let executor = Logging { inner, log: Rc::clone(&log) };
        let mut session = Session::open(Box::new(executor), Profile::QUICK, seed)
            .expect("the simulated device opens");
        let experiment = find(id).expect("the experiment is registered");
        run(&mut session, experiment, &AtomicBool::new(false), &mut |_| ())
            .expect("the simulated device does not fail");
        drop(session);
        Rc::into_inner(log).expect("the session is dropped").into_inner()
    };
    for experiment in REGISTRY {
        let id = experiment.id;
        let once = log_of(id, 5);
        assert!(once == log_of(id, 5), "two runs of {id} with the same seed differ");
        assert!(once != log_of(id, 6), "the plan of {id} does not depend on the seed");
    }
}
