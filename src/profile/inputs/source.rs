//! Where the contents of a buffer come from, as a user writes it: `zeros`, `random:u32:1..64`, `index`, or a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use half::f16;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::npy;
use crate::profile::{Layout, NeededBuffer, Scalar};

/// The forms of a source, for error messages.
const FORMS: &str = "zeros, random, random:u32:1..64, index, each with a number of elements or bytes such as :4096 or :4MiB, \
                     or a file .npy or .bin";

/// Where the contents of a buffer come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Zeros.
    Zeros(Option<Size>),
    /// Random numbers: of one kind or of the kinds of the shader, from `lo` up to and without `hi`.
    Random {
        /// The kind; if `None`, those of the shader.
        scalar: Option<Scalar>,
        /// Lower bound, and the upper bound that is not reached.
        range: Option<[f64; 2]>,
        /// Size of the buffer.
        size: Option<Size>,
    },
    /// The numbers 0, 1, 2 and so on.
    Index(Option<Size>),
    /// A file: an array of NumPy, or bytes.
    File(PathBuf),
}

/// Size of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Elements of the array whose size the shader leaves open.
    Elements(u64),
    /// Bytes.
    Bytes(u64),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = Path::new(text);
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| ["npy", "bin"].contains(&extension)) {
            return Ok(Self::File(path.to_owned()));
        }
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let (mut scalar, mut range, mut size) = (None, None, None);
        for part in parts {
            let kind = Scalar::ALL.into_iter().find(|kind| kind.as_str() == part);
            if let Some(kind) = kind.filter(|_| scalar.is_none()) {
                scalar = Some(kind);
            } else if let Some((lo, hi)) = part.split_once("..").filter(|_| range.is_none()) {
                range = Some(range_of(lo, hi)?);
            } else {
                size = Some(part.parse()?);
            }
        }
        match name {
            "random" => Ok(Self::Random { scalar, range, size }),
            "zeros" | "index" if scalar.is_some() || range.is_some() => {
                Err(format!("`{name}` takes a size only, not `{text}`"))
            }
            "zeros" => Ok(Self::Zeros(size)),
            "index" => Ok(Self::Index(size)),
            _ => Err(format!("`{text}` is no source; use {FORMS}")),
        }
    }
}

/// Parses the bounds of a range. The upper bound is not in the range, unless it begins with `=`.
fn range_of(lo: &str, hi: &str) -> Result<[f64; 2], String> {
    let number = |text: &str| -> Result<f64, String> {
        let value: Option<f64> = text.parse().ok().filter(|value: &f64| value.is_finite());
        value.ok_or_else(|| format!("`{text}` is no number of a range such as 1..64"))
    };
    let (lo, hi) = match hi.strip_prefix('=') {
        // The next integer is the first that is not in the range.
        Some(hi) if number(hi)?.fract() == 0.0 => (number(lo)?, number(hi)? + 1.0),
        Some(_) => {
            return Err("a range that includes its end has integers, such as 1..=64".to_owned());
        }
        None => (number(lo)?, number(hi)?),
    };
    match hi - lo {
        width if width > 0.0 && width.is_finite() => Ok([lo, hi]),
        width if width > 0.0 => Err(format!("the range {lo}..{hi} is too wide")),
        _ => Err(format!("the range {lo}..{hi} is empty")),
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || {
            format!(
                "`{text}` is no size; use a number of elements, or bytes such as 512B, 64KiB or 4MiB"
            )
        };
        let letters = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = &text[..text.len() - letters.len()];
        let number: u64 = digits.parse().map_err(|_| error())?;
        let shift = match letters {
            "" => return Ok(Self::Elements(number)),
            "B" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            _ => return Err(error()),
        };
        number.checked_mul(1 << shift).map(Self::Bytes).ok_or_else(error)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elements(elements) => write!(f, "{elements}"),
            Self::Bytes(bytes) => write!(f, "{bytes}B"),
        }
    }
}

