//! Accesses to memory: the addresses that probes log, executed on the host, and what subgroups access together.

use warplaw::model::{AccessKind, Together, Transfers};
use warplaw::profile::{Log, Probed};
use warplaw::simt::{AccessReplay, Arrangement, Asked, Buffers};

use super::probes::{Case, recorded, specialized};

/// Lanes of the workgroup, and of its two subgroups.
const LANES: u32 = 64;
const WIDTH: u32 = 32;

/// A ray takes 64 bytes: 12 of the origin, 4 of the kind, and three vectors of 16.
const SHADER: &str = "
struct Ray { origin: vec3<f32>, kind: u32, frame: array<vec4<f32>, 3> }
@group(0) @binding(0) var<storage, read> rays: array<Ray>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@group(0) @binding(2) var<storage, read_write> counters: array<atomic<u32>, 4>;
var<workgroup> tile: array<array<u32, 32>, 64>;

fn kind_of(ray: u32) -> u32 {
    return rays[ray].kind;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    let kind = kind_of(lane);
    tile[lane][3] = kind;
    workgroupBarrier();
    let other = tile[lane / 32u][lane % 32u];
    if lane % 2u == 0u {
        atomicAdd(&counters[1], 1u);
    }
    let place = i32(lane) + 64;
    output[place] = other + bitcast<u32>(rays[lane].frame[1][2]);
    var own = 5u;
    own += lane;
    output[lane] = own;
}
";

fn case() -> Case {
    let words = |count: u32| (0..count).flat_map(u32::to_le_bytes).collect();
    Case {
        source: SHADER.to_owned(),
        entry: "main".to_owned(),
        constants: vec![],
        workgroups: [1; 3],
        lanes: LANES,
        buffers: Buffers::from([
            ("rays".to_owned(), words(16 * LANES)),
            ("output".to_owned(), words(2 * LANES)),
            ("counters".to_owned(), words(4)),
        ]),
    }
}

/// What subgroups accessed together, with the kind of access and the variable.
type Named = (AccessKind, String, Together);

/// Returns the addresses of each lane, and the accesses that were executed.
fn replayed(log: &Log, probed: &Probed) -> (Vec<Vec<u32>>, Vec<Named>) {
    let (module, info) = specialized(&probed.module, &case());
    let replay = AccessReplay::new(&module, &info, "main", Transfers::USUAL, |_| 1 << 20);
    let mut replay = replay.expect("there is the entry point");
    let mut addresses = vec![Vec::new(); LANES as usize];
    let mut decisions = log.decisions(0);
    let answered = replay.workgroup(&Arrangement::flat(LANES, WIDTH), |lane, asked| match asked {
        Asked::Decision(outcomes) => decisions.next(lane, outcomes),
        Asked::Address => {
            let address = decisions.word(lane)?;
            addresses[lane].push(address);
            Ok(address)
        }
    });
    answered.expect("the log has all decisions and addresses");
    assert_eq!(decisions.finish(), Ok(()));
    let named = replay.accessed().iter().map(|of| {
        let variable = module.global_variables[of.access.variable].name.clone();
        (of.access.kind, variable.unwrap_or_default(), of.together)
    });
    (addresses, named.filter(|(.., together)| together.executions > 0).collect())
}

#[test]
fn addresses_are_those_by_hand_and_probes_change_no_output() {
    let case = case();
    let probed = Probed::with_addresses(SHADER, "main", false).unwrap_or_else(|e| panic!("{e}"));
    let (log, buffers) = recorded(&case, &probed);
    let (expected, _) = super::probes::plain(&case, WIDTH);
    assert_eq!(buffers, expected);
    let (addresses, _) = replayed(&log, &probed);
    for (lane, found) in (0..).zip(addresses) {
        let atomic = (lane % 2 == 0).then_some(4);
        let mut expected = vec![64 * lane + 12, 128 * lane + 12, 4 * lane];
        expected.extend(atomic);
        // The second vector begins 32 bytes after the ray, its third word 8 bytes later.
        expected.extend([64 * lane + 16 + 16 + 8, 4 * (lane + 64), 4 * lane]);
        assert_eq!(found, expected, "lane {lane}");
    }
}

#[test]
fn what_subgroups_access_together_is_counted_by_hand() {
    let probed = Probed::with_addresses(SHADER, "main", false).unwrap_or_else(|e| panic!("{e}"));
    let (log, _) = recorded(&case(), &probed);
    let (_, found) = replayed(&log, &probed);
    let of = |kind: AccessKind, variable: &str| -> Vec<Together> {
        let is_it = |(k, name, _): &&Named| *k == kind && name == variable;
        found.iter().filter(is_it).map(|(.., together)| *together).collect()
    };
    let whole = Together { executions: 2, lanes: 64, bytes: 256, words: 64, ..Together::default() };
    // Every lane has a ray of its own, of which two are in a line.
    let apart = Together { lines: 32, sectors: 64, ..whole };
    assert_eq!(of(AccessKind::Load, "rays"), [apart, apart]);
    let dense = Together { lines: 2, sectors: 8, ..whole };
    assert_eq!(of(AccessKind::Store, "output"), [dense, dense]);
    // Rows of 32 words: a column is in one bank.
    assert_eq!(of(AccessKind::Store, "tile"), [Together { passes: 64, ..whole }]);
    assert_eq!(of(AccessKind::Load, "tile"), [Together { passes: 2, ..whole }]);
    let atomic = Together {
        executions: 2,
        lanes: 32,
        bytes: 8,
        words: 2,
        lines: 2,
        sectors: 2,
        on_one: 32,
        ..Together::default()
    };
    assert_eq!(of(AccessKind::Atomic, "counters"), [atomic]);
}
