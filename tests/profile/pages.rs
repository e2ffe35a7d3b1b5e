//! The pages of a stored profile, as they were when it was stored.

use warplaw::model::ShaderProfile;
use warplaw::report::{Document, Format, lcov, profile, profile_table, render};

/// Returns the stored profile: of `collatz.wgsl` on lavapipe, with the costs of a record.
fn stored() -> ShaderProfile {
    let text = include_str!("../data/profile/collatz.json");
    let profile: ShaderProfile = serde_json::from_str(text).expect("the profile is readable");
    let again = serde_json::to_value(&profile).expect("the profile can be written");
    let text: serde_json::Value = serde_json::from_str(text).expect("the profile is JSON");
    assert_eq!(again, text, "reading and writing loses nothing");
    profile
}

fn terminal(document: &Document, width: u16) -> String {
    render(document, Format::Terminal { width: Some(width), color: false, ascii: false })
}

#[test]
fn the_pages_of_a_stored_profile() {
    let stored = stored();
    let page = profile(&stored);
    insta::assert_snapshot!("terminal", terminal(&page, 100));
    insta::assert_snapshot!("markdown", render(&page, Format::Markdown));
    insta::assert_snapshot!("csv", render(&profile_table(&stored), Format::Csv));
    insta::assert_snapshot!("lcov", lcov(&stored));
}

#[test]
fn no_line_is_wider_than_the_terminal_and_heat_has_a_colour() {
    let page = profile(&stored());
    for width in [60, 80, 100, 140] {
        let text = terminal(&page, width);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width.into()), "{width}: {widest:?}");
    }
    let color = render(&page, Format::Terminal { width: Some(100), color: true, ascii: true });
    assert!(color.contains("\u{1b}[31m") && color.lines().all(str::is_ascii));
    let html = render(&page, Format::Html);
    assert!(html.contains("while n &gt; 1u &amp;&amp; count &lt; 1000u {"));
    assert!(html.contains("<tr class=\"h8\" id=\"L9\">"), "the hottest line is the hottest");
    assert!(!html.contains("<script") && !html.contains("http"));
}
