//! `predict overlap`: the time that uploading during computation saves.

use crate::experiments::overlap::law::{pipelined_time, serial_time};
use crate::model::figures;
use crate::predict::answer::{Answer, Scale, figure};
use crate::predict::domain::{COUNT, OVERHEAD, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::round_numbers;
use crate::predict::{Choice, Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "overlap",
    about: "How long do n batches take one at a time, and how long if uploads overlap computation?",
    formula: "one at a time: n·(t_u + t_c + t_w); pipelined: n·max(t_u, t_c) + min(t_u, t_c) + t_w",
    parameters: &[
        Parameter::new("upload", "time to upload a batch, t_u", TIME)
            .at(&["overlap.t_upload.{path}"]),
        Parameter::new("compute", "time to compute on a batch, t_c", TIME)
            .at(&["overlap.t_compute"]),
        Parameter::new("wait", "time to submit a batch and wait for it, t_w", OVERHEAD)
            .at(&["overlap.t_submit_and_wait"])
            .or(0.0),
        Parameter::new("n", "number of batches, n", COUNT).or(16.0).swept(),
    ],
    choices: &[Choice {
        flag: "path",
        what: "upload path whose measurements are taken from the record",
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
    // The wait for a batch hides behind the next batch. Only the wait for the last batch is visible.
    let pipelined = |n: f64| pipelined_time(n * upload_s, n * compute_s, n) + wait_s;
    let speed_up = |n: f64| serial(n) / pipelined(n);
    answer.say(format!(
        "At n = {}, the batches take {} one at a time. They take at best {} if each batch is uploaded during \
         the computation on the previous one, a speed-up of {}.",
        figures::count(n),
        figure(serial(n), "s"),
        figure(pipelined(n), "s"),
        figure(speed_up(n), "x"),
    ));
    answer.figure("one at a time", "s", serial(n));
    answer.figure("pipelined", "s", pipelined(n));
    answer.figure("speed-up", "x", speed_up(n));
    answer.curve("one at a time", "s", serial);
    answer.curve("pipelined", "s", pipelined);
    answer.column("speed-up", "x", speed_up);
    Ok(answer)
}
