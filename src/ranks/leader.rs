//! The first rank as an executor: it times exchanges with all ranks, and all other workloads on its own device.

use std::cell::RefCell;
use std::rc::Rc;

use super::command::{Answer, Command, Wrong};
use super::participant::Participant;
use crate::gpu::{
    AdapterFacts, BadSpan, Built, Exchange, Executor, GpuError, Mismatch, Ranks, Span, Timing,
    Traffic, Workload,
};
use crate::model::DeviceState;

/// An executor of the first rank.
///
/// Dropping it does not end the other ranks, because another one may be opened: see [`end`].
pub struct Leader {
    device: Box<dyn Executor>,
    participant: Rc<RefCell<Participant>>,
    facts: AdapterFacts,
    /// Where each loaded workload is.
    loaded: Vec<Place>,
    exchanges: Vec<Exchange>,
    /// Whether the last run was one of the device.
    was_of_device: bool,
}

/// Where a loaded workload is: its index among those of the device, or among the exchanges.
#[derive(Debug, Clone, Copy)]
enum Place {
    Device(usize),
    Exchange(usize),
}

/// Tells the other ranks that nothing more will come. They end.
pub fn end(participant: &Rc<RefCell<Participant>>) {
    participant.borrow_mut().lead(&Command::End);
}

impl Leader {
    /// Creates an executor of the first rank, whose own device is `device`.
    #[must_use]
    pub fn new(
        device: Box<dyn Executor>,
        participant: Rc<RefCell<Participant>>,
        ranks: Ranks,
    ) -> Self {
        let facts = AdapterFacts { ranks: Some(ranks), ..device.facts().clone() };
        Self {
            device,
            participant,
            facts,
            loaded: Vec::new(),
            exchanges: Vec::new(),
            was_of_device: true,
        }
    }

    fn failed(&self, reason: String) -> GpuError {
        GpuError::Device { adapter: self.facts.name.clone(), reason }
    }

    fn place(&self, index: usize) -> Result<Place, GpuError> {
        let place = self.loaded.get(index).copied();
        place.ok_or_else(|| self.failed(format!("workload {index} is not loaded")))
    }

    fn lead(&self, command: &Command) -> Vec<Answer> {
        self.participant.borrow_mut().lead(command)
    }

    /// Runs an exchange from every place in an array. Returns the first wrong word of any rank, or a wrong number of messages or of words sent.
    fn verify_exchange(&self, index: usize) -> Result<Result<(), Mismatch>, GpuError> {
        let answers = self.lead(&Command::Verify(index));
        // First, because a rank whose device fails sends wrong words to others.
        for (rank, answer) in answers.iter().enumerate() {
            if let Answer::Verified(Err(Wrong::Failed(reason))) = answer {
                return Err(self.failed(format!("rank {rank}: {reason}")));
            }
        }
        let mut sent = Traffic::default();
        for (rank, answer) in answers.into_iter().enumerate() {
            match answer {
                Answer::Verified(Ok(of_rank)) => {
                    sent.messages += of_rank.messages;
                    sent.words += of_rank.words;
                }
                Answer::Verified(Err(Wrong::Word(index, got, expected))) => {
                    let rank = Some(rank as u32);
                    return Ok(Err(Mismatch { rank, index, got, expected }));
                }
                other => return Err(self.failed(format!("rank {rank} answered {other:?}"))),
            }
        }
        match self.exchanges[index].traffic {
            Some(expected) if sent != expected => Err(self.failed(format!(
                "all ranks together sent {} messages of {} words, and by the law {} of {}",
                sent.messages, sent.words, expected.messages, expected.words
            ))),
            _ => Ok(Ok(())),
        }
    }

