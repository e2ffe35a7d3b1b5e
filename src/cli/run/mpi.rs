//! Runs of several processes that MPI connects.
//!
//! Every process opens its own adapter. The first one then measures as in a run of one process, and the others follow.

use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::arguments::{RunArguments, options, profile};
use super::interrupt::on_interrupt;
use super::keeper::{release, reserve};
use super::measuring::{Target, measure_all, origin};
use super::ranks::first_in_ranks;
use crate::bench::{Experiment, Opener, Origin, seed_from_time};
use crate::cli::error::CliError;
use crate::gpu::{Executor, GpuError, Hardware, Options, Ranks, list_adapters};
use crate::model::{self, DeviceType, Member};
use crate::ranks::{Device, Leader, Link, MOST_RANKS, Mpi, Participant, end};

/// What a process tells all others before it opens its adapter.
#[derive(Serialize, Deserialize)]
struct Greeting {
    host: String,
    /// Name, version and commit of the build.
    build: String,
    /// The cores that the process may use, by number; `None` where the system does not tell.
    cores: Option<Vec<u32>>,
    /// Number of cores that the process may use.
    core_count: u32,
}

/// What a process tells the first one after it has opened its adapter: the adapter, or the reason why it has none.
#[derive(Serialize, Deserialize)]
struct Opened(Result<String, String>);

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
    let experiment = first_in_ranks(experiments);
    let needs = |missing, remedy: &str| {
        Err(CliError::NeedsRanks { experiment, missing, remedy: remedy.to_owned() })
    };
    let core_count = thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    let Some(mut mpi) = Mpi::initialize(cores_of_machine()) else {
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
                "several processes, and other experiments one",
                &format!("run it alone: {again}"),
            ),
            0 | 1 => needs("at least two processes", &again),
            _ => needs(
                "sums that are exact, which those of more than 65,536 processes are not",
                &again,
            ),
        };
    }
    let greeting = Greeting {
        host: Mpi::host(),
        build: crate::version(),
        cores: cores_by_number(),
        core_count,
    };
    let greetings = tell_all(&mut mpi, &greeting);
    let hosts: Vec<&str> = greetings.iter().map(|of| &*of.host).collect();
    let place = hosts[..rank as usize].iter().filter(|&&host| host == greeting.host).count();
    let opened = open(arguments, place);
    let description = opened.as_ref().map(|hardware| hardware.facts().described(None).full_name());
    let described = Opened(description.map_err(ToString::to_string));
    let opened_by = gather(&mut mpi, &described);
    let refusal = if rank == 0 { refusal(&greetings, &opened_by) } else { None };
    let refusal: Option<String> = broadcast(&mut mpi, &refusal);
    let (Ok(hardware), None) = (opened, &refusal) else {
        return match refusal {
            Some(reason) if rank == 0 => Err(CliError::Ranks(reason)),
            _ => Ok(ExitCode::SUCCESS),
        };
    };
    let members: Vec<Member> = greetings
        .iter()
        .zip(opened_by)
        .map(|(of, Opened(adapter))| Member {
            host: of.host.clone(),
            cores: of.core_count,
            adapter: adapter.unwrap_or_default(),
        })
        .collect();
    let all = Ranks { count: ranks, forces_ring: mpi.forces_ring(), doubt: crowding(&greetings) };
    let (device, queue) = hardware.wgpu();
    // Without the kernel, additions on the device are refused, with the reason.
    let device = Device::new(device, queue).ok();
    let mut participant = Participant::new(Box::new(mpi), device);
    if rank == 0 {
        let settings = Mpi::settings();
        let described = model::Ranks { library: Mpi::library(), settings, members };
        return lead(arguments, experiments, hardware, participant, all, described);
    }
    // The first process decides when to stop.
    on_interrupt(|| ());
    participant.follow();
    Ok(ExitCode::SUCCESS)
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
    let group = Group(Rc::new(RefCell::new(participant)));
    if let Some(path) = &arguments.out {
        reserve(path, arguments.force)?;
    }
    let is_done = Arc::new(AtomicBool::new(false));
    let stop = stop_in_time(&is_done);
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
        Ok(Box::new(Leader::new(Box::new(hardware), Rc::clone(&shared), ranks.clone())))
    });
    let run = (profile, seed, origin);
    let target = Target::open(opener, experiments, run, arguments.out.clone());
    let target = target.inspect_err(|_| {
        if let Some(path) = &arguments.out {
            release(path);
        }
    })?;
    let outcome = measure_all(&mut [target], profile, &stop);
    is_done.store(true, Ordering::Relaxed);
    drop(group);
    outcome
}

/// The processes that run together. They are told to end when this one does.
struct Group(Rc<RefCell<Participant>>);

impl Drop for Group {
    fn drop(&mut self) {
        end(&self.0);
    }
}

/// Returns the flag that the first signal sets. If `is_done` is not set soon after, another process is gone, and this one ends
/// too.
fn stop_in_time(is_done: &Arc<AtomicBool>) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let (flag, is_done) = (Arc::clone(&stop), Arc::clone(is_done));
    on_interrupt(move || {
        flag.store(true, Ordering::Relaxed);
        thread::sleep(GRACE);
        if is_done.load(Ordering::Relaxed) {
            return;
        }
        eprintln!(
            "error: mpirun ended this run: another process failed, or it was interrupted; nothing was measured to the end"
        );
        std::process::exit(2);
    });
    stop
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

