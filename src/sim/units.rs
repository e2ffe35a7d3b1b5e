//! The time of the instructions of a dispatch: its workgroups are scheduled over units, and the subgroups that are
//! resident on a scheduler share it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::machine::Units;
use crate::gpu::CostModel;

/// What every workgroup of a dispatch does.
struct Group {
    /// Subgroups of the workgroup.
    subgroups: u32,
    /// Time for which each of its subgroups keeps a scheduler busy besides its issue slots.
    busy_s: f64,
    /// Time that it takes at least, however few others are resident: its longest chain of dependent instructions, loads
    /// and barriers.
    chain_s: f64,
}

/// A number of seconds that can be ordered. No time is NaN.
#[derive(PartialEq)]
struct Seconds(f64);

impl Eq for Seconds {}

impl PartialOrd for Seconds {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Seconds {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Units {
    /// Returns how many workgroups of `subgroups` subgroups a unit can hold at a time, at least one.
    pub(super) fn resident(&self, subgroups: u32) -> u32 {
        (self.schedulers * self.subgroups / subgroups.max(1)).clamp(1, self.workgroups)
    }

    /// Returns the seconds from the launch of a dispatch's first workgroup to the end of its last one. `load_s` is the
    /// time of the loads in the longest chain.
    pub(super) fn makespan_s(&self, work: &CostModel, load_s: f64) -> f64 {
        if work.workgroups < 1.0 {
            return 0.0;
        }
        let subgroups = work.subgroups.max(work.workgroups);
        let misses = if work.code_bytes > self.code_bytes { work.code_entries } else { 0.0 };
        let barriers = work.barriers / work.workgroups;
        let group = Group {
            subgroups: (subgroups / work.workgroups).round() as u32,
            busy_s: misses / subgroups * self.code_miss_s
                + barriers * self.barrier_issue_s
                + work.multiplies / subgroups * (self.multiply_slots - 1.0) * self.issue_s,
            chain_s: work.dependent / subgroups * self.latency_s
                + barriers * self.barrier_s
                + load_s,
        };
        let unequal =
            work.uneven.as_deref().filter(|issues| issues.iter().any(|i| *i != issues[0]));
        match unequal {
            Some(issues) => self.list_scheduled_s(work.workgroups as u32, issues, &group),
            None => self.in_rounds_s(work.workgroups, work.issues / subgroups, &group),
        }
    }

    /// Returns the makespan of equal workgroups, whose subgroups have `issues` slots each: each unit runs them in rounds.
    fn in_rounds_s(&self, workgroups: f64, issues: f64, group: &Group) -> f64 {
        let resident = f64::from(self.resident(group.subgroups));
        let round_s = |groups: f64| {
            let on_a_scheduler =
                (groups * f64::from(group.subgroups) / f64::from(self.schedulers)).ceil();
            let busy_s = on_a_scheduler * (issues * self.issue_s + group.busy_s);
            // A scheduler that cannot hold all subgroups of a workgroup runs them one after another.
            let in_turn = (on_a_scheduler / f64::from(self.subgroups)).ceil();
            let launched_s = groups * f64::from(group.subgroups) * self.subgroup_s;
            busy_s.max(in_turn * group.chain_s).max(launched_s)
        };
        let of_a_unit = (workgroups / f64::from(self.count)).ceil();
        let last = of_a_unit % resident;
        let full = (of_a_unit - last) / resident;
        let rounds_s = full * round_s(resident) + if last > 0.0 { round_s(last) } else { 0.0 };
        rounds_s.max(workgroups * self.workgroup_s + round_s(1.0))
    }

    /// Returns the makespan of workgroups whose subgroups have different numbers of issue slots.
    ///
    /// The next workgroup starts on a unit as soon as the unit has room for it, or, with fixed shares, after the one before
    /// it in the share. A workgroup gives its room back when its last subgroup ends. Of the subgroups that are resident on
    /// a scheduler, it issues for the oldest. The interval at which a unit launches subgroups is left out.
    fn list_scheduled_s(&self, workgroups: u32, issues: &[f64], group: &Group) -> f64 {
        let mut units: Vec<Unit> = (0..self.count).map(|_| Unit::new(self)).collect();
        let resident = self.resident(group.subgroups);
        // Units with room, by the time at which they have it.
        let room = (0..resident).flat_map(|_| 0..self.count);
        let mut room: BinaryHeap<_> =
            room.enumerate().map(|(i, unit)| Reverse((Seconds(0.0), i, unit as usize))).collect();
        let share = workgroups.div_ceil(self.count);
        let mut end_s = 0.0f64;
        for workgroup in 0..workgroups {
            let Some(Reverse((Seconds(free_s), turn, first_free))) = room.pop() else { break };
            let (unit, free_s) = if self.shares_fixed {
                ((workgroup / share) as usize, 0.0)
            } else {
                (first_free, free_s)
            };
            let launched_s = free_s.max(f64::from(workgroup) * self.workgroup_s);
            let first = (workgroup * group.subgroups) as usize;
            let subgroups = (0..group.subgroups as usize).map(|subgroup| {
                issues[(first + subgroup) % issues.len()] * self.issue_s + group.busy_s
            });
            let done_s = units[unit].run(launched_s, subgroups).max(launched_s + group.chain_s);
            end_s = end_s.max(done_s);
            room.push(Reverse((Seconds(done_s), turn, first_free)));
        }
        end_s
    }
}

/// A unit during list scheduling: when each of its schedulers is done with the subgroups on it.
struct Unit {
    free_s: Vec<f64>,
}

impl Unit {
    fn new(units: &Units) -> Self {
        Self { free_s: vec![0.0; units.schedulers as usize] }
    }

