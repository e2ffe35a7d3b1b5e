//! `warplaw profile`: where a shader loses lanes.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::error::CliError;
use super::input::read_all;
use super::output::{Forms, Output, json, quoted, say, write_new};
use super::run::{measure, tool_of};
use crate::gpu::{Executor, Hardware, Options, Selection};
use crate::model::{Record, plain};
use crate::profile::{
    self, Needs, Number, ProfileError, Request, Size, Source, Spec, Value, Workgroups, pair,
};
use crate::report;

/// Experiments that costs of instructions are taken from.
const PRICING: [&str; 4] = ["width", "ilp", "ceilings", "reduction"];
/// Most bytes of the log of decisions, if the user says nothing.
const BUDGET: u64 = 64 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct ProfileArguments {
    /// WGSL shader, or a file .toml that names one with its inputs
    shader: PathBuf,
    /// Entry point (default: the only compute entry point)
    #[arg(long, value_name = "NAME")]
    entry: Option<String>,
    /// Number of workgroups in x, y and z, such as 1024 or 64,64
    #[arg(long, value_name = "X,Y,Z")]
    dispatch: Option<Workgroups>,
    /// Contents of a buffer: zeros, index, random:u32:1..64, each with a number of elements or bytes such as :4096 or
    /// :4MiB (default: one element for each invocation), or a file .npy or .bin
    #[arg(long, value_name = "GROUP.BINDING=SOURCE", value_parser = pair::<String>)]
    bind: Vec<(String, String)>,
    /// Value of a member of a buffer; several numbers for a vector
    #[arg(long, value_name = "GROUP.BINDING.MEMBER=VALUE", value_parser = pair::<Value>)]
    set: Vec<(String, Value)>,
    /// Value of a pipeline-overridable constant
    #[arg(long = "override", value_name = "NAME=VALUE", value_parser = pair::<Number>)]
    constants: Vec<(String, Number)>,
    /// Write the inputs to FILE, to edit and to give instead of the shader, and do nothing else
    #[arg(long, value_name = "FILE.toml")]
    init: Option<PathBuf>,
    /// Lanes of a subgroup in the replay (default: as the pipeline runs)
    #[arg(long, value_name = "LANES", value_parser = width)]
    width: Option<u32>,
    /// Most memory for the decisions; if it does not suffice, a random sample of workgroups is replayed (default: 64MiB)
    #[arg(long, value_name = "BYTES")]
    memory: Option<Size>,
    /// Estimate the time of each line by the costs of instructions in this record of the device
    #[arg(long, value_name = "RECORD")]
    from: Option<PathBuf>,
    /// Measure the costs of instructions first, which takes some seconds, and estimate times from them
    #[arg(long, conflicts_with = "from")]
    price: bool,
    /// Allow RECORD to be of another device, and predict the time on that one
    #[arg(long, requires = "from")]
    across_devices: bool,
    /// Do not time the dispatch, and do not try another order of its invocations
    #[arg(long)]
    no_timing: bool,
    /// Show what the lanes of a subgroup load, store and change together: lines and sectors of buffers, banks of workgroup
    /// memory, and atomics on one address
    #[arg(long)]
    accesses: bool,
    /// Use this adapter: its number in `warplaw adapters`, its PCI bus id, or part of its name, ignoring case
    #[arg(long, value_name = "ADAPTER")]
    adapter: Option<String>,
    /// Use only these backends, comma-separated: vulkan, metal, dx12, gl
    #[arg(long, value_name = "BACKEND")]
    backend: Option<String>,
    /// Seed of random inputs and of the sample of workgroups
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write the executions of lines to FILE too, in the format of LCOV
    #[arg(long, value_name = "FILE")]
    lcov: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Parses the lanes of a subgroup.
fn width(text: &str) -> Result<u32, String> {
    let lanes = text.parse().ok().filter(|lanes: &u32| lanes.is_power_of_two() && *lanes <= 1024);
    lanes.ok_or_else(|| format!("`{text}` is no power of two up to 1024"))
}

/// Profiles a shader, or writes its inputs to a file.
///
/// # Errors
/// Returns an error if the shader or an input cannot be used, if the device fails, or if an output cannot be written.
pub(super) fn profile(arguments: &ProfileArguments) -> Result<ExitCode, CliError> {
    let (mut spec, folder) = spec(arguments)?;
    let path = folder.join(&spec.shader);
    let of_shader = |reason: String| unusable(&path, reason);
    let source = std::fs::read_to_string(&path).map_err(|error| of_shader(error.to_string()))?;
    let needs =
        Needs::of(&source, spec.entry.as_deref()).map_err(|error| of_shader(error.to_string()))?;
    if let Some(init) = &arguments.init {
        return write_spec(&mut spec, &needs, init, &folder);
    }
    let inputs = [arguments.shader.as_path(), &path].map(Path::to_owned);
    arguments.output.check_inputs(&inputs)?;
    spec.check(&needs).map_err(of_shader)?;
    let missing = spec.missing(&needs);
    if !missing.is_empty() {
        let missing = missing.join(" ");
        return Err(of_shader(format!(
            "inputs are missing; add {missing}, or write all to a file with --init FILE.toml"
        )));
    }
    let workgroups = spec.workgroups().unwrap_or([1; 3]);
    let constants = spec.constants();
    let size = profile::workgroup_size(&source, &needs.entry, &constants)
        .map_err(|error| of_shader(error.to_string()))?;
    let selection =
        Selection { adapter: arguments.adapter.clone(), backend: arguments.backend.clone() };
    let record = match &arguments.from {
        Some(path) => Some(record_at(path)?),
        None if arguments.price => {
            Some(("costs that were just measured".to_owned(), measure(&PRICING, &selection)?))
        }
        None => None,
    };
    let hardware = Hardware::open(&Options { selection, ..Options::default() })?;
    let (device, queue) = hardware.wgpu();
    profile::check_workgroups(device, workgroups).map_err(|error| of_shader(error.to_string()))?;
    let counts = workgroups.iter().chain(&size).map(|&count| u64::from(count));
    let elements = counts.fold(1, u64::saturating_mul);
    let buffers = spec.buffers(&needs, elements, arguments.seed, &folder).map_err(of_shader)?;
    let adapter = hardware.facts().described(None);
    if let Some((name, record)) = record.as_ref().filter(|_| !arguments.across_devices)
        && !record.adapter.is_like(&adapter)
    {
        return Err(CliError::OtherRecord {
            record: name.clone(),
            device: record.adapter.full_name(),
            adapter: adapter.full_name(),
        });
    }
    let request = Request {
        file: path.display().to_string(),
        source,
        entry: needs.entry,
        constants,
        workgroups,
        buffers,
        lanes: arguments.width,
        budget: match arguments.memory {
            None => BUDGET,
            Some(Size::Bytes(bytes)) => bytes,
            Some(Size::Elements(bytes)) => bytes,
        },
        seed: arguments.seed,
        record: record.as_ref().map(|(name, record)| (name.as_str(), record)),
        timed: !arguments.no_timing,
        accesses: arguments.accesses,
    };
    if std::io::stderr().is_terminal() {
        say(&plain(&format!(
            "Profiling {} on {}; compiling and recording may take a while.",
            request.file,
            adapter.full_name()
        )));
    }
    let found = profile::profile(&request, adapter, device, queue);
    let mut found = found.map_err(|error: ProfileError| of_shader(error.to_string()))?;
    found.tool = Some(tool_of("profile"));
    if let Some(lcov) = &arguments.lcov {
        write_new(lcov, &report::lcov(&found), |old| old.starts_with("TN:\nSF:"))?;
    }
    let forms = Forms {
        page: Box::new(|| report::profile(&found)),
        table: Box::new(|| report::profile_table(&found)),
        json: Box::new(|| json(&found)),
    };
    arguments.output.write(forms, &maker(std::env::args_os().skip(1)), &[])?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the command that makes a page again, without the arguments for its format and its file.
fn maker(words: impl Iterator<Item = OsString>) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut words = words.map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = words.next() {
        match word.as_str() {
            "--format" | "--out" | "--lcov" => drop(words.next()),
            "--force" => (),
            other if ["--format=", "--out=", "--lcov="].iter().any(|of| other.starts_with(of)) => {}
            _ => kept.push(quoted(Path::new(&word))),
        }
    }
    kept.join(" ")
}

fn unusable(path: &Path, reason: String) -> CliError {
    CliError::Unusable { path: path.display().to_string(), reason }
}

/// Returns what to profile, and the folder at which its paths begin.
fn spec(arguments: &ProfileArguments) -> Result<(Spec, PathBuf), CliError> {
    let given = &arguments.shader;
    let (mut spec, folder) = if given.extension().is_some_and(|extension| extension == "toml") {
        let spec = Spec::read(given).map_err(|reason| unusable(given, reason))?;
        (spec, given.parent().unwrap_or(Path::new("")).to_owned())
    } else {
        (Spec { shader: given.clone(), ..Spec::default() }, PathBuf::new())
    };
    spec.entry = arguments.entry.clone().or(spec.entry);
    if let Some(Workgroups(given)) = &arguments.dispatch {
        spec.dispatch.clone_from(given);
    }
    // A path on the command line begins at the working directory.
    let typed = |(place, source): &(String, String)| match source.parse() {
        Ok(Source::File(path)) => {
            let path = std::path::absolute(&path).unwrap_or(path);
            (place.clone(), path.display().to_string())
        }
        _ => (place.clone(), source.clone()),
    };
    spec.bind.extend(arguments.bind.iter().map(typed));
    spec.set.extend(arguments.set.iter().cloned());
    spec.constants.extend(arguments.constants.iter().cloned());
    Ok((spec, folder))
}

/// Writes what to profile, whose paths begin at `from`, to a file.
fn write_spec(
    spec: &mut Spec,
    needs: &Needs,
    init: &Path,
    from: &Path,
) -> Result<ExitCode, CliError> {
    spec.complete(needs);
    let folder = init.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // Files are named from the folder of the new file if they are in it.
    let relocated = |path: &Path| {
        let absolute =
            from.join(path).canonicalize().or_else(|_| std::path::absolute(from.join(path)));
        let absolute = absolute.unwrap_or_else(|_| path.to_owned());
        let inside = folder.canonicalize().ok();
        let inside =
            inside.and_then(|folder| absolute.strip_prefix(folder).map(Path::to_owned).ok());
        inside.unwrap_or(absolute)
    };
    spec.shader = relocated(&spec.shader);
    for source in spec.bind.values_mut() {
        if let Ok(Source::File(path)) = source.parse() {
            *source = relocated(&path).display().to_string();
        }
    }
    let text = toml::to_string(&spec).map_err(|error| unusable(init, error.to_string()))?;
    write_new(init, &text, |_| false)?;
    let next = quoted(init);
    super::output::print_text(&format!(
        "wrote {}; edit it, then run: warplaw profile {}\n",
        plain(&next),
        plain(&next)
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the record at `path`.
fn record_at(path: &Path) -> Result<(String, Record), CliError> {
    let mut records = read_all(&[path.to_owned()], &[])?;
    match records.len() {
        1 => Ok(records.remove(0)),
        count => Err(unusable(path, format!("{count} records; give one"))),
    }
}
