//! A whole run: experiment after experiment, whatever becomes of the device.

use std::sync::atomic::AtomicBool;

use super::plan::Experiment;
use super::progress::Progress;
use super::run::{run, unmeasured};
use super::session::close;
use super::{Profile, Session};
use crate::gpu::{Executor, GpuError};
use crate::model::{Machine, Record, Schema, Status, Tool};

/// Opens the device: once, and again after it was lost.
pub type Opener<'a> = Box<dyn FnMut() -> Result<Box<dyn Executor>, GpuError> + 'a>;

/// Who runs it, where and when, for the record.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The build and the command.
    pub tool: Tool,
    /// The host.
    pub machine: Machine,
    /// When, RFC 3339.
    pub started_at: String,
}

/// Experiments on a device, and the record that they make.
pub struct Suite<'a> {
    opener: Opener<'a>,
    /// `None` after the device failed, until it is opened again.
    session: Option<Session>,
    experiments: Vec<&'static Experiment>,
    profile: Profile,
    /// Lanes in lockstep as an experiment established them.
    width: Option<u32>,
    /// How the device hung, if it did.
    hung: Option<String>,
    /// Seconds spent with devices that failed.
    before_s: f64,
    record: Record,
}

impl<'a> Suite<'a> {
    /// Opens the device and tests its clock; nothing is measured yet.
    ///
    /// # Errors
    /// When there is no such device or it fails at once.
    pub fn open(
        mut opener: Opener<'a>,
        experiments: Vec<&'static Experiment>,
        profile: Profile,
        seed: u64,
        origin: Origin,
    ) -> Result<Self, GpuError> {
        let session = Session::open(opener()?, profile, seed)?;
        let not_reached =
            experiments.iter().map(|e| unmeasured(e, Status::Interrupted, "not reached"));
        let record = Record {
            schema: Schema::current(),
            tool: origin.tool,
            started_at: origin.started_at,
            duration_s: session.executor.elapsed_s(),
            seed,
            machine: origin.machine,
            adapter: session.adapter.clone(),
            clock: session.clock.clone(),
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
            record,
        })
    }

    /// What will be run, in order.
    #[must_use]
    pub fn experiments(&self) -> &[&'static Experiment] {
        &self.experiments
    }

    /// The record so far, whole at any time: what was not reached says so.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Runs experiment `index` and enters it in the record. Where the device fails, so does the experiment,
    /// with the reason, and the next one begins with the device opened anew.
    pub fn run(&mut self, index: usize, stop: &AtomicBool, progress: &mut dyn FnMut(Progress)) {
        let experiment = self.experiments[index];
        let measured = self.session().and_then(|session| {
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

    /// The session, with the device opened again if it must be.
    fn session(&mut self) -> Result<&mut Session, GpuError> {
        match &mut self.session {
            Some(session) => Ok(session),
            closed => {
                if let Some(hung) = &self.hung {
                    return Err(GpuError::Device {
                        adapter: self.record.adapter.name.clone(),
                        reason: format!("it is not opened again after this: {hung}"),
                    });
                }
                let mut session = Session::open((self.opener)()?, self.profile, self.record.seed)?;
                let (now, before) = (&session.adapter, &self.record.adapter);
                if (&now.name, &now.backend) != (&before.name, &before.backend) {
                    return Err(GpuError::Device {
                        adapter: before.name.clone(),
                        reason: format!("`{}` is what came back in its place", now.name),
                    });
                }
                // What was found of the device before it failed is in the record.
                session.effective_width = self.width;
                Ok(closed.insert(session))
            }
        }
    }

    /// Lets go of a device that failed.
    fn give_up(&mut self, error: &GpuError) {
        if matches!(error, GpuError::Hung { .. }) {
            self.hung = Some(error.to_string());
        }
        if let Some(session) = self.session.take() {
            self.before_s += session.executor.elapsed_s();
            close(session, error);
        }
    }
}