impl Source {
    /// Returns the contents of `buffer`. A size that neither the source nor the shader says is `elements` elements: one for each
    /// invocation. Relative paths begin at `folder`.
    ///
    /// # Errors
    /// Returns an error without the name of the buffer if a file cannot be used, or if the size does not fit the shader.
    pub fn contents(
        &self,
        buffer: &NeededBuffer,
        elements: u64,
        seed: u64,
        folder: &Path,
    ) -> Result<Vec<u8>, String> {
        let layout = &buffer.layout;
        let size = match self {
            Self::File(path) => return from_file(&folder.join(path), layout),
            Self::Zeros(size) | Self::Random { size, .. } | Self::Index(size) => size,
        };
        let bytes = bytes_of(*size, layout, elements)?;
        if let Self::Random { scalar, range, .. } = self {
            check_random(*scalar, *range, layout)?;
        }
        let mut contents = zeros(bytes)?;
        // Each buffer has its own numbers, whatever the others are.
        let place = u64::from(buffer.group) << 32 | u64::from(buffer.binding);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut index = 0.0;
        layout.numbers(bytes, &mut |at, own| {
            let value = match self {
                Self::Random { scalar, range, .. } => {
                    random(scalar.unwrap_or(own), *range, &mut rng)
                }
                Self::Index(_) => {
                    index += 1.0;
                    bytes_of_number(own, index - 1.0)
                }
                _ => return,
            };
            put(&mut contents, at, &value);
        });
        Ok(contents)
    }
}

/// Returns the number of bytes of a buffer.
fn bytes_of(size: Option<Size>, layout: &Layout, elements: u64) -> Result<u64, String> {
    let fixed = layout.bytes(0);
    let whole = |elements: u64| layout.bytes(elements).next_multiple_of(4);
    match (size, layout.tail()) {
        (None, _) => Ok(whole(elements)),
        (Some(Size::Elements(0)), Some(_)) => Err("needs an element at least".to_owned()),
        (Some(Size::Elements(elements)), Some(_)) => Ok(whole(elements)),
        (Some(Size::Bytes(bytes)), _) => check_bytes(bytes, layout),
        (Some(Size::Elements(_)), None) => {
            Err(format!("has a fixed size of {fixed} bytes, so it takes no number of elements"))
        }
    }
}

/// Returns `bytes` if a buffer of that size fits the shader.
fn check_bytes(bytes: u64, layout: &Layout) -> Result<u64, String> {
    let least = layout.bytes(1).next_multiple_of(4);
    if layout.tail().is_none() && bytes != least {
        return Err(format!("has {bytes} bytes, and the shader's type {least}"));
    }
    if bytes < least {
        return Err(format!("has {bytes} bytes, and the shader's type at least {least}"));
    }
    if !bytes.is_multiple_of(4) {
        return Err(format!("has {bytes} bytes, which is no multiple of 4"));
    }
    Ok(bytes)
}

/// Checks that random numbers of this kind and range fit the numbers of a layout.
fn check_random(
    scalar: Option<Scalar>,
    range: Option<[f64; 2]>,
    layout: &Layout,
) -> Result<(), String> {
    let mut fault = None;
    layout.numbers(layout.bytes(1), &mut |_, own| {
        let kind = scalar.unwrap_or(own);
        if kind.bytes() != own.bytes() {
            let (own, kind) = (own.as_str(), kind.as_str());
            fault = Some(format!("has numbers of the kind {own}, not {kind}"));
        } else if let Some([lo, hi]) = range {
            let ends = if kind.is_float() { [lo, hi] } else { [lo.floor(), hi.ceil() - 1.0] };
            if let Some(wrong) = ends.into_iter().find(|&end| !fits(kind, end)) {
                let kind = kind.as_str();
                fault = Some(format!("has numbers of the kind {kind}, and {wrong} is none"));
            }
        }
    });
    fault.map_or(Ok(()), Err)
}

fn zeros(bytes: u64) -> Result<Vec<u8>, String> {
    let too_many = || format!("needs {bytes} bytes, more than this machine can hold");
    let length = usize::try_from(bytes).map_err(|_| too_many())?;
    let mut contents = Vec::new();
    contents.try_reserve_exact(length).map_err(|_| too_many())?;
    contents.resize(length, 0);
    Ok(contents)
}

