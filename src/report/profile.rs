//! Documents about the profile of a shader.

use crate::model::{
    Call, CallPath, Decision, DecisionKind, Depends, LanesSource, Line, Loop, Median,
    ShaderProfile, Sorting, Totals, figures,
};

use super::{Document, ListedLine, Listing, Table};

/// Lines in the list of the hottest.
const HOTTEST: usize = 10;
/// Characters of a bar of the histogram.
const BAR: usize = 24;
/// Characters of a line of source in a table.
const SOURCE: usize = 60;

/// Builds the page of a profile: a summary, the hottest lines, the source with its figures, and where they come from.
#[must_use]
pub fn profile(profile: &ShaderProfile) -> Document {
    let of_dispatch = &profile.dispatch;
    let mut document = Document::default();
    document.heading(1, format!("{}, entry point {}", of_dispatch.file, of_dispatch.entry));
    heading(&mut document, profile);
    summary(&mut document, profile);
    hottest(&mut document, profile);
    document.heading(2, "Source");
    document.listing(listing(profile));
    decisions(&mut document, profile);
    loops(&mut document, profile);
    paths(&mut document, profile);
    work(&mut document, profile);
    widths(&mut document, profile);
    outputs(&mut document, profile);
    document.heading(2, "What the figures mean");
    document.list(meanings(profile));
    document
}

/// Builds the table of a profile for spreadsheets: one line of the source per row, numbers without units.
#[must_use]
pub fn profile_table(profile: &ShaderProfile) -> Document {
    let mut table = Table::new(&[
        "file",
        "line",
        "executions",
        "issues",
        "active_lanes",
        "lane_slots",
        "lost_slots",
        "efficiency",
        "splits",
        "estimated_s",
    ]);
    for line in &profile.lines {
        let Line { number, executions, totals, splits, estimated_s } = line;
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        table.rows.push(vec![
            profile.dispatch.file.clone(),
            number.to_string(),
            executions.to_string(),
            totals.issues.to_string(),
            totals.lanes.to_string(),
            totals.slots.to_string(),
            totals.lost().to_string(),
            optional(totals.efficiency()),
            splits.to_string(),
            optional(*estimated_s),
        ]);
    }
    let mut document = Document::default();
    document.table(table);
    document
}

