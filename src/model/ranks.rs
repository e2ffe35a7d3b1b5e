//! Description of the processes that ran together.

use serde::{Deserialize, Serialize};

use super::figures;

/// Processes that ran an experiment together, and the library that sent their messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranks {
    /// Name and version of the message library.
    pub library: String,
    /// Variables that chose how messages were sent, each with its value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// The processes, by rank.
    pub members: Vec<Member>,
}

/// One of several processes that ran together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Name of the host.
    pub host: String,
    /// Number of cores that the process may use.
    pub cores: u32,
    /// Adapter of the process, with its address on the PCI bus if that is known.
    pub adapter: String,
}

impl Ranks {
    /// Returns the number of hosts.
    #[must_use]
    pub fn hosts(&self) -> usize {
        let mut hosts: Vec<&str> = self.members.iter().map(|member| &*member.host).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts.len()
    }

    /// Returns the number of ranks and hosts in words, such as `4 ranks on 2 hosts`.
    #[must_use]
    pub fn count(&self) -> String {
        let [ranks, hosts] = [(self.members.len(), "rank"), (self.hosts(), "host")]
            .map(|(count, word)| figures::counted(count, word));
        format!("{ranks} on {hosts}")
    }

    /// Returns the number of ranks and hosts, the library and its settings in words, such as `4 ranks on 2 hosts, Open MPI v4.1.4`.
    #[must_use]
    pub fn words(&self) -> String {
        let settings: Vec<String> = self.settings.iter().map(|of| format!(", {of}")).collect();
        format!("{}, {}{}", self.count(), self.library, settings.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_described_by_their_number_hosts_and_transport() {
        let member =
            |host: &str| Member { host: host.to_owned(), cores: 2, adapter: "llvmpipe".to_owned() };
        let mut ranks = Ranks {
            library: "Open MPI v4.1.4".to_owned(),
            settings: vec!["OMPI_MCA_btl=tcp,self".to_owned()],
            members: vec![member("b"), member("a"), member("b")],
        };
        assert_eq!(ranks.words(), "3 ranks on 2 hosts, Open MPI v4.1.4, OMPI_MCA_btl=tcp,self");
        ranks.members.truncate(1);
        ranks.settings.clear();
        assert_eq!(ranks.words(), "1 rank on 1 host, Open MPI v4.1.4");
    }
}
