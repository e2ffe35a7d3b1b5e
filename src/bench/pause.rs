//! Pauses, in which a device lowers its clocks, and the work that raises them again.

use crate::gpu::{Executor, GpuError};
use crate::model::DeviceType;

/// Longest pause in which no device lowers its clocks, in seconds.
const NO_PAUSE_S: f64 = 1e-3;

/// Least time in seconds for which a GPU is kept busy before samples count, and most time after a pause. Apple's and
/// mobile GPUs need some tenths of a second of work to raise their clocks.
pub(super) const RISE_S: f64 = 0.25;

/// Returns for how many seconds to keep a device busy that idled for `idle_s` seconds: as long as it idled, at most
/// [`RISE_S`].
///
/// A software device runs on the cores that were busy meanwhile, so it needs nothing.
pub(super) fn busy_s(device_type: DeviceType, idle_s: f64) -> f64 {
    if device_type == DeviceType::Cpu || idle_s < NO_PAUSE_S { 0.0 } else { idle_s.min(RISE_S) }
}

/// Runs `cases` for at least `busy_s` seconds, and keeps no sample. Returns whether they ran at all.
pub(super) fn keep_busy(
    executor: &mut dyn Executor,
    cases: &[usize],
    busy_s: f64,
) -> Result<bool, GpuError> {
    if cases.is_empty() {
        return Ok(false);
    }
    let until_s = executor.elapsed_s() + busy_s;
    while executor.elapsed_s() < until_s {
        executor.round(cases)?;
    }
    Ok(busy_s > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::chain::Chain;
    use crate::sim::{Machine, Simulator};

    #[test]
    fn only_a_pause_of_a_device_with_clocks_of_its_own_is_made_up_for() {
        assert_eq!(busy_s(DeviceType::Discrete, 0.5e-3), 0.0);
        assert_eq!(busy_s(DeviceType::Discrete, 8e-3), 8e-3);
        assert_eq!(busy_s(DeviceType::Integrated, 3.0), RISE_S);
        assert_eq!(busy_s(DeviceType::Cpu, 3.0), 0.0);
    }

    #[test]
    fn a_device_is_kept_busy_for_the_given_time_and_not_much_longer() {
        let mut device = Simulator::new(Machine::lawful(32));
        let chain =
            Chain { workgroup_size: 64, active: 64, iterations: 512, workgroups: 64, seed: 1 };
        device.load(&[chain.workload()]).expect("the simulator works");
        let begin_s = device.elapsed_s();
        let sample_s = device.round(&[0]).expect("the simulator works")[0].expect("a valid sample");
        let round_s = device.elapsed_s() - begin_s;
        assert!(round_s >= sample_s && sample_s > 0.0);
        let begin_s = device.elapsed_s();
        assert_eq!(keep_busy(&mut device, &[0], 0.0).ok(), Some(false));
        assert_eq!(device.elapsed_s(), begin_s);
        assert_eq!(keep_busy(&mut device, &[0], 10.0 * round_s).ok(), Some(true));
        let took_s = device.elapsed_s() - begin_s;
        assert!((9.9..12.0).contains(&(took_s / round_s)), "{took_s} of rounds of {round_s}");
    }
}
