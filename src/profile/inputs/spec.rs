//! What to profile and what to feed it: from a file, from the command line, or from both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::source::{Source, bytes_of_number, fits};
use crate::profile::{Access, BoundBuffer, Layout, NeededBuffer, Needs};

/// A dispatch with its inputs, as a file contains it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// File of the shader.
    pub shader: PathBuf,
    /// Entry point; if absent, the only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Number of workgroups in x, y and z, of which the last ones may be left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dispatch: Vec<u32>,
    /// Sources of buffers, by `GROUP.BINDING`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bind: BTreeMap<String, String>,
    /// Values of members, by `GROUP.BINDING.MEMBER`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Value>,
    /// Values of pipeline-overridable constants, by name.
    #[serde(default, rename = "override", skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, Number>,
}

/// A value of a pipeline-overridable constant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
}

impl Number {
    /// Returns the value; 1 for `true`.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Bool(value) => f64::from(u8::from(value)),
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

/// A value of a member: one number, or several for a vector, a matrix or an array.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// One number.
    One(Number),
    /// Several numbers, in the order of memory.
    Several(Vec<Number>),
}

impl Value {
    fn numbers(&self) -> Vec<f64> {
        match self {
            Self::One(number) => vec![number.value()],
            Self::Several(numbers) => numbers.iter().map(|number| number.value()).collect(),
        }
    }
}

impl std::str::FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let integer = text.parse().ok().map(Self::Integer);
        let float = || text.parse().ok().filter(|value: &f64| value.is_finite()).map(Self::Float);
        let is_bool = || text.parse().ok().map(Self::Bool);
        integer.or_else(float).or_else(is_bool).ok_or_else(|| format!("`{text}` is no number"))
    }
}

impl std::str::FromStr for Value {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Vec<Number> =
            text.split(',').map(|number| number.trim().parse()).collect::<Result<_, _>>()?;
        match numbers[..] {
            [one] => Ok(Self::One(one)),
            _ => Ok(Self::Several(numbers)),
        }
    }
}

/// Parses `NAME=VALUE`.
///
/// # Errors
/// Returns an error if there is no `=`, or if the value is wrong.
pub fn pair<T: std::str::FromStr<Err: ToString>>(text: &str) -> Result<(String, T), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`; give NAME=VALUE"))?;
    let value = value.parse().map_err(|error: T::Err| error.to_string())?;
    Ok((name.to_owned(), value))
}

/// Numbers of workgroups in x, y and z, as a user writes them: such as `1024` or `64,64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workgroups(pub Vec<u32>);

impl std::str::FromStr for Workgroups {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(['x', ',']).map(|part| part.trim().parse());
        let parts: Option<Vec<u32>> = parts.collect::<Result<_, _>>().ok();
        let parts = parts.filter(|parts| (1..=3).contains(&parts.len()) && !parts.contains(&0));
        parts.map(Self).ok_or_else(|| {
            format!(
                "`{text}` is no number of workgroups; give one to three above zero, such as 1024 or 64,64"
            )
        })
    }
}

