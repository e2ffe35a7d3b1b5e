//! Conversion of samples: seconds in memory, nanoseconds in records, because they need fewer characters.

use serde::ser::SerializeSeq;
use serde::{Deserializer, Serializer};

use super::list::read_list;

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
    read_list(deserializer, |ns: Option<f64>| {
        ns.map(|ns| match ns / PER_SECOND {
            // Most samples. What follows would not change them, and takes as long as reading them.
            s if s.abs() < 1.0 && f64::from(ns as i32) == ns => Ok(s),
            s => rounded(s),
        })
        .transpose()
    })
}

/// Reads samples in seconds, the unit of records of version 1.
///
/// # Errors
/// Returns an error if a sample is longer than one hour.
pub(super) fn deserialize_seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Option<f64>>, D::Error> {
    read_list(deserializer, |s: Option<f64>| s.map(rounded).transpose())
}

/// Rounds a sample to 0.01 ns. Rounding on reading ensures that a record that was read is written back unchanged.
///
/// # Errors
/// Returns the reason if the sample is longer than one hour.
fn rounded(s: f64) -> Result<f64, String> {
    if s.abs() > LONGEST_S {
        return Err(format!("a sample of {s:e} s is longer than one hour"));
    }
    Ok(parts(s) / PARTS / PER_SECOND)
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
    fn whole_nanoseconds_are_read_as_if_they_were_rounded() {
        for ns in [0.0, 1.0, 3.0, 799_776.0, 999_999_999.0, 1e9, 123_456_789_012.0, -7.0] {
            let read = samples(&format!("[{ns}, null, {:?}]", ns + 0.126)).expect("valid samples");
            let expected = [ns, ns + 0.126].map(|ns| rounded(ns / PER_SECOND).ok());
            assert_eq!(read, [expected[0], None, expected[1]]);
        }
        assert_eq!(samples("[2.504]").expect("valid samples"), [Some(2.5e-9)]);
    }

    #[test]
    fn a_sample_of_more_than_an_hour_is_an_error() {
        let error = samples("[1, 3700000000000]").expect_err("the sample is too long").to_string();
        assert!(error.contains("3.7e3 s is longer than one hour"), "{error}");
    }
}
