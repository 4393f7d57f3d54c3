//! A screenshot of each mail in Chromium at the width of a phone, for visual review, in `target/screenshots`.
//!
//! Without Chromium the test is skipped; `make screenshots` installs it.

use std::path::Path;
use std::process::Stdio;

use local::process::on_path;
use tokio::process::Command;

use super::{cloud, mails};

/// The folder of the screenshots.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/screenshots");

/// The width of a common phone, in CSS pixels. Chromium's own windows have at least 500.
const PHONE: u32 = 390;

/// The window: wide enough for the phone and high enough for the longest mail.
const WINDOW: (u32, u32) = (500, 1100);

/// The reader's colour scheme, with Blink's number for it.
const SCHEMES: [(&str, u8); 2] = [("dark", 0), ("light", 1)];

/// Switches against updates and all other requests that are not part of the mail.
const SWITCHES: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    // The screenshot is taken after the frame has been drawn.
    "--virtual-time-budget=5000",
];

/// The maximum number of attempts if a busy machine has not drawn the frame in time.
const MAX_TRIES: usize = 5;

/// The maximum size of an empty screenshot, in bytes: it has about 4 KB, and a real one is larger than this.
const NOTHING: usize = 8_000;

#[tokio::test]
async fn mail_of_each_type_is_rendered_in_a_browser_light_and_dark() {
    let Some(chromium) = ["chromium", "chromium-browser"]
        .into_iter()
        .find_map(on_path)
    else {
        return;
    };
    std::fs::create_dir_all(FOLDER).unwrap();
    let cloud = cloud().await;
    for (kind, mail) in mails(&cloud).await {
        let url = format!(
            "{}/messages/{}/html",
            cloud.variable("MAILBOX_URL"),
            mail.id
        );
        let mut pictures = Vec::new();
        for (name, scheme) in SCHEMES {
            let file = Path::new(FOLDER).join(format!("{kind}-{name}.png"));
            pictures.push(picture(&chromium, &url, scheme, &file).await);
        }
        for picture in &pictures {
            let (width, height) = WINDOW;
            assert_eq!(size(picture), [width, height], "{kind}");
            assert!(picture.len() > NOTHING, "{kind} is empty");
        }
        assert_ne!(pictures[0], pictures[1], "{kind} is as light in the dark");
    }
}

/// Takes a screenshot of a page, repeated if it is empty.
async fn picture(chromium: &Path, url: &str, scheme: u8, file: &Path) -> Vec<u8> {
    let mut picture = Vec::new();
    for _ in 0..MAX_TRIES {
        take(chromium, url, scheme, file).await;
        picture = std::fs::read(file).unwrap();
        if picture.len() > NOTHING {
            break;
        }
    }
    picture
}

/// Takes a screenshot of a page in a frame with the width of a phone.
async fn take(chromium: &Path, url: &str, scheme: u8, file: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let (_, height) = WINDOW;
    let frame = format!(
        "<!doctype html><meta name=color-scheme content='light dark'><body style='margin:0'>\
         <iframe src='{url}' width={PHONE} height={height} style='border:0'></iframe>"
    );
    std::fs::write(&page, frame).unwrap();
    let (width, height) = WINDOW;
    let _ = std::fs::remove_file(file);
    let taken = Command::new(chromium)
        .args(SWITCHES)
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", folder.path().display()))
        .arg(format!("--window-size={width},{height}"))
        .arg(format!("--screenshot={}", file.display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let message = String::from_utf8_lossy(&taken.stderr);
    assert!(file.exists(), "Chromium took no picture: {message}");
}

/// Returns width and height of a PNG, from its first chunk.
fn size(png: &[u8]) -> [u32; 2] {
    assert!(png.starts_with(b"\x89PNG"), "it is no PNG");
    [&png[16..20], &png[20..24]].map(|it| u32::from_be_bytes(it.try_into().unwrap()))
}
