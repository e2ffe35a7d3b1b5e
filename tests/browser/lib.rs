//! Opens a page in headless Chromium on a screen of a given size. Returns its log, requests and layout.

use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Network, Page, Runtime};
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde::Deserialize;

/// Size and colour scheme of a screen.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Preferred colour scheme: `light` or `dark`.
    pub scheme: &'static str,
}

/// Layout of a page, as `look.js` measures it.
#[derive(Debug, Deserialize)]
pub struct Laid {
    /// Width of the page beyond the width of the screen, in pixels.
    pub overflow: f64,
    /// Number of plots with a title, a description, the role `img` and more than 100 × 100 pixels.
    pub plots: usize,
    /// Number of plots that lack one of these.
    pub bare: usize,
    /// Number of tables with at least one row below the header.
    pub tables: usize,
    /// Texts in plots that leave the plot or overlap another text.
    pub colliding: Vec<String>,
    /// Addresses of the resources that the page fetched.
    pub fetched: Vec<String>,
    /// Milliseconds from the request of the page to its first paint.
    pub painted_ms: f64,
    /// Background colour of the page.
    pub paper: String,
}

/// Script that measures the open page and returns a [`Laid`] as JSON.
const LOOK: &str = include_str!("look.js");

/// Results of opening a page.
pub struct Opened {
    /// Layout of the page.
    pub laid: Laid,
    /// Log entries, console messages and exceptions of the page.
    pub complaints: Vec<String>,
    /// Addresses that the browser requested, including the page itself.
    pub requests: Vec<String>,
    /// Screenshot of the page as PNG.
    pub screenshot: Vec<u8>,
}

/// Starts the Chromium that `CHROME` names, or the one on the path.
///
/// # Errors
/// Returns an error that says how to install Chromium if it does not start.
pub fn browser() -> Result<Browser> {
    let options = LaunchOptions::default_builder()
        .sandbox(false) // tests in containers run as root
        .build()
        .context("the launch options are incomplete")?;
    Browser::new(options).context("Chromium does not start: `sh setup.sh --browser` installs it")
}

/// Opens the page of a file on a screen of the given size.
///
/// # Errors
/// Returns an error if the browser cannot open, measure or capture the page.
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
    let look = tab.evaluate(LOOK, true)?.value.context("look.js returned no value")?;
    let laid = serde_json::from_str(look.as_str().context("look.js returned no string")?)?;
    let format = Page::CaptureScreenshotFormatOption::Png;
    let screenshot = tab.capture_screenshot(format, None, None, true)?;
    tab.close(false)?;
    let taken = |list: &Mutex<Vec<String>>| {
        std::mem::take(&mut *list.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    };
    Ok(Opened { laid, complaints: taken(&complaints), requests: taken(&requests), screenshot })
}

type List = Arc<Mutex<Vec<String>>>;

/// Collects the complaints and the requests of the page. Returns the lists in this order.
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
