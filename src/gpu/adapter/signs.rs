//! Signs of a GPU that no driver offers: device nodes of the kernel.

use std::path::Path;

/// PCI vendors that make GPUs, with what gives their GPUs a Vulkan driver.
const VENDORS: [(&str, &str, &str); 3] = [
    (
        "0x10de",
        "NVIDIA",
        "install NVIDIA's driver with its Vulkan library (libGLX_nvidia, nvidia_icd.json)",
    ),
    ("0x1002", "AMD", "install Mesa's Vulkan drivers (mesa-vulkan-drivers)"),
    ("0x8086", "Intel", "install Mesa's Vulkan drivers (mesa-vulkan-drivers)"),
];

/// Returns a line for each sign that this machine has a GPU, with what to do so that it can be measured.
///
/// `root` is the root of the file system: `/`, except in tests. Only Linux has such signs.
#[must_use]
pub fn signs_of_gpus(root: &Path) -> Vec<String> {
    let mut signs = Vec::new();
    if root.join("dev/dxg").exists() {
        signs.push(
            "/dev/dxg exists: this is WSL2 with a GPU, for which Linux has no conformant Vulkan driver; measure with a \
             Windows build of warplaw"
                .to_owned(),
        );
    }
    let is_nvidia = root.join("dev/nvidia0").exists();
    if is_nvidia {
        let (_, name, remedy) = VENDORS[0];
        signs.push(format!("/dev/nvidia0 exists: the machine has a GPU of {name}; {remedy}"));
    }
    let Ok(nodes) = std::fs::read_dir(root.join("dev/dri")) else { return signs };
    let mut nodes: Vec<String> = nodes
        .flatten()
        .map(|node| node.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("renderD"))
        .collect();
    nodes.sort();
    for node in nodes {
        let vendor = root.join("sys/class/drm").join(&node).join("device/vendor");
        let vendor = std::fs::read_to_string(vendor).unwrap_or_default();
        let known = VENDORS.iter().find(|(id, ..)| *id == vendor.trim());
        let Some((_, name, remedy)) = known.filter(|(id, ..)| !(is_nvidia && *id == VENDORS[0].0))
        else {
            continue;
        };
        let opened = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(root.join("dev/dri").join(&node));
        let remedy = match opened {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                "this user may not open it; add the user to the group that owns it, often `render`"
            }
            _ => remedy,
        };
        signs.push(format!("/dev/dri/{node} exists: the machine has a GPU of {name}; {remedy}"));
    }
    signs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a root with these files. Each has a path and contents.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder can be made");
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        root
    }

    fn signs(files: &[(&str, &str)]) -> Vec<String> {
        signs_of_gpus(root(files).path())
    }

    #[test]
    fn device_nodes_are_signs_of_a_gpu_with_a_remedy() {
        assert_eq!(signs(&[]), Vec::<String>::new());
        let wsl = signs(&[("dev/dxg", "")]);
        assert!(wsl.len() == 1 && wsl[0].contains("WSL2") && wsl[0].contains("Windows"), "{wsl:?}");
        let amd = signs(&[
            ("dev/dri/renderD128", ""),
            ("dev/dri/card0", ""),
            ("sys/class/drm/renderD128/device/vendor", "0x1002\n"),
        ]);
        assert!(amd.len() == 1 && amd[0].contains("AMD") && amd[0].contains("mesa"), "{amd:?}");
        let nvidia = signs(&[
            ("dev/nvidia0", ""),
            ("dev/dri/renderD128", ""),
            ("sys/class/drm/renderD128/device/vendor", "0x10de\n"),
        ]);
        assert!(nvidia.len() == 1 && nvidia[0].contains("NVIDIA"), "{nvidia:?}");
    }

    #[test]
    fn a_display_of_a_virtual_machine_is_no_sign() {
        let virtio =
            [("dev/dri/renderD128", ""), ("sys/class/drm/renderD128/device/vendor", "0x1af4\n")];
        assert_eq!(signs(&virtio), Vec::<String>::new());
    }
}
