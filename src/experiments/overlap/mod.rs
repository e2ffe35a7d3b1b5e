//! `overlap`: how much of an upload hides behind computing.
//!
//! Streams of batches, each uploaded and then worked on, up to four of them under way at once. Streams that
//! only upload and streams that only compute give the two bounds: their sum, where each batch is waited for,
//! and the longer of the two, where the next is uploaded meanwhile. The host's clock is around all of it.

pub mod kernel;
pub mod law;
pub mod predict;

use kernel::{BATCHES, Batches, STRIDE, Source, WORKGROUP_SIZE};
use law::{hidden_share, pipelined_time, serial_time};

use crate::bench::{
    CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported, tolerance_of,
};
use crate::gpu::{Upload, UploadPath};
use crate::kernels::MAX_ITERATIONS;
use crate::model::{self, About, Category, Check, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "overlap",
    category: Category::Busy,
    law: "one batch at a time: T_u + T_c; more under way: max(T_u, T_c), and the shorter once",
    about: "how much of an upload hides behind computing, by either way of uploading",
    tolerance: Tolerance {
        ratio: 0.15,
        reason: "timed by the host: waking the thread that waits, and a driver's own threads, come and go with tens \
                 of microseconds beside batches of half a millisecond",
    },
    shaders: || vec![kernel::shader()],
    plan,
    predict: Some(&predict::LAW),
};

/// Batches under way at once.
const DEPTHS: [u32; 4] = [1, 2, 3, 4];
const PATHS: [(UploadPath, &str); 2] =
    [(UploadPath::WriteBuffer, "write_buffer"), (UploadPath::MappedStaging, "mapped_staging")];

/// Bytes of a batch: uploading it takes about as long as working on it is made to.
const BYTES: u32 = 2 << 20;

/// Who works on a batch.
struct Crew {
    workgroups: u32,
    /// Iterations for each record at most.
    most_iterations: u32,
}

impl Crew {
    fn of(context: &Context<'_>) -> Self {
        const RECORDS: u32 = BYTES / (4 * STRIDE as u32);
        if context.is_narrow() {
            // Of a CPU's cores some are left to the host, whose they are too.
            Self { workgroups: 1, most_iterations: MAX_ITERATIONS / (RECORDS / WORKGROUP_SIZE + 1) }
        } else {
            Self { workgroups: RECORDS / WORKGROUP_SIZE, most_iterations: 1 << 20 }
        }
    }
}

/// Streams of one depth.
#[derive(Clone, Copy)]
struct Deep {
    compute: CaseId,
    /// By path: uploads alone, and both.
    upload: [CaseId; 2],
    both: [CaseId; 2],
}

struct Streams {
    deep: Vec<(u32, Deep)>,
    /// Each batch computed on twice, one at a time.
    twice: CaseId,
    /// The device's part of an upload alone, one at a time.
    copy: CaseId,
}

impl Streams {
    fn deep(&self, depth: u32) -> Deep {
        let (_, deep) =
            self.deep.iter().find(|&&(d, _)| d == depth).expect("every depth has its cases");
        *deep
    }

    /// Seconds for all batches, uploaded alone and computed on alone.
    fn parts(&self, path: usize, depth: u32) -> (Expr, Expr) {
        let deep = self.deep(depth);
        (deep.upload[path].time(), deep.compute.time())
    }

    fn predicted(&self, path: usize, depth: u32) -> Expr {
        let (upload, compute) = self.parts(path, depth);
        if depth == 1 {
            let serial = Expr::call("serial_time", [upload, compute], |[upload, compute]| {
                serial_time(upload, compute)
            });
            // Each of the two has paid for submitting and waiting.
            return serial - self.waits();
        }
        pipelined(upload, compute)
    }

    /// Seconds for submitting all batches and waiting for each: what computing twice shares with once. A
    /// stream of nothing would be waited for in less, since nobody falls asleep.
    fn waits(&self) -> Expr {
        2.0 * self.deep(1).compute.time() - self.twice.time()
    }

    /// What it would take if the device copied one batch and computed on another in turn.
    fn in_turn(&self, path: usize, depth: u32) -> Expr {
        let (upload, compute) = self.parts(path, depth);
        let copy = self.copy.time() - self.waits();
        pipelined(upload, compute + Expr::max([copy, 0.0.into()]))
    }

    /// Share of the shorter of uploading and computing that hides.
    fn hidden(&self, path: usize, depth: u32) -> Expr {
        let (upload, compute) = self.parts(path, depth);
        let both = self.deep(depth).both[path].time();
        let times = [both, upload, compute];
        // One at a time each of the three has paid for submitting and waiting.
        let times = if depth == 1 { times.map(|time| time - self.waits()) } else { times };
        Expr::call("hidden_share", times, |[both, upload, compute]| {
            hidden_share(both, upload, compute, f64::from(BATCHES))
        })
    }

    /// Seconds for uploading a batch, one at a time.
    fn upload(&self, path: usize) -> Expr {
        (self.parts(path, 1).0 - self.waits()) / f64::from(BATCHES)
    }
}

