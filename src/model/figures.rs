//! Formatting of figures for readers: usually three significant digits and a unit.

use super::{Interval, Metric};

/// Formats `value` with three significant digits.
///
/// The text has an exponent if the magnitude is below 10^-4, or 10^7 or more.
#[must_use]
pub fn digits(value: f64) -> String {
    significant(value, 3)
}

/// Formats `value` with this many significant digits. A whole number has no zeros after the decimal point.
fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    // Rounds before the magnitude is taken, because 99.999 is written as 100.
    let scientific = format!("{value:.*e}", digits - 1);
    let magnitude: i32 =
        scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or_default();
    if !(-4..7).contains(&magnitude) {
        return scientific;
    }
    let decimals = (digits as i32 - 1 - magnitude).max(0) as usize;
    let text = format!("{value:.decimals$}");
    if decimals > 0 && value.fract() == 0.0 { format!("{value:.0}") } else { text }
}

/// Formats `value` with three significant digits, the matching unit prefix, and the unit.
#[must_use]
pub fn quantity(value: f64, unit: &str) -> String {
    to_digits(value, unit, 3)
}

/// Formats `value` with `digits` significant digits, the matching unit prefix, and the unit.
#[must_use]
pub fn to_digits(value: f64, unit: &str, digits: usize) -> String {
    let Shown { factor, suffix } = Shown::of(value, unit);
    let number = significant(value * factor, digits);
    let number = if unit == "%" { trimmed(&number) } else { &number };
    format!("{number}{suffix}")
}

/// Unit in which a figure is shown.
struct Shown {
    /// Factor by which the value is multiplied.
    factor: f64,
    /// Text after the digits: prefix and unit.
    suffix: String,
}

impl Shown {
    /// Chooses the prefix by the magnitude of `value`, which is in `unit`.
    fn of(value: f64, unit: &str) -> Self {
        let (factor, suffix) = match unit {
            "s" | "s/B" => {
                let (factor, prefix) = seconds_scale(value);
                (factor, format!(" {prefix}{}", &unit[1..]))
            }
            "B" | "B/s" | "op/s" | "item/s" => {
                let (factor, prefix) = decimal_scale(value);
                (factor, format!(" {prefix}{unit}"))
            }
            "GB/s" | "Gop/s" => {
                let (factor, prefix) = decimal_scale(value * 1e9);
                (factor * 1e9, format!(" {prefix}{}", &unit[1..]))
            }
            "x" => (1.0, "×".to_owned()),
            "%" => (100.0, " %".to_owned()),
            "" => (1.0, String::new()),
            _ => (1.0, format!(" {unit}")),
        };
        Self { factor, suffix }
    }
}

/// Formats `value` with four significant digits, without trailing zeros after the decimal point.
#[must_use]
pub fn compact(value: f64) -> String {
    trimmed(&significant(value, 4)).to_owned()
}

/// Formats `value` for an axis: three significant digits without trailing zeros after the decimal point.
///
/// A value without a unit is shown in thousands (k), millions (M) or billions (G) from 10^4.
#[must_use]
pub fn short(value: f64, unit: &str) -> String {
    if !unit.is_empty() {
        let text = quantity(value, unit);
        let end =
            text.find(|c: char| !c.is_ascii_digit() && !"-.e".contains(c)).unwrap_or(text.len());
        return format!("{}{}", trimmed(&text[..end]), &text[end..]);
    }
    let (factor, suffix) = match value.abs() {
        v if v >= 1e9 => (1e-9, "G"),
        v if v >= 1e6 => (1e-6, "M"),
        v if v >= 1e4 => (1e-3, "k"),
        _ => (1.0, ""),
    };
    format!("{}{suffix}", trimmed(&digits(value * factor)))
}

/// Removes trailing zeros after the decimal point.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') && !digits.contains('e') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

/// Returns the factor and the decimal prefix for `value`.
fn decimal_scale(value: f64) -> (f64, &'static str) {
    match value.abs() {
        v if v >= 1e12 => (1e-12, "T"),
        v if v >= 1e9 => (1e-9, "G"),
        v if v >= 1e6 => (1e-6, "M"),
        v if v >= 1e3 => (1e-3, "k"),
        _ => (1.0, ""),
    }
}

/// Returns the factor and the unit for `value` seconds.
fn seconds_scale(value: f64) -> (f64, &'static str) {
    match value.abs() {
        v if v >= 1.0 || v == 0.0 => (1.0, "s"),
        v if v >= 1e-3 => (1e3, "ms"),
        v if v >= 1e-6 => (1e6, "µs"),
        v if v >= 1e-9 => (1e9, "ns"),
        _ => (1e12, "ps"),
    }
}

