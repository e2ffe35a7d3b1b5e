//! The choice of an adapter: by number, by PCI bus id, by name, or the best one.

use std::fmt;

use wgpu::{Backend, Backends, PowerPreference};

use super::facts::{AdapterFacts, backend_name};
use crate::gpu::GpuError;

/// The user's choice of adapter and backend.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Number of the adapter in the list that [`list`] returns for the same backends, PCI bus id, or part of the
    /// adapter's name. The comparison ignores case.
    pub adapter: Option<String>,
    /// Comma-separated list of backends: `vulkan`, `metal`, `dx12`, `gl`.
    pub backend: Option<String>,
}

const BACKENDS: &str = "vulkan, metal, dx12, gl";

impl Selection {
    /// Returns the selection with missing fields taken from `WGPU_ADAPTER_NAME` and `WGPU_BACKEND`.
    fn or_environment(&self) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
        Self {
            adapter: self.adapter.clone().or_else(|| variable("WGPU_ADAPTER_NAME")),
            backend: self.backend.clone().or_else(|| variable("WGPU_BACKEND")),
        }
    }

    fn backends(&self) -> Result<Backends, GpuError> {
        let Some(text) = &self.backend else {
            return Ok(Backends::all());
        };
        // wgpu ignores unknown names in a list, so each name is parsed alone to detect them.
        text.split(',').try_fold(Backends::empty(), |all, name| {
            let backend = Backends::from_comma_list(name);
            if backend.is_empty() {
                return Err(GpuError::BadSetting {
                    name: "backend (--backend or WGPU_BACKEND)",
                    value: name.to_owned(),
                    accepted: BACKENDS,
                });
            }
            Ok(all | backend)
        })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.adapter, &self.backend) {
            (Some(name), Some(backend)) => write!(f, "`{name}` on backend `{backend}`"),
            (Some(name), None) => write!(f, "`{name}`"),
            (None, Some(backend)) => write!(f, "backend `{backend}`"),
            (None, None) => write!(f, "any adapter"),
        }
    }
}

/// Returns every adapter of the selected backends, best first. The place in the list is the number of the adapter.
///
/// Hardware adapters come before software adapters. Vulkan, Metal and DX12 come before GL. The power
/// preference decides among the remaining equals. Null devices, which execute nothing, come last.
///
/// # Errors
/// Returns an error if the backend or the power preference is unknown, or if no backend has an adapter.
pub fn list(selection: &Selection) -> Result<Vec<AdapterFacts>, GpuError> {
    let adapters = ranked(selection)?;
    if adapters.is_empty() {
        return Err(no_match(&selection.or_environment()));
    }
    Ok(adapters.iter().map(|adapter| AdapterFacts::of(adapter, adapter.features())).collect())
}

fn ranked(selection: &Selection) -> Result<Vec<wgpu::Adapter>, GpuError> {
    let selection = selection.or_environment();
    let preference = power_preference()?;
    let mut adapters = enumerate(selection.backends()?);
    adapters.sort_by_key(|adapter| rank(&adapter.get_info(), preference));
    Ok(adapters)
}

fn enumerate(backends: Backends) -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    descriptor.backends = backends;
    let instance = wgpu::Instance::new(descriptor);
    pollster::block_on(instance.enumerate_adapters(backends))
}

/// Returns the adapter that the user has chosen, or the best one.
///
/// # Errors
/// Returns an error if the backend or the power preference is unknown, if no adapter or more than one matches, or if
/// the adapter is a null device.
pub(crate) fn choose(selection: &Selection) -> Result<wgpu::Adapter, GpuError> {
    let wanted = selection.or_environment();
    let mut adapters = ranked(selection)?;
    let labels: Vec<Label> = adapters.iter().map(|a| Label::of(&a.get_info())).collect();
    let chosen = match &wanted.adapter {
        Some(words) => match find(words, &labels) {
            Found::None => return Err(no_match(&wanted)),
            Found::Several(places) => {
                let candidates = places.into_iter().map(|place| labels[place].in_list(place));
                return Err(GpuError::Ambiguous {
                    wanted: words.clone(),
                    candidates: candidates.collect::<Vec<_>>().join(", "),
                });
            }
            Found::One(place) => place,
        },
        None if labels.is_empty() => return Err(no_match(&wanted)),
        None => 0,
    };
    if labels[chosen].is_null {
        return Err(GpuError::NullDevice { adapter: labels[chosen].name.clone() });
    }
    Ok(adapters.swap_remove(chosen))
}

