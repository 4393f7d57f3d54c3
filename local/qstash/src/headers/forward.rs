//! Which headers go on to the receiver.

use crate::options::Options;

use super::{Error, Fields, PREFIX};

const FORWARD: &str = "upstash-forward-";

/// Never forwarded by `Upstash-Header-Forward`: they belong to one connection or to this request alone.
const NOT_FORWARDED: [&str; 9] = [
    "host",
    "authorization",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "upgrade",
    "keep-alive",
    "expect",
];

impl Fields {
    /// Puts the forwarded headers among the options, without their prefix.
    pub(super) fn forward(&self, options: &mut Options) -> Result<(), Error> {
        let all = self.is_true("upstash-header-forward");
        let mut forwarded: Vec<(&str, Vec<String>)> = Vec::new();
        for (name, value) in &self.0 {
            let own = name.as_str() == "content-type"
                || (all && !name.starts_with(PREFIX) && !NOT_FORWARDED.contains(&name.as_str()));
            let Some(bare) = name.strip_prefix(FORWARD).or(own.then_some(name.as_str())) else {
                continue;
            };
            if http::HeaderName::from_bytes(bare.as_bytes()).is_err()
                || http::HeaderValue::from_str(value).is_err()
            {
                return Err(Error::Forward(name.clone()));
            }
            match forwarded.iter_mut().find(|(known, _)| *known == bare) {
                // A forwarded content type goes before the request's own.
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