/// Formats a value with its interval, both with the prefix of the value.
///
/// Omits the interval if its bounds are equal.
#[must_use]
pub fn with_interval(value: f64, unit: &str, interval: Option<Interval>) -> String {
    let Some(interval) = interval.filter(|interval| interval.lo < interval.hi) else {
        return quantity(value, unit);
    };
    let Shown { factor, .. } = Shown::of(value, unit);
    let (lo, hi) = (digits(interval.lo * factor), digits(interval.hi * factor));
    format!("{} [{lo}, {hi}]", quantity(value, unit))
}

/// Formats a ratio with three decimals, and its interval if there is one.
#[must_use]
pub fn ratio(value: f64, interval: Option<Interval>) -> String {
    match interval {
        Some(i) => format!("{value:.3} [{:.3}, {:.3}]", i.lo, i.hi),
        None => format!("{value:.3}"),
    }
}

/// Formats a share in per cent with one decimal.
#[must_use]
pub fn per_cent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Formats a metric's value with its unit, or returns the metric's text.
#[must_use]
pub fn metric(metric: &Metric) -> String {
    shown(metric, None)
}

/// Formats a metric like [`metric()`], with the interval of the value if there is one.
#[must_use]
pub fn metric_with_interval(metric: &Metric) -> String {
    shown(metric, metric.ci)
}

fn shown(metric: &Metric, interval: Option<Interval>) -> String {
    let figure = metric.value.map(|value| with_interval(value, &metric.unit, interval));
    figure.or_else(|| metric.text.clone()).unwrap_or_default()
}

/// Formats a count with its noun, such as `1 core` and `2 cores`.
#[must_use]
pub fn counted(many: usize, noun: &str) -> String {
    let plural = if many == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(many as f64))
}

/// Formats a count with commas, such as `16,777,216`.
///
/// A number that is fractional, or 10^15 or more in magnitude, is formatted by [`digits`] instead.
#[must_use]
pub fn count(value: f64) -> String {
    if value.fract() != 0.0 || value.abs() >= 1e15 {
        return digits(value);
    }
    let plain = (value.abs() as u64).to_string();
    let grouped: Vec<String> = plain
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|chunk| String::from_utf8_lossy(chunk).into_owned())
        .collect();
    format!("{}{}", if value < 0.0 { "-" } else { "" }, grouped.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        assert_eq!(quantity(2.7119e-6, "s"), "2.71 µs");
        assert_eq!(quantity(0.0123, "s"), "12.3 ms");
        assert_eq!(quantity(9.91e-10, "s/B"), "991 ps/B");
        assert_eq!(quantity(8.0, "lanes"), "8 lanes");
        assert_eq!(quantity(1.8245, "x"), "1.82×");
        assert_eq!(quantity(1234.5, "GB/s"), "1.23 TB/s");
        assert_eq!(quantity(0.139, "Gop/s"), "139 Mop/s");
        assert_eq!(quantity(-2.5e-10, "s"), "-250 ps");
        assert_eq!(digits(1.5e9), "1.50e9");
        assert_eq!(count(16_777_216.0), "16,777,216");
        assert_eq!(per_cent(0.0345), "3.5 %");
        assert_eq!(compact(0.99), "0.99");
        assert_eq!(digits(99.999), "100");
        assert_eq!(to_digits(99.999_99, "x", 4), "100.0×");
        assert_eq!(to_digits(0.99, "%", 4), "99 %");
        assert_eq!(to_digits(1.0 / 3.0, "%", 4), "33.33 %");
        assert_eq!(short(2e-3, "s"), "2 ms");
        assert_eq!(short(1.5e-7, "s"), "150 ns");
        assert_eq!(short(2.0, "x"), "2×");
        assert_eq!(short(0.95, ""), "0.95");
        assert_eq!(short(1024.0, ""), "1024");
        assert_eq!(short(16_777_216.0, ""), "16.8M");
        assert_eq!(short(0.0, "s"), "0 s");
    }

    #[test]
    fn an_interval_has_the_prefix_of_its_value() {
        let interval = Some(Interval { lo: -5.9e-7, hi: 1.27e-5 });
        assert_eq!(with_interval(2.71e-6, "s", interval), "2.71 µs [-0.590, 12.7]");
        assert_eq!(ratio(0.99876, None), "0.999");
    }
}
