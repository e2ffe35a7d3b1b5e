//! The programs that `run` dispatches.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use naga::Module;
use naga::valid::ModuleInfo;
use warplaw::bench::{Profile, Session, run};
use warplaw::experiments::{REGISTRY, shaders};
use warplaw::gpu::{
    AdapterFacts, Built, Dispatch, Executor, GpuError, Mismatch, Shader, Span, Workload,
};
use warplaw::sim::{Machine, Simulator};

/// An entry point of a module, with the values of its pipeline-overridable constants. It becomes one pipeline.
#[derive(Debug, Clone)]
pub struct Program {
    /// The module.
    pub shader: Arc<Shader>,
    /// Name of the entry point.
    pub entry: &'static str,
    /// Constants by name.
    pub constants: Vec<(&'static str, u32)>,
}

impl Program {
    /// Returns the unique name: the module, the entry point and the constants.
    #[must_use]
    pub fn name(&self) -> String {
        let constants: Vec<String> =
            self.constants.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        format!("{} {}, {}", self.shader.name(), self.entry, constants.join(", "))
    }

    /// Returns the module with the values of the constants. If `stores_size`, the first invocation stores the subgroup
    /// size, as in a run.
    ///
    /// # Errors
    /// Returns the message of naga, for a person to read.
    pub fn module(&self, stores_size: bool) -> Result<(Module, ModuleInfo), String> {
        self.shader.specialized(stores_size, self.entry, &self.constants)
    }

    /// Returns the number of invocations per workgroup, as far as a constant says it.
    #[must_use]
    pub fn workgroup_size(&self) -> u32 {
        let size = self.constants.iter().find(|(name, _)| *name == SIZE);
        size.map_or(1, |&(_, size)| size)
    }
}

/// Lanes per subgroup of the GPU whose programs the tests and the page compile.
pub const WIDTH: u32 = 64;

/// Programs by their names.
type Programs = Rc<RefCell<BTreeMap<String, Program>>>;

/// A simulated GPU that notes the programs that it is given.
struct Recorder {
    device: Simulator,
    seen: Programs,
}

impl Executor for Recorder {
    fn facts(&self) -> &AdapterFacts {
        self.device.facts()
    }

    fn elapsed_s(&self) -> f64 {
        self.device.elapsed_s()
    }

    fn use_host_clock(&mut self, reason: String) {
        self.device.use_host_clock(reason);
    }

    fn built(&self) -> Built {
        self.device.built()
    }

    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError> {
        let mut seen = self.seen.borrow_mut();
        let dispatches = workloads.iter().flat_map(|w| [w.prepare(), w.dispatches()]).flatten();
        for dispatch in dispatches {
            let program = Program::of(dispatch);
            seen.entry(program.name()).or_insert(program);
        }
        self.device.load(workloads)
    }

    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError> {
        self.device.outputs(index)
    }

    fn verify(
        &mut self,
        index: usize,
        workload: &Workload,
    ) -> Result<Result<(), Mismatch>, GpuError> {
        self.device.verify(index, workload)
    }

    fn subgroup_sizes(&self) -> &[u32] {
        self.device.subgroup_sizes()
    }

    fn round(&mut self, order: &[usize]) -> Result<Vec<Span>, GpuError> {
        self.device.round(order)
    }
}

impl Program {
    fn of(dispatch: &Dispatch) -> Self {
        Self {
            shader: Arc::clone(dispatch.shader()),
            entry: dispatch.entry(),
            constants: dispatch.constants().to_vec(),
        }
    }
}

/// Invocations per workgroup of the programs that autotuning may choose on another GPU.
const USUAL_SIZE: u32 = 256;

/// Returns the programs of [`programs()`], and every other entry point of every module with 256 invocations: autotuning
/// may choose it on another GPU.
///
/// # Panics
/// Panics if the simulated GPU fails or a module is not valid.
#[must_use]
pub fn all_programs(width: u32) -> Vec<Program> {
    let mut all: BTreeMap<String, Program> =
        programs(width).into_iter().map(|program| (program.name(), program)).collect();
    let seen: BTreeSet<(String, &str)> =
        all.values().map(|program| (program.shader.name().to_owned(), program.entry)).collect();
    for shader in shaders() {
        let module = shader.module(false).expect("the modules are valid");
        for entry in &module.entry_points {
            if seen.contains(&(shader.name().to_owned(), entry.name.as_str())) {
                continue;
            }
            let sized = module.overrides.iter().any(|(_, o)| o.name.as_deref() == Some(SIZE));
            let program = Program {
                shader: Arc::clone(&shader),
                // There are few names, and the tests and the page end soon.
                entry: entry.name.clone().leak(),
                constants: if sized { vec![(SIZE, USUAL_SIZE)] } else { Vec::new() },
            };
            all.insert(program.name(), program);
        }
    }
    all.into_values().collect()
}

/// Name of the constant with the number of invocations per workgroup.
const SIZE: &str = "WORKGROUP_SIZE";

/// Returns every program that a full run dispatches on GPUs with subgroups of `width` lanes, in the order of names.
///
/// Autotuning tries its candidates on a simulated GPU, so the programs that lose are among them.
///
/// # Panics
/// Panics if the simulated GPU fails.
#[must_use]
pub fn programs(width: u32) -> Vec<Program> {
    let seen = Programs::default();
    let device =
        Recorder { device: Simulator::new(Machine::lawful(width)), seen: Rc::clone(&seen) };
    let mut session =
        Session::open(Box::new(device), Profile::FULL, 1).expect("the simulated GPU opens");
    for experiment in REGISTRY {
        run(&mut session, experiment, &AtomicBool::new(false), &mut |_| ())
            .expect("the simulated GPU does not fail");
    }
    drop(session);
    seen.take().into_values().collect()
}