/// Returns the executions of lines in the format of LCOV, which editors and coverage tools show beside the source.
#[must_use]
pub fn lcov(profile: &ShaderProfile) -> String {
    let mut text = format!("TN:\nSF:{}\n", profile.dispatch.file.replace('\n', " "));
    for line in &profile.lines {
        text.push_str(&format!("DA:{},{}\n", line.number, line.executions));
    }
    let hit = profile.lines.iter().filter(|line| line.executions > 0).count();
    text.push_str(&format!("LH:{hit}\nLF:{}\nend_of_record\n", profile.lines.len()));
    text
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn per_cent(share: Option<f64>) -> String {
    share.map_or(String::new(), figures::per_cent)
}

fn median(median: Median, unit: &str) -> String {
    figures::with_interval(median.value, unit, median.interval)
}

/// Returns sizes with their noun, such as `64 × 4 workgroups`.
fn dimensions(sizes: [u32; 3], noun: &str) -> String {
    let last = sizes.iter().rposition(|&size| size != 1).unwrap_or(0);
    let shown = sizes[..=last].iter().map(|&size| figures::count(size.into()));
    let plural = if sizes == [1; 3] { "" } else { "s" };
    format!("{} {noun}{plural}", shown.collect::<Vec<_>>().join(" × "))
}

fn heading(document: &mut Document, profile: &ShaderProfile) {
    let ShaderProfile { adapter, dispatch, sample, subgroup_size, .. } = profile;
    document.text(format!(
        "{}, backend {}, driver {} {}.",
        adapter.full_name(),
        adapter.backend,
        adapter.driver,
        adapter.driver_info
    ));
    let constants = dispatch.constants.iter().map(|(name, value)| format!("{name} = {value}"));
    let constants = constants.collect::<Vec<_>>().join(", ");
    let constants =
        if constants.is_empty() { String::new() } else { format!(" Constants: {constants}.") };
    document.text(format!(
        "Dispatch of {} of {}.{constants}",
        dimensions(dispatch.workgroups, "workgroup"),
        dimensions(dispatch.workgroup_size, "invocation")
    ));
    let size = match subgroup_size.source {
        LanesSource::Pipeline => "as the pipeline ran",
        LanesSource::Record => "as the record measured",
        LanesSource::Given => "as given",
        LanesSource::Unknown => "by an unknown source",
    };
    let sampled = if sample.workgroups == sample.of {
        "all workgroups".to_owned()
    } else {
        format!(
            "a random sample of {} of {} workgroups (seed {})",
            figures::count(sample.workgroups.into()),
            figures::count(sample.of.into()),
            sample.seed
        )
    };
    if subgroup_size.used < subgroup_size.lanes {
        document.text(format!(
            "The workgroup fills {} of the {} lanes of a subgroup: it is too small, or the device does not let a subgroup span \
             its rows. The empty lanes are not among the lost ones.",
            subgroup_size.used, subgroup_size.lanes
        ));
    }
    document.text(format!(
        "The replay has subgroups of {} lanes, {size}. It covers {sampled}. Their decisions took {} of memory.",
        subgroup_size.lanes,
        figures::quantity(sample.log_bytes as f64, "B")
    ));
}

fn summary(document: &mut Document, profile: &ShaderProfile) {
    let Totals { issues, slots, .. } = profile.totals;
    let mut table = Table::new(&["figure", "value [95 % interval]>", "note"]);
    let mut row = |name: &str, value: String, note: &str| {
        table.rows.push([name, &value, note].map(str::to_owned).to_vec());
    };
    row("SIMT efficiency η", per_cent(profile.totals.efficiency()), "active lanes over lane slots");
    row(
        "lost lane slots",
        per_cent(share(profile.totals.lost(), slots)),
        "issued without an active lane",
    );
    row(
        "instructions issued",
        figures::count(issues as f64),
        "by the subgroups that were replayed",
    );
    row(
        "instructions of the longest subgroup",
        figures::count(profile.longest as f64),
        &format!(
            "all subgroups together issue {} times as many; more at a time cannot shorten the dispatch",
            figures::digits(parallelism(profile))
        ),
    );
    if let Some(times) = profile.times {
        row(
            "time of the dispatch",
            median(times.plain_s, "s"),
            &format!("{} rounds, {}", times.rounds, times.clock.words()),
        );
        row("time with probes over without", median(times.overhead, "x"), "what recording costs");
    }
    if let Some(price) = &profile.price {
        row(
            &format!("time of the dispatch{}, predicted", on(profile)),
            figures::quantity(price.predicted_s, "s"),
            "by Little's law, from the two times below",
        );
        row(
            "time of all instructions, predicted",
            figures::quantity(price.issue_s, "s"),
            "at the full throughput of the device",
        );
        if let Some(longest_s) = price.longest_s {
            row(
                "time of the longest subgroup, predicted",
                figures::quantity(longest_s, "s"),
                "each instruction waits for the one before",
            );
        }
    }
    if let Some(sorting) = &profile.sorting {
        let by = if sorting.priced { "by the costs of the record" } else { "by instructions" };
        if let Some(predicted) = sorting.predicted {
            row(
                &format!("gain of sorting by work{}, predicted", on(profile)),
                figures::quantity(predicted, "x"),
                by,
            );
        }
        if let Some(measured) = sorting.measured {
            row(
                "gain of sorting by work, measured",
                median(measured, "x"),
                "dispatch order over sorted order, both by a permutation",
            );
        }
    }
    document.table(table);
    if let Some(sorting) = &profile.sorting {
        document.text(proof(sorting, &on(profile)));
    }
}

/// Returns the words that name the device of predictions, if it is another one.
fn on(profile: &ShaderProfile) -> String {
    let device = profile.price.as_ref().and_then(|price| price.device.as_ref());
    device.map_or(String::new(), |device| format!(" on {device}"))
}

/// Returns the instructions of a dispatch over those of its longest subgroup: the most subgroups that help at a time.
fn parallelism(profile: &ShaderProfile) -> f64 {
    let scale = f64::from(profile.sample.of) / f64::from(profile.sample.workgroups.max(1));
    scale * profile.totals.issues as f64 / profile.longest.max(1) as f64
}

/// Returns what sorting showed, in sentences.
fn proof(sorting: &Sorting, on: &str) -> String {
    if let Some(reason) = &sorting.refused {
        return format!("Sorting the invocations by their work was not tried, because {reason}.");
    }
    let times = |factor: f64| figures::quantity(factor, "x");
    let Some(predicted) = sorting.predicted else {
        return "The shader has no instructions to sort.".to_owned();
    };
    let Some(measured) = sorting.measured else {
        return format!(
            "Sorting the invocations by their work: {} predicted{on}, not measured.",
            times(predicted)
        );
    };
    let over_plain = sorting.measured_over_plain.map_or(String::new(), |of| {
        format!(
            " Over the shader as it is, which loads no permutation, the gain is {}.",
            times(of.value)
        )
    });
    let outputs = match sorting.differing {
        Some(0) | None => String::new(),
        Some(words) => format!(
            " The sorted order changes {} of the outputs, so the outputs depend on the order of invocations.",
            figures::counted(words as usize, "word")
        ),
    };
    format!(
        "Sorting the invocations by their work: {} predicted{on}, {} measured{}.{over_plain}{outputs}",
        times(predicted),
        times(measured.value),
        if on.is_empty() { "" } else { " on this one" },
    )
}

/// Returns the line of the source with this number.
fn source_of(profile: &ShaderProfile, number: u32) -> String {
    let line = profile.dispatch.source.lines().nth(number.saturating_sub(1) as usize);
    let line = line.unwrap_or_default().trim();
    if line.chars().count() > SOURCE {
        line.chars().take(SOURCE - 1).chain(['…']).collect()
    } else {
        line.to_owned()
    }
}

fn hottest(document: &mut Document, profile: &ShaderProfile) {
    let mut lines: Vec<&Line> =
        profile.lines.iter().filter(|line| line.totals.lost() > 0).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.totals.lost()));
    document.heading(2, "Lines that lose most");
    if lines.is_empty() {
        document.text("No line loses a lane.");
        return;
    }
    let has_times = lines.iter().any(|line| line.estimated_s.is_some());
    let columns = ["line>", "source", "η>", "lost>", "issued>", "splits>", "time, estimated>"];
    let mut table = Table::new(&columns[..if has_times { 7 } else { 6 }]);
    for line in lines.into_iter().take(HOTTEST) {
        let mut row = vec![line.number.to_string(), source_of(profile, line.number)];
        row.extend(cells(profile, line));
        row.insert(5, figures::count(line.splits as f64));
        table.rows.push(row);
    }
    document.table(table);
}

