//! Which numbers make sense, and how people write them.

/// A unit with the suffixes it may be written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A count or a ratio.
    None,
    /// A share of one, or per cent.
    Share,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Seconds for one byte.
    SecondsPerByte,
    /// Bytes in one second.
    BytesPerSecond,
}

/// Suffixes and what they divide by, which is exact where multiplying by a fraction is not.
const SECONDS: &[(&str, f64)] =
    &[("ns", 1e9), ("us", 1e6), ("µs", 1e6), ("μs", 1e6), ("ms", 1e3), ("s", 1.0)];

/// Suffixes and what they multiply by.
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
    /// As it stands in records and tables.
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

    fn describe(self) -> &'static str {
        match self {
            Self::None => "no unit",
            Self::Share => "a share, or %",
            Self::Seconds => "s, or ns, us, ms",
            Self::Bytes => "bytes, or KiB, MB, GiB, …",
            Self::SecondsPerByte => "s per byte",
            Self::BytesPerSecond => "bytes per s, or MB/s, GB/s, …",
        }
    }

    /// The number in front of the suffix, and what the suffix makes of it.
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

/// An end of a domain.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Unbounded,
    Including(f64),
    Excluding(f64),
}

/// A unit and the values that make sense in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Domain {
    /// The unit.
    pub unit: Unit,
    least: End,
    most: End,
    whole: bool,
}

const fn at_least(unit: Unit, least: f64) -> Domain {
    Domain { unit, least: End::Including(least), most: End::Unbounded, whole: false }
}

const fn more_than_none(unit: Unit) -> Domain {
    Domain { unit, least: End::Excluding(0.0), most: End::Unbounded, whole: false }
}

/// Workers that a law counts.
pub(crate) const COUNT: Domain = Domain { whole: true, ..at_least(Unit::None, 1.0) };
/// Workers that hardware is worth, which need not be a whole number.
pub(crate) const WORTH: Domain = at_least(Unit::None, 1.0);
/// No subgroup has more.
pub(crate) const WORKGROUP_SIZE: Domain = Domain { most: End::Including(1024.0), ..COUNT };
pub(crate) const FACTOR: Domain = at_least(Unit::None, 1.0);
pub(crate) const SHARE: Domain = Domain { most: End::Including(1.0), ..at_least(Unit::Share, 0.0) };
/// Of peak, which is never quite reached.
pub(crate) const SHARE_OF_PEAK: Domain =
    Domain { most: End::Excluding(1.0), ..more_than_none(Unit::Share) };
pub(crate) const OVERHEAD: Domain = at_least(Unit::Seconds, 0.0);
pub(crate) const TIME: Domain = more_than_none(Unit::Seconds);
pub(crate) const BYTES_HELD: Domain = at_least(Unit::Bytes, 0.0);
pub(crate) const TIME_PER_BYTE: Domain = more_than_none(Unit::SecondsPerByte);
pub(crate) const BANDWIDTH: Domain = more_than_none(Unit::BytesPerSecond);

impl Domain {
    /// For people: unit and bounds.
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

    /// The value, if it makes sense.
    ///
    /// # Errors
    /// What it must be, in words.
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
            return Err(format!("it must be finite, and {}", self.bounds()));
        }
        if above && below && !(self.whole && value.fract() != 0.0) {
            return Ok(value);
        }
        let hint = if self.unit == Unit::Share && value > 1.0 && value <= 100.0 {
            format!("; {value} per cent is written {value}%")
        } else {
            String::new()
        };
        Err(format!("it must be {}{hint}", self.bounds()))
    }

    /// A value as people write it: `1e9`, `0.99`, `99 %`, `5us`, `1GiB`, `400GB/s`.
    ///
    /// # Errors
    /// What it must look like or be, in words.
    pub fn parse(&self, text: &str) -> Result<f64, String> {
        let (number, times, over) = self.unit.split(text.trim());
        let number: f64 = number
            .trim_end()
            .replace('_', "")
            .parse()
            .map_err(|_| format!("it must be one number ({})", self.unit.describe()))?;
        self.check(number * times / over)
    }

    /// A value, or a range of them as `a..b`.
    ///
    /// # Errors
    /// As for a value, and where the range runs backwards.
    pub fn parse_range(&self, text: &str) -> Result<(f64, f64), String> {
        let Some((first, last)) = text.split_once("..") else {
            return self.parse(text).map(|value| (value, value));
        };
        let (first, last) = (self.parse(first)?, self.parse(last)?);
        if first > last {
            return Err("a range goes from the smaller to the larger".to_owned());
        }
        Ok((first, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_people_write_them() {
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
    fn what_makes_no_sense_is_refused_with_what_would() {
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
