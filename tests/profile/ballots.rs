//! Ballots on lavapipe: how many subgroups execute each statement there, and with how many lanes, is what the replay tells.
//!
//! Each width of vectors runs in a process of its own, because the driver reads it when it is loaded.

use std::path::Path;
use std::process::Command;

use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{
    Block, Expression, Function, Handle, Literal, Module, ShaderStage, Span, Statement,
    back::pipeline_constants::process_overrides,
};
use warplaw::profile::{BoundBuffer, Needs, Probed, Recorded, Recording, Spec, workgroup_size};
use warplaw::simt::{Replay, statements};

use super::lavapipe::{lavapipe, recording};
use super::programs::Program;

/// Vector widths in bits, with the subgroup sizes that they give.
const WIDTHS: [(&str, u32); 3] = [("128", 4), ("256", 8), ("512", 16)];
/// Variable with the subgroup size of a process.
const LANES: &str = "WARPLAW_TEST_LANES";
/// Random programs at each width, unless `WARPLAW_PROGRAMS` has another number.
const PROGRAMS: u64 = 6;

/// Counts what executes each statement: subgroups, and their active lanes. It decides nothing, because probes would log that.
const BALLOTS: &str = "
@group(3) @binding(0) var<storage, read_write> ballot_counts: array<atomic<u32>>;
var<private> ballot_lower: u32;
fn ballot_begin() { ballot_lower = (1u << subgroupExclusiveAdd(1u)) - 1u; }
fn ballot_note(mark: u32) {
    let lanes = subgroupBallot(true).x;
    ballot_count(mark, u32((lanes & ballot_lower) == 0u), countOneBits(lanes));
}
";

/// How a mark counts. lavapipe compiles an atomic into much code, so that one instead of two halves the time of a program.
#[derive(Clone, Copy, PartialEq)]
enum Counters {
    /// Subgroups and lanes in a word each.
    Two,
    /// Subgroups in the upper bits of a word, and lanes in the lower ones.
    One,
}

/// Bits of the lanes in the word of [`Counters::One`].
const LANE_BITS: u32 = 20;

impl Counters {
    /// Returns the function that counts.
    fn wgsl(self) -> String {
        let add =
            |index: &str, value: &str| format!("atomicAdd(&ballot_counts[{index}], {value});");
        let body = match self {
            Self::Two => add("2u * mark", "is_first") + &add("2u * mark + 1u", "is_first * lanes"),
            Self::One => add("mark", &format!("is_first * ((1u << {LANE_BITS}u) | lanes)")),
        };
        format!("fn ballot_count(mark: u32, is_first: u32, lanes: u32) {{ {body} }}\n")
    }

    /// Returns the subgroups and lanes of a mark; `None` if `expected` do not fit.
    fn read(self, counts: &[u64], mark: usize, expected: [u64; 2]) -> Option<[u64; 2]> {
        match self {
            Self::Two => Some([counts[2 * mark], counts[2 * mark + 1]]),
            Self::One => (expected[0] < 1 << (32 - LANE_BITS) && expected[1] < 1 << LANE_BITS)
                .then(|| [counts[mark] >> LANE_BITS, counts[mark] % (1 << LANE_BITS)]),
        }
    }
}

/// Returns whether a statement gets a mark. Expressions are marked with the statement that uses them, and a loop is noted at its
/// end.
fn is_marked(statement: &Statement) -> bool {
    !matches!(statement, Statement::Emit(_) | Statement::Loop { .. } | Statement::Block(_))
}

/// Puts ballots before the statements of a shader with probes.
struct Marking {
    note: Handle<Function>,
    /// The functions of instruments, whose calls get no mark.
    own: Vec<Handle<Function>>,
    marks: u32,
}

impl Marking {
    fn is_own(&self, statement: &Statement) -> bool {
        matches!(statement, Statement::Call { function, .. } if self.own.contains(function))
    }

    fn function(&mut self, function: &mut Function) {
        let body = std::mem::take(&mut function.body);
        function.body = self.block(&body, function);
    }

    fn block(&mut self, block: &Block, function: &mut Function) -> Block {
        let mut copy = Block::new();
        for (statement, span) in block.span_iter() {
            if is_marked(statement) && !self.is_own(statement) {
                let mark = Expression::Literal(Literal::U32(self.marks));
                let arguments = vec![function.expressions.append(mark, Span::UNDEFINED)];
                let note = Statement::Call { function: self.note, arguments, result: None };
                copy.push(note, Span::UNDEFINED);
                self.marks += 1;
            }
            let mut statement = statement.clone();
            match &mut statement {
                Statement::Block(block) => *block = self.block(block, function),
                Statement::If { accept, reject, .. } => {
                    *accept = self.block(accept, function);
                    *reject = self.block(reject, function);
                }
                Statement::Switch { cases, .. } => {
                    cases.iter_mut().for_each(|case| case.body = self.block(&case.body, function));
                }
                Statement::Loop { body, continuing, .. } => {
                    *body = self.block(body, function);
                    *continuing = self.block(continuing, function);
                }
                _ => (),
            }
            copy.push(statement, *span);
        }
        copy
    }
}