/// Returns the figures of a line: η, share of all lost slots, share of all instructions, and the estimated time if there is
/// one.
fn cells(profile: &ShaderProfile, line: &Line) -> Vec<String> {
    let mut cells = vec![
        per_cent(line.totals.efficiency()),
        per_cent(share(line.totals.lost(), profile.totals.lost())),
        per_cent(share(line.totals.issues, profile.totals.issues)),
    ];
    cells.extend(line.estimated_s.map(|s| figures::quantity(s, "s")));
    cells
}

fn listing(profile: &ShaderProfile) -> Listing {
    let has_times = profile.lines.iter().any(|line| line.estimated_s.is_some());
    let columns = ["η", "lost", "issued", "time"];
    let columns = columns[..if has_times { 4 } else { 3 }].iter().map(|&name| name.to_owned());
    let most = profile.lines.iter().map(|line| line.totals.lost()).max().unwrap_or(0);
    let of_line = |number: u32| {
        let at = profile.lines.binary_search_by_key(&number, |line| line.number).ok()?;
        Some(&profile.lines[at])
    };
    let lines = (1..).zip(profile.dispatch.source.lines()).map(|(number, text)| {
        let line = of_line(number).filter(|line| line.totals.issues > 0);
        ListedLine {
            number,
            cells: line.map_or(Vec::new(), |line| cells(profile, line)),
            heat: line.and_then(|line| share(line.totals.lost(), most)).unwrap_or(0.0),
            text: text.to_owned(),
        }
    });
    Listing { columns: columns.collect(), lines: lines.collect() }
}

