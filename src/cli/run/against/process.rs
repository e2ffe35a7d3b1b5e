//! Processes of the two builds.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::gpu::prepared_variables;
use crate::model::plain_to;

/// Largest number of bytes that are kept of each output of a process. A list of experiments is far shorter.
const MOST_OUTPUT: u64 = 1 << 20;
/// Longest wait for a process that was not asked to stop, where it has to answer soon.
const ANSWER: Duration = Duration::from_secs(60);
/// Longest wait for a process that was told to end at once.
const GRACE: Duration = Duration::from_secs(2);
/// Time between two looks at a process. It takes much less of the processor than a measurement notices.
const LOOK: Duration = Duration::from_millis(20);

/// What the user wants of the running processes.
#[derive(Debug, Default)]
pub(super) struct Stop {
    /// Whether they are to stop after their current round.
    pub(super) soon: AtomicBool,
    /// Whether they are to end at once.
    pub(super) now: AtomicBool,
}

/// A build of warplaw that measures, as a program to start.
pub(super) struct Program {
    path: PathBuf,
    /// Arguments before those of `run`.
    first: &'static str,
    /// Name for messages.
    pub(super) name: String,
}

/// How a process ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Program {
    /// Returns the program of this process. A bench takes the arguments of `run` without the word.
    ///
    /// # Errors
    /// Returns the message of the operating system if it does not tell the path.
    pub(super) fn this(is_bench: bool) -> Result<Self, String> {
        let path = std::env::current_exe().map_err(|error| error.to_string())?;
        let first = if is_bench { "--bench" } else { "run" };
        Ok(Self { path, first, name: "this build".to_owned() })
    }

    /// Returns the program at `path`, or of this name where programs are searched for.
    pub(super) fn other(path: &Path) -> Self {
        let name = path.display().to_string();
        let found = if path.is_file() { std::path::absolute(path).ok() } else { None };
        Self { path: found.unwrap_or_else(|| path.to_owned()), first: "run", name }
    }

    /// Returns the command that runs experiments, without its arguments.
    pub(super) fn run(&self) -> Command {
        let mut command = self.command();
        command.arg(self.first);
        command
    }

    /// Returns the command that starts the program.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        // Else the program would take them for the user's own.
        for variable in prepared_variables() {
            command.env_remove(variable);
        }
        command
    }
}

impl Ended {
    /// Describes in one line why the process failed: its exit code, and its own message.
    pub(super) fn failure(&self) -> String {
        let ending = match self.status.code() {
            Some(code) => format!("it ended with exit code {code}"),
            None => format!("it was ended by a signal ({})", self.status),
        };
        let text = String::from_utf8_lossy(&self.stderr);
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        let error = lines().rev().find_map(|line| line.strip_prefix("error: "));
        match error.or_else(|| lines().next_back()) {
            Some(message) => format!("{ending}: {}", plain_to(message, 300)),
            None => format!("{ending} and no message"),
        }
    }
}

/// Runs a command that has to end soon.
///
/// # Errors
/// Returns the reason if the command cannot be started or does not end.
pub(super) fn ask(command: &mut Command, stop: &Stop) -> Result<Ended, String> {
    finish(command, stop, Some(ANSWER))
}

/// Runs a command to its end. Tells the process to stop or to end, if `stop` says so meanwhile.
///
/// # Errors
/// Returns the reason if the command cannot be started.
pub(super) fn measure(command: &mut Command, stop: &Stop) -> Result<Ended, String> {
    finish(command, stop, None)
}

fn finish(command: &mut Command, stop: &Stop, most: Option<Duration>) -> Result<Ended, String> {
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A terminal sends Ctrl-C to a group. In a group of its own, the process gets each signal once, from here, and so do
    // the processes of a script.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(piped, 0);
    let mut child = piped.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let status = wait(&mut child, stop, most)?;
    let bytes = |reader: JoinHandle<Vec<u8>>| reader.join().unwrap_or_default();
    Ok(Ended { status, stdout: bytes(stdout), stderr: bytes(stderr) })
}

