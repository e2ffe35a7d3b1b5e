//! Lists of numbers. A record has tens of thousands of them, which take most of the time of reading it.

use std::fmt::{Display, Formatter, Result as Written};
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// Numbers that are collected before they go to the heap. Most lists are shorter, so that they are made once, in their
/// final size.
const TOGETHER: usize = 128;

/// Reads a list and converts each of its elements.
///
/// # Errors
/// Returns an error if an element cannot be read or converted.
pub(super) fn read_list<'de, D, A, B, E>(
    deserializer: D,
    convert: impl Fn(A) -> Result<B, E>,
) -> Result<Vec<B>, D::Error>
where
    D: Deserializer<'de>,
    A: Deserialize<'de>,
    B: Copy + Default,
    E: Display,
{
    deserializer.deserialize_seq(List { convert, element: PhantomData })
}

/// Reads a list of counts.
///
/// # Errors
/// Returns an error if an element is no count.
pub(super) fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    read_list(deserializer, |count: u32| Ok::<_, &str>(count))
}

struct List<A, F> {
    convert: F,
    element: PhantomData<A>,
}

impl<'de, A, B, E, F> Visitor<'de> for List<A, F>
where
    A: Deserialize<'de>,
    B: Copy + Default,
    E: Display,
    F: Fn(A) -> Result<B, E>,
{
    type Value = Vec<B>;

    fn expecting(&self, text: &mut Formatter<'_>) -> Written {
        text.write_str("a sequence")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<Vec<B>, S::Error> {
        let mut list = Vec::new();
        let mut together = [B::default(); TOGETHER];
        let mut count = 0;
        while let Some(element) = sequence.next_element()? {
            if count == TOGETHER {
                list.extend_from_slice(&together);
                count = 0;
            }
            together[count] = (self.convert)(element).map_err(S::Error::custom)?;
            count += 1;
        }
        list.extend_from_slice(&together[..count]);
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a list of counts.
    fn read(json: &str) -> serde_json::Result<Vec<u32>> {
        counts(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn a_list_of_any_length_is_read_in_order() {
        for length in [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER + 5] {
            let expected: Vec<u32> = (0..length as u32).collect();
            let json = serde_json::to_string(&expected).expect("counts are JSON");
            assert_eq!(read(&json).expect("a list of counts"), expected);
        }
    }

    #[test]
    fn an_element_that_is_no_count_is_an_error() {
        for json in ["[1, -1]", "[1, 0.5]", "[1, null]", "[1, 4294967296]", "[1, \"2\"]", "1"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
