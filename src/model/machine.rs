//! Description of the host.

use serde::{Deserialize, Serialize};

/// Operating system and processor of the host on which a record was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Name and version of the operating system.
    pub os: String,
    /// Brand of the processor; absent if the system does not report one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Number of cores that the process may use.
    pub cores: u32,
}

impl Machine {
    /// Describes this host.
    #[must_use]
    pub fn here() -> Self {
        let brand = sysinfo::System::new().ok().and_then(|mut system| {
            system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
            system.cpus().first().map(|cpu| cpu.brand().trim().to_owned())
        });
        Self {
            os: sysinfo::System::long_os_version()
                .unwrap_or_else(|_| std::env::consts::OS.to_owned()),
            cpu: brand.filter(|brand| !brand.is_empty()),
            cores: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        }
    }
}
