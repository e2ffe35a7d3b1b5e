//! One of the two builds, with the record that its processes make together.

use std::path::{Path, PathBuf};

use super::process::{Program, Stop, measure};
use crate::bench::{self, Experiment};
use crate::cli::error::CliError;
use crate::cli::run::keeper::Keeper;
use crate::model::{self, Record, Schema, Status, slug};

/// One of the two builds.
pub(super) struct Side {
    pub(super) program: Program,
    /// The record so far; absent before the first experiment.
    pub(super) record: Option<Record>,
    /// The file of the record; absent before the first experiment, and until `out` is known.
    pub(super) keeper: Option<Keeper>,
    /// Ids of the experiments that the build has; empty for this build, which has all.
    pub(super) known: Vec<String>,
}

/// Reason of an experiment that the other build does not have.
const UNKNOWN: &str = "this build of warplaw has no such experiment";
/// Reason of an experiment that did not run.
const NOT_REACHED: &str = "the run ended before this experiment";

impl Side {
    pub(super) fn new(program: Program, known: Vec<String>) -> Self {
        Self { program, record: None, keeper: None, known }
    }

    /// Returns whether the build has the experiment.
    pub(super) fn has(&self, experiment: &Experiment) -> bool {
        self.known.is_empty() || self.known.iter().any(|id| id == experiment.id)
    }

    /// Runs one of `experiments` in a process, and adds its result to the record. Without a result because the user
    /// stopped the process, the record stays as it is.
    ///
    /// `options` are those of the run, and `argv` its command line.
    ///
    /// # Errors
    /// Returns the reason in one line if the process fails or its record cannot be used.
    pub(super) fn measure(
        &mut self,
        experiments: &[&'static Experiment],
        index: usize,
        options: &[String],
        argv: &[String],
        stop: &Stop,
    ) -> Result<(), String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no folder for it: {error}"))?;
        let file = folder.path().join("record.json");
        let mut command = self.program.run();
        command.args(["--only", experiments[index].id]).args(options).arg("--out").arg(&file);
        let ended = measure(&mut command, stop)?;
        let is_stopped = stop.soon.load(std::sync::atomic::Ordering::Relaxed);
        let bytes = std::fs::read(&file).unwrap_or_default();
        if bytes.is_empty() {
            return if is_stopped { Ok(()) } else { Err(ended.failure()) };
        }
        let record = model::parse(&self.program.name, &bytes).map_err(|error| error.to_string())?;
        let has = |status| record.experiments.iter().any(|each| each.status == status);
        let is_told = match ended.status.code() {
            Some(0) => true,
            Some(2) => has(Status::Failed),
            _ => is_stopped,
        };
        if !is_told {
            return Err(ended.failure());
        }
        self.add(record, experiments, index, argv)
    }

    /// Adds the record of one experiment to that of all `experiments`.
    ///
    /// # Errors
    /// Returns the reason in one line if the record is of another experiment or device.
    fn add(
        &mut self,
        mut part: Record,
        experiments: &[&'static Experiment],
        index: usize,
        argv: &[String],
    ) -> Result<(), String> {
        let id = experiments[index].id;
        let place = part.experiments.iter().position(|each| each.id == id);
        let place = place.ok_or_else(|| format!("its record has no experiment `{id}`"))?;
        let outcome = part.experiments.swap_remove(place);
        let Some(record) = &mut self.record else {
            let not_run = |experiment: &&'static Experiment| {
                if self.has(experiment) {
                    bench::unmeasured(experiment, Status::Interrupted, NOT_REACHED)
                } else {
                    bench::unmeasured(experiment, Status::Unsupported, UNKNOWN)
                }
            };
            part.experiments = experiments.iter().map(not_run).collect();
            part.experiments[index] = outcome;
            part.tool.argv = argv.to_vec();
            // Written by this build, whatever version the other one writes.
            part.schema = Schema::current();
            self.record = Some(part);
            return Ok(());
        };
        let device = |record: &Record| {
            let adapter = &record.adapter;
            format!("{} through {}", adapter.full_name(), adapter.backend)
        };
        let (before, now) = (device(record), device(&part));
        if before != now {
            return Err(format!("it measured {now}, and before {before}"));
        }
        if record.clock.kind != part.clock.kind {
            return Err("its clock is of another kind than before".to_owned());
        }
        record.experiments[index] = outcome;
        record.duration_s += part.duration_s;
        for fault in part.clock.faults {
            if !record.clock.faults.contains(&fault) {
                record.clock.faults.push(fault);
            }
        }
        Ok(())
    }