fn from_file(path: &Path, layout: &Layout) -> Result<Vec<u8>, String> {
    let unreadable = |error: String| format!("cannot be read from `{}`: {error}", path.display());
    let is_array = path.extension().is_some_and(|extension| extension == "npy");
    match layout.scalar().filter(|_| is_array) {
        Some(scalar) => {
            let numbers = npy::read(path, Some(scalar)).map_err(unreadable)?;
            spread(&numbers, scalar, layout).map_err(unreadable)
        }
        None => {
            let read = || std::fs::read(path).map_err(|error| error.to_string());
            let bytes = if is_array { npy::read(path, None) } else { read() };
            let bytes = bytes.map_err(unreadable)?;
            check_bytes(bytes.len() as u64, layout)?;
            Ok(bytes)
        }
    }
}

/// Puts numbers without gaps where a shader expects them: a vector of three, for example, has a gap after it.
fn spread(numbers: &[u8], scalar: Scalar, layout: &Layout) -> Result<Vec<u8>, String> {
    let count = |bytes: u64| {
        let mut count = 0u64;
        layout.numbers(bytes, &mut |_, _| count += 1);
        count
    };
    let given = numbers.len() as u64 / u64::from(scalar.bytes());
    let elements = layout.tail().map_or(0, |(first, _)| {
        let before = count(first.into());
        let each = count(layout.bytes(1)) - before;
        given.saturating_sub(before) / each.max(1)
    });
    let bytes = layout.bytes(elements).next_multiple_of(4);
    if given == 0 || given != count(bytes) {
        let least = count(layout.bytes(1));
        return Err(format!(
            "{given} numbers, and the shader's type has {least}, or more for more elements"
        ));
    }
    let mut contents = zeros(bytes)?;
    let mut rest = numbers.chunks_exact(scalar.bytes() as usize);
    layout.numbers(bytes, &mut |at, _| {
        if let Some(number) = rest.next() {
            put(&mut contents, at, number);
        }
    });
    Ok(contents)
}

fn put(contents: &mut [u8], at: u64, value: &[u8]) {
    if let Some(place) = contents.get_mut(at as usize..at as usize + value.len()) {
        place.copy_from_slice(value);
    }
}

/// Returns a random number: an integer of the range, or of all; or a fraction of the range, or from 0 to 1.
fn random(scalar: Scalar, range: Option<[f64; 2]>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let is_float = scalar.is_float();
    match range {
        None if !is_float => rng.next_u64().to_le_bytes()[..scalar.bytes() as usize].to_vec(),
        _ => {
            let [lo, hi] = range.unwrap_or([0.0, 1.0]);
            let value = rng.random_range(lo..hi);
            bytes_of_number(scalar, if is_float { value } else { value.floor() })
        }
    }
}

/// Returns whether a number is one of its kind.
pub(super) fn fits(scalar: Scalar, value: f64) -> bool {
    let bounds = match scalar {
        Scalar::U32 => [0.0, u32::MAX.into()],
        Scalar::I32 => [i32::MIN.into(), i32::MAX.into()],
        Scalar::U64 => [0.0, u64::MAX as f64],
        Scalar::I64 => [i64::MIN as f64, i64::MAX as f64],
        Scalar::F16 => return value.abs() <= f64::from(f16::MAX),
        Scalar::F32 => return value.abs() <= f64::from(f32::MAX),
        Scalar::F64 => return true,
    };
    value.fract() == 0.0 && (bounds[0]..=bounds[1]).contains(&value)
}