/// What a user sees of an adapter.
#[derive(Debug, Clone, PartialEq)]
struct Label {
    name: String,
    backend: &'static str,
    pci_bus_id: String,
    is_null: bool,
}

impl Label {
    fn of(info: &wgpu::AdapterInfo) -> Self {
        Self {
            name: info.name.clone(),
            backend: backend_name(info.backend),
            pci_bus_id: info.device_pci_bus_id.clone(),
            is_null: is_null(&info.name),
        }
    }

    /// Describes the adapter with its number in the list.
    fn in_list(&self, number: usize) -> String {
        let pci = &self.pci_bus_id;
        let pci = if pci.is_empty() { String::new() } else { format!(", PCI {pci}") };
        format!("{number}: `{}` ({}{pci})", self.name, self.backend)
    }
}

/// Returns whether an adapter of this name is a null device: one that compiles shaders and executes nothing.
///
/// Mesa's driver for AMD makes such devices for its developers.
fn is_null(name: &str) -> bool {
    name.starts_with("Null hardware")
}

/// The adapters that match what the user typed, by their places in the list.
#[derive(Debug, PartialEq)]
enum Found {
    None,
    One(usize),
    Several(Vec<usize>),
}

/// Finds the adapters that `words` name: by number in the list, else by PCI bus id, else by name.
///
/// Several backends may offer one GPU. Only adapters of the best backend count, which is the one of the first match.
/// An adapter whose whole name is equal to `words` comes before those whose name contains them.
fn find(words: &str, adapters: &[Label]) -> Found {
    if let Some(number) = words.parse().ok().filter(|&number: &usize| number < adapters.len()) {
        return Found::One(number);
    }
    let words = words.to_lowercase();
    // The domain of a PCI bus id, nearly always 0000, may be left out.
    let has_id = |label: &Label| {
        let id = label.pci_bus_id.to_lowercase();
        id == words || id.split_once(':').is_some_and(|(_, rest)| rest == words)
    };
    let is_named = |label: &Label| label.name.to_lowercase() == words;
    let contains = |label: &Label| label.name.to_lowercase().contains(&words);
    let rules: [&dyn Fn(&Label) -> bool; 3] = [&has_id, &is_named, &contains];
    for rule in rules {
        let matches: Vec<usize> = (0..adapters.len()).filter(|&i| rule(&adapters[i])).collect();
        let Some(&first) = matches.first() else { continue };
        let is_best = |&place: &usize| adapters[place].backend == adapters[first].backend;
        let best: Vec<usize> = matches.into_iter().filter(is_best).collect();
        return if best.len() == 1 { Found::One(first) } else { Found::Several(best) };
    }
    Found::None
}

fn no_match(wanted: &Selection) -> GpuError {
    let labels = enumerate(Backends::all()).into_iter().map(|a| Label::of(&a.get_info()));
    let names: Vec<String> =
        labels.map(|label| format!("`{}` ({})", label.name, label.backend)).collect();
    if names.is_empty() {
        return GpuError::NoAdapter;
    }
    GpuError::NoMatch { wanted: wanted.to_string(), available: names.join(", ") }
}

fn power_preference() -> Result<PowerPreference, GpuError> {
    match std::env::var("WGPU_POWER_PREF").unwrap_or_default().to_lowercase().as_str() {
        "" | "none" => Ok(PowerPreference::None),
        "low" => Ok(PowerPreference::LowPower),
        "high" => Ok(PowerPreference::HighPerformance),
        other => Err(GpuError::BadSetting {
            name: "WGPU_POWER_PREF",
            value: other.to_owned(),
            accepted: "low, high, none",
        }),
    }
}

