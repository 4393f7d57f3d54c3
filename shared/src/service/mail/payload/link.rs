//! Links in mails.

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

/// The longest link, in characters; browsers and mail programs cut longer ones.
const MAX_LENGTH: usize = 2048;

/// An absolute `http` or `https` URL without credentials, in its normal form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    format = "uri",
    max_length = 2048,
    pattern = r"^https?://([a-zA-Z0-9-]+\.)*[a-zA-Z][a-zA-Z0-9-]*(:([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?([/?#][!-~]*)?$",
    examples("https://app.example.com/sign/r-1")
)]
pub struct HttpUrl(Url);

/// Why a text is not a valid link. It does not quote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLink {
    /// Not an absolute URL.
    #[error("must be an absolute URL")]
    Shape,
    /// A scheme other than http or https.
    #[error("must be an http or https URL")]
    Scheme,
    /// A user name or password before the host, which disguises the link's target.
    #[error("must not contain credentials")]
    Credentials,
    /// Longer than 2,048 characters.
    #[error("must not be longer than 2048 characters")]
    TooLong,
}

impl HttpUrl {
    /// Parses a link.
    pub fn parse(text: &str) -> Result<Self, InvalidLink> {
        if text.chars().count() > MAX_LENGTH {
            return Err(InvalidLink::TooLong);
        }
        // The URL parser drops line breaks and tabs; a text with them is not a link.
        if text.contains(char::is_control) {
            return Err(InvalidLink::Shape);
        }
        let url = Url::parse(text.trim()).map_err(|_| InvalidLink::Shape)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidLink::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidLink::Credentials);
        }
        Ok(Self(url))
    }

    /// Returns the link of one signer: `/sign/{document}?signer={address}` under this URL.
    #[must_use]
    pub fn signing_page(&self, document: &str, signer: &str) -> Self {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["sign", document]);
        }
        url.set_fragment(None);
        url.query_pairs_mut().clear().append_pair("signer", signer);
        Self(url)
    }

    /// Returns the link as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for HttpUrl {
    type Error = InvalidLink;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for HttpUrl {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<HttpUrl> for String {
    fn from(link: HttpUrl) -> Self {
        link.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::{HttpUrl, InvalidLink};

    #[test]
    fn only_web_links_are_accepted() {
        assert!(HttpUrl::parse("http://localhost:3000/sign/1?a=b#c").is_ok());
        for (text, reason) in [
            ("/sign/1", InvalidLink::Shape),
            ("https://", InvalidLink::Shape),
            ("java\nscript:alert(1)", InvalidLink::Shape),
            ("javascript:alert(1)", InvalidLink::Scheme),
            ("data:text/html,x", InvalidLink::Scheme),
            (
                "https://sign.example.com@evil.example",
                InvalidLink::Credentials,
            ),
        ] {
            assert_eq!(HttpUrl::parse(text), Err(reason), "{text}");
        }
        let long = format!("https://example.com/{}", "a".repeat(2048));
        assert_eq!(HttpUrl::parse(&long), Err(InvalidLink::TooLong));
    }

    #[test]
    fn quotes_and_brackets_are_escaped_in_a_link() {
        let link = HttpUrl::parse("https://example.com/\"><script>?\"<>'").unwrap();
        assert!(
            !link.as_str().contains(['"', '<', '>']),
            "{}",
            link.as_str()
        );
    }

    #[test]
    fn signing_page_link_escapes_its_parameters() {
        let app = HttpUrl::parse("https://app.example.com").unwrap();
        assert_eq!(
            app.signing_page("a/b?c", "ann+x@example.com").as_str(),
            "https://app.example.com/sign/a%2Fb%3Fc?signer=ann%2Bx%40example.com"
        );
        let below = HttpUrl::parse("https://example.com/app/").unwrap();
        assert_eq!(
            below.signing_page("", "a@b.example").as_str(),
            "https://example.com/app/sign/?signer=a%40b.example"
        );
    }
}