/// Returns a number as a shader reads it from memory. One that does not fit its kind becomes the nearest that does.
pub(super) fn bytes_of_number(scalar: Scalar, value: f64) -> Vec<u8> {
    match scalar {
        Scalar::U32 => (value as u32).to_le_bytes().to_vec(),
        Scalar::I32 => (value as i32).to_le_bytes().to_vec(),
        Scalar::F32 => (value as f32).to_le_bytes().to_vec(),
        Scalar::F16 => f16::from_f64(value).to_le_bytes().to_vec(),
        Scalar::U64 => (value as u64).to_le_bytes().to_vec(),
        Scalar::I64 => (value as i64).to_le_bytes().to_vec(),
        Scalar::F64 => value.to_le_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Access;

    fn buffer(layout: Layout) -> NeededBuffer {
        let name = "words".to_owned();
        NeededBuffer { group: 0, binding: 1, name, access: Access::Read, layout }
    }

    fn words() -> NeededBuffer {
        let element = Box::new(Layout::Scalar(Scalar::U32));
        buffer(Layout::Array { element, stride: 4, count: None })
    }

    fn contents(source: &str, buffer: &NeededBuffer) -> Result<Vec<u32>, String> {
        let source: Source = source.parse()?;
        let bytes = source.contents(buffer, 100, 7, Path::new("."))?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }

    #[test]
    fn a_source_has_the_size_that_it_says_or_an_element_for_each_invocation() {
        assert_eq!(contents("zeros", &words()), Ok(vec![0; 100]));
        assert_eq!(contents("zeros:4KiB", &words()), Ok(vec![0; 1024]));
        assert_eq!(contents("index:5", &words()), Ok(vec![0, 1, 2, 3, 4]));
        let random = contents("random:u32:1..64", &words()).expect("the source is right");
        assert!(random.len() == 100 && random.iter().all(|of| (1..64).contains(of)));
        assert!(random.contains(&1) && random.contains(&63));
        assert_eq!(contents("random:u32:1..64", &words()), Ok(random));
        let floats = contents("random:f32:-1..1", &words()).expect("the source is right");
        assert!(floats.iter().all(|&bits| f32::from_bits(bits).abs() <= 1.0));
        let fixed = buffer(Layout::Scalar(Scalar::F32));
        assert!(contents("random:3..4", &fixed).is_ok_and(|of| f32::from_bits(of[0]) as u32 == 3));
        assert_eq!(contents("random:u32:3..=3:2", &words()), Ok(vec![3, 3]));
    }

    #[test]
    fn numbers_of_an_array_go_where_the_shader_expects_them() {
        let element = Layout::Vectors { scalar: Scalar::U32, size: 3, count: 1, stride: 12 };
        let layout = Layout::Array { element: Box::new(element), stride: 16, count: None };
        let numbers: Vec<u8> = (1..=6u32).flat_map(u32::to_le_bytes).collect();
        let spread_out = spread(&numbers, Scalar::U32, &layout).expect("two vectors");
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&spread_out);
        assert_eq!(words, [1, 2, 3, 0, 4, 5, 6, 0]);
        assert!(spread(&numbers[..20], Scalar::U32, &layout).is_err());
    }

    #[test]
    fn wrong_sources_are_refused_in_one_line() {
        let fixed = buffer(Layout::Scalar(Scalar::F32));
        for (source, buffer, part) in [
            ("ones", &words(), "no source"),
            ("random:u32:9..3", &words(), "empty"),
            ("random:u32:a..3", &words(), "no number"),
            ("zeros:4MB", &words(), "no size"),
            ("zeros:u32", &words(), "a size only"),
            ("zeros:3B", &words(), "at least 4"),
            ("zeros:0", &words(), "an element at least"),
            ("random:u32:-5..5", &words(), "-5 is none"),
            ("random:u64", &words(), "kind u32, not u64"),
            ("random:f32:-1e300..1", &words(), "is none"),
            ("random:f64:-1e308..1e308", &words(), "too wide"),
            ("random:f32:0..=1.5", &words(), "integers"),
            ("zeros:6B", &words(), "multiple of 4"),
            ("zeros:8", &fixed, "fixed size of 4 bytes"),
            ("zeros:8B", &fixed, "the shader's type 4"),
            ("missing.npy", &words(), "cannot be read from"),
            ("zeros:99999999999999999999", &words(), "no size"),
        ] {
            let error = contents(source, buffer).expect_err(source);
            assert!(error.contains(part) && !error.contains('\n'), "{source}: {error}");
        }
    }
}
