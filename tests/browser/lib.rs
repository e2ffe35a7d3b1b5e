//! A page in headless Chromium, at the size of some screen: what it logs, fetches and lays out.

use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Network, Page, Runtime};
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde::Deserialize;

/// How large a screen is, and what its owner prefers.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Pixels of the style sheet.
    pub width: u32,
    /// The same.
    pub height: u32,
    /// `light` or `dark`.
    pub scheme: &'static str,
}

/// What a page turned out to be.
#[derive(Debug, Deserialize)]
pub struct Laid {
    /// How much wider than the screen it is, in pixels.
    pub overflow: f64,
    /// Pictures with a title, a description and an extent.
    pub plots: usize,
    /// Pictures that lack one of these.
    pub bare: usize,
    /// Tables with a row.
    pub tables: usize,
    /// Words in pictures that leave the picture or lie on other words.
    pub colliding: Vec<String>,
    /// Resources fetched beside the page itself.
    pub fetched: Vec<String>,
    /// Milliseconds from asking for the page until it was first painted.
    pub painted_ms: f64,
    /// The page's background.
    pub paper: String,
}

/// Looks at the page that is open, in the page's own words.
const LOOK: &str = include_str!("look.js");

/// A page that was opened.
pub struct Opened {
    /// What was laid out.
    pub laid: Laid,
    /// Errors and warnings of the console, and exceptions.
    pub complaints: Vec<String>,
    /// Addresses that were asked for.
    pub requests: Vec<String>,
    /// A picture of it, PNG.
    pub screenshot: Vec<u8>,
}

/// Starts Chromium: `CHROME`, or what is on the path.
///
/// # Errors
/// When there is none, with what to do.
pub fn browser() -> Result<Browser> {
    let options = LaunchOptions::default_builder()
        .sandbox(false) // tests in containers run as root
        .build()
        .context("the options are complete")?;
    Browser::new(options).context("no Chromium starts: `sh setup.sh --browser` installs it")
}

/// Opens the page of a file on a screen.
///
/// # Errors
/// When the browser cannot.
pub fn open(browser: &Browser, file: &Path, screen: Screen) -> Result<Opened> {
    let tab = browser.new_tab()?;
    let (complaints, requests) = listen(&tab)?;
    tab.call_method(Emulation::SetDeviceMetricsOverride {
        width: screen.width,
        height: screen.height,
        device_scale_factor: 1.0,
        mobile: screen.width < 600,
        scale: None,
        screen_width: None,
        screen_height: None,
        position_x: None,
        position_y: None,
        dont_set_visible_size: None,
        screen_orientation: None,
        viewport: None,
        display_feature: None,
        device_posture: None,
    })?;
    let scheme = Emulation::MediaFeature {
        name: "prefers-color-scheme".to_owned(),
        value: screen.scheme.to_owned(),
    };
    tab.call_method(Emulation::SetEmulatedMedia { media: None, features: Some(vec![scheme]) })?;
    tab.navigate_to(&format!("file://{}", file.canonicalize()?.display()))?;
    tab.wait_until_navigated()?;
    let look = tab.evaluate(LOOK, true)?.value.context("the page answers")?;
    let laid = serde_json::from_str(look.as_str().context("it answers in words")?)?;
    let format = Page::CaptureScreenshotFormatOption::Png;
    let screenshot = tab.capture_screenshot(format, None, None, true)?;
    tab.close(false)?;
    let taken = |list: &Mutex<Vec<String>>| {
        std::mem::take(&mut *list.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    };
    Ok(Opened { laid, complaints: taken(&complaints), requests: taken(&requests), screenshot })
}

type List = Arc<Mutex<Vec<String>>>;

/// Takes down what the page complains of and asks for.
fn listen(tab: &Arc<Tab>) -> Result<(List, List)> {
    let (complaints, requests) = (List::default(), List::default());
    let (to_complaints, to_requests) = (Arc::clone(&complaints), Arc::clone(&requests));
    let add = |list: &List, line: String| {
        list.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line);
    };
    tab.enable_log()?;
    tab.call_method(Runtime::Enable(None))?;
    tab.call_method(Network::Enable {
        max_total_buffer_size: None,
        max_resource_buffer_size: None,
        max_post_data_size: None,
        report_direct_socket_traffic: None,
        enable_durable_messages: None,
    })?;
    tab.add_event_listener(Arc::new(move |event: &Event| match event {
        Event::LogEntryAdded(log) => add(&to_complaints, log.params.entry.text.clone()),
        Event::RuntimeExceptionThrown(thrown) => {
            add(&to_complaints, thrown.params.exception_details.text.clone());
        }
        Event::RuntimeConsoleAPICalled(called) => {
            add(&to_complaints, format!("{:?}", called.params.args));
        }
        Event::NetworkRequestWillBeSent(sent) => {
            add(&to_requests, sent.params.request.url.clone());
        }
        _ => (),
    }))?;
    Ok((complaints, requests))
}
