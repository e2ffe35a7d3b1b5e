//! `predict coalescing`: the cost of a strided load.

use super::law::{Transfer, WORD, lines_drawn, lines_of_stride, load_time};
use crate::experiments::width::parameter::WIDTH;
use crate::predict::answer::{Answer, SHARE_OF_ONE, Scale, figure};
use crate::predict::domain::{BYTES_HELD, COUNT, OVERHEAD, TIME};
use crate::predict::given::{Given, Unanswered};
use crate::predict::steps::doublings;
use crate::predict::{Law, Parameter};

pub(crate) const LAW: Law = Law {
    name: "coalescing",
    about: "What does a load cost if neighbouring lanes are s words apart?",
    formula: "T = max(t_i, n·t_l, m·t_s); n = max(1, W·min(4·s / L, 1)), and m likewise from the sector size",
    parameters: &[
        Parameter::new("stride", "distance between neighbouring lanes in words, s", COUNT).swept(),
        WIDTH,
        Parameter::new("line-size", "bytes per line, L", BYTES_HELD)
            .at(&["coalescing.line_bytes", "coalescing.line_bytes_aligned"]),
        Parameter::new("line", "time per line, t_l", TIME).at(&["coalescing.t_line"]),
        Parameter::new("sector-size", "bytes per sector, at most a line", BYTES_HELD)
            .at(&["coalescing.sector_bytes"]),
        Parameter::new("sector", "time per sector, t_s", TIME).at(&["coalescing.t_sector"]),
        Parameter::new("issue", "time to issue a load, t_i", OVERHEAD)
            .at(&["coalescing.t_issue"])
            .or(0.0),
    ],
    choices: &[],
    answer,
};

fn answer(given: &mut Given) -> Result<Answer, Unanswered> {
    let (first, stride) = given.swept("stride", 1.0)?;
    let (width, line_bytes) = (given.get("width")?, given.get("line-size")?);
    if line_bytes < WORD {
        return Err(given.unfit("line-size", "a line has at least one word of 4 bytes"));
    }
    let (line, issue_s) = (given.find("line")?, given.find("issue")?.unwrap_or(0.0));
    // Without the time per line, the answer is in multiples of that time, and the time to issue a load counts
    // as 0.
    let (line_s, issue_s) = line.map_or((1.0, 0.0), |line_s| (line_s, issue_s));
    let sector_bytes = given.find("sector-size")?.unwrap_or(line_bytes);
    if !(WORD..=line_bytes).contains(&sector_bytes) {
        return Err(given
            .unfit("sector-size", "a sector has at least one word of 4 bytes and at most a line"));
    }
    // Without a time per sector, the device moves whole lines.
    let sector_s = given.find("sector")?.filter(|_| line.is_some()).unwrap_or(0.0);
    let lines = |stride: f64| lines_of_stride(width, stride, line_bytes);
    let time_s = |touched: &dyn Fn(f64) -> f64| {
        let parts = [(line_bytes, line_s), (sector_bytes, sector_s)];
        load_time(issue_s, parts.map(|(bytes, each_s)| Transfer { count: touched(bytes), each_s }))
    };
    let strided_s = |stride: f64| time_s(&|bytes| lines_of_stride(width, stride, bytes));
    let cost = |stride: f64| strided_s(stride) / strided_s(1.0);
    let used = |stride: f64| width * WORD / (lines(stride) * line_bytes);
    let axes = [Scale::Logarithmic, Scale::Logarithmic];
    let mut answer =
        Answer::new(given, ("words of stride", ""), &doublings(first, stride.max(2.0)), axes);
    answer.say(format!(
        "A load with a stride of {stride} words touches {} lines of {line_bytes} bytes and costs {} as much \
         as a contiguous load. It uses {} of the bytes moved. A load from random addresses costs {} as much \
         as a contiguous load.",
        crate::model::figures::digits(lines(stride)),
        figure(cost(stride), "x"),
        figure(used(stride), SHARE_OF_ONE),
        figure(time_s(&|bytes| lines_drawn(width, 1e9, bytes)) / strided_s(1.0), "x"),
    ));
    answer.figure("lines", "", lines(stride));
    answer.figure("cost over a contiguous load", "x", cost(stride));
    answer.figure("share of bytes used", SHARE_OF_ONE, used(stride));
    answer.curve("cost", "x", cost);
    answer.column("lines", "", lines);
    answer.column("share of bytes used", SHARE_OF_ONE, used);
    if line.is_some() {
        answer.column("time", "s", strided_s);
    }
    Ok(answer)
}
