//! Request headers in the event's form: lower-case names, repeated headers joined by commas, cookies separate.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use http::header::{self, HeaderName};
use http::request::Parts;

/// The headers of one connection, which API Gateway does not forward.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Returns the size of the received request line and headers, in bytes.
pub(super) fn head_size(parts: &Parts) -> usize {
    const LINE: usize = "  HTTP/1.1\r\n".len();
    const FIELD: usize = ": \r\n".len();
    const END: usize = "\r\n".len();
    let target = parts
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let fields: usize = parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + FIELD)
        .sum();
    parts.method.as_str().len() + target + LINE + fields + END
}

/// Returns the headers of the event, including those that API Gateway adds.
pub(super) fn joined(parts: &Parts, peer: SocketAddr) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    let names = parts
        .headers
        .keys()
        .filter(|name| **name != header::COOKIE && !HOP_BY_HOP.contains(name));
    for name in names {
        joined.insert(name.to_string(), values(parts, name).join(","));
    }
    let hops = joined
        .get("x-forwarded-for")
        .map_or_else(String::new, |hops| format!("{hops}, "));
    joined.insert("x-forwarded-for".to_owned(), format!("{hops}{}", peer.ip()));
    joined.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    joined
}

/// Returns each cookie separately.
pub(super) fn cookies(parts: &Parts) -> Vec<String> {
    let lines = values(parts, &header::COOKIE);
    let cookies = lines.iter().flat_map(|line| line.split(';')).map(str::trim);
    cookies
        .filter(|cookie| !cookie.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns the first value of a header; empty if absent.
pub(super) fn first(parts: &Parts, name: &HeaderName) -> String {
    values(parts, name).into_iter().next().unwrap_or_default()
}

/// Returns the values of a header. Bytes that are not UTF-8 are read as Latin-1, which cannot fail.
fn values(parts: &Parts, name: &HeaderName) -> Vec<String> {
    let text = |bytes: &[u8]| {
        std::str::from_utf8(bytes).map_or_else(
            |_| bytes.iter().copied().map(char::from).collect(),
            str::to_owned,
        )
    };
    parts
        .headers
        .get_all(name)
        .iter()
        .map(|value| text(value.as_bytes()))
        .collect()
}
