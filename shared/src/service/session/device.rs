//! The device in a list of sessions, read from the user agent.
//!
//! It helps users to recognize their sessions; no decision depends on it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::service::user_agent::{Form, UserAgent};

/// The bytes of a user agent that are kept.
const MAX_LEN: usize = 512;

/// The type of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeviceType {
    /// A computer.
    Desktop,
    /// A phone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A bot or a script.
    Bot,
    /// The user agent does not say.
    Unknown,
}

/// A device, as described by its user agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// The type of the device.
    #[serde(rename = "type")]
    pub kind: DeviceType,
    /// The browser's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The browser's major version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_version: Option<String>,
    /// The operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The user agent; the first 512 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl Device {
    /// Parses a user agent; an empty one gives no information.
    #[must_use]
    pub fn parse(user_agent: &str) -> Self {
        let agent: String = user_agent.chars().filter(|c| !c.is_control()).collect();
        let agent = cut(agent.trim());
        let read = UserAgent::parse(agent);
        let browser = read.browser;
        Self {
            kind: DeviceType::from(read.form),
            browser: browser.map(|browser| browser.name.to_owned()),
            browser_version: browser
                .and_then(|browser| browser.version)
                .map(str::to_owned),
            os: read.system.map(str::to_owned),
            user_agent: (!agent.is_empty()).then(|| agent.to_owned()),
        }
    }
}

impl From<Form> for DeviceType {
    fn from(form: Form) -> Self {
        match form {
            Form::Desktop => Self::Desktop,
            Form::Mobile => Self::Mobile,
            Form::Tablet => Self::Tablet,
            Form::Bot | Form::Script => Self::Bot,
            Form::Unknown => Self::Unknown,
        }
    }
}

/// Returns the first bytes of a text, cut between characters.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_LEN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Device, DeviceType, MAX_LEN};

    #[test]
    fn common_devices_are_recognised() {
        let webkit = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
        let blink = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0";
        for (agent, kind, browser, os) in [
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {blink} Safari/537.36"),
                DeviceType::Desktop,
                "Chrome 131",
                "Windows",
            ),
            (
                format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {blink} Safari/537.36 Edg/131.0.2903.51"
                ),
                DeviceType::Desktop,
                "Edge 131",
                "Windows",
            ),
            (
                format!(
                    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {webkit} Version/18.1 Safari/605.1.15"
                ),
                DeviceType::Desktop,
                "Safari 18",
                "macOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0".to_owned(),
                DeviceType::Desktop,
                "Firefox 132",
                "Linux",
            ),
            (
                format!(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {webkit} CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1"
                ),
                DeviceType::Mobile,
                "Chrome 131",
                "iOS",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 14; Pixel 8) {blink} Mobile Safari/537.36"),
                DeviceType::Mobile,
                "Chrome 131",
                "Android",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 13; SM-X710) {blink} Safari/537.36"),
                DeviceType::Tablet,
                "Chrome 131",
                "Android",
            ),
        ] {
            let device = Device::parse(&agent);
            let name = format!(
                "{} {}",
                device.browser.unwrap(),
                device.browser_version.unwrap()
            );
            assert_eq!(
                (device.kind, name.as_str(), device.os.as_deref()),
                (kind, browser, Some(os)),
                "{agent}"
            );
        }
    }

    #[test]
    fn empty_agent_is_unknown_and_a_script_is_a_bot() {
        assert_eq!(Device::parse(" ").kind, DeviceType::Unknown);
        assert_eq!(Device::parse(" ").user_agent, None);
        assert_eq!(Device::parse("curl/8.5.0").kind, DeviceType::Bot);
        let bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        assert_eq!(Device::parse(bot).kind, DeviceType::Bot);
    }

    proptest! {
        #[test]
        fn overlong_user_agent_is_cut(agent in "\\PC{0,800}") {
            let device = Device::parse(&agent);
            prop_assert!(device.user_agent.unwrap_or_default().len() <= MAX_LEN);
        }
    }
}
