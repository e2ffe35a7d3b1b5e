//! Adapters and backends that wgpu leaves out, as far as its log tells.

/// An adapter or a backend that wgpu does not offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Name of the adapter or of the backend.
    pub name: String,
    /// Why wgpu leaves it out, and what to do about it if something can be done.
    pub reason: String,
}

impl Hidden {
    /// Returns what a message in the log of wgpu says about an adapter or a backend that it leaves out; `None` for a
    /// message about something else.
    #[must_use]
    pub fn in_log(message: &str) -> Option<Self> {
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((cause, name)) = message.split_once(", hiding adapter: ") {
            let reason = if cause.contains("not Vulkan compliant") {
                "the driver is no conformant implementation of Vulkan; wgpu uses it only if \
                 WGPU_ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER=1 is set"
                    .to_owned()
            } else {
                cause.to_owned()
            };
            return Some(Self { name: name.to_owned(), reason });
        }
        let (_, failed) = message.split_once("failed to create ")?;
        let (backend, cause) = failed.split_once(" backend: ")?;
        Some(Self { name: format!("backend {}", backend.to_lowercase()), reason: cause.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_about_hidden_adapters_and_failed_backends_are_understood() {
        let hidden =
            |message: &str| Hidden::in_log(message).map(|hidden| (hidden.name, hidden.reason));
        let (name, reason) = hidden(
            "Adapter is not Vulkan compliant, hiding adapter: Microsoft Direct3D12 (NVIDIA RTX 4090)",
        )
        .expect("an adapter is hidden");
        assert_eq!(name, "Microsoft Direct3D12 (NVIDIA RTX 4090)");
        assert!(reason.contains("WGPU_ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER=1"));
        assert_eq!(
            hidden("VK_KHR_maintenance1 is not supported, hiding adapter: Old GPU"),
            Some(("Old GPU".to_owned(), "VK_KHR_maintenance1 is not supported".to_owned()))
        );
        let failed = "Instance::new: failed to create Vulkan backend: InstanceError { message: \"missing\nVulkan\" }";
        assert_eq!(
            hidden(failed),
            Some((
                "backend vulkan".to_owned(),
                "InstanceError { message: \"missing Vulkan\" }".to_owned()
            ))
        );
        assert_eq!(hidden("Instance::new: created Vulkan backend"), None);
        assert_eq!(hidden("Adapter is not Vulkan compliant, but is MoltenVK, continuing"), None);
    }
}