/// Puts ballots before the statements of `module`. Returns the number of marks.
fn mark(module: &mut Module) -> u32 {
    let named = |name: &str| {
        let found = module.functions.iter().find(|(_, of)| of.name.as_deref() == Some(name));
        found.expect("the text declares the function").0
    };
    let begin = named("ballot_begin");
    let is_instrument = |of: &Function| {
        of.name
            .as_ref()
            .is_some_and(|name| name.starts_with("warplaw_") || name.starts_with("ballot_"))
    };
    let own = module.functions.iter().filter(|(_, of)| is_instrument(of)).map(|(handle, _)| handle);
    let mut marking = Marking { note: named("ballot_note"), own: own.collect(), marks: 0 };
    let entry = &mut module.entry_points[0].function;
    marking.function(entry);
    let call = Statement::Call { function: begin, arguments: Vec::new(), result: None };
    let mut body = Block::new();
    body.push(call, Span::UNDEFINED);
    body.extend_block(std::mem::take(&mut entry.body));
    entry.body = body;
    for handle in module.functions.iter().map(|(handle, _)| handle).collect::<Vec<_>>() {
        if !marking.own.contains(&handle) {
            marking.function(&mut module.functions[handle]);
        }
    }
    marking.marks
}

/// Records a dispatch with ballots, and compares them with the replay of what it recorded. Returns `None` if the counters are too
/// small.
fn check(
    name: &str,
    recording: &Recording<'_>,
    hardware: &warplaw::gpu::Hardware,
    (lanes, counters): (u32, Counters),
) -> Option<Found> {
    let (device, queue) = hardware.wgpu();
    let Recorded { log, buffers } =
        recording.run(device, queue).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(log.subgroup_size, Some(lanes), "{name}");
    let counts = buffers.iter().find(|of| of.group == 3).expect("the ballots are written");
    let counts: Vec<u64> = counts
        .bytes
        .chunks_exact(4)
        .map(|b| u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]])))
        .collect();

    let Probed { module, entry, .. } = recording.probed;
    let validated = Validator::new(ValidationFlags::all(), Capabilities::all())
        .subgroup_stages(ShaderStages::COMPUTE)
        .subgroup_operations(SubgroupOperationSet::all())
        .validate(module)
        .expect("the shader is valid");
    let constants = recording.constants.iter().cloned().collect();
    let stage = Some((ShaderStage::Compute, entry.as_str()));
    let (module, info) =
        process_overrides(module, &validated, stage, &constants).expect("the constants are right");
    let mut replay =
        Replay::new(&module, &info, entry).unwrap_or_else(|error| panic!("{name}: {}", error.0));
    let arrangement = log.arrangement().unwrap_or_else(|error| panic!("{name}: {error}"));
    let arrangement = arrangement.expect("lavapipe has subgroup operations");
    for workgroup in log.workgroups().collect::<Vec<_>>() {
        let mut decisions = log.decisions(workgroup);
        replay
            .workgroup(&arrangement, |lane, outcomes| decisions.next(lane, outcomes))
            .and_then(|()| decisions.finish())
            .unwrap_or_else(|error| panic!("{name}, workgroup {workgroup}: {error}"));
    }
    let point = module.entry_points.iter().find(|point| point.name == *entry);
    let placed = statements(&module, point.expect("the module has the entry point"));
    let is_instrument = |handle: Handle<Function>| {
        let name = module.functions[handle].name.as_deref().unwrap_or_default();
        name.starts_with("warplaw_") || name.starts_with("ballot_")
    };
    let mut found = Found::default();
    for (place, of) in placed.iter().enumerate() {
        if !is_marked(of.statement) || of.handle.is_some_and(is_instrument) {
            continue;
        }
        let statement = &replay.statements()[place];
        let expected = [statement.executions, statement.lanes];
        let of_mark = counters.read(&counts, found.marks, expected)?;
        if of_mark != expected && found.first_other.is_none() {
            let place = found.marks;
            found.first_other =
                Some(format!("{name}, mark {place}: {of_mark:?}, and the replay {expected:?}"));
        }
        found.marks += 1;
    }
    Some(found)
}

/// What a comparison found.
#[derive(Default)]
struct Found {
    marks: usize,
    /// The first mark whose ballots differ from the replay.
    first_other: Option<String>,
}

