//! The input of the templates: final words and values without further decisions.

use shared::service::mail::branding::Brand;
use shared::service::mail::payload::{HttpUrl, Message};

use super::phrase::Part;
use super::wording::{Wording, Words};

/// The button and its link.
pub(crate) struct Action<'a> {
    pub(crate) label: &'static str,
    pub(crate) url: &'a HttpUrl,
}

/// A mail before it is rendered.
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
    /// The sender's own message.
    pub(crate) message: Option<&'a Message>,
    pub(crate) action: Option<Action<'a>>,
    /// Facts, one per line.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// A note at the end, in small print.
    pub(crate) note: Option<String>,
    /// Why the recipient gets this.
    pub(crate) closing: Vec<Part<'a>>,
    /// The unsubscribe link of an optional mail.
    pub(crate) unsubscribe: Option<&'a str>,
}
