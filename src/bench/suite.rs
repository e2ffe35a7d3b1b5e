//! A run of several experiments, which continues after the device fails.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use super::plan::Experiment;
use super::progress::Progress;
use super::run::{run, unmeasured};
use super::search::Found;
use super::session::close;
use super::{Profile, Session};
use crate::gpu::{Executor, GpuError, WantedWorkers};
use crate::model::{Machine, Ranks, Record, Schema, Status, Tool};

/// Opens the device with the wanted workers: at the start of a run, after the device was lost, and for an experiment
/// that needs other workers.
pub type Opener<'a> = Box<dyn FnMut(WantedWorkers) -> Result<Box<dyn Executor>, GpuError> + 'a>;

/// Origin of a run, for the record.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Build of warplaw and the command line.
    pub tool: Tool,
    /// Host machine.
    pub machine: Machine,
    /// Start time, in the format of RFC 3339.
    pub started_at: String,
    /// The processes that run together; `None` for one alone.
    pub ranks: Option<Ranks>,
}

/// The experiments of a run on one device, and the record that they produce.
pub struct Suite<'a> {
    opener: Opener<'a>,
    /// Open session; `None` after the device failed, until it is opened again.
    session: Option<Session>,
    experiments: Vec<&'static Experiment>,
    profile: Profile,
    /// Subgroup width in lanes, as an experiment of this run established it.
    width: Option<u32>,
    /// Error message of the hang, if the device hung.
    hung: Option<String>,
    /// Seconds spent in sessions that ended.
    before_s: f64,
    /// Seconds of sampling that the experiments of the last session left of their budgets.
    spare_s: f64,
    /// Launch configurations that ended sessions found, by the number of workers.
    found: BTreeMap<Option<u32>, Found>,
    record: Record,
}

impl<'a> Suite<'a> {
    /// Opens the device and tests its clock. No experiment runs yet.
    ///
    /// # Errors
    /// Returns an error if the device cannot be opened or fails in its first tests.
    pub fn open(
        mut opener: Opener<'a>,
        experiments: Vec<&'static Experiment>,
        profile: Profile,
        seed: u64,
        origin: Origin,
    ) -> Result<Self, GpuError> {
        let session = Session::open(opener(WantedWorkers::One)?, profile, seed)?;
        let not_reached = experiments
            .iter()
            .map(|e| unmeasured(e, Status::Interrupted, "the run ended before this experiment"));
        let record = Record {
            schema: Schema::current(),
            tool: origin.tool,
            started_at: origin.started_at,
            duration_s: session.executor.elapsed_s(),
            seed,
            machine: origin.machine,
            adapter: session.adapter.clone(),
            clock: session.clock.clone(),
            ranks: origin.ranks,
            experiments: not_reached.collect(),
        };
        Ok(Self {
            opener,
            session: Some(session),
            experiments,
            profile,
            width: None,
            hung: None,
            before_s: 0.0,
            spare_s: 0.0,
            found: BTreeMap::new(),
            record,
        })
    }

    /// Returns the experiments of the run, in order.
    #[must_use]
    pub fn experiments(&self) -> &[&'static Experiment] {
        &self.experiments
    }

    /// Returns the record so far.
    ///
    /// The record is complete at any time. It contains a result for every experiment, and marks an experiment
    /// that has not run as interrupted.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Runs experiment `index` and stores its result in the record.
    ///
    /// If the device fails, the experiment fails with the reason, and the next experiment opens the device
    /// again.
    pub fn run(&mut self, index: usize, stop: &AtomicBool, progress: &mut dyn FnMut(Progress)) {
        let experiment = self.experiments[index];
        let measured = self.session(experiment.workers).and_then(|session| {
            let outcome = run(session, experiment, stop, progress)?;
            Ok((outcome, session.effective_width))
        });
        match measured {
            Ok((outcome, width)) => {
                self.record.experiments[index] = outcome;
                self.width = width;
            }
            Err(error) => {
                self.record.experiments[index] =
                    unmeasured(experiment, Status::Failed, &error.to_string());
                self.give_up(&error);
            }
        }
        let now_s = self.session.as_ref().map_or(0.0, |session| session.executor.elapsed_s());
        self.record.duration_s = self.before_s + now_s;
    }

    /// Returns a session with the wanted workers. Opens the device again if it failed before or has other workers.
    fn session(&mut self, wanted: WantedWorkers) -> Result<&mut Session, GpuError> {
        let suits = |session: &mut Session| {
            let workers = session.executor.facts().workers;
            workers.is_none_or(|workers| !workers.adjustable || workers.are(wanted))
        };
        if let Some(mut other) = self.session.take_if(|session| !suits(session)) {
            self.keep_from(&mut other);
        }
        match &mut self.session {
            Some(session) => Ok(session),
            closed => {
                if let Some(hung) = &self.hung {
                    return Err(GpuError::Device {
                        adapter: self.record.adapter.name.clone(),
                        reason: format!("it is not opened again, since it hung before: {hung}"),
                    });
                }
                let mut session =
                    Session::open((self.opener)(wanted)?, self.profile, self.record.seed)?;
                let (now, before) = (&session.adapter, &self.record.adapter);
                if (&now.name, &now.backend) != (&before.name, &before.backend) {
                    return Err(GpuError::Device {
                        adapter: before.name.clone(),
                        reason: format!("`{}` was opened in its place", now.name),
                    });
                }
                if session.clock.kind != self.record.clock.kind {
                    return Err(GpuError::Device {
                        adapter: before.name.clone(),
                        reason: "its clock changed when it was opened again".to_owned(),
                    });
                }
                // The width from before the failure is in the record, so it applies to later experiments too.
                session.effective_width = self.width;
                session.spare_s = self.spare_s;
                session.found = self.found.remove(&session.workers()).unwrap_or_default();
                Ok(closed.insert(session))
            }
        }
    }

    /// Closes the session of a device that failed with `error`.
    fn give_up(&mut self, error: &GpuError) {
        if matches!(error, GpuError::Hung { .. }) {
            self.hung = Some(error.to_string());
        }
        if let Some(mut session) = self.session.take() {
            self.keep_from(&mut session);
            close(session, error);
        }
    }

    /// Keeps what later sessions need of a session that ends.
    fn keep_from(&mut self, session: &mut Session) {
        self.before_s += session.executor.elapsed_s();
        self.spare_s = session.spare_s;
        self.found.insert(session.workers(), std::mem::take(&mut session.found));
    }
}
