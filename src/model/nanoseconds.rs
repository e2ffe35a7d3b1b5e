//! Samples are seconds in memory and nanoseconds in records, where they are short numbers.

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serializer};

/// Nanoseconds in a second.
const PER_SECOND: f64 = 1e9;
/// Parts of a nanosecond that are kept: no clock of a GPU tells them apart.
const PARTS: f64 = 100.0;

pub(super) fn serialize<S: Serializer>(
    samples_s: &[Option<f64>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(samples_s.len()))?;
    for sample_s in samples_s {
        let ns = sample_s.map(|s| (s * PER_SECOND * PARTS).round() / PARTS);
        match ns {
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
    let samples_ns = Vec::<Option<f64>>::deserialize(deserializer)?;
    Ok(samples_ns.into_iter().map(|ns| ns.map(|ns| ns / PER_SECOND)).collect())
}