fn decisions(document: &mut Document, profile: &ShaderProfile) {
    let relevant = |decision: &&Decision| decision.splits > 0 || decision.depends.is_some();
    let mut shown: Vec<&Decision> = profile.decisions.iter().filter(relevant).collect();
    if shown.is_empty() {
        return;
    }
    shown.sort_by_key(|decision| std::cmp::Reverse(decision.splits));
    document.heading(2, "Decisions");
    let count = figures::counted(shown.len(), "decision");
    document.text(format!(
        "{count} split subgroups or depend on more than the inputs; the table has the {HOTTEST} that split most."
    ));
    let mut table =
        Table::new(&["line>", "source", "statement", "decisions>", "split>", "depends on"]);
    for decision in shown.into_iter().take(HOTTEST) {
        let kind = match decision.kind {
            DecisionKind::If => "condition",
            DecisionKind::Switch => "switch",
            DecisionKind::BreakIf => "break if",
            DecisionKind::Unknown => "another statement",
        };
        let depends = match decision.depends {
            None => "",
            Some(Depends::Atomic) => "the result of an atomic",
            Some(Depends::Subgroup) => "the subgroup",
            Some(Depends::Waits) => "an atomic that ends the loop",
            Some(Depends::Unknown) => "something unknown",
        };
        table.rows.push(vec![
            decision.line.to_string(),
            source_of(profile, decision.line),
            kind.to_owned(),
            figures::count(decision.executions as f64),
            per_cent(share(decision.splits, decision.executions)),
            depends.to_owned(),
        ]);
    }
    document.table(table);
}

fn loops(document: &mut Document, profile: &ShaderProfile) {
    if profile.loops.is_empty() {
        return;
    }
    document.heading(2, "Loops");
    let mut table = Table::new(&[
        "line>",
        "source",
        "begun by subgroups>",
        "iterations of the mean lane>",
        "of the longest lane>",
        "longest over mean>",
    ]);
    for &Loop { line, iterated } in &profile.loops {
        let mean = share(iterated.lane_iterations, iterated.lanes);
        let longest = share(iterated.iterations, iterated.entries);
        let number = |value: Option<f64>| value.map_or(String::new(), figures::digits);
        table.rows.push(vec![
            line.to_string(),
            source_of(profile, line),
            figures::count(iterated.entries as f64),
            number(mean),
            number(longest),
            iterated.longest_over_mean().map_or(String::new(), |of| figures::quantity(of, "x")),
        ]);
    }
    document.table(table);
}

fn paths(document: &mut Document, profile: &ShaderProfile) {
    if profile.paths.len() < 2 {
        return;
    }
    document.heading(2, "Call paths");
    let mut table =
        Table::new(&["call path", "η>", "lost>", "issued>", "issued by the function itself>"]);
    for CallPath { calls, own, all } in &profile.paths {
        let call = |call: &Call| format!(" › {} (line {})", call.function, call.line);
        let calls: String = calls.iter().map(call).collect();
        table.rows.push(vec![
            format!("{}{calls}", profile.dispatch.entry),
            per_cent(all.efficiency()),
            per_cent(share(all.lost(), profile.totals.lost())),
            per_cent(share(all.issues, profile.totals.issues)),
            per_cent(share(own.issues, profile.totals.issues)),
        ]);
    }
    document.table(table);
}

