//! Messages by MPI.

mod tool;

use std::thread::sleep;
use std::time::Duration;

use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::point_to_point::{Destination, Source};
use mpi::request;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

use super::link::Link;
use crate::gpu::set_unless_set;

/// How long a rank sleeps before it looks for a command or an answer again.
const NAP: Duration = Duration::from_micros(100);

/// Variable in which Open MPI's `mpirun` tells a process how many ranks its host has.
const RANKS_OF_HOST: &str = "OMPI_COMM_WORLD_LOCAL_SIZE";
/// Parameter of Open MPI that lets a communicator have its own algorithms.
const OWN_ALGORITHMS: &str = "OMPI_MCA_coll_tuned_use_dynamic_rules";
/// Parameter of Open MPI that lets waiting ranks leave their cores to others.
const YIELD: &str = "OMPI_MCA_mpi_yield_when_idle";
/// Begins of the names of parameters that choose how Open MPI sends messages.
const TRANSPORTS: [&str; 6] = [
    "OMPI_MCA_pml",
    "OMPI_MCA_mtl",
    "OMPI_MCA_btl",
    "OMPI_MCA_coll",
    "OMPI_MCA_mpi_yield",
    "UCX_TLS",
];

/// The ranks that `mpirun` started.
pub struct Mpi {
    world: SimpleCommunicator,
    /// For commands and answers.
    control: SimpleCommunicator,
    /// On which the library sums by a ring, if it can be told to.
    by_ring: Option<SimpleCommunicator>,
    /// Ends MPI when it is dropped, which must be last.
    _universe: Universe,
}

impl Mpi {
    /// Initialises MPI. Returns `None` if it was initialised before.
    ///
    /// `cores` is the number of cores of this host. If `mpirun` started more ranks than that on it, ranks that wait leave their
    /// cores to others, where Open MPI allows that.
    #[must_use]
    pub fn initialize(cores: u32) -> Option<Self> {
        let ranks = std::env::var(RANKS_OF_HOST).ok().and_then(|ranks| ranks.parse::<u32>().ok());
        let is_crowded = ranks.is_some_and(|ranks| ranks > cores);
        let wanted = [(OWN_ALGORITHMS, true), (YIELD, is_crowded)];
        let wanted = wanted.into_iter().filter(|&(_, is_wanted)| is_wanted);
        set_unless_set(wanted.map(|(variable, _)| (variable, "1".into())));
        // Other threads, such as the watchdog, send no messages.
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)?;
        let world = universe.world();
        let are_on_one_host = ranks.is_some_and(|ranks| ranks == world.size() as u32);
        let by_ring = by_ring(&world, are_on_one_host);
        Some(Self { control: world.duplicate(), world, by_ring, _universe: universe })
    }

    /// Ends this process at once with an exit code, even while another thread of it waits for a message. `mpirun` then ends the
    /// other ranks.
    pub fn exit_at_once(code: i32) -> ! {
        tool::exit_at_once(code)
    }

    /// Returns the name of this host.
    #[must_use]
    pub fn host() -> String {
        mpi::environment::processor_name().unwrap_or_else(|_| "unknown".to_owned())
    }

    /// Returns the name and version of the library.
    #[must_use]
    pub fn library() -> String {
        let text = mpi::environment::library_version().unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        first.split(',').next().unwrap_or_default().trim().to_owned()
    }

    /// Returns the variables that choose how messages are sent, each with its value.
    #[must_use]
    pub fn settings() -> Vec<String> {
        let is_of_transport = |name: &str| TRANSPORTS.iter().any(|of| name.starts_with(of));
        let mut settings: Vec<String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, value)| is_of_transport(name) && [name, value] != [OWN_ALGORITHMS, "1"])
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        settings.sort();
        settings
    }

    fn nap_until_sent_by(&self, rank: i32) {
        while self.control.process_at_rank(rank).immediate_probe().is_none() {
            sleep(NAP);
        }
    }
}

/// Returns a communicator on which the library sums by a ring; `None` if it cannot be told that on every rank.
fn by_ring(world: &SimpleCommunicator, are_on_one_host: bool) -> Option<SimpleCommunicator> {
    let chosen = tool::RingChosen::new(are_on_one_host);
    let mut on_all = 0;
    world.all_reduce_into(&i32::from(chosen.is_some()), &mut on_all, SystemOperation::min());
    (on_all == 1).then(|| world.duplicate())
}

impl Link for Mpi {
    fn rank(&self) -> u32 {
        self.world.rank() as u32
    }

    fn ranks(&self) -> u32 {
        self.world.size() as u32
    }

    fn transfer(&mut self, send: Option<(u32, &[f32])>, receive: Option<(u32, &mut [f32])>) {
        let at = |rank: u32| self.world.process_at_rank(rank as i32);
        request::scope(|scope| {
            let receiving =
                receive.map(|(from, place)| at(from).immediate_receive_into(scope, place));
            let sending = send.map(|(to, message)| at(to).immediate_send(scope, message));
            if let Some(receiving) = receiving {
                receiving.wait_without_status();
            }
            if let Some(sending) = sending {
                sending.wait_without_status();
            }
        });
    }

    fn barrier(&mut self) {
        self.world.barrier();
    }

    fn all_reduce(&mut self, by_ring: bool, input: &[f32], output: &mut [f32]) {
        let forced = self.by_ring.as_ref().filter(|_| by_ring);
        let on = forced.unwrap_or(&self.world);
        on.all_reduce_into(input, output, SystemOperation::sum());
    }

    fn forces_ring(&self) -> bool {
        self.by_ring.is_some()
    }

    fn broadcast(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if self.rank() > 0 {
            self.nap_until_sent_by(0);
            return self.control.process_at_rank(0).receive_vec().0;
        }
        for rank in 1..self.world.size() {
            self.control.process_at_rank(rank).send(&bytes[..]);
        }
        bytes
    }

    fn gather(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if self.rank() > 0 {
            self.control.process_at_rank(0).send(&bytes[..]);
            return Vec::new();
        }
        let mut all = vec![bytes];
        for rank in 1..self.world.size() {
            self.nap_until_sent_by(rank);
            all.push(self.control.process_at_rank(rank).receive_vec().0);
        }
        all
    }
}
