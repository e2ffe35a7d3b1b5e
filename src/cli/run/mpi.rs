//! Runs of several processes that MPI connects.
//!
//! Every process opens its own adapter. The first one then measures as in a run of one process, and the others follow.

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anstream::ColorChoice;

use super::arguments::{RunArguments, options, profile};
use super::interrupt::on_interrupt;
use super::keeper::{release, reserve};
use super::measuring::{Target, conclude, measure_all, origin};
use super::ranks::first_in_ranks;
use crate::bench::{Experiment, Opener, Origin, seed_from_time};
use crate::cli::error::CliError;
use crate::cli::output::say;
use crate::gpu::{Executor, GpuError, Hardware, Options, Ranks, list_adapters};
use crate::model::{self, DeviceType, Member, plain};
use crate::ranks::{
    Device, Greeting, Leader, Link, MOST_RANKS, Mpi, Participant, end, links_differ,
    oversubscription,
};

/// Time for which a process that is told to end goes on with what it does.
const GRACE: Duration = Duration::from_millis(600);

/// Measures `experiments` together with the other processes.
///
/// Returns the exit code of a run of one process. Processes other than the first print nothing and return 0.
///
/// # Errors
/// Returns an error if there is only one process, if the processes cannot measure together, or as a run of one process does.
pub(super) fn run(
    arguments: &RunArguments,
    experiments: &[&'static Experiment],
) -> Result<ExitCode, CliError> {
    // `mpirun` gives a process a terminal, even where it writes what the process prints to a file.
    if std::env::var_os("CLICOLOR_FORCE").is_none() {
        ColorChoice::Never.write_global();
    }
    let experiment = first_in_ranks(experiments);
    let needs = |missing, remedy: &str| {
        Err(CliError::NeedsRanks { experiment, missing, remedy: remedy.to_owned() })
    };
    let Some(mpi) = Mpi::initialize(cores_of_machine()) else {
        return needs("MPI, which this process has used before", "start a new process");
    };
    let (rank, ranks) = (mpi.rank(), mpi.ranks());
    let by_all = experiments.iter().all(|experiment| experiment.needs_ranks);
    if !by_all || !(2..=MOST_RANKS).contains(&ranks) || arguments.against.is_some() {
        if rank > 0 {
            return Ok(ExitCode::SUCCESS);
        }
        let again = format!("mpirun -n 2 warplaw run --only {experiment}");
        return match ranks {
            _ if arguments.against.is_some() => needs(
                "several processes, and --against starts one at a time",
                "leave out --against",
            ),
            _ if !by_all => needs(
                "several processes, and other experiments need one",
                &format!("run it alone: {again}"),
            ),
            0 | 1 => needs("at least two processes", &again),
            _ => needs(
                "sums that are exact, which those of more than 65,536 processes are not",
                &again,
            ),
        };
    }
    let forces_ring = mpi.forces_ring();
    let mut participant = Participant::new(Box::new(mpi), Mpi::exit_at_once);
    let together = join(&mut participant, arguments, rank);
    let (hardware, greetings, adapters) = match together {
        Ok(together) => together,
        // The first process alone says why.
        Err(_) if rank > 0 => return Ok(ExitCode::SUCCESS),
        Err(reason) => return Err(CliError::Ranks(reason)),
    };
    if rank > 0 {
        participant.use_device(device(&hardware));
        end_in_time();
        participant.follow();
        return Ok(ExitCode::SUCCESS);
    }
    let all = Ranks {
        count: ranks,
        forces_ring,
        oversubscribed: oversubscription(&greetings),
        links_differ: links_differ(&greetings),
    };
    let member =
        |(of, adapter): (Greeting, String)| Member { host: of.host, cores: of.core_count, adapter };
    let members = greetings.into_iter().zip(adapters).map(member).collect();
    let described = model::Ranks { library: Mpi::library(), settings: Mpi::settings(), members };
    lead(arguments, experiments, hardware, participant, all, described)
}

/// Meets the other processes, opens the adapter of this one, and returns it with the greetings and the adapters of all.
///
/// # Errors
/// Returns why the processes cannot measure together.
fn join(
    participant: &mut Participant,
    arguments: &RunArguments,
    rank: u32,
) -> Result<(Hardware, Vec<Greeting>, Vec<String>), String> {
    let greeting = Greeting {
        host: Mpi::host(),
        build: crate::version(),
        cores: cores_by_number(),
        core_count: thread::available_parallelism().map_or(1, |cores| cores.get() as u32),
    };
    let greetings = participant.meet(&greeting)?;
    let before = &greetings[..rank as usize];
    let place = before.iter().filter(|other| other.host == greeting.host).count();
    let opened = open(arguments, place).map_err(|error| error.to_string());
    let described = opened.as_ref().map(|hardware| {
        let adapter = hardware.facts().described(None);
        format!("{}, {}", adapter.full_name(), adapter.backend)
    });
    let adapters = participant.compare_adapters(&described.map_err(Clone::clone), &greetings)?;
    Ok((opened?, greetings, adapters))
}

/// Returns what adds on the adapter of a process, or the reason why it cannot.
fn device(hardware: &Hardware) -> Result<Device, String> {
    let (device, queue) = hardware.wgpu();
    Device::new(device, queue)
}

/// Measures as the first process.
fn lead(
    arguments: &RunArguments,
    experiments: &[&'static Experiment],
    hardware: Hardware,
    participant: Participant,
    ranks: Ranks,
    described: model::Ranks,
) -> Result<ExitCode, CliError> {
    if let Some(reason) = &ranks.oversubscribed {
        say(&format!("warning: {}, so nothing will be decided", plain(reason)));
    }
    let group = Group(Rc::new(RefCell::new(participant)));
    if let Some(path) = &arguments.out {
        reserve(path, arguments.force)?;
    }
    let is_done = Arc::new(AtomicBool::new(false));
    let begun: Arc<Mutex<Option<PathBuf>>> = Arc::default();
    let stop = stop_in_time(&is_done, &begun);
    let profile = profile(arguments, experiments.len());
    let origin = Origin { ranks: Some(described), ..origin(profile) };
    let seed = arguments.seed.unwrap_or_else(seed_from_time);
    let options = options(arguments, arguments.adapter.first().cloned());
    let mut first = Some(hardware);
    let shared = Rc::clone(&group.0);
    let opener: Opener<'_> = Box::new(move |workers| {
        let hardware = match first.take() {
            Some(hardware) => hardware,
            None => Hardware::open(&Options { workers, ..options.clone() })?,
        };
        shared.borrow_mut().use_device(device(&hardware));
        Ok(Box::new(Leader::new(Box::new(hardware), Rc::clone(&shared), ranks.clone())))
    });
    let run = (profile, seed, origin);
    let target = Target::open(opener, experiments, run, arguments.out.clone());
    let target = target.inspect_err(|_| {
        if let Some(path) = &arguments.out {
            release(path);
        }
    })?;
    *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(target.path().to_owned());
    let mut targets = [target];
    let measured = measure_all(&mut targets, profile, &stop);
    // The other processes need not wait until everything is printed.
    drop(group);
    is_done.store(true, Ordering::Relaxed);
    measured?;
    conclude(&targets, &stop)
}

