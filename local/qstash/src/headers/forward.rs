//! The headers that are forwarded to the receiver.

use crate::options::Options;

use super::{Error, Fields, PREFIX};

const FORWARD: &str = "upstash-forward-";

/// Headers that are never forwarded: they belong to one connection.
const FRAMING: [&str; 10] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "expect",
];

/// The header that `Upstash-Header-Forward` does not forward: it is for this server.
const OWN: &str = "authorization";

/// Returns whether a header belongs to one connection.
pub(crate) fn is_framing(name: &str) -> bool {
    FRAMING
        .iter()
        .any(|framing| framing.eq_ignore_ascii_case(name))
}

impl Fields {
    /// Adds the forwarded headers to the options, without their prefix.
    pub(super) fn forward(&self, options: &mut Options) -> Result<(), Error> {
        let all = self.is_true("upstash-header-forward");
        let mut forwarded: Vec<(&str, Vec<String>)> = Vec::new();
        for (name, value) in &self.0 {
            let own = name.as_str() == "content-type"
                || (all && !name.starts_with(PREFIX) && name != OWN);
            let Some(bare) = name.strip_prefix(FORWARD).or(own.then_some(name.as_str())) else {
                continue;
            };
            if is_framing(bare) {
                continue;
            }
            if http::HeaderName::from_bytes(bare.as_bytes()).is_err()
                || http::HeaderValue::from_str(value).is_err()
            {
                return Err(Error::Forward(name.clone()));
            }
            match forwarded.iter_mut().find(|(known, _)| *known == bare) {
                // A forwarded content type has priority over the request's own.
                Some((_, values)) if bare == "content-type" => {
                    if name.starts_with(FORWARD) {
                        *values = vec![value.clone()];
                    }
                }
                Some((_, values)) => values.push(value.clone()),
                None => forwarded.push((bare, vec![value.clone()])),
            }
        }
        for (name, values) in forwarded {
            options.headers.set(name, values);
        }
        Ok(())
    }
}
