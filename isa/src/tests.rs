//! Tests of the readers and of the invariants, on code with planted faults.

use warplaw::gpu::Property;

use crate::invariants::check;
use crate::{Code, Compiled, Kind, amd, intel, nvidia};

fn compiled(bytes: u32) -> Compiled {
    Compiled { subgroup_size: 64, registers: 8, spills: 0, bytes, assembly: String::new() }
}

fn holds(property: Property, code: &Code) -> bool {
    check(property, &compiled(100), code).is_ok()
}

/// A loop of two chains of two operations, whose second iteration is part of the first if `unrolled`.
fn chains(operations: usize) -> Code {
    let steps = "\tv_xor_b32_e32 v0, s7, v0 ; 3a000007\n".repeat(operations);
    amd::read(&format!("BB0:\n\ts_mov_b32 s1, 0\nBB1:\n{steps}\ts_branch BB1 ; bf82\n"), "gfx1030")
}

#[test]
fn a_fused_or_dropped_step_is_seen_and_an_unrolled_loop_is_none() {
    let computes = Property::Computes(32);
    assert!(holds(computes, &chains(32)));
    assert!(holds(computes, &chains(33)), "one instruction more is the loop's own");
    assert!(holds(computes, &chains(64)), "the loop is unrolled");
    assert!(!holds(computes, &chains(16)), "two operations in one instruction");
    assert!(!holds(computes, &chains(48)), "three instructions for two operations");
    assert!(!holds(Property::ComputesAtLeast(12), &chains(11)));
}

#[test]
fn repeated_lines_count_as_often_as_they_are_repeated() {
    let text =
        "BB1:\n\tv_dot4c_i32_i8_e32 v0, s1, v0 ; 1a\n\t(then repeated 15 times)\n\ts_branch BB1\n";
    assert!(holds(Property::Computes(16), &amd::read(text, "gfx1030")));
}

#[test]
fn merged_paths_are_missing_loops() {
    let path = |n: usize| format!("BB{n}:\n\tv_add_u32 v0, 1, v0\n\ts_cbranch_scc1 BB{n}\n");
    let code = amd::read(&(path(1) + &path(2)), "gfx906");
    assert!(holds(Property::Loops(2), &code));
    assert!(!holds(Property::Loops(3), &code));
}

/// A loop of two copies, whose second load waits for the first if `waits`.
fn copies(waits: bool, family: &str) -> Code {
    let wait = if waits { "\ts_waitcnt vmcnt(0) ; bf8c\n" } else { "" };
    let load = "\tbuffer_load_dwordx4 v[0:3], v8, s[4:7], 0 offen\n";
    let store = "\tbuffer_store_dwordx4 v[0:3], v8, s[4:7], 0 offen\n";
    let body =
        format!("{load}{wait}{load}\ts_waitcnt vmcnt(1)\n{store}\ts_waitcnt vmcnt(0)\n{store}");
    amd::read(&format!("BB1:\n{body}\ts_cbranch_execnz BB1\n"), family)
}

#[test]
fn a_load_that_waits_for_the_one_before_it_is_seen() {
    for family in ["gfx803", "gfx906", "gfx1030"] {
        assert!(holds(Property::LoadsInFlight(2), &copies(false, family)), "{family}");
        assert!(!holds(Property::LoadsInFlight(2), &copies(true, family)), "{family}");
    }
    assert!(holds(Property::StoresInLoop(2), &copies(true, "gfx906")));
    assert!(!holds(Property::StoresInLoop(4), &copies(true, "gfx906")));
}

#[test]
fn merged_atomics_and_dropped_loads_of_workgroup_memory_are_seen() {
    let code = amd::read(
        "BB1:\n\tbuffer_atomic_add v0, v1, s[4:7], 0\n\tds_read_b128 v[0:3], v4\n\tds_add_u32 v1, v2\n\
         \ts_branch BB1\n",
        "gfx906",
    );
    assert!(holds(Property::AtomicsInLoop(1), &code) && !holds(Property::AtomicsInLoop(4), &code));
    assert!(holds(Property::WorkgroupBytesInLoop(16), &code));
    assert!(!holds(Property::WorkgroupBytesInLoop(64), &code));
    assert!(holds(Property::WorkgroupAtomicsInLoop(1), &code));
    assert!(!holds(Property::LoadsInLoop(1), &code));
}

