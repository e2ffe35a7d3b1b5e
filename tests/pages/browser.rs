//! A page in headless Chromium: what it logs, requests and lays out on a screen.
//!
//! Chromium is driven by its DevTools protocol over a pipe: JSON messages, each ended by a zero byte. The protocol
//! crates generate every command of it and take longer to compile than the rest of this crate, for the ten commands
//! below.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Size of a screen, and the color scheme that its owner prefers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// CSS pixels.
    pub(crate) width: u32,
    /// CSS pixels.
    pub(crate) height: u32,
    /// `light` or `dark`.
    pub(crate) scheme: &'static str,
}

/// Layout of a page, as `look.js` measures it.
#[derive(Debug, Deserialize)]
pub(crate) struct Laid {
    /// Width of the page beyond that of the screen, in pixels.
    pub(crate) overflow: f64,
    /// Pictures with a title, a description and a size.
    pub(crate) plots: usize,
    /// Pictures without one of these.
    pub(crate) bare: usize,
    /// Tables with at least one row.
    pub(crate) tables: usize,
    /// Texts in pictures that leave the picture or overlap others.
    pub(crate) colliding: Vec<String>,
    /// Resources that the page fetched.
    pub(crate) fetched: Vec<String>,
    /// Milliseconds from the request of the page to its first paint.
    pub(crate) painted_ms: f64,
    /// Background color of the page.
    pub(crate) paper: String,
}

/// A page that was opened.
pub(crate) struct Opened {
    pub(crate) laid: Laid,
    /// Errors and warnings of the console, and exceptions.
    pub(crate) complaints: Vec<String>,
    /// Requested URLs.
    pub(crate) requests: Vec<String>,
    /// The whole page as PNG.
    pub(crate) screenshot: Vec<u8>,
}

/// Measures the page that is open.
const LOOK: &str = include_str!("look.js");

/// Names of Chromium and Chrome on the path, in the order in which they are tried.
const PROGRAMS: [&str; 4] =
    ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser"];

/// A running browser. It ends when the value is dropped.
pub(crate) struct Browser {
    process: Child,
    commands: ChildStdin,
    messages: BufReader<ChildStdout>,
    calls: u64,
    /// Events since the page was opened.
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts the browser that `CHROME` names, else one on the path.
    pub(crate) fn start() -> Self {
        let named = std::env::var("CHROME").into_iter();
        let program = named
            .chain(PROGRAMS.map(str::to_owned))
            .find(|program| Command::new(program).arg("--version").output().is_ok())
            .expect("no Chromium starts: `sh setup.sh --browser` installs it");
        let profile = tempfile::tempdir().expect("a scratch folder can be made");
        // The protocol uses the file descriptors 3 and 4.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 >/dev/null 2>&1", &program])
            .args(["--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu"])
            // Tests in containers run as root, for which the sandbox does not start.
            .arg("--no-sandbox")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the browser starts");
        let commands = process.stdin.take().expect("it is piped");
        let messages = BufReader::new(process.stdout.take().expect("it is piped"));
        Self { process, commands, messages, calls: 0, events: Vec::new(), _profile: profile }
    }

    /// Reads the next message.
    fn message(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.messages.read_until(0, &mut bytes).expect("the browser answers");
        let text = bytes.strip_suffix(&[0]).expect("the browser answers until it is told to end");
        serde_json::from_slice(text).expect("a message is JSON")
    }

    /// Calls a command of the protocol in `session`, or in the browser itself. Returns its result.
    fn call(&mut self, session: Option<&str>, method: &str, params: impl Serialize) -> Value {
        self.calls += 1;
        let id = self.calls;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).expect("the browser reads");
        loop {
            let message = self.message();
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    /// Waits for an event.
    fn wait_for(&mut self, method: &str) {
        while self.events.iter().all(|event| event["method"] != method) {
            let message = self.message();
            self.events.push(message);
        }
    }

    /// Opens the page of a file on a screen.
    pub(crate) fn open(&mut self, file: &Path, screen: Screen) -> Opened {
        let url = format!("file://{}", file.canonicalize().expect("the file exists").display());
        self.events.clear();
        let target = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call(None, "Target.attachToTarget", target.clone());
        let session = session["sessionId"].as_str().expect("a session has an id").to_owned();
        let own = Some(session.as_str());
        for domain in ["Log.enable", "Runtime.enable", "Network.enable", "Page.enable"] {
            self.call(own, domain, json!({}));
        }
        let size = json!({
            "width": screen.width,
            "height": screen.height,
            "deviceScaleFactor": 1,
            "mobile": screen.width < 600,
        });
        self.call(own, "Emulation.setDeviceMetricsOverride", size);
        let scheme = json!({ "name": "prefers-color-scheme", "value": screen.scheme });
        self.call(own, "Emulation.setEmulatedMedia", json!({ "features": [scheme] }));
        // Events of the empty page do not count.
        self.events.clear();
        self.call(own, "Page.navigate", json!({ "url": url }));
        self.wait_for("Page.loadEventFired");
        let look = json!({ "expression": LOOK, "awaitPromise": true, "returnByValue": true });
        let laid = self.call(own, "Runtime.evaluate", look);
        let laid = laid["result"]["value"].as_str().expect("look.js returns a string");
        let laid = serde_json::from_str(laid).expect("look.js returns the fields of `Laid`");
        let whole = json!({ "captureBeyondViewport": true });
        let screenshot = self.call(own, "Page.captureScreenshot", whole);
        let screenshot = screenshot["data"].as_str().expect("a picture is text");
        let screenshot = BASE64_STANDARD.decode(screenshot).expect("a picture is base64");
        self.call(None, "Target.closeTarget", json!({ "targetId": target["targetId"] }));
        let params = |method: &str| {
            let of_method = self.events.iter().filter(move |event| event["method"] == method);
            of_method.map(|event| &event["params"]).collect::<Vec<_>>()
        };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let logged = params("Log.entryAdded").into_iter().map(|p| text(&p["entry"]["text"]));
        let thrown = params("Runtime.exceptionThrown").into_iter();
        let thrown = thrown.map(|p| text(&p["exceptionDetails"]["text"]));
        let called = params("Runtime.consoleAPICalled").into_iter().map(|p| text(&p["args"]));
        let sent = params("Network.requestWillBeSent").into_iter();
        Opened {
            laid,
            complaints: logged.chain(thrown).chain(called).collect(),
            requests: sent.map(|p| text(&p["request"]["url"])).collect(),
            screenshot,
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _may_have_ended = self.process.kill();
        let _may_have_ended = self.process.wait();
    }
}
