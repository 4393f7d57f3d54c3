//! The destination of a message: an unchanged URL, or the name of a URL group.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::name::{self, Name};

/// Query parameters of the request, not of the destination.
const TOKEN_PARAMETER: &str = "qstash_token";
const OPTION_PREFIX: &str = "upstash-";

/// Why a text is not a destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// Not an absolute http or https URL.
    #[error("invalid destination url: `{0}` needs a scheme (http:// or https://) and a host")]
    Url(String),
    /// Neither a URL nor a name.
    #[error(
        "invalid destination url: endpoint has invalid scheme, add http:// or https://, or name a URL group"
    )]
    Name(#[source] name::Error),
    /// Upstash's own APIs need Upstash.
    #[error("`{0}` destinations are not available on this server")]
    Api(String),
}

/// An absolute http or https URL. Its text is unchanged, because signatures and listings show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Target {
    text: String,
    host: String,
    path: String,
}

impl Target {
    /// Checks a URL.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let invalid = || Error::Url(text.chars().take(200).collect());
        let url = Url::parse(text).map_err(|_| invalid())?;
        let host = url.host_str().ok_or_else(invalid)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid());
        }
        Ok(Self {
            host: host.to_owned(),
            path: url.path().to_owned(),
            text: text.to_owned(),
        })
    }

    /// Returns the URL as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the host, without port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the path and the query, as written.
    pub(crate) fn path_and_query(&self) -> String {
        Url::parse(&self.text).map_or_else(
            |_| self.path.clone(),
            |url| url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        )
    }

    /// Returns the path, without query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl TryFrom<String> for Target {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.text
    }
}

/// The destination of a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Destination {
    /// One receiver.
    Url(Target),
    /// Every endpoint of a group.
    Group(Name),
}

impl Destination {
    /// Parses the destination of a batch item or, with [`from_path`], of a request path.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.starts_with("api/") {
            return Err(Error::Api(text.chars().take(20).collect()));
        }
        if text.contains("://") {
            return Target::parse(text).map(Self::Url);
        }
        Name::parse_group(text)
            .map(Self::Group)
            .map_err(Error::Name)
    }

    /// Returns the URL, or the name of the group.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Url(target) => target.as_str(),
            Self::Group(name) => name.as_str(),
        }
    }
}

/// Parses the destination in a request path. It is unencoded there, so its query is the request's query. Merged slashes
/// and encoded destinations are accepted.
pub(crate) fn from_path(rest: &str, query: Option<&str>) -> Result<Destination, Error> {
    let mut text = decoded(rest);
    for scheme in ["https:/", "http:/"] {
        if let Some(tail) = text
            .strip_prefix(scheme)
            .filter(|tail| !tail.starts_with('/'))
        {
            text = format!("{scheme}/{tail}");
        }
    }
    let kept: Vec<&str> = query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| is_destinations(pair))
        .collect();
    if !kept.is_empty() {
        text.push('?');
        text.push_str(&kept.join("&"));
    }
    Destination::parse(&text)
}

fn is_destinations(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    !name.is_empty()
        && name != TOKEN_PARAMETER
        && !name.to_ascii_lowercase().starts_with(OPTION_PREFIX)
}

fn decoded(rest: &str) -> String {
    let lower = rest.get(..12).unwrap_or(rest).to_ascii_lowercase();
    if !lower.starts_with("http%3a") && !lower.starts_with("https%3a") {
        return rest.to_owned();
    }
    // A form pair decodes percent escapes; a plus sign in a path is a plus sign.
    let pair = format!("x={}", rest.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rest: &str, query: Option<&str>) -> String {
        from_path(rest, query).expect(rest).as_str().to_owned()
    }

    #[test]
    fn destination_keeps_its_query_and_loses_ours() {
        let query = Some("x=1&upstash-retries=3&qstash_token=t&empty");
        assert_eq!(text("https://host/p", query), "https://host/p?x=1&empty");
        assert_eq!(text("https://example.com", None), "https://example.com");
    }

    #[test]
    fn encoded_and_slash_merged_urls_are_parsed() {
        assert_eq!(
            text("https%3A%2F%2Fhost%2Fa+b%3Fq=1", None),
            "https://host/a+b?q=1"
        );
        assert_eq!(text("http:/host:3000/p", None), "http://host:3000/p");
    }

    #[test]
    fn destination_that_is_neither_url_nor_name_is_refused() {
        for rest in [
            "ftp://host/x",
            "http://",
            "a b",
            "example.com",
            "api/llm",
            "",
        ] {
            assert!(from_path(rest, None).is_err(), "{rest}");
        }
    }
}
