//! Tests of `warplaw predict`. No GPU is needed.
//!
//! Predicted figures equal figures calculated by hand. Errors name the values that a parameter accepts.
//! Values that are not given come from a record.

use std::process::{Command, Output};

use serde_json::Value;
use warplaw::experiments::laws;
use warplaw::model::{self, About, Interval, Metric, Verdict};

fn warplaw(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args(arguments)
        .envs([("COLUMNS", "1000"), ("LC_ALL", "C.UTF-8")])
        .output()
        .expect("the binary runs")
}

/// Runs `warplaw predict` with arguments separated by spaces, asserts success and returns the output.
fn predict(arguments: &str) -> String {
    let arguments: Vec<&str> = std::iter::once("predict").chain(arguments.split(' ')).collect();
    let output = warplaw(&arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

/// Runs `warplaw predict` and returns the answer as JSON.
fn json(arguments: &str) -> Value {
    serde_json::from_str(&predict(&format!("{arguments} --format json")))
        .expect("the output is JSON")
}

/// Returns the value of the answer's figure `name`.
fn figure(answer: &Value, name: &str) -> f64 {
    let figures = answer["figures"].as_array().expect("the answer has figures");
    let named = figures.iter().find(|figure| figure["name"] == name);
    named.unwrap_or_else(|| panic!("there is no figure `{name}` in {answer}"))["value"]
        .as_f64()
        .expect("the figure is a number")
}

/// Asserts that the relative error of `figure` is below 1e-4.
fn assert_near(figure: f64, by_hand: f64) {
    assert!((figure / by_hand - 1.0).abs() < 1e-4, "predicted {figure}, by hand {by_hand}");
}

/// Runs `warplaw predict`, asserts exit code 2 without a panic or output, and returns the error.
fn refusal(arguments: &str) -> String {
    let arguments: Vec<&str> = std::iter::once("predict").chain(arguments.split(' ')).collect();
    let output = warplaw(&arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    assert!(output.stdout.is_empty() && !error.contains("panicked"), "{error}");
    error
}

#[test]
fn one_per_cent_of_serial_work_caps_a_billion_workers_at_100() {
    let text = predict("amdahl --f 0.99 --p 1e9");
    assert!(text.contains("100.0× as fast on 1,000,000,000 workers"), "{text}");
    assert!(text.contains("no number of workers is more than 100.0× as fast"), "{text}");
    // 1 / (0.01 + 0.99 / 10,000).
    assert_near(figure(&json("amdahl --f 99% --p 10000"), "speed-up"), 99.019_7);
    assert!(
        predict("amdahl --f 1 --p 64")
            .contains("64× as fast on 64 workers as on one worker; the speed-up has no")
    );
}

#[test]
fn a_ring_of_one_worker_takes_0_s_and_fewer_workers_are_refused() {
    let answer = json("allreduce --p 1 --m 1GiB --alpha 5us --bandwidth 400GB/s");
    assert_eq!(figure(&answer, "ring"), 0.0);
    assert_eq!(figure(&answer, "recursive doubling"), 0.0);
    let text = predict("allreduce --p 1 --m 1GiB --alpha 5us --bandwidth 400GB/s");
    assert!(text.contains("in 0 s by a ring;"), "{text}");
    let error = refusal("allreduce --p 0.5 --m 1GiB --alpha 5us --bandwidth 400GB/s");
    assert!(error.contains("--p") && error.contains("at least 1"), "{error}");
    refusal("allreduce --p 0 --m 1GiB --alpha 5us --bandwidth 400GB/s");
    refusal("allreduce --p -3 --m 1GiB --alpha 5us --bandwidth 400GB/s");
}

#[test]
fn the_laws_of_coordination_and_busy_equal_figures_by_hand() {
    let atomics = json("contention --serial 8ns --parallel 0.5ns --c 4");
    assert_near(figure(&atomics, "speed-up"), 4.0);
    assert_near(figure(&atomics, "counters needed to end contention"), 16.0);
    // Nine dispatches in four slots run in three groups.
    // Dependent: 9 · 12 µs. Independent: 3 · 10 µs + 1 µs, since the last dispatch is the first of its wave.
    let repeated = json("dependence --n 9 --t 10us --alpha 2us --issue 1us --slots 4");
    assert_near(figure(&repeated, "dependent"), 108e-6);
    assert_near(figure(&repeated, "independent"), 31e-6);
    let loads = json("occupancy --latency 400ns --step 10ns --n 10");
    assert_near(figure(&loads, "subgroups to reach peak"), 40.0);
    assert_near(figure(&loads, "share of peak"), 0.25);
    // Serial: 4 · 13 ms. Pipelined: 4 · 8 ms + 4 ms + 1 ms.
    let batches = json("overlap --upload 4ms --compute 8ms --wait 1ms --n 4");
    assert_near(figure(&batches, "one at a time"), 52e-3);
    assert_near(figure(&batches, "pipelined"), 37e-3);
}

#[test]
fn a_ring_over_100_000_workers_is_mostly_latency() {
    let answer = json("allreduce --p 1..100000 --m 1GiB --alpha 5us --bandwidth 400GB/s");
    // 2 · 99,999 · 5 µs + 2 · (99,999 / 100,000) · 2³⁰ B / 400 GB/s = 0.99999 s + 5.36865 ms.
    assert_near(figure(&answer, "ring"), 0.999_99 + 5.368_655e-3);
    assert_near(figure(&answer, "latency share of the ring"), 0.999_99 / 1.005_358_655);
    // 17 · (5 µs + 2.684355 ms).
    assert_near(figure(&answer, "recursive doubling"), 17.0 * 2.689_354_56e-3);
    let workers = &answer["columns"][0]["values"];
    assert_eq!(
        (&workers[0], &workers[workers.as_array().map_or(0, Vec::len) - 1]),
        (&1.0.into(), &1e5.into())
    );
}

#[test]
fn the_laws_of_the_other_categories_equal_figures_by_hand() {
    // 40 µs / 1 µs · 0.95 / 0.05 = 760 items; n½ = 40.
    let answer = json("batching --alpha 40us --t 1us --share 95%");
    assert_near(figure(&answer, "required batch size"), 760.0);
    assert_near(figure(&answer, "n½"), 40.0);
    // Choosing a path takes 1 ns of 11 ns, so four interleaved paths cost (1 + 4 · 10) / 11. Eight lanes
    // that choose at random take 4 · (1 − 0.75⁸) = 3.5995 paths.
    let answer = json("divergence --k 4 --width 8 --path 11ns --t0 1ns");
    assert_near(figure(&answer, "cost, interleaved"), 41.0 / 11.0);
    assert_near(figure(&answer, "cost, random"), (1.0 + 10.0 * 3.599_548) / 11.0);
    assert_near(figure(&json("divergence --k 4 --width 32"), "cost, interleaved"), 4.0);
    assert_eq!(figure(&json("lanes --a 100 --width 32"), "speed-up"), 32.0);
    // (1 + 9 · (1 − 0.99³²)) / (1 + 9 · 0.01).
    let answer = json("imbalance --h 10 --q 1% --width 32");
    assert_near(figure(&answer, "slowdown, and speed-up by sorting"), 3.475_177 / 1.09);
    // Latency 8 ns, issue time 2 ns.
    let answer = json("ilp --latency 8ns --issue 2ns --c 3");
    assert_near(figure(&answer, "chains to hide the latency"), 4.0);
    assert_near(figure(&answer, "speed-up"), 3.0);
    // Two lanes, q = 1/2. Branch: 2 + 0.75 · (10 + 20). Select: 10 + 20.
    let answer = json("select --q 0.5 --width 2 --path0 10ns --path1 20ns --branch 2ns");
    assert_near(figure(&answer, "branch"), 24.5e-9);
    assert_near(figure(&answer, "select"), 30e-9);
}

#[test]
fn invalid_or_missing_values_are_refused_with_the_accepted_ones() {
    for (arguments, words) in [
        ("amdahl --f 1.5 --p 4", ["--f", "from 0 to 1"]),
        ("amdahl --f -0.1 --p 4", ["--f", "from 0 to 1"]),
        ("amdahl --f NaN --p 4", ["--f", "finite"]),
        ("amdahl --f 0.5 --p inf", ["--p", "finite"]),
        ("amdahl --f 0.5 --p few", ["--p", "one number"]),
        ("amdahl --f 0.5 --p 9..3", ["--p", "from the smaller to the larger"]),
        ("amdahl --f 99 --p 4", ["--f", "99%"]),
        ("amdahl --f 0.1..0.5 --p 4", ["--f", "one number"]),
        ("amdahl --f 0.5", ["--p", "--from RECORD"]),
        ("divergence --k 2.5 --width 8", ["--k", "a whole number"]),
        ("divergence --k 2 --width 8 --path 5us --t0 6us", ["--t0", "--path"]),
        ("batching --alpha 1e300 --t 1e-300", ["batch", "too large"]),
        ("allreduce --p 8 --m 1GB --alpha 5us --bandwidth 1e-300", ["ring", "too large"]),
        (
            "allreduce --p 8 --m 1 --alpha 5us --beta 1ns/B --bandwidth 1GB/s",
            ["--beta", "--bandwidth"],
        ),
        ("ilp --type u64 --c 4", ["u64", "u32, f32"]),
        ("batching --alpha -1us --t 1us", ["--alpha", "at least 0"]),
        ("batching --alpha 1us --t 0", ["--t", "more than 0"]),
        ("batching --alpha 1us --t 1us --share 100%", ["--share", "less than 1"]),
        ("lanes --a 5000 --width 32", ["--a", "1024"]),
        ("ilp --latency 8ns --issue 2ns --c 0", ["--c", "at least 1"]),
        ("allreduce --p 4 --m -1 --alpha 1us --beta 1ns/B", ["--m", "at least 0"]),
        ("allreduce --p 4 --m 1 --alpha 1us", ["--beta", "allreduce.beta"]),
    ] {
        let error = refusal(arguments);
        for word in words {
            assert!(error.contains(word), "{arguments}: `{word}` is missing in {error}");
        }
    }
}

/// Returns the path of the golden record, which has schema version 1.0.0.
fn golden() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/record-1.0.0.json").to_owned()
}

/// Writes the golden record with a `width` experiment that found `lanes` lanes. Returns the path.
fn record_of_width(lanes: f64) -> String {
    let mut record = model::read(golden().as_ref()).expect("the golden record is readable");
    let mut width = record.experiments[0].clone();
    width.id = "width".to_owned();
    let about = About::new("effective_width", "lanes in lockstep", "lanes");
    width.metrics = vec![Metric { value: Some(lanes), ..about.metric() }];
    record.experiments.push(width);
    let name = format!("warplaw-predict-{}-{lanes}.json", std::process::id());
    let path = std::env::temp_dir().join(name);
    model::write(&record, &path).expect("a record can be written");
    path.to_str().expect("the path is UTF-8").to_owned()
}

#[test]
fn wide_intervals_and_undecided_verdicts_are_disclosed() {
    let mut record = model::read(golden().as_ref()).expect("the golden record is readable");
    let mut batching = record.experiments[0].clone();
    batching.id = "batching".to_owned();
    batching.verdict = Some(Verdict::Inconclusive);
    batching.points.clear();
    let parameter = |name: &str, value: f64, half_width: f64| {
        let about = About::new(format!("workgroups_per_dispatch.{name}"), name, "s");
        let ci = Some(Interval { lo: value * (1.0 - half_width), hi: value * (1.0 + half_width) });
        Metric { value: Some(value), ci, ..about.metric() }
    };
    batching.metrics = vec![parameter("alpha", 40e-6, 0.5), parameter("t", 1e-6, 0.01)];
    record.experiments.push(batching);
    let path =
        std::env::temp_dir().join(format!("warplaw-predict-{}-weak.json", std::process::id()));
    model::write(&record, &path).expect("a record can be written");
    let text = predict(&format!("batching --from {}", path.display()));
    assert!(
        text.contains(
            "A batch of 360 workgroups of 64 invocations and 32 iterations reaches 90 % of peak"
        ),
        "{text}"
    );
    assert!(text.contains("alpha = 40 µs [20, 60.0]"), "{text}");
    assert!(text.contains("The 95 % interval of alpha is wider than ±20 %."), "{text}");
    assert!(!text.contains("interval of t is"), "{text}");
    assert!(text.contains("In this record, the result of `batching` is `inconclusive`."), "{text}");
}

/// The record of an interconnect gives α and β with their intervals, and the answer takes its range from them.
#[test]
fn an_all_reduce_takes_its_range_from_the_intervals_of_an_interconnect() {
    let mut record = model::read(golden().as_ref()).expect("the golden record is readable");
    let mut ring = record.experiments[0].clone();
    ring.id = "ring".to_owned();
    ring.points.clear();
    let parameter = |name: &str, value: f64, unit| {
        let ci = Some(Interval { lo: 0.9 * value, hi: 1.2 * value });
        Metric { value: Some(value), ci, ..About::new(name, name, unit).metric() }
    };
    ring.metrics = vec![parameter("alpha", 1e-6, "s"), parameter("beta", 1e-9, "s/B")];
    record.experiments.push(ring.clone());
    let path =
        std::env::temp_dir().join(format!("warplaw-predict-{}-ring.json", std::process::id()));
    model::write(&record, &path).expect("a record can be written");
    let asked = format!("allreduce --p 100000 --m 1GiB --from {}", path.display());
    let answer = json(&asked);
    let expected = 2.0 * 99_999.0 * (1e-6 + 1e-9 * f64::from(1u32 << 30) / 1e5);
    assert_near(figure(&answer, "ring"), expected);
    assert_near(figure(&answer, "ring, at least"), 0.9 * expected);
    assert_near(figure(&answer, "ring, at most"), 1.2 * expected);
    let text = predict(&asked);
    assert!(text.contains("(ring.alpha of the record)"), "{text}");
    assert!(text.contains("95 % intervals"), "{text}");
    let given = predict("allreduce --p 100000 --m 1GiB --alpha 1us --beta 1ns/B");
    assert!(!given.contains("95 % intervals"), "{given}");

    // A ring sends parts of 10.7 kB, and recursive doubling whole messages.
    let of_parts = [("beta.part.8192", 3e-9), ("beta.part.16777216", 0.5e-9)];
    ring.metrics.extend(of_parts.map(|(name, value)| parameter(name, value, "s/B")));
    record.experiments.pop();
    record.experiments.push(ring);
    model::write(&record, &path).expect("a record can be written");
    let answer = json(&asked);
    let bytes = f64::from(1u32 << 30);
    let expected = 2.0 * 99_999.0 * (1e-6 + 3e-9 * bytes / 1e5);
    assert_near(figure(&answer, "ring"), expected);
    assert_near(figure(&answer, "ring, at most"), 1.2 * expected);
    assert_near(figure(&answer, "recursive doubling"), 17.0 * (1e-6 + 0.5e-9 * bytes));
    assert!(predict(&asked).contains("record is 8.192 kB"));
}

/// A branch is slowest if a subgroup takes both paths. For q near 0 or 1, subgroups often save one of them.
#[test]
fn select_wins_in_one_range_of_q_or_nowhere() {
    let paths = "select --path0 5us --path1 1us --width 8 --straight0 2us --straight1 2us";
    let answer = json(paths);
    let (from, to) = (
        figure(&answer, "lowest share at which select is cheaper"),
        figure(&answer, "highest share at which select is cheaper"),
    );
    assert_eq!(from, 0.0);
    // 4 = (1 − q⁸)·5 + 1, so q = 0.4^(1/8). The term (1 − q)⁸ is negligible at this q.
    assert_near(to, 0.4f64.powf(0.125));
    let never = predict("select --path0 1us --path1 1us --width 2 --select 1us");
    assert!(never.contains("The branch is cheaper at every share of lanes."), "{never}");
}

#[test]
fn a_value_that_is_not_given_comes_from_the_record_and_its_source_is_named() {
    let record = record_of_width(8.0);
    let text = predict(&format!("divergence --k 4 --from {record}"));
    assert!(
        text.contains("width = 8, lanes in a subgroup, W (width.effective_width of the record)"),
        "{text}"
    );
    // Without the experiment `width`, the subgroup size that a shader observed is used.
    let text = predict(&format!("divergence --k 4 --from {}", golden()));
    assert!(
        text.contains("width = 32, lanes in a subgroup, W (adapter.subgroup_size of the record)"),
        "{text}"
    );
    // A given value takes precedence over the record.
    let text = predict(&format!("divergence --k 4 --width 32 --from {record}"));
    assert!(text.contains("width = 32, lanes in a subgroup, W (given)"), "{text}");
}

#[test]
fn a_missing_or_invalid_value_of_a_record_is_refused_by_name() {
    let error = refusal(&format!("allreduce --p 4 --m 1MiB --from {}", golden()));
    assert!(error.contains("--alpha") && error.contains("no allreduce.alpha"), "{error}");
    let error = refusal(&format!("batching --level dispatches_per_lunch --from {}", golden()));
    assert!(error.contains("no batching.dispatches_per_lunch.alpha"), "{error}");
    let zero = record_of_width(0.0);
    let error = refusal(&format!("divergence --k 4 --from {zero}"));
    assert!(error.contains("width.effective_width of the record is 0"), "{error}");
    assert!(error.contains("from 1 to 1024") && error.contains("--width"), "{error}");
    refusal("divergence --k 4 --from nowhere.json");
}

#[test]
fn help_names_the_unit_and_domain_of_every_parameter() {
    for law in laws() {
        let output = warplaw(&["predict", law.name, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{}", law.name);
        let help = String::from_utf8_lossy(&output.stdout);
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for parameter in law.parameters {
            let domain = parameter.domain.describe();
            assert!(help.contains(&format!("--{} ", parameter.flag)), "{}: {help}", law.name);
            assert!(
                help.contains(&domain),
                "{} --{}: `{domain}` is missing",
                law.name,
                parameter.flag
            );
            assert!(domain.contains(';'), "the description lacks a unit or a domain: {domain}");
        }
    }
}

/// Extreme values give an answer with finite figures or a refusal, and never a panic.
#[test]
fn extreme_values_give_finite_figures_or_a_refusal() {
    let extremes = [0.0, 1e-300, 1e-12, 0.5, 1.0, 1.5, 8.0, 1024.0, 1e18, 1e300];
    for law in laws() {
        for &value in &extremes {
            for &other in &extremes {
                let mut given = law.given(None);
                for (index, parameter) in law.parameters.iter().enumerate() {
                    let value = if index % 2 == 0 { value } else { other };
                    if parameter.domain.check(value).is_ok() {
                        given.number(parameter.flag, (value, value));
                    }
                }
                let Ok(answer) = law.ask(&mut given) else { continue };
                assert!(answer.figures.iter().all(|f| f.value.is_none_or(f64::is_finite)));
                let rows = answer.columns[0].values.len();
                assert!(rows >= 1 && answer.columns.iter().all(|c| c.values.len() == rows));
                let text = warplaw::report::render(
                    &warplaw::report::answer(&answer),
                    warplaw::report::Format::Terminal {
                        width: Some(60),
                        color: false,
                        ascii: false,
                    },
                );
                // Only tables and plots must fit the width, because the terminal wraps sentences.
                let is_ruled = |line: &&str| line.contains('┤') || line.contains('─');
                let longest = text.lines().filter(is_ruled).map(|line| line.chars().count()).max();
                assert!(longest.is_some_and(|longest| longest <= 60), "{longest:?}\n{text}");
            }
        }
    }
}