fn work(document: &mut Document, profile: &ShaderProfile) {
    let work = &profile.work;
    document.heading(2, "Work of the invocations");
    document.text(format!(
        "Instructions of each of the {} invocations: least {}, mean {}, most {}.",
        figures::count(work.invocations as f64),
        figures::count(work.least.into()),
        figures::digits(work.mean),
        figures::count(work.most.into())
    ));
    let most = work.histogram.iter().map(|bin| bin.invocations).max().unwrap_or(0);
    let mut table = Table::new(&["instructions>", "invocations>", "share>", ""]);
    for bin in &work.histogram {
        let halves =
            (share(bin.invocations, most).unwrap_or(0.0) * (2 * BAR) as f64).ceil() as usize;
        let bar = format!("{}{}", "█".repeat(halves / 2), if halves % 2 == 1 { "▌" } else { "" });
        let range = match (bin.from, bin.to) {
            (from, to) if from == to => figures::count(from.into()),
            (from, to) => {
                format!("{} to {}", figures::count(from.into()), figures::count(to.into()))
            }
        };
        table.rows.push(vec![
            range,
            figures::count(bin.invocations as f64),
            per_cent(share(bin.invocations, work.invocations)),
            bar,
        ]);
    }
    document.table(table);
}

fn widths(document: &mut Document, profile: &ShaderProfile) {
    document.heading(2, "Other subgroup sizes");
    let mut table = Table::new(&["lanes of a subgroup>", "η>", "instructions issued>"]);
    for at in &profile.widths {
        table.rows.push(vec![
            at.lanes.to_string(),
            per_cent(at.totals.efficiency()),
            figures::count(at.totals.issues as f64),
        ]);
    }
    document.table(table);
}

fn outputs(document: &mut Document, profile: &ShaderProfile) {
    let is_other = |output: &&crate::model::Output| {
        output.differing > 0 || output.differing_without_probes > 0
    };
    let others: Vec<_> = profile.outputs.iter().filter(is_other).collect();
    if others.is_empty() {
        return;
    }
    document.heading(2, "Outputs that differ");
    let mut table = Table::new(&[
        "buffer",
        "words>",
        "differ with and without probes>",
        "differ between two runs without probes>",
    ]);
    for output in others {
        table.rows.push(vec![
            output.name.clone(),
            figures::count(output.words as f64),
            figures::count(output.differing as f64),
            figures::count(output.differing_without_probes as f64),
        ]);
    }
    document.table(table);
}

/// Returns what the figures mean, and what they do not.
fn meanings(profile: &ShaderProfile) -> Vec<String> {
    let mut texts = vec![
        "η is the share of lane slots that were active. It counts the operations of the source: a compiler may turn a short \
         branch into a selection, move code out of a loop, or unroll it."
            .to_owned(),
        "The lanes of a subgroup meet again as early as the source allows. A device that lets them meet later issues more."
            .to_owned(),
    ];
    let decisions = &profile.decisions;
    let has = |wanted: Depends| decisions.iter().any(|of| of.depends == Some(wanted));
    if has(Depends::Waits) {
        texts.push(
            "A loop ends when an atomic says so: it waits for other invocations, or tries again. How often it iterates depends \
             on the speed of the others, and probes change that. Its figures are those of one run."
                .to_owned(),
        );
    }
    if has(Depends::Atomic) {
        texts.push(
            "Some decisions depend on the order in which atomics are performed. Another run may decide otherwise."
                .to_owned(),
        );
    }
    if has(Depends::Subgroup) {
        texts.push(
            if profile.subgroup_size.source == LanesSource::Pipeline {
                "Some decisions depend on the lanes of a subgroup. At other subgroup sizes the shader would decide otherwise, so \
                 that the table of other sizes does not apply."
            } else {
                "Some decisions depend on the lanes of a subgroup, and the replay has subgroups of another size than the device. \
                 The shader would decide otherwise there, so that no figure of this page is certain."
            }
                .to_owned(),
        );
    }
    if let Some(price) = &profile.price {
        let is_measured = price.device.is_none() && profile.times.is_some();
        let shared = if is_measured { "measured" } else { "predicted" };
        texts.push(format!(
            "The {shared} time is divided among the lines in proportion to their estimated costs, from {}. Loads count as \
             coalesced. Where memory or latency hides instructions, a line can save less than its estimate.",
            price.record
        ));
        texts.push(
            "Predicted times know how many instructions there are and how long they wait for one another. They do not know \
             whether loads are coalesced, whether atomics contend, and what a compiler saves."
                .to_owned(),
        );
    }
    texts.extend(profile.notes.iter().cloned());
    texts
}
