//! User agents: the self-description of browsers and programs.
//!
//! One parser for session lists, mails and assessments. It supports only the names that these need: `products` parses
//! the grammar; `browser`, `system` and `program` have the names. No decision depends on a user agent alone, because
//! its sender can choose it.

mod browser;
mod products;
mod program;
mod system;

use self::products::Products;

/// A parsed user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserAgent<'a> {
    /// The browser, or the app with a web view. Programs have none.
    pub browser: Option<Browser<'a>>,
    /// The operating system's name.
    pub system: Option<&'static str>,
    /// The common name of a device with that system.
    device: Option<&'static str>,
    /// The kind of device or program.
    pub form: Form,
}

/// A browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Browser<'a> {
    /// The common name.
    pub name: &'static str,
    /// Its major version.
    pub version: Option<&'a str>,
}

/// A kind of device or program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A computer.
    Desktop,
    /// A phone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A program that identifies itself as a bot.
    Bot,
    /// A program or library that makes requests.
    Script,
    /// The user agent does not say.
    Unknown,
}

impl<'a> UserAgent<'a> {
    /// Parses a user agent. Any text is valid; an empty one gives no information.
    #[must_use]
    pub fn parse(agent: &'a str) -> Self {
        let products = Products::parse(agent);
        let system = system::of(agent);
        let program = program::of(&products, agent);
        let is_android = system.is_some_and(system::System::is_android);
        Self {
            browser: browser::browser(&products, is_android).filter(|_| program.is_none()),
            system: system.map(|system| system.name),
            device: system.map(|system| system.device),
            form: program
                .or_else(|| system.map(|system| system.form(agent)))
                .unwrap_or(Form::Unknown),
        }
    }

    /// Returns a description of the device for its owner: `Firefox on Linux`. None for programs, and if neither is
    /// known.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        if matches!(self.form, Form::Bot | Form::Script) {
            return None;
        }
        match (self.browser, self.device) {
            (Some(browser), Some(device)) => Some(format!("{} on {device}", browser.name)),
            (Some(Browser { name, .. }), None) | (None, Some(name)) => Some(name.to_owned()),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests;
