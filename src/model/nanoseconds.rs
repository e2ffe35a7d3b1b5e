//! Conversion of samples: seconds in memory, nanoseconds in records, because they need fewer characters.

use serde::de::Error;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serializer};

/// Nanoseconds per second.
const PER_SECOND: f64 = 1e9;
/// Rounding steps per nanosecond. A step of 0.01 ns is finer than the resolution of any GPU clock.
const PARTS: f64 = 100.0;
/// Upper bound of a sample in seconds: one hour. An `f64` of far more seconds cannot represent steps of
/// 0.01 ns, and a sample would change if it were read and written again.
const LONGEST_S: f64 = 3600.0;

/// Writes samples in nanoseconds, rounded to 0.01 ns, and a rejected sample as `null`.
pub(super) fn serialize<S: Serializer>(
    samples_s: &[Option<f64>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(samples_s.len()))?;
    for sample_s in samples_s {
        match sample_s.map(|s| parts(s) / PARTS) {
            // Most clocks tick in whole nanoseconds. An integer is written without `.0`.
            Some(ns) if ns.fract() == 0.0 && ns.abs() < 9e15 => {
                sequence.serialize_element(&(ns as i64))?;
            }
            ns => sequence.serialize_element(&ns)?,
        }
    }
    sequence.end()
}

/// Reads samples in nanoseconds.
///
/// # Errors
/// Returns an error if a sample is longer than one hour.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Option<f64>>, D::Error> {
    read(deserializer, |ns| ns / PER_SECOND)
}

/// Reads samples in seconds, the unit of records of version 1.
///
/// # Errors
/// Returns an error if a sample is longer than one hour.
pub(super) fn deserialize_seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Option<f64>>, D::Error> {
    read(deserializer, |s| s)
}

/// Reads samples, converts each with `seconds`, and rounds it to 0.01 ns.
///
/// Rounding on reading ensures that a record that was read is written back unchanged.
fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
    seconds: impl Fn(f64) -> f64,
) -> Result<Vec<Option<f64>>, D::Error> {
    let samples = Vec::<Option<f64>>::deserialize(deserializer)?;
    let rounded = |sample| {
        let s = seconds(sample);
        if s.abs() > LONGEST_S {
            return Err(D::Error::custom(format!("a sample of {s:e} s is longer than one hour")));
        }
        Ok(parts(s) / PARTS / PER_SECOND)
    };
    samples.into_iter().map(|sample| sample.map(rounded).transpose()).collect()
}

/// Returns `s` seconds as a whole number of steps of 0.01 ns.
fn parts(s: f64) -> f64 {
    (s * PER_SECOND * PARTS).round()
}