    /// Takes a sample of each of these exchanges. The longest time of a rank counts.
    fn time_exchanges(&self, order: Vec<usize>) -> Result<Vec<Span>, GpuError> {
        if order.is_empty() {
            return Ok(Vec::new());
        }
        let mut longest = vec![0.0f64; order.len()];
        for (rank, answer) in self.lead(&Command::Time(order)).into_iter().enumerate() {
            match answer {
                Answer::Timed(Ok(samples)) => {
                    for (longest, sample) in longest.iter_mut().zip(samples) {
                        *longest = longest.max(sample);
                    }
                }
                Answer::Timed(Err(reason)) => {
                    return Err(self.failed(format!("rank {rank}: {reason}")));
                }
                other => return Err(self.failed(format!("rank {rank} answered {other:?}"))),
            }
        }
        let span = |sample_s: f64| if sample_s > 0.0 { Ok(sample_s) } else { Err(BadSpan::Zero) };
        Ok(longest.into_iter().map(span).collect())
    }
}

impl Executor for Leader {
    fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    fn elapsed_s(&self) -> f64 {
        self.device.elapsed_s()
    }

    fn state(&self) -> Option<DeviceState> {
        self.device.state()
    }

    fn use_host_clock(&mut self, reason: String) {
        self.device.use_host_clock(reason);
        let ranks = self.facts.ranks.take();
        self.facts = AdapterFacts { ranks, ..self.device.facts().clone() };
    }

    fn built(&self) -> Built {
        self.device.built()
    }

    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError> {
        let (mut of_device, mut exchanges) = (Vec::new(), Vec::new());
        self.loaded = workloads
            .iter()
            .map(|workload| match workload.timing {
                Timing::Exchange { exchange, repeats } => {
                    exchanges.push((exchange, repeats));
                    Place::Exchange(exchanges.len() - 1)
                }
                _ => {
                    of_device.push(workload.clone());
                    Place::Device(of_device.len() - 1)
                }
            })
            .collect();
        let by_device = self.device.load(&of_device)?;
        self.exchanges = exchanges.iter().map(|&(exchange, _)| exchange).collect();
        let mut by_ranks = vec![None; exchanges.len()];
        for (rank, answer) in self.lead(&Command::Load(exchanges)).into_iter().enumerate() {
            let Answer::Loaded(refusals) = answer else {
                return Err(self.failed(format!("rank {rank} answered {answer:?}")));
            };
            for (refusal, of_rank) in by_ranks.iter_mut().zip(refusals) {
                let named = of_rank.map(|reason| format!("rank {rank}: {reason}"));
                *refusal = refusal.take().or(named);
            }
        }
        let refusal = |place: &Place| match *place {
            Place::Device(index) => by_device[index].clone(),
            Place::Exchange(index) => by_ranks[index].clone(),
        };
        Ok(self.loaded.iter().map(refusal).collect())
    }

    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError> {
        match self.place(index)? {
            Place::Device(index) => self.device.outputs(index),
            Place::Exchange(_) => {
                Err(self.failed("each rank checks what it received itself".to_owned()))
            }
        }
    }

    fn verify(
        &mut self,
        index: usize,
        workload: &Workload,
    ) -> Result<Result<(), Mismatch>, GpuError> {
        let place = self.place(index)?;
        self.was_of_device = matches!(place, Place::Device(_));
        match place {
            Place::Device(index) => self.device.verify(index, workload),
            Place::Exchange(index) => self.verify_exchange(index),
        }
    }

    fn subgroup_sizes(&self) -> &[u32] {
        if self.was_of_device { self.device.subgroup_sizes() } else { &[] }
    }

    fn round(&mut self, order: &[usize]) -> Result<Vec<Span>, GpuError> {
        let (mut of_device, mut of_ranks) = (Vec::new(), Vec::new());
        for &index in order {
            match self.place(index)? {
                Place::Device(index) => of_device.push(index),
                Place::Exchange(index) => of_ranks.push(index),
            }
        }
        let mut by_device = self.device.round(&of_device)?.into_iter();
        let mut by_ranks = self.time_exchanges(of_ranks)?.into_iter();
        let missing = Err(BadSpan::Unwritten);
        order
            .iter()
            .map(|&index| {
                Ok(match self.place(index)? {
                    Place::Device(_) => by_device.next().unwrap_or(missing),
                    Place::Exchange(_) => by_ranks.next().unwrap_or(missing),
                })
            })
            .collect()
    }
}
