//! The replay of decisions, on random programs whose counts a machine without any WGSL knows, and the probes that log
//! decisions.

#[cfg(target_os = "linux")]
mod accesses;
mod ballots;
#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod lavapipe;
mod pages;
mod price;
mod probes;
mod programs;

use std::collections::BTreeMap;
use std::sync::Arc;

use naga::valid::{Capabilities, ValidationFlags, Validator};
use probes::Case;
use programs::{Count, LANES, Program, Seen, table};
use warplaw::experiments::imbalance::kernel::Uneven;
use warplaw::experiments::select::kernel::{PathSize, Select, Way};
use warplaw::experiments::{divergence, imbalance};
use warplaw::gpu::Workload;
use warplaw::kernels::branch_paths::BranchPaths;
use warplaw::kernels::random_words;
use warplaw::simt::{Arrangement, Buffers, Replay};

/// Widths of subgroups.
const WIDTHS: [u32; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
/// Number of programs, unless `WARPLAW_PROGRAMS` has another one.
const PROGRAMS: u64 = 1_000;

/// Returns the counts of the marks by the machine at this width, and the decisions of each lane.
fn by_machine(program: &Program, table: &[u32], width: u32) -> (Vec<Count>, Vec<Vec<Seen>>) {
    let code = program.code();
    let mut counts = vec![Count::default(); program.marks];
    let firsts = (0..LANES).step_by(width as usize);
    let seen = firsts
        .flat_map(|first| code.subgroup(table, first..first + width as usize, &mut counts))
        .collect();
    (counts, seen)
}

/// Checks the replay of a program at all widths. Returns how many marks it compared.
fn check(seed: u64) -> usize {
    let (program, table) = (Program::random(seed), table(seed));
    let (text, lines) = program.wgsl();
    let module = naga::front::wgsl::parse_str(&text)
        .unwrap_or_else(|error| panic!("{}\n{text}", error.emit_to_string(&text)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::all())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}\n{text}", error.emit_to_string(&text)));
    // A mark is a line, and its assignment is the last statement there.
    let new_replay = || Replay::new(&module, &info, "main").expect("the program has `main`");
    let place_of_line: BTreeMap<u32, usize> = new_replay()
        .statements()
        .iter()
        .enumerate()
        .map(|(place, statement)| (statement.span.location(&text).line_number, place))
        .collect();
    let mut compared = 0;
    let (_, decisions) = by_machine(&program, &table, 1);
    for width in WIDTHS {
        let (expected, _) = by_machine(&program, &table, width);
        let mut replay = new_replay();
        let mut made = vec![0; LANES];
        let decide = |lane: usize, outcomes: u32| -> Result<u32, String> {
            let (outcome, of) = decisions[lane].get(made[lane]).copied().ok_or("no decision")?;
            made[lane] += 1;
            if of == outcomes { Ok(outcome) } else { Err(format!("{of} outcomes, not {outcomes}")) }
        };
        replay
            .workgroup(&Arrangement::flat(LANES as u32, width), decide)
            .unwrap_or_else(|error| panic!("program {seed} at {width} lanes: {error}\n{text}"));
        let left = (0..LANES).filter(|&lane| made[lane] < decisions[lane].len()).count();
        assert_eq!(left, 0, "program {seed} at {width} lanes: lanes with decisions left\n{text}");
        for (mark, expected) in expected.iter().enumerate() {
            let statement = &replay.statements()[place_of_line[&lines[&mark]]];
            let found = Count { executions: statement.executions, lanes: statement.lanes };
            assert_eq!(found, *expected, "program {seed}, mark {mark}, {width} lanes\n{text}");
            compared += 1;
        }
    }
    compared
}

#[test]
fn a_replay_counts_what_a_machine_without_wgsl_counts() {
    let programs = std::env::var("WARPLAW_PROGRAMS")
        .map_or(PROGRAMS, |programs| programs.parse().expect("`WARPLAW_PROGRAMS` is a number"));
    let (mut compared, mut marks) = (0, 0);
    for seed in 0..programs {
        compared += check(seed);
        marks += Program::random(seed).marks;
    }
    assert!(marks > 10 * programs as usize, "{marks} marks");
    println!("{compared} counts of {programs} programs");
}

/// Returns a random program as a case for the probes.
fn case_of_program(seed: u64) -> Case {
    let bytes = |words: Vec<u32>| words.into_iter().flat_map(u32::to_le_bytes).collect();
    Case {
        source: Program::random(seed).wgsl().0,
        entry: "main".to_owned(),
        constants: vec![],
        workgroups: [1; 3],
        lanes: LANES as u32,
        buffers: Buffers::from([
            ("table".to_owned(), bytes(table(seed))),
            ("output".to_owned(), bytes(vec![0; LANES])),
        ]),
    }
}

#[test]
fn probes_of_random_programs_log_what_a_replay_needs() {
    for seed in 0..100 {
        for width in [4, 32] {
            probes::check(&case_of_program(seed), width);
        }
    }
}

/// The kernels in which lanes part.
fn kernels() -> Vec<Workload> {
    const SEED: u32 = 0x5EED_0001;
    let below = |words: usize, most: u32| -> Arc<[u32]> {
        random_words(u64::from(most), words).iter().map(|word| word % most).collect()
    };
    let paths = |paths: u32| BranchPaths {
        workgroup_size: 64,
        workgroups: 4,
        repeats: 2,
        iterations: 3,
        paths,
        selectors: below(512, paths),
        seed: SEED,
    };
    let uneven = Uneven {
        workgroup_size: 64,
        workgroups: 4,
        copies: 2,
        iterations: below(128, 40),
        seed: SEED,
    };
    let select = Select {
        way: Way::Branch,
        paths: PathSize::Long { iterations: [2, 3] },
        workgroup_size: 64,
        workgroups: 4,
        choices: 5,
        words: random_words(1, 128),
        seed: SEED,
    };
    let branches = [2, 4, 8, 32].map(|k| paths(k).workload());
    branches.into_iter().chain([uneven.workload(), select.workload()]).collect()
}

#[test]
fn probes_of_the_kernels_log_what_a_replay_needs() {
    for workload in kernels() {
        for dispatch in workload.dispatches() {
            for width in [4, 16, 64] {
                probes::check(&probes::case_of(&workload, dispatch), width);
            }
        }
    }
}

/// Returns η of the lines that contain `text` and were executed, on a device of 32 lanes.
fn efficiencies(workload: &Workload, text: &str) -> Vec<f64> {
    let case = probes::case_of(workload, &workload.dispatches()[0]);
    let source: Vec<&str> = case.source.lines().collect();
    let lines = probes::check(&case, 32);
    let of_text = lines.iter().filter(|line| source[line.number as usize - 1].contains(text));
    of_text.filter_map(|line| line.totals.efficiency()).collect()
}

#[test]
fn the_efficiency_of_diverged_paths_is_that_of_their_law() {
    for k in [2u32, 4, 8, 16, 32] {
        let paths = BranchPaths {
            workgroup_size: 64,
            workgroups: 2,
            repeats: 1,
            iterations: 3,
            paths: 32,
            selectors: (0..64).map(|lane| lane % k).collect(),
            seed: 1,
        };
        // The loop of each path, of which k are taken.
        let found = efficiencies(&paths.workload(), "for (var i = iterations");
        assert_eq!(found, vec![divergence::law::efficiency(f64::from(k)); k as usize], "k = {k}");
    }
}

#[test]
fn the_efficiency_of_uneven_loops_is_that_of_their_law() {
    let iterations: Arc<[u32]> = random_words(9, 128).iter().map(|word| 1 + word % 60).collect();
    let uneven = Uneven {
        workgroup_size: 64,
        workgroups: 2,
        copies: 1,
        iterations: Arc::clone(&iterations),
        seed: 1,
    };
    let found = efficiencies(&uneven.workload(), "x = x * 1664525u");
    assert_eq!(found, [imbalance::law::efficiency(&iterations, 32)]);
}