/// The processes that run together. They are told to end when this one does.
struct Group(Rc<RefCell<Participant>>);

impl Drop for Group {
    fn drop(&mut self) {
        end(&self.0);
    }
}

/// Returns the flag that the first signal sets. If `is_done` is not set soon after, another process is gone, and this one ends
/// too. It then removes the record that it has `begun`, in which nothing is measured.
fn stop_in_time(is_done: &Arc<AtomicBool>, begun: &Arc<Mutex<Option<PathBuf>>>) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let (flag, is_done, begun) = (Arc::clone(&stop), Arc::clone(is_done), Arc::clone(begun));
    on_interrupt(move || {
        flag.store(true, Ordering::Relaxed);
        thread::sleep(GRACE);
        if is_done.load(Ordering::Relaxed) {
            return;
        }
        eprintln!(
            "error: mpirun ended this run: another process failed, or it was interrupted; nothing was measured to the end, and \
             no record is kept"
        );
        if let Some(record) = begun.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            let _is_gone = std::fs::remove_file(record);
        }
        Mpi::exit_at_once(2);
    });
    stop
}

/// Ends this process soon after a signal, unless the first one, which decides when to stop, ends all before.
fn end_in_time() {
    on_interrupt(|| {
        thread::sleep(2 * GRACE);
        Mpi::exit_at_once(2);
    });
}

/// Opens the adapter of the process at this place among those of its host. The adapters go round: those that the user named, or
/// the GPUs, or else the software devices.
fn open(arguments: &RunArguments, place: usize) -> Result<Hardware, GpuError> {
    let named = &arguments.adapter;
    if !named.is_empty() {
        return Hardware::open(&options(arguments, Some(named[place % named.len()].clone())));
    }
    let selection = options(arguments, None).selection;
    let adapters = list_adapters(&selection)?;
    let best = &adapters[0];
    let is_like = |a: &crate::gpu::AdapterFacts| {
        let is_software = |of: &crate::gpu::AdapterFacts| of.device_type == DeviceType::Cpu;
        a.backend == best.backend && is_software(a) == is_software(best)
    };
    let numbers: Vec<usize> =
        (0..adapters.len()).filter(|&number| is_like(&adapters[number])).collect();
    let is_chosen = std::env::var_os("WGPU_ADAPTER_NAME").is_some();
    let number = (!is_chosen).then(|| numbers[place % numbers.len()].to_string());
    Hardware::open(&options(arguments, number))
}

/// Returns the number of cores of this machine. A process that `mpirun` has bound may use fewer.
fn cores_of_machine() -> u32 {
    sysinfo::System::new().map_or(1, |mut system| {
        system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        system.cpus().len() as u32
    })
}

/// Returns the numbers of the cores that this process may use.
#[cfg(target_os = "linux")]
fn cores_by_number() -> Option<Vec<u32>> {
    use nix::sched::{CpuSet, sched_getaffinity};
    let set = sched_getaffinity(nix::unistd::Pid::from_raw(0)).ok()?;
    let is_set = |core: &usize| set.is_set(*core).unwrap_or(false);
    Some((0..CpuSet::count()).filter(is_set).map(|core| core as u32).collect())
}

/// Returns the numbers of the cores that this process may use.
#[cfg(not(target_os = "linux"))]
fn cores_by_number() -> Option<Vec<u32>> {
    None
}