/// Returns why the processes cannot measure together; `None` if they can.
fn refusal(greetings: &[Greeting], opened: &[Opened]) -> Option<String> {
    let of = |rank: usize| format!("rank {rank} on host `{}`", greetings[rank].host);
    let own = &greetings[0].build;
    if let Some(other) = greetings.iter().position(|greeting| greeting.build != *own) {
        return Some(format!(
            "{} runs {}, and {} {own}: install one build on all hosts",
            of(other),
            greetings[other].build,
            of(0)
        ));
    }
    let failed = opened
        .iter()
        .enumerate()
        .find_map(|(rank, Opened(adapter))| adapter.as_ref().err().map(|reason| (rank, reason)));
    failed.map(|(rank, reason)| format!("{}: {reason}", of(rank)))
}

/// Returns a text if a host has more processes than cores.
fn crowding(greetings: &[Greeting]) -> Option<String> {
    greetings.iter().find_map(|greeting| {
        let of_host: Vec<&Greeting> =
            greetings.iter().filter(|other| other.host == greeting.host).collect();
        let cores = cores_of_host(&of_host);
        (of_host.len() > cores).then(|| {
            format!(
                "host `{}` runs {} ranks on {}, and a rank that waits keeps others from running",
                greeting.host,
                of_host.len(),
                model::figures::counted(cores, "core")
            )
        })
    })
}

/// Returns how many cores these processes of one host may use together.
fn cores_of_host(greetings: &[&Greeting]) -> usize {
    let mut numbers: Vec<u32> =
        greetings.iter().filter_map(|of| of.cores.clone()).flatten().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let most = greetings.iter().map(|of| of.core_count as usize).max().unwrap_or(1);
    if numbers.is_empty() {
        return most;
    }
    // A limit on processor time leaves a process fewer cores than those that it may run on.
    let is_limited = |of: &&&Greeting| {
        of.cores.as_ref().is_some_and(|cores| (of.core_count as usize) < cores.len())
    };
    if greetings.iter().any(|of| is_limited(&of)) { most } else { numbers.len() }
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

/// Sends a message of each process to the first one.
fn gather<T: Serialize + for<'de> Deserialize<'de>>(link: &mut dyn Link, message: &T) -> Vec<T> {
    let all = link.gather(serde_json::to_vec(message).unwrap_or_default());
    all.iter().filter_map(|bytes| serde_json::from_slice(bytes).ok()).collect()
}

/// Sends a message of the first process to all.
fn broadcast<T: Serialize + for<'de> Deserialize<'de> + Default>(
    link: &mut dyn Link,
    message: &T,
) -> T {
    let bytes = link.broadcast(serde_json::to_vec(message).unwrap_or_default());
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Sends a message of each process to all.
fn tell_all<T: Serialize + for<'de> Deserialize<'de>>(link: &mut dyn Link, message: &T) -> Vec<T> {
    let all = gather(link, message);
    broadcast(link, &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(host: &str, build: &str, cores: Option<&[u32]>, core_count: u32) -> Greeting {
        let cores = cores.map(<[u32]>::to_vec);
        Greeting { host: host.to_owned(), build: build.to_owned(), cores, core_count }
    }

    #[test]
    fn ranks_of_different_builds_or_without_an_adapter_are_refused() {
        let of = |build| greeting("b", build, None, 2);
        let opened = || vec![Opened(Ok("GPU".to_owned())), Opened(Ok("GPU".to_owned()))];
        assert_eq!(refusal(&[of("1"), of("1")], &opened()), None);
        let reason = refusal(&[of("1"), of("2")], &opened()).expect("the builds differ");
        assert_eq!(
            reason,
            "rank 1 on host `b` runs 2, and rank 0 on host `b` 1: install one build on all hosts"
        );
        let without = [Opened(Ok("GPU".to_owned())), Opened(Err("no adapter".to_owned()))];
        let reason = refusal(&[of("1"), of("1")], &without);
        assert_eq!(reason.as_deref(), Some("rank 1 on host `b`: no adapter"));
    }

    #[test]
    fn a_host_with_more_ranks_than_cores_is_crowded() {
        // Each rank is bound to a core of its own, so that one alone knows of one core.
        let bound = |host, core: u32| greeting(host, "1", Some(&[core]), 1);
        assert_eq!(crowding(&[bound("a", 0), bound("a", 1), bound("b", 0)]), None);
        let crowded = crowding(&[bound("a", 0), bound("b", 1), bound("b", 1)]);
        assert!(crowded.is_some_and(|text| text.starts_with("host `b` runs 2 ranks on 1 core,")));
        // A limit on processor time counts, although the rank may run on every core.
        let limited = || greeting("a", "1", Some(&[0, 1, 2, 3]), 1);
        assert!(crowding(&[limited(), limited()]).is_some());
        let unknown = || greeting("a", "1", None, 2);
        assert_eq!(crowding(&[unknown(), unknown()]), None);
        assert!(crowding(&[unknown(), unknown(), unknown()]).is_some());
    }
}
