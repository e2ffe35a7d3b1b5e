//! Conversion of samples: seconds in memory, nanoseconds in records, because they need fewer characters.

use std::fmt::{Formatter, Result as Written};

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserializer, Serializer};

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
    seconds: fn(f64) -> f64,
) -> Result<Vec<Option<f64>>, D::Error> {
    deserializer.deserialize_seq(Samples { seconds })
}

/// Reads a list of samples. A record has tens of thousands of them, so that each is touched once.
struct Samples {
    /// Converts a number of the record to seconds.
    seconds: fn(f64) -> f64,
}

/// Samples that are collected before they go to the heap. Most cases have fewer, so that their list is made once, in its
/// final size.
const TOGETHER: usize = 128;

impl<'de> Visitor<'de> for Samples {
    type Value = Vec<Option<f64>>;

    fn expecting(&self, text: &mut Formatter<'_>) -> Written {
        text.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut samples = Vec::new();
        let mut together = [None; TOGETHER];
        let mut count = 0;
        while let Some(sample) = sequence.next_element::<Option<f64>>()? {
            if count == TOGETHER {
                samples.extend_from_slice(&together);
                count = 0;
            }
            together[count] = match sample.map(self.seconds) {
                Some(s) if s.abs() > LONGEST_S => {
                    let reason = format!("a sample of {s:e} s is longer than one hour");
                    return Err(A::Error::custom(reason));
                }
                sample => sample.map(|s| parts(s) / PARTS / PER_SECOND),
            };
            count += 1;
        }
        samples.extend_from_slice(&together[..count]);
        Ok(samples)
    }
}

/// Returns `s` seconds as a whole number of steps of 0.01 ns.
fn parts(s: f64) -> f64 {
    (s * PER_SECOND * PARTS).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a list of samples in nanoseconds.
    fn samples(json: &str) -> serde_json::Result<Vec<Option<f64>>> {
        deserialize(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn a_list_of_any_length_is_read_in_order() {
        for count in [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER + 5] {
            let numbers: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
            let read = samples(&format!("[{}]", numbers.join(","))).expect("valid samples");
            let expected: Vec<Option<f64>> = (1..=count).map(|n| Some(n as f64 / 1e9)).collect();
            assert_eq!(read, expected);
        }
        assert_eq!(samples("[null, 2.5]").expect("valid samples"), [None, Some(2.5e-9)]);
    }

    #[test]
    fn a_sample_of_more_than_an_hour_is_an_error() {
        let error = samples("[1, 3700000000000]").expect_err("the sample is too long").to_string();
        assert!(error.contains("3.7e3 s is longer than one hour"), "{error}");
    }
}