    /// Runs a workgroup of these subgroups, given by the time of each, and returns its end. The subgroups go to the
    /// schedulers in turn. A workgroup that has one or several for each scheduler begins with the first scheduler, and any
    /// other with the one that is free first.
    fn run(&mut self, launched_s: f64, subgroups: impl ExactSizeIterator<Item = f64>) -> f64 {
        let schedulers = self.free_s.len();
        let busy = |&a: &usize, &b: &usize| self.free_s[a].total_cmp(&self.free_s[b]);
        let first = if subgroups.len().is_multiple_of(schedulers) {
            0
        } else {
            (0..schedulers).min_by(busy).unwrap_or(0)
        };
        let mut end_s = launched_s;
        for (subgroup, work_s) in subgroups.enumerate() {
            let free_s = &mut self.free_s[(first + subgroup) % schedulers];
            *free_s = free_s.max(launched_s) + work_s;
            end_s = end_s.max(*free_s);
        }
        end_s
    }
}

#[cfg(test)]
mod tests {
    use super::super::Machine;
    use super::*;

    /// Two units of two schedulers, each of which issues once a second and holds two subgroups.
    fn units() -> Units {
        Units {
            count: 2,
            schedulers: 2,
            subgroups: 2,
            issue_s: 1.0,
            workgroup_s: 0.0,
            subgroup_s: 0.0,
            ..Machine::lawful(32).units
        }
    }

    /// Workgroups of `subgroups` subgroups each, which issue these numbers of instructions.
    fn work(workgroups: u32, subgroups: u32, issues: &[f64]) -> CostModel {
        let all = f64::from(workgroups * subgroups);
        CostModel {
            workgroups: f64::from(workgroups),
            subgroups: all,
            issues: issues.iter().sum::<f64>() / issues.len() as f64 * all,
            uneven: Some(issues.into()),
            ..CostModel::default()
        }
    }

    #[test]
    fn equal_workgroups_run_in_rounds() {
        // Nine workgroups of one subgroup: five on one unit, three of them on one scheduler.
        assert_eq!(units().makespan_s(&work(9, 1, &[10.0]), 0.0), 30.0);
        assert_eq!(units().makespan_s(&work(8, 1, &[10.0]), 0.0), 20.0);
    }

    #[test]
    fn latency_shows_where_too_few_subgroups_are_resident() {
        let chain = CostModel { dependent: 4.0 * 100.0, ..work(4, 1, &[10.0]) };
        let slow = Units { latency_s: 0.5, ..units() };
        assert_eq!(slow.makespan_s(&chain, 0.0), 50.0);
        // Loads of 70 s delay each of two rounds of four workgroups on each unit.
        assert_eq!(units().makespan_s(&work(16, 1, &[10.0]), 70.0), 140.0);
    }

    #[test]
    fn long_subgroups_in_one_place_of_each_workgroup_load_one_scheduler() {
        let one = Units { count: 1, ..units() };
        assert_eq!(one.makespan_s(&work(4, 2, &[90.0, 10.0]), 0.0), 360.0);
        assert_eq!(one.makespan_s(&work(4, 2, &[90.0, 10.0, 10.0, 90.0]), 0.0), 200.0);
    }

    #[test]
    fn a_long_workgroup_that_starts_last_is_waited_for() {
        let lengths = [10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 90.0];
        let mut longest_first = lengths;
        longest_first.reverse();
        assert_eq!(units().makespan_s(&work(8, 1, &lengths), 0.0), 100.0);
        assert_eq!(units().makespan_s(&work(8, 1, &longest_first), 0.0), 90.0);
    }

    #[test]
    fn fixed_shares_are_not_rebalanced() {
        let fixed = Units { shares_fixed: true, schedulers: 1, subgroups: 1, ..units() };
        let lengths = [10.0, 10.0, 90.0, 90.0];
        assert_eq!(fixed.makespan_s(&work(4, 1, &lengths), 0.0), 180.0);
        assert_eq!(
            Units { shares_fixed: false, ..fixed }.makespan_s(&work(4, 1, &lengths), 0.0),
            100.0
        );
    }

    #[test]
    fn code_beyond_the_instruction_cache_costs_at_every_entry() {
        let small = Units { code_bytes: 1000.0, code_miss_s: 7.0, ..units() };
        let of =
            |code_bytes: f64| CostModel { code_entries: 12.0, code_bytes, ..work(4, 1, &[10.0]) };
        assert_eq!(small.makespan_s(&of(1000.0), 0.0), 10.0);
        assert_eq!(small.makespan_s(&of(1001.0), 0.0), 10.0 + 3.0 * 7.0);
    }
}
