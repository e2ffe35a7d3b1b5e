//! The profile of a shader: what the subgroups of one dispatch did, line by line.
//!
//! Subgroups are those of a replay of the decisions that the invocations made on the device. New fields keep the major version,
//! and readers ignore unknown fields. What was not measured is absent, never zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Accesses, Adapter, ClockKind, Interval, Schema, Tool};

/// Instructions that subgroups issued, and their lanes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Instructions.
    pub issues: u64,
    /// Active lanes, summed over instructions.
    pub lanes: u64,
    /// Lanes of the subgroups, active or not, summed over instructions. The last subgroup of a workgroup may have fewer lanes
    /// than the others.
    pub slots: u64,
}

impl Totals {
    /// Returns η, the share of lane slots that were active: active lanes / (issues × W), where W is the number of lanes that
    /// a subgroup has. A workgroup that does not fill its last subgroup loses nothing by that. `None` without instructions.
    ///
    /// ```
    /// use warplaw::model::Totals;
    /// let totals = Totals { issues: 10, lanes: 80, slots: 320 };
    /// assert_eq!(totals.efficiency(), Some(0.25));
    /// assert_eq!(totals.lost(), 240);
    /// assert_eq!(Totals::default().efficiency(), None);
    /// ```
    #[must_use]
    pub fn efficiency(&self) -> Option<f64> {
        (self.slots > 0).then(|| self.lanes as f64 / self.slots as f64)
    }

    /// Returns the lane slots that were lost: issued, and without an active lane.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.slots.saturating_sub(self.lanes)
    }

    /// Adds `times` times `other`.
    pub fn add(&mut self, times: u64, other: Self) {
        self.issues += times * other.issues;
        self.lanes += times * other.lanes;
        self.slots += times * other.slots;
    }
}

/// What subgroups did in a loop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iterated {
    /// How often subgroups began the loop.
    pub entries: u64,
    /// Lanes that began it, summed over entries.
    pub lanes: u64,
    /// Iterations of subgroups: of each entry, those of the lane with the most.
    pub iterations: u64,
    /// Iterations of lanes.
    pub lane_iterations: u64,
    /// Iterations of subgroups times the lanes that began the loop together.
    pub lane_slots: u64,
}

impl Iterated {
    /// Adds other executions of the same loop.
    pub fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.lanes += other.lanes;
        self.iterations += other.iterations;
        self.lane_iterations += other.lane_iterations;
        self.lane_slots += other.lane_slots;
    }

    /// Returns the iterations of the longest lane over those of the mean lane, among the lanes of a subgroup that began the
    /// loop together: how much longer the loop takes than if all its lanes iterated equally often. `None` without iterations.
    ///
    /// ```
    /// use warplaw::model::Iterated;
    /// // One subgroup of four lanes, with 1, 1, 2 and 8 iterations.
    /// let uneven = Iterated { entries: 1, lanes: 4, iterations: 8, lane_iterations: 12, lane_slots: 32 };
    /// assert_eq!(uneven.longest_over_mean(), Some(32.0 / 12.0));
    /// // A lane alone with 100 iterations, and 32 lanes with one each, lose nothing.
    /// let even = Iterated { entries: 2, lanes: 33, iterations: 101, lane_iterations: 132, lane_slots: 132 };
    /// assert_eq!(even.longest_over_mean(), Some(1.0));
    /// ```
    #[must_use]
    pub fn longest_over_mean(&self) -> Option<f64> {
        let mean = self.lane_iterations as f64;
        (mean > 0.0).then(|| self.lane_slots as f64 / mean)
    }
}

/// The profile of one dispatch of a shader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShaderProfile {
    /// Name and version of the file format.
    pub schema: Schema,
    /// Build and command that made the profile; absent if a program made it by the library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
    /// Adapter and driver.
    pub adapter: Adapter,
    /// The shader and its dispatch.
    pub dispatch: ProfiledDispatch,
    /// Lanes of a subgroup in the replay.
    pub subgroup_size: SubgroupLanes,
    /// The workgroups that were replayed.
    pub sample: Sample,
    /// All instructions.
    pub totals: Totals,
    /// Instructions of the subgroup that issued the most.
    pub longest: u64,
    /// All instructions at other subgroup sizes, in ascending order.
    pub widths: Vec<AtWidth>,
    /// Lines with statements, in ascending order.
    pub lines: Vec<Line>,
    /// Decisions: statements after which lanes may go different ways.
    pub decisions: Vec<Decision>,
    /// Loops.
    pub loops: Vec<Loop>,
    /// Call paths, in the order of calls.
    pub paths: Vec<CallPath>,
    /// Work of the invocations of the whole dispatch.
    pub work: Work,
    /// What the probes changed in the shader's buffers.
    pub outputs: Vec<Output>,
    /// Times of the dispatch; absent if it was not timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// Where the costs of the time estimates come from; absent without estimates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// What sorting the invocations by work and path gains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sorting: Option<Sorting>,
    /// Accesses to memory; absent if their addresses were not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accesses: Option<Accesses>,
    /// What limits the results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl ShaderProfile {
    /// Name of the file format.
    pub const NAME: &'static str = "warplaw-profile";
    /// Version of the profiles that this version of warplaw writes.
    pub const VERSION: &'static str = "1.1.0";
}

/// A shader and its dispatch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProfiledDispatch {
    /// File of the shader, or another name.
    pub file: String,
    /// Entry point.
    pub entry: String,
    /// Number of workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// Invocations of a workgroup in x, y and z.
    pub workgroup_size: [u32; 3],
    /// Values of pipeline-overridable constants that were given, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, f64>,
    /// The source.
    pub source: String,
}