#[test]
fn branches_by_data_large_code_and_spills_are_seen() {
    let code = amd::read("BB1:\n\ts_and_saveexec_b64 s[0:1], vcc\n\ts_branch BB1\n", "gfx906");
    assert!(!holds(Property::StaysTogether, &code));
    assert!(holds(Property::StaysTogether, &chains(1)));
    assert!(check(Property::CodeBytes(99), &compiled(100), &code).is_err());
    assert!(check(Property::CodeBytes(100), &compiled(100), &code).is_ok());
}

#[test]
fn a_load_of_nvidias_waits_where_its_register_is_read() {
    let text = |second: &str| {
        format!(
            ".L_x_1:\n/*0010*/ LDG.E.128 R4, [R2.64] ;\n/*0020*/ {second} ;\n\
             /*0030*/ LDG.E.128 R8, [R2.64+0x10] ;\n/*0040*/ STG.E.128 [R12.64], R4 ;\n\
             /*0050*/ @P0 BRA `(.L_x_1) ;\n"
        )
    };
    let free = nvidia::read(&text("IADD3 R3, R2, 0x1, RZ"));
    let waits = nvidia::read(&text("IADD3 R3, R6, 0x1, RZ"));
    assert!(holds(Property::LoadsInFlight(2), &free));
    assert!(!holds(Property::LoadsInFlight(2), &waits));
    assert_eq!(free.loops(), [0..=5], "the wait before the store is an entry of its own");
    assert_eq!(free.sum(0..=5, |kind| u32::from(kind == Kind::Load)), 2);
}

/// A loop of Intel's with these lines.
fn intel_loop(lines: &str) -> Code {
    intel::read(&format!("_0_1:\n{lines}\n(W) jmpi _0_1 // $9\n"))
}

#[test]
fn the_parts_of_an_operation_of_intels_are_one() {
    let half = |from: u32| format!("xor (16|M{from}) r1.0<1>:d r2.0<1;1,0>:d 3:w {{I@1}} // $1\n");
    let whole = half(0) + &half(16);
    assert!(holds(Property::Computes(4), &intel_loop(&whole.repeat(4))));
    assert!(!holds(Property::Computes(4), &intel_loop(&whole.repeat(2))), "two are dropped");
    let multiplied = "(W) mul (8|M0) acc0.0<1>:d r1.0<1;1,0>:d 5:uw // $1\n\
                      mach (8|M0) r2.0<1>:d r1.0<1;1,0>:d 5:d // $1\n\
                      (W) mul (8|M8) acc0.0<1>:d r3.0<1;1,0>:d 5:uw // $1\n\
                      mach (8|M8) r4.0<1>:d r3.0<1;1,0>:d 5:d // $1\n\
                      mov (16|M0) r5.0<1>:d r2.0<1;1,0>:d // $1";
    assert_eq!(intel_loop(multiplied).sum(0..=5, Kind::computes), 1);
}

#[test]
fn a_load_of_intels_waits_for_its_token() {
    let load = |token: u32| {
        let part = |from: u32, token: u32| {
            format!(
                "send.dc1 (16|M{from}) r9 r4 null:0 0x0 0x04805001 {{A@1,${token}}} \
                 // wr:2+0, rd:8; untyped surface read with xyzw // $3\n"
            )
        };
        part(0, token) + &part(16, token + 1)
    };
    let add = |wait: &str| format!("add (16|M0) r2.0<1>:d r9.0<1;1,0>:d 1:w {{{wait}}} // $4\n");
    let in_flight = |between: &str, second: u32| {
        let code =
            intel_loop(&(load(1) + between + &load(second) + &add("$1.dst") + &add("$2.dst")));
        (1..=2).rev().find(|&loads| holds(Property::LoadsInFlight(loads), &code))
    };
    assert_eq!(in_flight("", 3), Some(2));
    assert_eq!(in_flight(&add("$1.src"), 3), Some(2), "the load has read its address");
    assert_eq!(in_flight(&add("I@2,$1.dst"), 3), Some(1), "half a load is waited for");
    assert_eq!(in_flight(&add("$2.dst"), 3), Some(1));
    assert_eq!(in_flight("sync.allwr ($1,$2) // $5\n", 3), Some(1));
    assert_eq!(in_flight("sync.allwr null // $5\n", 3), Some(1));
    assert_eq!(in_flight("", 1), Some(1), "the token is taken");
}