    /// Writes the record, if there is one, to `out` or to a new file.
    ///
    /// # Errors
    /// Returns an error if no file can be written and no measurement is in the record.
    pub(super) fn keep(&mut self, out: Option<PathBuf>) -> Result<(), CliError> {
        let Some(record) = &self.record else { return Ok(()) };
        let keeper = match &mut self.keeper {
            Some(keeper) => keeper,
            empty => empty.insert(Keeper::new(out, record)?),
        };
        keeper.keep(record)
    }

    /// Returns where the record is, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.keeper.as_ref().map(|keeper| keeper.path.as_path())
    }
}

/// Returns the file of the other build's record, beside that of this build: `x-against-old.json` for `x.json`.
pub(super) fn beside(own: &Path, other: &Program) -> PathBuf {
    let stem = own.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = Path::new(&other.name).file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(&name);
    own.with_file_name(format!("{stem}-against-{}.json", slug(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::REGISTRY;
    use crate::model::Verdict;

    fn side(known: &[&str]) -> Side {
        let known = known.iter().map(|id| (*id).to_owned()).collect();
        Side::new(Program::other(Path::new("old/warplaw-1.0")), known)
    }

    /// Returns the record of a run of one experiment.
    fn part(index: usize) -> Record {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/record-1.1.0.json");
        let mut record = model::read(&path).expect("the record is readable");
        let mut outcome = record.experiments.swap_remove(0);
        outcome.id = REGISTRY[index].id.to_owned();
        outcome.verdict = Some(Verdict::Holds);
        Record { experiments: vec![outcome], duration_s: 2.0, ..record }
    }

    #[test]
    fn parts_become_the_record_of_one_run() {
        let experiments: Vec<&Experiment> = REGISTRY[..3].iter().collect();
        let mut side = side(&[REGISTRY[0].id, REGISTRY[1].id]);
        let argv = ["warplaw".to_owned(), "run".to_owned()];
        side.add(part(1), &experiments, 1, &argv).expect("it fits");
        let mut second = part(0);
        second.clock.faults = vec!["it stands still".to_owned(); 2];
        side.add(second, &experiments, 0, &argv).expect("it fits");
        let record = side.record.expect("there are parts");
        let all: Vec<(&str, Status)> =
            record.experiments.iter().map(|each| (each.id.as_str(), each.status)).collect();
        let ids = [0, 1, 2].map(|index: usize| REGISTRY[index].id);
        let states = [Status::Measured, Status::Measured, Status::Unsupported];
        assert_eq!(all, ids.into_iter().zip(states).collect::<Vec<_>>());
        assert_eq!(record.experiments[2].reason.as_deref(), Some(UNKNOWN));
        assert_eq!((record.duration_s, record.tool.argv), (4.0, argv.to_vec()));
        assert_eq!(record.clock.faults, ["it stands still"]);
        assert_eq!(record.schema, Schema::current());
    }

    #[test]
    fn a_part_of_another_device_or_experiment_is_refused_and_changes_nothing() {
        let experiments: Vec<&Experiment> = REGISTRY[..2].iter().collect();
        let mut side = side(&[]);
        side.add(part(0), &experiments, 0, &[]).expect("it fits");
        let before = side.record.clone();
        let mut other = part(1);
        other.adapter.name = "another".to_owned();
        let refused = side.add(other, &experiments, 1, &[]).expect_err("another device");
        assert!(refused.contains("another through"), "{refused}");
        let refused = side.add(part(0), &experiments, 1, &[]).expect_err("another experiment");
        assert!(refused.contains(REGISTRY[1].id), "{refused}");
        assert_eq!(side.record, before);
    }

    #[test]
    fn the_record_of_the_other_build_is_beside_and_names_it() {
        let other = Program::other(Path::new("../old/warplaw-old"));
        let path = beside(Path::new("records/gpu/2026-11-27-vulkan-abc.json"), &other);
        let expected = "records/gpu/2026-11-27-vulkan-abc-against-warplaw-old.json";
        assert_eq!(path, Path::new(expected));
    }
}