/// Lanes of a subgroup, and who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubgroupLanes {
    /// Number of lanes that a subgroup can have.
    pub lanes: u32,
    /// Most lanes of a subgroup of this workgroup: fewer if the device does not let a subgroup span rows of a workgroup.
    pub used: u32,
    /// Who said so.
    pub source: LanesSource,
}

/// Who said how many lanes a subgroup has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LanesSource {
    /// The pipeline with probes, as it ran.
    Pipeline,
    /// A record of the device, whose experiment `width` measured it.
    Record,
    /// The user.
    Given,
    /// Someone that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A sample of the workgroups of a dispatch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Workgroups whose decisions were recorded and replayed.
    pub workgroups: u32,
    /// Workgroups of the dispatch.
    pub of: u32,
    /// Seed of the choice.
    pub seed: u64,
    /// Bytes of the buffer with the decisions.
    pub log_bytes: u64,
}

/// All instructions at another subgroup size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtWidth {
    /// Lanes of a subgroup.
    pub lanes: u32,
    /// All instructions.
    pub totals: Totals,
}

/// What subgroups did on a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Number of the line, from 1.
    pub number: u32,
    /// How often subgroups executed the statement on the line that they executed most often.
    pub executions: u64,
    /// Instructions that subgroups issued for the line.
    pub totals: Totals,
    /// How often the lanes of a subgroup went different ways after a decision on the line.
    pub splits: u64,
    /// Estimated seconds of the dispatch that the line takes; absent without costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_s: Option<f64>,
}

/// Kind of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecisionKind {
    /// An `if`, or the condition of a `for` or `while`.
    If,
    /// A `switch`.
    Switch,
    /// A `break if`.
    BreakIf,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What the values of a decision depend on beyond the inputs of the dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Depends {
    /// On the result of an atomic operation, so on the order in which invocations arrive.
    Atomic,
    /// On the other lanes of the subgroup, so on how many lanes it has.
    Subgroup,
    /// On the result of an atomic operation, by which a lane leaves a loop: the loop waits for other invocations, or retries.
    Waits,
    /// On something that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What subgroups did at a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Line on which the statement begins, from 1.
    pub line: u32,
    /// Kind of the statement.
    pub kind: DecisionKind,
    /// How often subgroups decided.
    pub executions: u64,
    /// How often the lanes of a subgroup went different ways.
    pub splits: u64,
    /// What the decision depends on beyond the inputs; absent if on nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends: Option<Depends>,
}

/// What subgroups did in a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loop {
    /// Line on which the loop begins, from 1.
    pub line: u32,
    /// Its iterations.
    pub iterated: Iterated,
}

/// A function on the way from the entry point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Name of the function.
    pub function: String,
    /// Line of the call, from 1.
    pub line: u32,
}

/// Instructions that subgroups issued in a function, by the calls that led there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallPath {
    /// The calls, from the one in the entry point; none for the entry point itself.
    pub calls: Vec<Call>,
    /// Instructions of the function itself.
    pub own: Totals,
    /// Instructions of the function and of those that it called.
    pub all: Totals,
}

/// Work of the invocations of a dispatch, in instructions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Invocations.
    pub invocations: u64,
    /// Instructions of the invocation with the fewest.
    pub least: u32,
    /// Mean.
    pub mean: f64,
    /// Instructions of the invocation with the most.
    pub most: u32,
    /// Invocations by their work, in ascending order.
    pub histogram: Vec<Bin>,
}

/// Invocations with about the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// Fewest instructions.
    pub from: u32,
    /// Most instructions.
    pub to: u32,
    /// Number of invocations.
    pub invocations: u64,
}

/// A buffer that the shader may write, with and without probes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Group, binding and name, such as ``0.1 `pixels` ``.
    pub name: String,
    /// 32-bit words of the buffer.
    pub words: u64,
    /// Words that differ between the run with probes and one without.
    pub differing: u64,
    /// Words that differ between two runs without probes.
    pub differing_without_probes: u64,
}

/// A median with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Median {
    /// The median.
    pub value: f64,
    /// Its interval; absent if there are too few samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// Times of the dispatch on the device.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// Seconds of the shader as it is.
    pub plain_s: Median,
    /// Seconds of the shader with probes.
    pub probed_s: Median,
    /// With probes over without, of the same round.
    pub overhead: Median,
    /// Rounds.
    pub rounds: u32,
    /// Clock of the samples.
    pub clock: ClockKind,
}

/// Where costs of instructions come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// The record.
    pub record: String,
    /// The device of the record, if it is another one than the profile's: then all times are predictions for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Predicted seconds of the dispatch, by Little's law from the two below.
    pub predicted_s: f64,
    /// Seconds of the instructions of the dispatch at the full throughput of the device.
    pub issue_s: f64,
    /// Seconds of the instructions of the longest subgroup, each of which waits for the one before; absent if the record has no
    /// latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_s: Option<f64>,
}

/// What sorting the invocations by work, and by path where work is equal, gains, block by block of neighbours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sorting {
    /// Predicted gain: instructions, or their costs, in the dispatch's order over those in the sorted order. Absent if the
    /// shader does not allow another order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<f64>,
    /// Whether the prediction weighs instructions by the costs of a record.
    pub priced: bool,
    /// Instructions that subgroups issue in the sorted order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// Instructions of the subgroup that issues the most in the sorted order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<u64>,
    /// Measured gain: time in the dispatch's order over time in the sorted order, both by a permutation; absent if not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Median>,
    /// Time of the shader as it is over its time in the sorted order, so with the cost of the permutation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_over_plain: Option<Median>,
    /// Words of outputs that differ between the sorted order and the dispatch's order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differing: Option<u64>,
    /// Why the shader does not allow another order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
