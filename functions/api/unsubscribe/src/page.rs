//! The pages for a visitor: plain HTML without scripts, safe to open from any site.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};
use shared::service::mail::unsubscribe::SubscriptionState;

/// The page's style. The page includes it, and the content security policy allows it by its hash.
const STYLE: &str = include_str!("../templates/page.css");

/// Seconds before the next attempt while the database is unavailable.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("30");

/// The content security policy: this one style, and forms to the same origin. It forbids other resources and frames.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// A page for a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Asks whether optional mail to this address should stop.
    Confirm(SubscriptionState),
    /// Confirms that optional mail to this address has stopped.
    Unsubscribed(SubscriptionState),
    /// Confirms that optional mail to this address is sent again.
    Resubscribed(SubscriptionState),
    /// The link has no token or an invalid one.
    Invalid,
    /// The link is genuine, but its mail is no longer in the ledger.
    Gone,
    /// The form is too large.
    TooLarge,
    /// The database is unavailable.
    Unavailable,
}

/// The one template of all pages.
#[derive(Template)]
#[template(path = "page.html")]
struct Html<'a> {
    page: &'a Page,
    style: &'static str,
}

impl Page {
    /// Returns the response with the page.
    #[must_use]
    pub fn response(&self) -> Response {
        let html = Html {
            page: self,
            style: STYLE,
        };
        let body = html.render().unwrap_or_else(|error| {
            tracing::error!(error = %error, "page not rendered; an empty page was sent");
            String::new()
        });
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        for (name, value) in protections() {
            headers.insert(name, value);
        }
        if *self == Self::Unavailable {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Confirm(_) | Self::Unsubscribed(_) | Self::Resubscribed(_) => StatusCode::OK,
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Gone => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the page's heading and title.
    fn heading(&self) -> &'static str {
        match self {
            Self::Confirm(_) => "Unsubscribe from optional emails?",
            Self::Unsubscribed(_) => "You are unsubscribed",
            Self::Resubscribed(_) => "You are subscribed again",
            Self::Invalid | Self::TooLarge => "This link does not work",
            Self::Gone => "This link has expired",
            Self::Unavailable => "Something went wrong",
        }
    }
}

/// Returns the headers of every page. They prevent caching, indexing, referrers, frames and foreign resources.
fn protections() -> [(HeaderName, HeaderValue); 7] {
    let fixed = HeaderValue::from_static;
    [
        (header::CONTENT_TYPE, fixed("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, fixed("no-store")),
        (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
        (header::REFERRER_POLICY, fixed("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (header::X_FRAME_OPTIONS, fixed("DENY")),
        (
            HeaderName::from_static("x-robots-tag"),
            fixed("noindex, nofollow"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use askama::Template as _;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};
    use shared::service::mail::unsubscribe::SubscriptionState;

    use super::{Html, Page, STYLE};

    fn html(page: &Page) -> String {
        Html { page, style: STYLE }.render().unwrap()
    }

    fn subscription(address: &str) -> SubscriptionState {
        SubscriptionState {
            address: address.to_owned(),
            is_unsubscribed: false,
        }
    }

    #[test]
    fn content_policy_allows_only_the_style_of_the_page() {
        for page in [
            Page::Invalid,
            Page::Confirm(subscription("a***@example.com")),
        ] {
            let html = html(&page);
            let (_, after) = html.split_once("<style>").unwrap();
            let (style, _) = after.split_once("</style>").unwrap();
            let hash = STANDARD.encode(Sha256::digest(style));
            let response = page.response();
            let policy = response.headers()["content-security-policy"]
                .to_str()
                .unwrap();
            assert!(
                policy.contains(&format!("style-src 'sha256-{hash}'")),
                "{policy}"
            );
            assert!(!policy.contains("unsafe"), "{policy}");
            assert!(
                !html.contains("style="),
                "an inline style would not be let in"
            );
            assert!(!html.contains("<script"), "no script runs");
        }
    }

    #[test]
    fn address_cannot_become_markup() {
        for page in [Page::Confirm, Page::Unsubscribed, Page::Resubscribed] {
            let html = html(&page(subscription("<***@\"><script>")));
            assert!(!html.contains("<script"), "{html}");
        }
    }

    #[test]
    fn only_pages_with_an_address_have_a_button() {
        let ann = || subscription("a***@example.com");
        for (page, buttons) in [
            (Page::Confirm(ann()), 1),
            (Page::Unsubscribed(ann()), 1),
            (Page::Resubscribed(ann()), 1),
            (Page::Invalid, 0),
            (Page::Gone, 0),
            (Page::TooLarge, 0),
            (Page::Unavailable, 0),
        ] {
            assert_eq!(html(&page).matches("<button").count(), buttons, "{page:?}");
        }
    }
}