#[test]
fn messages_of_intels_are_told_by_their_descriptions() {
    let message = |operands: &str, about: &str| {
        format!("send.dc1 (16|M0) {operands} {{$1}} // wr:2+0, rd:8; {about} // $3\n")
    };
    let code = intel_loop(
        &(message("r1 r2 null:0 0x0 0x048050FE", "untyped surface read with xyzw")
            + &message("r1 r2 null:0 0x0 0x04405AFE", "untyped surface read with xz")
            + &message("null r2 r3:1 0x0 0x020097FE", "untyped atomic int32 integer add")
            + &message("null r2 r3:1 0x0 0x040487FF", "untyped a64 atomic int32 integer add")
            + &message("r1 r2 r3:1 0x0 0x0414A2FF", "untyped a64 atomic int32 logical OR")
            + &message("null r2 r3:1 0x0 0x04025E01", "untyped surface write with x")),
    );
    assert!(holds(Property::WorkgroupBytesInLoop(24), &code));
    assert!(holds(Property::WorkgroupAtomicsInLoop(1), &code));
    for property in [Property::AtomicsInLoop, Property::LoadsInLoop, Property::StoresInLoop] {
        assert!(holds(property(1), &code) && !holds(property(2), &code), "{:?}", property(1));
    }
}

#[test]
fn a_branch_of_intels_by_data_is_seen() {
    let compare = |flag: &str, operand: &str| {
        format!("cmp (16|M0) (lt){flag} null<1>:d {operand}:d r9.0<0;1,0>:d // $1\n")
    };
    let together = |before: &str, first: &str, last: &str| {
        let branch = "(~f0.0) goto (16|M0) _0_2 _0_2 // $2\n";
        let inside =
            format!("_0_1:\n{first}{branch}add (16|M0) r1.0<1>:d r2.0<1;1,0>:d 1:w\n_0_2:\n");
        let code = intel::read(&format!("{before}{inside}{last}(W) jmpi _0_1 // $3\n"));
        assert_eq!(code.loops().len(), 1);
        holds(Property::StaysTogether, &code)
    };
    let (number, data) = (compare("f0.0", "r4.0<0;1,0>"), compare("f0.0", "r4.0<1;1,0>"));
    assert!(together("", &number, ""));
    assert!(!together("", &data, ""));
    assert!(together(&number, "", ""), "the flag is from before the loop");
    assert!(!together(&number, "", &data), "the flag is from the iteration before");
    let keep = "(W) mov (1|M0) r4.7<1>:ud f0.0<0;1,0>:ud // $4\n";
    let fetch = "(W) mov (1|M0) f0.0<1>:ud r4.7<0;1,0>:ud // $4\n";
    assert!(together(&(number.clone() + keep), fetch, &data));
    assert!(!together(&(data.clone() + keep), fetch, &number));
    assert!(!together(&number, "(W) or (1|M0) f0.0<1>:ud f0.0<0;1,0>:ud f1.0<0;1,0>:ud\n", ""));
}

#[test]
fn the_paths_of_intels_go_to_the_second_label() {
    let path = |n: u32| {
        format!(
            "_0_{n}:\nadd (16|M0) r1.0<1>:d r1.0<1;1,0>:d 1:w\n(f0.0) goto.b (16|M0) _0_9 _0_{n}\n"
        )
    };
    let code = intel::read(&(path(1) + &path(2) + "_0_9:\njoin (16|M0) L96\nL96:\nnop\n"));
    assert!(holds(Property::Loops(2), &code) && !holds(Property::Loops(3), &code));
}