/// Reads a pipe in a thread, so that the process never waits for its reader. What is too much is not read, and the pipe
/// closed.
fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is kept.
        let _incomplete = pipe.map(|pipe| pipe.take(MOST_OUTPUT).read_to_end(&mut bytes));
        bytes
    })
}

fn wait(child: &mut Child, stop: &Stop, most: Option<Duration>) -> Result<ExitStatus, String> {
    let start = Instant::now();
    let mut is_told = false;
    let mut ending: Option<Instant> = None;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => (),
            Err(error) => return Err(format!("its end cannot be awaited: {error}")),
        }
        if most.is_some_and(|most| start.elapsed() > most) {
            signal(child, Urgency::Kill);
            let _ended = child.wait();
            return Err(format!("it gives no answer within {} s", ANSWER.as_secs()));
        }
        if stop.soon.load(Ordering::Relaxed) && !is_told {
            is_told = true;
            signal(child, Urgency::Stop);
        }
        if stop.now.load(Ordering::Relaxed) {
            match ending {
                None => {
                    ending = Some(Instant::now());
                    signal(child, Urgency::Stop);
                }
                Some(since) if since.elapsed() > GRACE => signal(child, Urgency::Kill),
                Some(_) => (),
            }
        }
        std::thread::sleep(LOOK);
    }
}

/// How a process is ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Urgency {
    /// As by Ctrl-C.
    Stop,
    /// Without a chance to clean up.
    Kill,
}

/// Sends a signal to a process and to those that it started. The process may have ended.
#[cfg(unix)]
fn signal(child: &mut Child, urgency: Urgency) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    let signal = if urgency == Urgency::Stop { Signal::SIGINT } else { Signal::SIGKILL };
    // The process is not yet waited for, so that its number is still its own.
    let _has_ended = i32::try_from(child.id()).map(|id| killpg(Pid::from_raw(id), signal));
}

/// Ends a process. This system has no signal for a process, and its terminal sends Ctrl-C to all of them by itself.
#[cfg(not(unix))]
fn signal(child: &mut Child, urgency: Urgency) {
    if urgency == Urgency::Kill {
        let _has_ended = child.kill();
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_is_told_by_its_code_and_its_last_error() {
        let never = Stop::default();
        let failure = |script| measure(&mut shell(script), &never).expect("it runs").failure();
        let said = failure("echo note >&2; echo 'error: no device' >&2; echo hint >&2; exit 2");
        assert_eq!(said, "it ended with exit code 2: no device");
        assert_eq!(failure("echo panic >&2; exit 101"), "it ended with exit code 101: panic");
        assert_eq!(failure("exit 3"), "it ended with exit code 3 and no message");
        assert!(failure("kill -9 $$").starts_with("it was ended by a signal"));
    }

    #[test]
    fn a_program_and_those_that_it_started_are_told_to_stop() {
        let stop = Stop { soon: true.into(), ..Stop::default() };
        // The inner shell holds the pipe. The outer one ends first, and would be all that a single signal reaches.
        let script =
            "sh -c 'trap \"echo stopped; exit\" INT; while :; do sleep 0.02; done'; exit 9";
        let start = Instant::now();
        let ended = measure(&mut shell(&format!("sleep 0.3; {script}")), &stop).expect("it runs");
        assert!(!ended.status.success());
        let stop = Stop::default();
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(300));
                stop.soon.store(true, Ordering::Relaxed);
            });
            measure(&mut shell(script), &stop).expect("it runs")
        });
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "stopped\n");
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_program_that_does_not_stop_is_ended() {
        let stop = Stop { soon: true.into(), now: true.into() };
        let script = "trap '' INT; while :; do sleep 0.02; done";
        let ended = measure(&mut shell(script), &stop).expect("it runs");
        assert_eq!(ended.status.code(), None);
    }

    #[test]
    fn a_flood_of_output_is_cut() {
        let ended = ask(&mut shell("exec yes"), &Stop::default()).expect("it runs");
        assert_eq!(ended.stdout.len() as u64, MOST_OUTPUT);
        assert!(!ended.status.success());
    }
}
