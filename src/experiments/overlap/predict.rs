//! What uploading behind computing saves.

use crate::experiments::overlap::law::{pipelined_time, serial_time};
use crate::model::figures;
use crate::predict::answer::{Answer, Scale, figure};
use crate::predict::domain::{COUNT, OVERHEAD, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::round_numbers;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "overlap",
    about: "What do n batches cost one at a time, and what where one is uploaded behind another?",
    formula: "one at a time: n·(t_u + t_c + t_w); more under way: n·max(t_u, t_c) + min(t_u, t_c) + t_w",
    parameters: &[
        Parameter::new("upload", "time to upload a batch, t_u", TIME)
            .at(&["overlap.t_upload.{path}"]),
        Parameter::new("compute", "time to compute on a batch, t_c", TIME)
            .at(&["overlap.t_compute"]),
        Parameter::new("wait", "time to submit a batch and wait for it, t_w", OVERHEAD)
            .at(&["overlap.t_submit_and_wait"])
            .or(0.0),
        Parameter::new("n", "batches", COUNT).or(16.0).swept(),
    ],
    choices: &[Choice {
        flag: "path",
        what: "way in which the record's batches were uploaded",
        default: "write_buffer",
        among: &["write_buffer", "mapped_staging"],
    }],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (upload_s, compute_s) = (given.get("upload")?, given.get("compute")?);
    let wait_s = given.get("wait")?;
    let (first, n) = given.swept("n", 1.0)?;
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer = Answer::new(given, ("batches", ""), &round_numbers(first, n), axes);
    let serial = |n: f64| serial_time(n * upload_s, n * compute_s) + n * wait_s;
    // Waiting for one batch hides behind the next, but for the last.
    let pipelined = |n: f64| pipelined_time(n * upload_s, n * compute_s, n) + wait_s;
    let speed_up = |n: f64| serial(n) / pipelined(n);
    answer.say(format!(
        "{} batches take {} one at a time, and at best {} where the next is uploaded meanwhile, {} as fast.",
        figures::count(n),
        figure(serial(n), "s"),
        figure(pipelined(n), "s"),
        figure(speed_up(n), "x"),
    ));
    answer.figure("one at a time", "s", serial(n));
    answer.figure("next uploaded meanwhile", "s", pipelined(n));
    answer.figure("speed-up", "x", speed_up(n));
    answer.curve("one at a time", "s", serial);
    answer.curve("meanwhile", "s", pipelined);
    answer.column("speed-up", "x", speed_up);
    Ok(answer)
}
