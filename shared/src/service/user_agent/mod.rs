//! User agents: what a browser or a program says of itself.
//!
//! One parser for lists of sessions, mails and assessments. It knows the names that such a list needs and no more:
//! `products` reads the grammar, `browser`, `system` and `program` know the names. Nothing is allowed or refused by a
//! user agent alone, because it says what its sender likes.

mod browser;
mod products;
mod program;
mod system;

use self::products::Products;

/// What a user agent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserAgent<'a> {
    /// The browser, or the app that shows pages. Programs have none.
    pub browser: Option<Browser<'a>>,
    /// The operating system's name.
    pub system: Option<&'static str>,
    /// What its owner calls a device with that system.
    device: Option<&'static str>,
    /// What kind of device or program it is.
    pub form: Form,
}

/// A browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Browser<'a> {
    /// The name that people know.
    pub name: &'static str,
    /// Its major version.
    pub version: Option<&'a str>,
}

/// A kind of device or program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A computer.
    Desktop,
    /// A telephone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A program that says that it is a bot.
    Bot,
    /// A program or library that makes requests.
    Script,
    /// The user agent does not say.
    Unknown,
}

impl<'a> UserAgent<'a> {
    /// Reads a user agent. Any text is one; an empty one says nothing.
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

    /// The device in words, for its owner: `Firefox on Linux`. None for programs, and where it says neither.
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
