//! Units and valid ranges of parameters, and the parser of their values.

/// Unit of a parameter. Determines the suffixes that the parser accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A count or a ratio.
    None,
    /// A share from 0 to 1, or per cent.
    Share,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Seconds per byte.
    SecondsPerByte,
    /// Bytes per second.
    BytesPerSecond,
}

/// Suffixes with their divisors. A divisor is a power of ten, which is exact. A factor, such as 1e-9, is not.
const SECONDS: &[(&str, f64)] =
    &[("ns", 1e9), ("us", 1e6), ("µs", 1e6), ("μs", 1e6), ("ms", 1e3), ("s", 1.0)];

/// Suffixes with their factors. The parser takes the first suffix that matches, so `B` is last.
const BYTES: &[(&str, f64)] = &[
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];

impl Unit {
    /// Returns the symbol that records and tables use.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::None | Self::Share => "",
            Self::Seconds => "s",
            Self::Bytes => "B",
            Self::SecondsPerByte => "s/B",
            Self::BytesPerSecond => "B/s",
        }
    }

    /// Describes the unit and its suffixes for a user.
    fn describe(self) -> &'static str {
        match self {
            Self::None => "no unit",
            Self::Share => "share, or %",
            Self::Seconds => "seconds, or ns, us, ms",
            Self::Bytes => "bytes, or KiB, MB, GiB, …",
            Self::SecondsPerByte => "seconds per byte, or ns/B, …",
            Self::BytesPerSecond => "bytes per second, or MB/s, GB/s, …",
        }
    }

    /// Splits `text` into the number before the suffix, and the factor and the divisor of the suffix.
    fn split(self, text: &str) -> (&str, f64, f64) {
        let find = |suffixes: &[(&str, f64)], text: &str| {
            let found = suffixes.iter().find(|(suffix, _)| text.ends_with(suffix));
            found.map_or((0, 1.0), |&(suffix, factor)| (suffix.len(), factor))
        };
        match self {
            Self::None => (text, 1.0, 1.0),
            Self::Share => match text.strip_suffix('%') {
                Some(number) => (number, 1.0, 100.0),
                None => (text, 1.0, 1.0),
            },
            Self::Seconds | Self::SecondsPerByte => {
                let per_byte = self == Self::SecondsPerByte;
                let text = text.strip_suffix("/B").filter(|_| per_byte).unwrap_or(text);
                let (suffix, over) = find(SECONDS, text);
                (&text[..text.len() - suffix], 1.0, over)
            }
            Self::Bytes | Self::BytesPerSecond => {
                let per_second = self == Self::BytesPerSecond;
                let text = text.strip_suffix("/s").filter(|_| per_second).unwrap_or(text);
                let (suffix, times) = find(BYTES, text);
                (&text[..text.len() - suffix], times, 1.0)
            }
        }
    }
}

/// Bound of a domain.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Unbounded,
    Including(f64),
    Excluding(f64),
}

/// Unit and valid values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Domain {
    /// Unit.
    pub unit: Unit,
    least: End,
    most: End,
    /// Whether only whole numbers are valid.
    whole: bool,
}

const fn at_least(unit: Unit, least: f64) -> Domain {
    Domain { unit, least: End::Including(least), most: End::Unbounded, whole: false }
}

const fn positive(unit: Unit) -> Domain {
    Domain { unit, least: End::Excluding(0.0), most: End::Unbounded, whole: false }
}

/// A count: a whole number from 1.
pub(crate) const COUNT: Domain = Domain { whole: true, ..at_least(Unit::None, 1.0) };
/// A number of ideal workers that hardware is equivalent to. The number may be fractional.
pub(crate) const WORTH: Domain = at_least(Unit::None, 1.0);
/// A number of invocations in a workgroup, from 1 to 1024. No subgroup is larger.
pub(crate) const WORKGROUP_SIZE: Domain = Domain { most: End::Including(1024.0), ..COUNT };
/// A factor from 1.
pub(crate) const FACTOR: Domain = at_least(Unit::None, 1.0);
/// A share from 0 to 1.
pub(crate) const SHARE: Domain = Domain { most: End::Including(1.0), ..at_least(Unit::Share, 0.0) };
/// A share of peak: above 0, and below 1 because peak is never quite reached.
pub(crate) const SHARE_OF_PEAK: Domain =
    Domain { most: End::Excluding(1.0), ..positive(Unit::Share) };
/// A time that may be zero.
pub(crate) const OVERHEAD: Domain = at_least(Unit::Seconds, 0.0);
/// A time above zero.
pub(crate) const TIME: Domain = positive(Unit::Seconds);
/// A number of bytes that may be zero.
pub(crate) const BYTES_HELD: Domain = at_least(Unit::Bytes, 0.0);
/// A time per byte, above zero.
pub(crate) const TIME_PER_BYTE: Domain = positive(Unit::SecondsPerByte);
/// A bandwidth above zero.
pub(crate) const BANDWIDTH: Domain = positive(Unit::BytesPerSecond);

