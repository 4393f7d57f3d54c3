//! What the templates see of a mail: words and values, nothing decided any more.

use shared::service::mail::branding::Brand;
use shared::service::mail::payload::{HttpUrl, Message};

use super::phrase::Part;
use super::wording::{Wording, Words};

/// The button and where it leads.
pub(crate) struct Action<'a> {
    pub(crate) label: &'static str,
    pub(crate) url: &'a HttpUrl,
}

/// A mail before it is laid out.
pub(crate) struct Draft<'a> {
    pub(crate) wording: &'static Wording,
    pub(crate) words: &'static Words,
    pub(crate) brand: &'a Brand,
    pub(crate) subject: String,
    pub(crate) preview: String,
    pub(crate) greeting: Vec<Part<'a>>,
    pub(crate) lead: Vec<Part<'a>>,
    /// The document, and a line under its title.
    pub(crate) title: Option<&'a str>,
    pub(crate) title_note: Option<String>,
    /// Somebody's own words.
    pub(crate) message: Option<&'a Message>,
    pub(crate) action: Option<Action<'a>>,
    /// What is known, line by line.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// A quiet line at the end.
    pub(crate) note: Option<String>,
    /// Why the recipient gets this.
    pub(crate) closing: Vec<Part<'a>>,
    /// Where the recipient can unsubscribe, from what is optional.
    pub(crate) unsubscribe: Option<&'a str>,
}
