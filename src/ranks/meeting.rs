//! The meeting of the ranks: they learn of one another, and whether they can measure together.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::command::to_bytes;
use super::link::Link;
use super::participant::Participant;
use super::watchdog::OPENING_S;

/// What a rank tells all others before it opens its device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// Name of the host.
    pub host: String,
    /// Name, version and commit of the build.
    pub build: String,
    /// The cores that the process may use, by number; `None` where the system does not tell.
    pub cores: Option<Vec<u32>>,
    /// Number of cores that the process may use.
    pub core_count: u32,
}

impl Participant {
    /// Returns the greetings of all ranks, after each has given its own.
    ///
    /// # Errors
    /// Returns the reason on every rank if they are not of one build.
    pub fn meet(&mut self, own: &Greeting) -> Result<Vec<Greeting>, String> {
        self.watchdog.expect("greetings of all ranks");
        self.agree(own, |all| {
            let build = |of: &Option<Greeting>| of.as_ref().map(|greeting| greeting.build.clone());
            let other = all.iter().position(|of| build(of).is_none_or(|build| build != own.build))?;
            let theirs = build(&all[other]).unwrap_or_else(|| "another build".to_owned());
            let host = all[other].as_ref().map_or(String::new(), |of| format!(" on host `{}`", of.host));
            Some(format!(
                "rank {other}{host} runs {theirs}, and rank 0 on host `{}` {}: install one build on all hosts",
                own.host, own.build
            ))
        })
    }

    /// Returns the adapters of all ranks, after each has given its own or the reason why it has none.
    ///
    /// # Errors
    /// Returns the first such reason on every rank.
    pub fn compare_adapters(
        &mut self,
        own: &Result<String, String>,
        greetings: &[Greeting],
    ) -> Result<Vec<String>, String> {
        self.watchdog.expect_for(OPENING_S, "devices of all ranks");
        let opened = self.agree(own, |all: &[Option<Result<String, String>>]| {
            let failed = all.iter().enumerate().find_map(|(rank, opened)| match opened {
                Some(Ok(_)) => None,
                Some(Err(reason)) => Some((rank, reason.as_str())),
                None => Some((rank, "its answer cannot be read")),
            });
            failed.map(|(rank, reason)| {
                format!("rank {rank} on host `{}`: {reason}", greetings[rank].host)
            })
        })?;
        opened.into_iter().collect()
    }

    /// Returns what all ranks have told, in order. The first rank judges it: `refusal` gets `None` for what cannot be read, and
    /// returns why the ranks cannot measure together.
    fn agree<T: Serialize + DeserializeOwned>(
        &mut self,
        own: &T,
        refusal: impl FnOnce(&[Option<T>]) -> Option<String>,
    ) -> Result<Vec<T>, String> {
        let told = self.link.gather(to_bytes(own));
        let told: Vec<Option<T>> =
            told.iter().map(|bytes| serde_json::from_slice(bytes).ok()).collect();
        // Ranks other than the first get nothing, and send nothing here.
        let outcome: Result<Vec<T>, String> = match refusal(&told) {
            Some(reason) => Err(reason),
            None => Ok(told.into_iter().flatten().collect()),
        };
        let heard = self.link.broadcast(to_bytes(&outcome));
        self.watchdog.rest();
        serde_json::from_slice(&heard)
            .unwrap_or_else(|_| Err("rank 0 runs another build".to_owned()))
    }
}