/// Returns the sort key of an adapter. A smaller key is better.
fn rank(info: &wgpu::AdapterInfo, preference: PowerPreference) -> (bool, bool, bool, u8) {
    let kind = match (info.device_type, preference) {
        (wgpu::DeviceType::IntegratedGpu, PowerPreference::LowPower) => 0,
        (wgpu::DeviceType::DiscreteGpu, _) => 1,
        (wgpu::DeviceType::IntegratedGpu, _) => 2,
        _ => 3,
    };
    let is_software = info.device_type == wgpu::DeviceType::Cpu;
    (is_null(&info.name), is_software, info.backend == Backend::Gl, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, backend: &'static str, pci_bus_id: &str) -> Label {
        let (name, pci_bus_id) = (name.to_owned(), pci_bus_id.to_owned());
        Label { is_null: is_null(&name), name, backend, pci_bus_id }
    }

    /// A machine with two equal GPUs and a third one, which two backends offer, and a software device.
    fn machine() -> Vec<Label> {
        vec![
            label("NVIDIA GeForce RTX 3090", "vulkan", "0000:01:00.0"),
            label("NVIDIA GeForce RTX 3090", "vulkan", "0000:41:00.0"),
            label("Intel(R) UHD Graphics 770", "vulkan", "0000:00:02.0"),
            label("NVIDIA GeForce RTX 3090/PCIe/SSE2", "gl", ""),
            label("llvmpipe (LLVM 15.0.6, 256 bits)", "vulkan", ""),
            label("llvmpipe (LLVM 15.0.6, 256 bits)", "gl", ""),
        ]
    }

    #[test]
    fn an_adapter_is_found_by_number_by_pci_bus_id_and_by_part_of_its_name() {
        let adapters = machine();
        let cases = [
            ("0", Found::One(0)),
            ("5", Found::One(5)),
            ("0000:41:00.0", Found::One(1)),
            ("41:00.0", Found::One(1)),
            ("00:02.0", Found::One(2)),
            ("intel", Found::One(2)),
            ("UHD GRAPHICS", Found::One(2)),
            ("LLVMPIPE", Found::One(4)),
            ("sse2", Found::One(3)),
            ("770", Found::One(2)),
            ("nvidia", Found::Several(vec![0, 1])),
            ("3090", Found::Several(vec![0, 1])),
            ("NVIDIA GeForce RTX 3090", Found::Several(vec![0, 1])),
            ("9", Found::Several(vec![0, 1])),
            ("r", Found::Several(vec![0, 1, 2])),
            ("amd", Found::None),
            ("41:00", Found::None),
            ("99", Found::None),
            ("-1", Found::None),
            ("1.0", Found::None),
        ];
        for (words, expected) in cases {
            assert_eq!(find(words, &adapters), expected, "{words}");
        }
        assert_eq!(find("", &[]), Found::None);
        assert_eq!(find("0", &[]), Found::None);
    }

    #[test]
    fn a_whole_name_is_not_ambiguous_with_longer_names() {
        let adapters = [label("GPU 1", "vulkan", ""), label("GPU 1 Max", "vulkan", "")];
        assert_eq!(find("gpu 1", &adapters), Found::One(0));
        assert_eq!(find("gpu", &adapters), Found::Several(vec![0, 1]));
    }

    #[test]
    fn a_candidate_shows_what_the_option_accepts() {
        let adapters = machine();
        assert_eq!(
            adapters[1].in_list(1),
            "1: `NVIDIA GeForce RTX 3090` (vulkan, PCI 0000:41:00.0)"
        );
        assert_eq!(adapters[4].in_list(4), "4: `llvmpipe (LLVM 15.0.6, 256 bits)` (vulkan)");
    }

    #[test]
    fn a_null_device_is_known_by_its_name() {
        assert!(is_null("Null hardware (RADV GFX1100)"));
        assert!(!is_null("AMD Radeon RX 7900 XTX (RADV NAVI31)"));
    }
}