impl Spec {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// Returns an error without the path if the file cannot be read or is not one of a dispatch.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let spec: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
            let line = line.map_or(String::new(), |line| format!("line {line}: "));
            format!("{line}{}", error.message().replace('\n', " "))
        })?;
        let zero = spec.dispatch.contains(&0) || spec.dispatch.len() > 3;
        if zero {
            return Err("`dispatch` must have one to three numbers above zero".to_owned());
        }
        Ok(spec)
    }

    /// Returns the number of workgroups in x, y and z; `None` if the dispatch is missing.
    #[must_use]
    pub fn workgroups(&self) -> Option<[u32; 3]> {
        let of = |axis: usize| self.dispatch.get(axis).copied().unwrap_or(1);
        (!self.dispatch.is_empty()).then(|| [of(0), of(1), of(2)])
    }

    /// Returns what the shader needs and the spec does not have, as arguments of the command line.
    #[must_use]
    pub fn missing(&self, needs: &Needs) -> Vec<String> {
        let mut missing = Vec::new();
        if self.dispatch.is_empty() {
            missing.push("--dispatch 1024".to_owned());
        }
        for constant in needs.constants.iter().filter(|constant| !constant.has_default) {
            if !self.constants.contains_key(&constant.name) {
                missing.push(format!("--override {}=VALUE", constant.name));
            }
        }
        for buffer in &needs.buffers {
            let place = place(buffer);
            if !self.bind.contains_key(&place) {
                missing.extend(self.missing_of(buffer, &place));
            }
        }
        missing
    }

    /// Returns what is missing for a buffer without a source.
    fn missing_of(&self, buffer: &NeededBuffer, place: &str) -> Vec<String> {
        if buffer.layout.tail().is_some() {
            let source = match buffer.access {
                Access::ReadWrite => "zeros".to_owned(),
                _ => suggestion(&buffer.layout),
            };
            return vec![format!("--bind {place}={source}")];
        }
        // What the shader writes may begin with zeros.
        if buffer.access == Access::ReadWrite {
            return vec![];
        }
        let mut missing = Vec::new();
        members(&buffer.layout, place, &mut |path, layout| {
            let is_set = self.set.keys().any(|set| {
                set == path || set.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
            });
            if !is_set {
                missing.push(format!("--set {path}={}", value_form(layout)));
            }
        });
        missing
    }

    /// Returns the values of the pipeline-overridable constants, by name.
    #[must_use]
    pub fn constants(&self) -> BTreeMap<String, f64> {
        self.constants.iter().map(|(name, number)| (name.clone(), number.value())).collect()
    }

    /// Checks that the entry point has everything that is given.
    ///
    /// # Errors
    /// Returns an error with the first thing that it does not have, and with what it has.
    pub fn check(&self, needs: &Needs) -> Result<(), String> {
        let places: Vec<String> = needs.buffers.iter().map(place).collect();
        let buffers = || {
            let names = needs.buffers.iter().zip(&places);
            let names = names.map(|(buffer, place)| format!("{place} `{}`", buffer.name));
            listed(&names.collect::<Vec<_>>())
        };
        if let Some(unknown) = self.bind.keys().find(|place| !places.contains(place)) {
            return Err(format!(
                "the entry point binds no buffer {unknown}; it binds {}",
                buffers()
            ));
        }
        let is_known = |path: &&String| places.iter().any(|place| is_in(path, place));
        if let Some(unknown) = self.set.keys().find(|path| !is_known(path)) {
            return Err(format!(
                "`{unknown}` is in no buffer of the entry point; it binds {}",
                buffers()
            ));
        }
        let is_constant = |name: &&String| needs.constants.iter().any(|of| of.name == **name);
        match self.constants.keys().find(|name| !is_constant(name)) {
            Some(unknown) => {
                let known: Vec<String> =
                    needs.constants.iter().map(|of| format!("`{}`", of.name)).collect();
                Err(format!("the shader has no override `{unknown}`; it has {}", listed(&known)))
            }
            None => Ok(()),
        }
    }

    /// Returns the contents of the buffers. Open sizes are `elements` elements.
    ///
    /// # Errors
    /// Returns an error if a source or a value does not fit the shader.
    pub fn buffers(
        &self,
        needs: &Needs,
        elements: u64,
        seed: u64,
        folder: &Path,
    ) -> Result<Vec<BoundBuffer>, String> {
        let places: Vec<String> = needs.buffers.iter().map(place).collect();
        let of = |(buffer, place): (&NeededBuffer, &String)| {
            let name = format!("{place} `{}`", buffer.name);
            let named = |error: String| format!("{name} {error}");
            let source: Source = match self.bind.get(place) {
                Some(source) => source.parse().map_err(|error| format!("{name}: {error}"))?,
                None => Source::Zeros(None),
            };
            let mut bytes = source.contents(buffer, elements, seed, folder).map_err(named)?;
            for (path, value) in self.set.iter().filter(|(path, _)| is_in(path, place)) {
                let member = path[place.len()..].trim_start_matches('.');
                set(&mut bytes, &buffer.layout, member, &value.numbers())
                    .map_err(|error| format!("`{path}`: {error}"))?;
            }
            let NeededBuffer { group, binding, .. } = *buffer;
            Ok(BoundBuffer { group, binding, bytes })
        };
        needs.buffers.iter().zip(&places).map(of).collect()
    }

    /// Adds forms for what the shader needs and the spec does not have, so that a user can edit them.
    pub fn complete(&mut self, needs: &Needs) {
        self.entry.get_or_insert_with(|| needs.entry.clone());
        if self.dispatch.is_empty() {
            self.dispatch = vec![1024];
        }
        for constant in needs.constants.iter().filter(|constant| !constant.has_default) {
            self.constants.entry(constant.name.clone()).or_insert(Number::Integer(64));
        }
        for buffer in &needs.buffers {
            let place = place(buffer);
            if self.bind.contains_key(&place) {
                continue;
            }
            if buffer.layout.tail().is_some() || buffer.access == Access::ReadWrite {
                let is_output = buffer.access == Access::ReadWrite;
                let source =
                    if is_output { "zeros".to_owned() } else { suggestion(&buffer.layout) };
                self.bind.insert(place, source);
            } else {
                members(&buffer.layout, &place, &mut |path, layout| {
                    let count = numbers_in(layout);
                    let zero = Number::Integer(0);
                    let value = if count == 1 {
                        Value::One(zero)
                    } else {
                        Value::Several(vec![zero; count])
                    };
                    self.set.entry(path.to_owned()).or_insert(value);
                });
            }
        }
    }
}