impl Domain {
    /// Describes unit and bounds for a user.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{}; {}", self.unit.describe(), self.bounds())
    }

    fn bounds(&self) -> String {
        let whole = if self.whole { "a whole number, " } else { "" };
        format!("{whole}{}", self.ends())
    }

    fn ends(&self) -> String {
        match (self.least, self.most) {
            (End::Including(least), End::Including(most)) => format!("from {least} to {most}"),
            (End::Excluding(least), End::Excluding(most)) => {
                format!("more than {least} and less than {most}")
            }
            (End::Including(least), _) => format!("at least {least}"),
            (End::Excluding(least), _) => format!("more than {least}"),
            (End::Unbounded, _) => "any".to_owned(),
        }
    }

    /// Returns `value` if it is valid.
    ///
    /// # Errors
    /// Returns a sentence that describes the valid values.
    pub fn check(&self, value: f64) -> Result<f64, String> {
        let above = match self.least {
            End::Unbounded => true,
            End::Including(least) => value >= least,
            End::Excluding(least) => value > least,
        };
        let below = match self.most {
            End::Unbounded => true,
            End::Including(most) => value <= most,
            End::Excluding(most) => value < most,
        };
        if !value.is_finite() {
            return Err(format!("the value must be finite and {}", self.bounds()));
        }
        if above && below && !(self.whole && value.fract() != 0.0) {
            return Ok(value);
        }
        let hint = if self.unit == Unit::Share && value > 1.0 && value <= 100.0 {
            format!("; write {value} per cent as {value}%")
        } else {
            String::new()
        };
        Err(format!("the value must be {}{hint}", self.bounds()))
    }

    /// Parses a value, such as `1e9`, `0.99`, `99 %`, `5us`, `1GiB` or `400GB/s`.
    ///
    /// # Errors
    /// Returns a sentence that describes the valid notation or the valid values.
    pub fn parse(&self, text: &str) -> Result<f64, String> {
        let (number, times, over) = self.unit.split(text.trim());
        let number: f64 = number
            .trim_end()
            .replace('_', "")
            .parse()
            .map_err(|_| format!("the value must be one number ({})", self.unit.describe()))?;
        self.check(number * times / over)
    }

    /// Parses a range `a..b`, or a single value, which is returned as both ends.
    ///
    /// # Errors
    /// Returns an error if [`parse`](Self::parse) fails for an end, or if the range is descending.
    pub fn parse_range(&self, text: &str) -> Result<(f64, f64), String> {
        let Some((first, last)) = text.split_once("..") else {
            return self.parse(text).map(|value| (value, value));
        };
        let (first, last) = (self.parse(first)?, self.parse(last)?);
        if first > last {
            return Err("a range must go from the smaller to the larger value".to_owned());
        }
        Ok((first, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_parsed_with_every_kind_of_suffix() {
        assert_eq!(COUNT.parse("1e9"), Ok(1e9));
        assert_eq!(COUNT.parse("10_000"), Ok(1e4));
        assert_eq!(SHARE.parse("95 %"), Ok(0.95));
        assert_eq!(TIME.parse("5us"), Ok(5e-6));
        assert_eq!(TIME.parse("5µs"), Ok(5e-6));
        assert_eq!(TIME.parse("0.5"), Ok(0.5));
        assert_eq!(BYTES_HELD.parse("1GiB"), Ok(1_073_741_824.0));
        assert_eq!(BANDWIDTH.parse("400GB/s"), Ok(4e11));
        assert_eq!(TIME_PER_BYTE.parse("2ns/B"), Ok(2e-9));
        assert_eq!(COUNT.parse_range("1..100000"), Ok((1.0, 1e5)));
        assert_eq!(BYTES_HELD.parse_range("1KiB..1MB"), Ok((1024.0, 1e6)));
    }

    #[test]
    fn an_invalid_value_is_refused_with_the_valid_values() {
        for (domain, text, words) in [
            (COUNT, "0.5", "at least 1"),
            (COUNT, "-3", "at least 1"),
            (COUNT, "many", "one number"),
            (COUNT, "NaN", "at least 1"),
            (COUNT, "inf", "at least 1"),
            (COUNT, "1s", "one number"),
            (COUNT, "2.5", "a whole number"),
            (COUNT, "1e400", "finite"),
            (SHARE, "99", "99%"),
            (SHARE, "101%", "from 0 to 1"),
            (SHARE_OF_PEAK, "1", "less than 1"),
            (TIME, "0s", "more than 0"),
            (TIME, "1 minute", "one number"),
        ] {
            let error = domain.parse(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(COUNT.parse_range("9..3").is_err());
        assert!(COUNT.parse_range("0..3").is_err());
    }
}
