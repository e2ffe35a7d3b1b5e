//! Samples are seconds in memory and nanoseconds in records, where they are short numbers.

use serde::de::Error;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serializer};

/// Nanoseconds in a second.
const PER_SECOND: f64 = 1e9;
/// Parts of a nanosecond that are kept: no clock of a GPU tells them apart.
const PARTS: f64 = 100.0;
/// The longest sample in seconds, an hour. Far beyond it an `f64` of seconds no longer tells hundredths of a nanosecond
/// apart, and a sample that was read would not be written back unchanged.
const LONGEST_S: f64 = 3600.0;

pub(super) fn serialize<S: Serializer>(
    samples_s: &[Option<f64>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(samples_s.len()))?;
    for sample_s in samples_s {
        match sample_s.map(|s| parts(s) / PARTS) {
            // Most clocks tick in whole ones.
            Some(ns) if ns.fract() == 0.0 && ns.abs() < 9e15 => {
                sequence.serialize_element(&(ns as i64))?;
            }
            ns => sequence.serialize_element(&ns)?,
        }
    }
    sequence.end()
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Option<f64>>, D::Error> {
    read(deserializer, |ns| ns / PER_SECOND)
}

/// Records of version 1 hold seconds.
pub(super) fn deserialize_seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Option<f64>>, D::Error> {
    read(deserializer, |s| s)
}

/// Samples as a record of today keeps them, so that one that was read is written without change.
fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
    seconds: impl Fn(f64) -> f64,
) -> Result<Vec<Option<f64>>, D::Error> {
    let samples = Vec::<Option<f64>>::deserialize(deserializer)?;
    let kept = |sample| {
        let s = seconds(sample);
        if s.abs() > LONGEST_S {
            return Err(D::Error::custom(format!("a sample of {s:e} s is longer than an hour")));
        }
        Ok(parts(s) / PARTS / PER_SECOND)
    };
    samples.into_iter().map(|sample| sample.map(kept).transpose()).collect()
}

/// Whole hundredths of a nanosecond.
fn parts(s: f64) -> f64 {
    (s * PER_SECOND * PARTS).round()
}