/// Prints what the comparisons found, and fails if one found a difference.
fn conclude(lanes: u32, what: &str, found: &[Found]) {
    let marks: usize = found.iter().map(|found| found.marks).sum();
    let others: Vec<_> = found.iter().filter_map(|found| found.first_other.as_ref()).collect();
    println!("{lanes} lanes: {marks} marks of {} {what}, {} differ", found.len(), others.len());
    assert!(others.is_empty() && marks > 10 * found.len(), "{others:#?}");
}

/// Returns a shader with probes and ballots, and the buffer of the ballots.
fn with_ballots(source: &str, entry: &str, counters: Counters) -> (Probed, BoundBuffer) {
    let ballots = format!("{BALLOTS}{}", counters.wgsl());
    let mut probed = Probed::new(&format!("{ballots}{source}"), entry, true)
        .unwrap_or_else(|e| panic!("{e}\n{source}"));
    let mut marks = 0;
    probed.edit(|module| marks = mark(module)).unwrap_or_else(|error| panic!("{error}"));
    (probed, BoundBuffer { group: 3, binding: 0, bytes: vec![0; 8 * marks as usize] })
}

/// Returns the lanes of this process's subgroups; `None` if it is not one of a width.
fn lanes_of_process() -> Option<u32> {
    std::env::var(LANES).ok().map(|lanes| lanes.parse().expect("a number of lanes"))
}

#[test]
#[ignore = "`ballots_are_what_the_replay_tells_at_all_widths` runs it at each width"]
fn of_random_programs() {
    let Some(lanes) = lanes_of_process() else { return };
    let Some(hardware) = lavapipe() else { return };
    let programs =
        std::env::var("WARPLAW_PROGRAMS").map_or(PROGRAMS, |of| of.parse().expect("a number"));
    let mut found = Vec::new();
    for seed in 0..programs {
        let source = Program::random(seed).wgsl().0;
        let by = |counters| {
            let (probed, counts) = with_ballots(&source, "main", counters);
            let mut recording = recording(&probed, seed, 1 << 20);
            recording.buffers.to_mut().push(counts);
            check(&format!("program {seed}"), &recording, &hardware, (lanes, counters))
        };
        let of_program = by(Counters::One).or_else(|| by(Counters::Two));
        found.push(of_program.expect("two words hold every count"));
        // A thousand programs take half an hour.
        if found.len() % 100 == 0 {
            eprintln!("{lanes} lanes: {} programs", found.len());
        }
    }
    conclude(lanes, "programs", &found);
}

#[test]
#[ignore = "`ballots_are_what_the_replay_tells_at_all_widths` runs it at each width"]
fn of_the_corpus() {
    let Some(lanes) = lanes_of_process() else { return };
    let Some(hardware) = lavapipe() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/profile");
    let mut found = Vec::new();
    for file in std::fs::read_dir(&folder).expect("the corpus is there") {
        let path = file.expect("the corpus is there").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let spec = Spec::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let source =
            std::fs::read_to_string(folder.join(&spec.shader)).expect("the shader is there");
        let needs = Needs::of(&source, spec.entry.as_deref()).unwrap_or_else(|e| panic!("{e}"));
        let size = workgroup_size(&source, &needs.entry, &spec.constants())
            .unwrap_or_else(|e| panic!("{e}"));
        let workgroups = spec.workgroups().expect("the spec has a dispatch");
        let elements = workgroups.iter().chain(&size).map(|&of| u64::from(of)).product();
        let (probed, counts) = with_ballots(&source, &needs.entry, Counters::Two);
        let mut buffers =
            spec.buffers(&needs, elements, 1, &folder).unwrap_or_else(|e| panic!("{e}"));
        buffers.push(counts);
        let (constants, buffers) = (spec.constants().into_iter().collect(), buffers.into());
        let recording =
            Recording { probed: &probed, constants, workgroups, buffers, budget: 1 << 26, seed: 1 };
        let at = (lanes, Counters::Two);
        let of_shader = check(&path.display().to_string(), &recording, &hardware, at);
        found.push(of_shader.expect("two words hold every count"));
    }
    assert!(found.len() >= 8, "{} shaders", found.len());
    conclude(lanes, "shaders", &found);
}

#[test]
fn ballots_are_what_the_replay_tells_at_all_widths() {
    let program = std::env::current_exe().expect("the test knows its file");
    for (bits, lanes) in WIDTHS {
        let output = Command::new(&program)
            .args(["--ignored", "--nocapture", "ballots::of_"])
            .env(LANES, lanes.to_string())
            .env("LP_NATIVE_VECTOR_WIDTH", bits)
            .env("MESA_SHADER_CACHE_DISABLE", "true")
            .output()
            .expect("the test runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("2 passed"), "{text}");
        text.lines().filter(|line| line.contains("lanes: ")).for_each(|line| println!("{line}"));
    }
}