/// Returns names as a list, or that there is none.
fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Returns `GROUP.BINDING`.
fn place(buffer: &NeededBuffer) -> String {
    format!("{}.{}", buffer.group, buffer.binding)
}

/// Returns whether the path of a member is in the buffer at `place`.
fn is_in(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Returns a source for a buffer that a shader reads.
fn suggestion(layout: &Layout) -> String {
    layout.scalar().map_or("random".to_owned(), |scalar| format!("random:{}", scalar.as_str()))
}

/// Calls `each` with the paths of the members that are no structures.
fn members(layout: &Layout, path: &str, each: &mut impl FnMut(&str, &Layout)) {
    match layout {
        Layout::Struct { members: of, .. } => {
            for (name, _, layout) in of {
                members(layout, &format!("{path}.{name}"), each);
            }
        }
        other => each(path, other),
    }
}

/// Returns the number of numbers in a layout of fixed size.
fn numbers_in(layout: &Layout) -> usize {
    let mut count = 0;
    layout.numbers(layout.bytes(0), &mut |_, _| count += 1);
    count
}

/// Returns the form of a value.
fn value_form(layout: &Layout) -> String {
    let scalar =
        layout.scalar().map_or("VALUE".to_owned(), |scalar| scalar.as_str().to_uppercase());
    match numbers_in(layout) {
        count @ 2..=4 => vec![scalar; count].join(","),
        1 => scalar,
        count => format!("{scalar},…({count} numbers)"),
    }
}

/// Sets the numbers of a member.
///
/// # Errors
/// Returns an error if there is no such member, or if it has another number of numbers.
fn set(bytes: &mut [u8], layout: &Layout, member: &str, values: &[f64]) -> Result<(), String> {
    let (mut layout, mut first) = (layout, 0u64);
    for name in member.split('.').filter(|name| !name.is_empty()) {
        (layout, first) = match layout {
            Layout::Struct { members, .. } => {
                let found = members.iter().find(|(known, _, _)| known == name);
                let known = || members.iter().map(|(name, _, _)| name.as_str()).collect::<Vec<_>>();
                let (_, offset, layout) = found.ok_or_else(|| {
                    format!("no member `{name}`; there is {}", known().join(", "))
                })?;
                (layout, first + u64::from(*offset))
            }
            Layout::Array { element, stride, count } => {
                let index: u64 =
                    name.parse().map_err(|_| format!("`{name}` is no index of an array"))?;
                if count.is_some_and(|count| index >= count.into()) {
                    return Err(format!("the array has no element {index}"));
                }
                let offset =
                    index.checked_mul(u64::from(*stride)).and_then(|of| of.checked_add(first));
                let offset = offset.filter(|&offset| offset < bytes.len() as u64);
                (&**element, offset.ok_or("the buffer is too short for this element")?)
            }
            _ => {
                return Err(format!("`{name}` is no member, because this is a number or a vector"));
            }
        };
    }
    if layout.tail().is_some() {
        return Err(
            "an array of open size is filled by --bind, or set element by element".to_owned()
        );
    }
    let mut places = Vec::new();
    layout.numbers(layout.bytes(0), &mut |at, scalar| places.push((first + at, scalar)));
    if places.len() != values.len() {
        return Err(format!("{} numbers are given, and it has {}", values.len(), places.len()));
    }
    for ((at, scalar), &value) in places.into_iter().zip(values) {
        if !fits(scalar, value) {
            return Err(format!("{value} is no {}", scalar.as_str()));
        }
        let value = bytes_of_number(scalar, value);
        let end = usize::try_from(at).ok().and_then(|at| at.checked_add(value.len()));
        let place = end.and_then(|end| bytes.get_mut(end - value.len()..end));
        place.ok_or("the buffer is too short for this element")?.copy_from_slice(&value);
    }
    Ok(())
}
