//! `overlap`: the share of an upload that hides behind computation.
//!
//! A stream uploads each of its batches and then computes on it, with one to four batches in flight. Streams
//! that only upload and streams that only compute calibrate the prediction. By the law, the stream takes the
//! sum of both times if the host waits for each batch. If the next batch is uploaded meanwhile, it takes about the longer
//! of what the host does and what the device does. The device copies each batch from staging memory, in the same queue as
//! it computes, so that the law lets it do one after the other. A second series shows what a device would take that hides
//! its copies. The host clock times the complete stream.

pub mod kernel;
pub mod law;
pub mod predict;

use kernel::{BATCHES, Batches, STRIDE, Source, WORKGROUP_SIZE};
use law::{hidden_share, pipelined_time, serial_time};

use crate::bench::{
    CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported, tolerance_of,
};
use crate::gpu::{Upload, UploadPath, WantedWorkers};
use crate::kernels::MAX_ITERATIONS;
use crate::model::{self, About, Category, Check, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "overlap",
    category: Category::Busy,
    law: "one batch at a time: T_u + T_c; n batches, several in flight: max(T_u, T_d) + min(T_u, T_d)/n with T_d = T_c + copies",
    about: "How much of an upload hides behind computation, by write_buffer and by mapped staging buffers?",
    tolerance: Tolerance {
        ratio: 0.15,
        reason: "The host clock times the streams. The wake-up of the waiting thread and the threads of the \
                 driver add or remove tens of microseconds, compared with half a millisecond per batch.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Numbers of batches in flight.
const DEPTHS: [u32; 4] = [1, 2, 3, 4];
/// Upload paths with their names in case ids, metric ids and series.
const PATHS: [(UploadPath, &str); 2] =
    [(UploadPath::WriteBuffer, "write_buffer"), (UploadPath::MappedStaging, "mapped_staging")];

/// Bytes per batch. Uploading a batch takes about the time that the computation on a batch is sized to take.
const BYTES: u32 = 2 << 20;

/// Launch that computes on a batch.
struct ComputeLaunch {
    /// Workgroups per dispatch.
    workgroups: u32,
    /// Upper bound of the loop iterations per record.
    most_iterations: u32,
}

impl ComputeLaunch {
    /// Returns the launch for the device of `context`.
    fn of(context: &Context<'_>) -> Self {
        const RECORDS: u32 = BYTES / (4 * STRIDE as u32);
        if context.is_narrow() {
            // The host shares the cores of the CPU, so one workgroup leaves cores for uploading.
            Self { workgroups: 1, most_iterations: MAX_ITERATIONS / (RECORDS / WORKGROUP_SIZE + 1) }
        } else {
            Self { workgroups: RECORDS / WORKGROUP_SIZE, most_iterations: 1 << 20 }
        }
    }
}

/// Cases of one depth, the number of batches in flight.
#[derive(Clone, Copy)]
struct DepthCases {
    /// Streams that only compute.
    compute: CaseId,
    /// Streams that only upload, by path.
    upload: [CaseId; 2],
    /// Streams that upload and compute, by path.
    both: [CaseId; 2],
}

/// Cases of all depths, and two cases with one batch in flight that separate the parts of their times.
struct Streams {
    by_depth: Vec<(u32, DepthCases)>,
    /// Streams that compute twice on each batch, without uploads.
    twice: CaseId,
    /// Streams that perform only the copy of an upload on the device.
    copy: CaseId,
}

impl Streams {
    /// Returns the cases with `depth` batches in flight.
    fn at_depth(&self, depth: u32) -> DepthCases {
        let found = self.by_depth.iter().find(|&&(d, _)| d == depth);
        found.expect("every depth has cases").1
    }

    /// Returns the seconds to upload all batches and the seconds to compute on all batches, each alone.
    fn parts(&self, path: usize, depth: u32) -> (Expr, Expr) {
        let cases = self.at_depth(depth);
        (cases.upload[path].time(), cases.compute.time())
    }

    /// Returns the seconds that the law predicts for a stream that uploads and computes on one batch at a time.
    fn one_at_a_time(&self, path: usize) -> Expr {
        let (upload, compute) = self.parts(path, 1);
        let serial = Expr::call("serial_time", [upload, compute], |[upload, compute]| {
            serial_time(upload, compute)
        });
        // Both parts contain the submissions and the waits, but the stream has them once.
        serial - self.waits()
    }

    /// Returns the seconds that a stream with several batches in flight would take if the device hid its copies.
    fn copies_hidden(&self, path: usize, depth: u32) -> Expr {
        let (upload, compute) = self.parts(path, depth);
        pipelined(upload, compute)
    }

    /// Returns the seconds to submit all batches and to wait for each: the part that does not double when
    /// each batch is computed on twice. An empty stream would give too small a figure, because the host
    /// thread would not sleep in its waits.
    fn waits(&self) -> Expr {
        2.0 * self.at_depth(1).compute.time() - self.twice.time()
    }

    /// Returns the seconds that the law predicts for a stream with several batches in flight: the copies add to the time to
    /// compute.
    fn in_turn(&self, path: usize, depth: u32) -> Expr {
        let (upload, compute) = self.parts(path, depth);
        let copy = self.copy.time() - self.waits();
        pipelined(upload, compute + Expr::max([copy, 0.0.into()]))
    }

    /// Returns the hidden share of the shorter of uploading and computing.
    fn hidden(&self, path: usize, depth: u32) -> Expr {
        let (upload, compute) = self.parts(path, depth);
        let both = self.at_depth(depth).both[path].time();
        let times = [both, upload, compute];
        // With one batch in flight, each of the three times contains the submissions and the waits.
        let times = if depth == 1 { times.map(|time| time - self.waits()) } else { times };
        Expr::call("hidden_share", times, |[both, upload, compute]| {
            hidden_share(both, upload, compute, f64::from(BATCHES))
        })
    }

    /// Returns the seconds to upload one batch, with one batch in flight.
    fn upload(&self, path: usize) -> Expr {
        (self.parts(path, 1).0 - self.waits()) / f64::from(BATCHES)
    }
}

/// Returns the time of the law's pipeline for [`BATCHES`] batches.
fn pipelined(upload_s: Expr, compute_s: Expr) -> Expr {
    Expr::call("pipelined_time", [upload_s, compute_s], |[upload, compute]| {
        pipelined_time(upload, compute, f64::from(BATCHES))
    })
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    let ComputeLaunch { workgroups, most_iterations } = ComputeLaunch::of(context);
    let mut plan = Plan::default();
    let source = Source::random(context.seed, BYTES / 4);
    let batches = move |path: UploadPath, upload: Upload, works: u32, depth: u32| {
        let source = source.clone();
        move |iterations: u32| {
            let source = source.clone();
            Batches { source, path, upload, works, iterations, depth, workgroups }.workload()
        }
    };
    // This case alone sets the iterations per record, because its time contains no upload. All other cases
    // follow.
    let [(write, _), (staged, _)] = PATHS;
    let sized = plan.case(
        "compute.1",
        Sizing::Own { granule: 128, most: most_iterations },
        batches(write, Upload::Nothing, 1, 1),
    );
    let mut follow = |name: String, path, upload, works, depth| {
        plan.case(name, Sizing::Follow(sized), batches(path, upload, works, depth))
    };
    let depths: Vec<u32> =
        DEPTHS.into_iter().filter(|&d| context.profile.dense || d <= 2).collect();
    let cases = |&depth: &u32| {
        let compute = match depth {
            1 => sized,
            _ => follow(format!("compute.{depth}"), write, Upload::Nothing, 1, depth),
        };
        let mut by_path = |kind: &str, works: u32| {
            PATHS.map(|(path, name)| {
                let name = format!("{kind}.{name}.{depth}");
                follow(name, path, Upload::Whole, works, depth)
            })
        };
        (depth, DepthCases { compute, upload: by_path("upload", 0), both: by_path("both", 1) })
    };
    let streams = Streams {
        by_depth: depths.iter().map(cases).collect(),
        twice: follow("compute.twice".to_owned(), write, Upload::Nothing, 2, 1),
        copy: follow("copy".to_owned(), staged, Upload::Copy, 0, 1),
    };
    for (path, (_, name)) in PATHS.into_iter().enumerate() {
        add_points(&mut plan, &streams, (path, name), &depths);
    }
    add_times(&mut plan, &streams);
    plan.note(format!(
        "Each stream is timed by the host's clock, from before the first upload to after the last wait. It \
         has {BATCHES} batches of {} MiB. T_u and T_c come from streams with the same number of batches in \
         flight.",
        BYTES >> 20
    ));
    if context.is_narrow() {
        plan.note(
            "The device is the CPU of the host. One workgroup computes on each batch, which leaves cores for \
             uploading.",
        );
    }
    plan.diagnose(diagnose);
    Ok(plan)
}

fn add_points(
    plan: &mut Plan,
    streams: &Streams,
    (path, name): (usize, &'static str),
    depths: &[u32],
) {
    let x = ("batches in flight", "");
    let series = plan.series(name, x, "s");
    let ideal = plan.series(format!("{name}{COPIES_HIDDEN}"), x, "s");
    let spelt = name.replace('_', " ");
    for &depth in depths {
        let both = streams.at_depth(depth).both[path].time();
        if depth == 1 {
            plan.judge(series, f64::from(depth), both, streams.one_at_a_time(path));
        } else {
            plan.judge(series, f64::from(depth), &both, streams.in_turn(path, depth));
            plan.show(ideal, f64::from(depth), both, streams.copies_hidden(path, depth));
        }
        let batches = if depth == 1 { "batch" } else { "batches" };
        let hidden = About::new(
            format!("hidden_share.{name}.{depth}"),
            format!("share of an upload hidden, {spelt}, {depth} {batches} in flight"),
            "%",
        )
        .of_memory();
        plan.metric(
            hidden.higher().note("share of the shorter of uploading and computing"),
            streams.hidden(path, depth),
        );
    }
}

/// Suffix of the series that are predicted for a device that hides its copies behind computation.
const COPIES_HIDDEN: &str = ", copies hidden";

fn add_times(plan: &mut Plan, streams: &Streams) {
    let batches = f64::from(BATCHES);
    for (path, (_, name)) in PATHS.into_iter().enumerate() {
        let spelt = name.replace('_', " ");
        let time =
            About::new(format!("t_upload.{name}"), format!("time to upload a batch, {spelt}"), "s")
                .of_memory();
        plan.metric(time.lower(), streams.upload(path));
        let rate = About::new(
            format!("upload_gb_per_s.{name}"),
            format!("upload bandwidth, {spelt}"),
            "GB/s",
        );
        plan.metric(rate.higher().headline(), f64::from(BYTES) / streams.upload(path) * 1e-9);
    }
    plan.metric(
        // The amount of computation is chosen anew in each run, so that two runs cannot be compared.
        About::new("t_compute", "time to compute on a batch", "s"),
        (streams.twice.time() - streams.at_depth(1).compute.time()) / batches,
    );
    plan.metric(
        About::new("t_copy", "time to copy a batch on the device", "s").of_memory().lower(),
        (streams.copy.time() - streams.waits()) / batches,
    );
    plan.metric(
        About::new("t_submit_and_wait", "time to submit a batch and wait for it", "s").lower(),
        streams.waits() / batches,
    );
}

fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    for (_, name) in PATHS {
        let point = |series: &str, depth: f64| {
            outcome.points.iter().find(|p| p.series == series && p.x.value == depth)
        };
        let off = |several: bool, over: bool| {
            outcome
                .points
                .iter()
                .any(|p| p.series == name && (p.x.value > 1.0) == several && p.deviates(over))
        };
        let share = outcome.number(&format!("hidden_share.{name}.2")).map(|share| {
            format!(
                "{name}: With two batches in flight, {:.0} % of the shorter of uploading and computing hides behind the \
                 longer.",
                100.0 * share.max(0.0)
            )
        });
        let share = share.unwrap_or_else(|| format!("{name}: The hidden share is unknown."));
        let ideal = point(&format!("{name}{COPIES_HIDDEN}"), 2.0);
        if off(true, true) {
            text.push(format!(
                "{share} A device that copies and computes in turn would hide more. The host waits, or host and device \
                 compete for cores or memory. Compare the other upload path."
            ));
        } else if ideal.is_some_and(|p| p.verdict == Verdict::Deviates && p.ratio > 1.0) {
            text.push(format!(
                "{share} The device copies and computes in turn: the visible rest is the time in which it copies from \
                 staging memory. Upload fewer bytes to reduce it."
            ));
        }
        let measured = |depth: f64| point(name, depth).map(|point| point.measured);
        if let (Some(two), Some(most)) = (measured(2.0), measured(f64::from(DEPTHS[3])))
            && most > two * (1.0 + tolerance_of(Check::Linear).ratio)
        {
            text.push(format!(
                "{name}: A stream with four batches in flight takes {:.2} times as long as one with two. It \
                 uses more memory, and less of that memory may stay in a cache. Use two batches in flight.",
                most / two
            ));
        }
        if off(true, false) {
            text.push(format!(
                "{name}: With several batches in flight, the stream takes less time than the law allows. The \
                 device overlaps a part of its copies with computing, or uploading or computing is faster when the other \
                 runs at the same time than alone."
            ));
        }
        if off(false, true) {
            text.push(format!(
                "{name}: With one batch in flight, the stream takes longer than the sum of uploading alone \
                 and computing alone. The uploaded data has to be transferred before the device can compute \
                 on it, and neither of the two times contains that transfer."
            ));
        }
        if off(false, false) {
            text.push(format!(
                "{name}: With one batch in flight, the stream takes less time than the sum of uploading \
                 alone and computing alone. The device starts one of the two before the other ends."
            ));
        }
    }
    text
}
