//! Tests of the readers and of the invariants, on code with planted faults.

use warplaw::gpu::Property;

use crate::invariants::check;
use crate::{Code, Compiled, Kind, amd, nvidia};

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