fn pipelined(upload_s: Expr, compute_s: Expr) -> Expr {
    Expr::call("pipelined_time", [upload_s, compute_s], |[upload, compute]| {
        pipelined_time(upload, compute, f64::from(BATCHES))
    })
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    let Crew { workgroups, most_iterations } = Crew::of(context);
    let mut plan = Plan::default();
    let source = Source::random(context.seed, BYTES / 4);
    let batches = move |path: UploadPath, upload: Upload, works: u32, depth: u32| {
        let source = source.clone();
        move |iterations: u32| {
            let source = source.clone();
            Batches { source, path, upload, works, iterations, depth, workgroups }.workload()
        }
    };
    // How much work there is in a record is settled once, where nothing is uploaded.
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
    let deep = |&depth: &u32| {
        let compute = match depth {
            1 => sized,
            _ => follow(format!("compute.{depth}"), write, Upload::Nothing, 1, depth),
        };
        let mut by_path = |word: &str, works: u32| {
            PATHS.map(|(path, name)| {
                let name = format!("{word}.{name}.{depth}");
                follow(name, path, Upload::Whole, works, depth)
            })
        };
        (depth, Deep { compute, upload: by_path("upload", 0), both: by_path("both", 1) })
    };
    let streams = Streams {
        deep: depths.iter().map(deep).collect(),
        twice: follow("compute.twice".to_owned(), write, Upload::Nothing, 2, 1),
        copy: follow("copy".to_owned(), staged, Upload::Copy, 0, 1),
    };
    for (path, (_, name)) in PATHS.into_iter().enumerate() {
        add_points(&mut plan, &streams, (path, name), &depths);
    }
    add_times(&mut plan, &streams);
    plan.note(format!(
        "timed by the host's clock, from before the first upload to after the last wait: {BATCHES} batches of {} \
         MiB; T_u and T_c are those of streams as deep",
        BYTES >> 20
    ));
    if context.is_narrow() {
        plan.note(
            "the device is the host's own CPU: batches are worked on by one workgroup, which leaves cores to upload with",
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
    let x = ("batches under way", "");
    let series = plan.series(name, x, "s");
    let in_turn = plan.series(format!("{name}{IN_TURN}"), x, "s");
    let spelt = name.replace('_', " ");
    for &depth in depths {
        let both = streams.deep(depth).both[path].time();
        plan.judge(series, f64::from(depth), &both, streams.predicted(path, depth));
        if depth > 1 {
            plan.show(in_turn, f64::from(depth), both, streams.in_turn(path, depth));
        }
        let hidden = About::new(
            format!("hidden_share.{name}.{depth}"),
            format!("share of an upload hidden, {spelt}, {depth} batches in flight"),
            "%",
        );
        plan.metric(
            hidden.higher().note("of the shorter of uploading and computing"),
            streams.hidden(path, depth),
        );
    }
}

/// Of the series that are predicted for a device that copies and computes in turn.
const IN_TURN: &str = ", copied and computed in turn";

fn add_times(plan: &mut Plan, streams: &Streams) {
    let each = f64::from(BATCHES);
    for (path, (_, name)) in PATHS.into_iter().enumerate() {
        let spelt = name.replace('_', " ");
        let time =
            About::new(format!("t_upload.{name}"), format!("time to upload a batch, {spelt}"), "s");
        plan.metric(time.lower(), streams.upload(path));
        let rate = About::new(
            format!("upload_gb_per_s.{name}"),
            format!("upload bandwidth, {spelt}"),
            "GB/s",
        );
        plan.metric(rate.higher().headline(), f64::from(BYTES) / streams.upload(path) * 1e-9);
    }
    plan.metric(
        About::new("t_compute", "time to compute a batch", "s").lower(),
        (streams.twice.time() - streams.deep(1).compute.time()) / each,
    );
    plan.metric(
        About::new("t_copy", "time to copy a batch on the device", "s").lower(),
        (streams.copy.time() - streams.waits()) / each,
    );
    plan.metric(
        About::new("t_submit_and_wait", "time to submit and wait", "s").lower(),
        streams.waits() / each,
    );
}

fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    for (_, name) in PATHS {
        let of = |series: &str, depth: f64| {
            outcome.points.iter().find(|p| p.series == series && p.x.value == depth)
        };
        let off = |deep: bool, over: bool| {
            outcome
                .points
                .iter()
                .any(|p| p.series == name && (p.x.value > 1.0) == deep && p.deviates(over))
        };
        if off(true, true)
            && let Some(turn) = of(&format!("{name}{IN_TURN}"), 2.0)
        {
            let share = outcome.number(&format!("hidden_share.{name}.2"));
            let share = share.map_or_else(
                || "not all of the shorter".to_owned(),
                |share| format!("{:.0} % of the shorter", 100.0 * share.max(0.0)),
            );
            let compared = match turn.verdict {
                Verdict::Holds => {
                    "what is left is what copying from staging takes the device: it copies and computes in turn"
                }
                Verdict::Deviates if turn.ratio > 1.0 => {
                    "less than if the device copied and computed in turn: the host waits, or host and device compete \
                     for cores or memory"
                }
                Verdict::Deviates => "more than if the device copied and computed in turn",
                Verdict::Inconclusive => {
                    "whether that is all that a device can hide which copies and computes in turn is undecided"
                }
            };
            text.push(format!(
                "{name}: with two batches under way {share} of uploading and computing hides; {compared}"
            ));
        }
        let measured = |depth: f64| of(name, depth).map(|point| point.measured);
        if let (Some(two), Some(most)) = (measured(2.0), measured(f64::from(DEPTHS[3])))
            && most > two * (1.0 + tolerance_of(Check::Linear).ratio)
        {
            text.push(format!(
                "{name}: four batches under way take {:.2} times as long as two: more memory is in use, and less of it may \
                 stay in a cache",
                most / two
            ));
        }
        if off(true, false) {
            text.push(format!(
                "{name}: more hides than the longer of the two allows: uploading or computing is cheaper together than alone"
            ));
        }
        if off(false, true) {
            text.push(format!(
                "{name}: one batch at a time takes longer than uploading and computing each alone: what was uploaded has \
                 to travel before it is worked on"
            ));
        }
        if off(false, false) {
            text.push(format!(
                "{name}: one batch at a time takes less than uploading and computing each alone: the device starts on the \
                 one while the other ends"
            ));
        }
    }
    text
}
