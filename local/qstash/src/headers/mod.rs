//! Parses the `Upstash-*` headers of a request into typed options.
//!
//! The same names are accepted as lower-case query parameters and as members of a batch item's `headers`. Source:
//! <https://upstash.com/docs/qstash/api/publish>.

mod error;
mod forward;

use std::time::Duration;

use http::HeaderMap;

use crate::clock::millis;
use crate::cron::CronExpression;
use crate::deduplication::Deduplication;
use crate::destination::Target;
use crate::duration;
use crate::flow_control::FlowControl;
use crate::name::{self, Name};
use crate::options::{Callback, Method, Options, Start};
use crate::redaction::Redaction;
use crate::retry_expression::RetryExpression;

pub(crate) use error::Error;
pub(crate) use forward::is_framing;

const PREFIX: &str = "upstash-";
const CALLBACK: &str = "upstash-callback";
const FAILURE_CALLBACK: &str = "upstash-failure-callback";

const WORKFLOW: &str = "upstash-workflow-";

/// Header names, in lower case, and values, in their order.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Returns the headers of a request and the `upstash-*` parameters of its query.
    pub(crate) fn of_request(headers: &HeaderMap, query: Option<&str>) -> Result<Self, Error> {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let name = name.to_ascii_lowercase();
            if name.starts_with(PREFIX) {
                fields.0.push((name, value.into_owned()));
            }
        }
        for (name, value) in headers {
            let text = std::str::from_utf8(value.as_bytes())
                .map_err(|_| Error::Encoding(name.to_string()))?;
            fields.0.push((name.as_str().to_owned(), text.to_owned()));
        }
        Ok(fields)
    }

    /// Returns the headers of a batch item.
    pub(crate) fn of_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name)?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// Returns the headers of a callback: `Upstash-Callback-Retries` is for the callback what `Upstash-Retries` is for
    /// the message.
    fn under(&self, prefix: &str) -> Self {
        let inner = |(name, value): &(String, String)| {
            let rest = name.strip_prefix(prefix)?.strip_prefix('-')?;
            Some((format!("{PREFIX}{rest}"), value.clone()))
        };
        Self(self.0.iter().filter_map(inner).collect())
    }

    /// Returns the requested deduplication.
    pub(crate) fn deduplication(&self) -> Result<Deduplication, Error> {
        let id = self.name("upstash-deduplication-id", "Upstash-Deduplication-Id")?;
        Ok(match id {
            Some(id) => Deduplication::Id(id.as_str().to_owned()),
            None if self.is_true("upstash-content-based-deduplication") => Deduplication::Content,
            None => Deduplication::Off,
        })
    }

    /// Returns the cron expression of a schedule.
    pub(crate) fn cron(&self) -> Result<Option<CronExpression>, Error> {
        Ok(self
            .get("upstash-cron")
            .map(CronExpression::parse)
            .transpose()?)
    }

    /// Returns the id of a schedule, if the publisher chose one.
    pub(crate) fn schedule_id(&self) -> Result<Option<Name>, Error> {
        self.name("upstash-schedule-id", "Upstash-Schedule-Id")
    }

    /// Returns the options of a new message.
    pub(crate) fn options(&self) -> Result<Options, Error> {
        self.options_over(Options::default())
    }

    /// Returns the options of a retried message: omitted headers keep their values.
    pub(crate) fn options_over(&self, base: Options) -> Result<Options, Error> {
        if let Some((name, _)) = self.0.iter().find(|(name, _)| name.starts_with(WORKFLOW)) {
            return Err(Error::Workflow(name.clone()));
        }
        let callback = self.callback(CALLBACK, "Upstash-Callback")?;
        let failure_callback = self.callback(FAILURE_CALLBACK, "Upstash-Failure-Callback")?;
        let mut options = self.delivery_options(base)?;
        options.callback = callback.or(options.callback);
        options.failure_callback = failure_callback.or(options.failure_callback);
        Ok(options)
    }

    fn delivery_options(&self, mut options: Options) -> Result<Options, Error> {
        if let Some(method) = self.get("upstash-method") {
            options.method =
                Method::parse(method).ok_or_else(|| Error::Method(method.to_owned()))?;
        }
        options.start = self.start()?.unwrap_or(options.start);
        options.retries = self.retries()?.or(options.retries);
        if let Some(expression) = self.get("upstash-retry-delay") {
            options.retry_delay = Some(RetryExpression::parse(expression)?);
        }
        options.timeout_ms = self.timeout()?.map(millis).or(options.timeout_ms);
        if let Some(labels) = self.get("upstash-label") {
            options.labels = parse_labels(labels)?;
        }
        options.queue = self
            .name("upstash-queue-name", "Upstash-Queue-Name")?
            .or(options.queue);
        if let Some(key) = self.get("upstash-flow-control-key") {
            let value = self.get("upstash-flow-control-value").unwrap_or_default();
            options.flow_control = Some(FlowControl::parse(key, value)?);
        }
        if let Some(fields) = self.get("upstash-redact-fields") {
            options.redaction = Redaction::parse(fields)?;
        }
        self.forward(&mut options)?;
        Ok(options)
    }

    fn start(&self) -> Result<Option<Start>, Error> {
        if let Some(text) = self.get("upstash-not-before") {
            let at = text
                .parse()
                .ok()
                .and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok());
            return at
                .map(|at| Some(Start::At(millis(at))))
                .ok_or_else(|| Error::Number {
                    header: "Upstash-Not-Before",
                    value: text.to_owned(),
                    expected: "seconds since 1970",
                });
        }
        let delay = self.duration("upstash-delay", "Upstash-Delay")?;
        Ok(delay.map(|delay| Start::After(millis(delay))))
    }

    fn timeout(&self) -> Result<Option<Duration>, Error> {
        let timeout = self.duration("upstash-timeout", "Upstash-Timeout")?;
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(Error::Number {
                header: "Upstash-Timeout",
                value: self.get("upstash-timeout").unwrap_or_default().to_owned(),
                expected: "more than nothing",
            });
        }
        Ok(timeout)
    }

    fn retries(&self) -> Result<Option<u32>, Error> {
        let Some(text) = self.get("upstash-retries") else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| Error::Number {
            header: "Upstash-Retries",
            value: text.to_owned(),
            expected: "a whole number",
        })
    }

    fn duration(&self, name: &str, header: &'static str) -> Result<Option<Duration>, Error> {
        let parse = |text| {
            duration::parse_or_seconds(text).map_err(|source| Error::Duration { header, source })
        };
        self.get(name).map(parse).transpose()
    }

    fn name(&self, name: &str, header: &'static str) -> Result<Option<Name>, Error> {
        self.get(name)
            .map(|text| Name::parse(text).map_err(|source| Error::Name { header, source }))
            .transpose()
    }

    fn callback(&self, name: &str, header: &'static str) -> Result<Option<Box<Callback>>, Error> {
        let Some(url) = self.get(name) else {
            return Ok(None);
        };
        let target = Target::parse(url).map_err(|source| Error::Callback { header, source })?;
        let own = self.under(name);
        let delay = ["delay", "not-before"]
            .into_iter()
            .find(|what| own.get(&format!("{PREFIX}{what}")).is_some());
        if let Some(what) = delay {
            return Err(Error::DelayedCallback(format!("{name}-{what}")));
        }
        let options = own.delivery_options(Options::default())?;
        Ok(Some(Box::new(Callback { target, options })))
    }
}

fn parse_labels(text: &str) -> Result<Vec<String>, Error> {
    let labels = text.split(',').map(str::trim);
    labels
        .filter(|label| !label.is_empty())
        .map(|label| {
            name::check(label).map_err(|source| Error::Name {
                header: "Upstash-Label",
                source,
            })?;
            Ok(label.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Result<Options, Error> {
        Fields::of_pairs(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
        .options()
    }

    #[test]
    fn not_before_overrides_delay() {
        let options = options(&[
            ("Upstash-Delay", "50s"),
            ("Upstash-Not-Before", "1700000000"),
        ])
        .expect("parses");
        assert_eq!(options.start, Start::At(1_700_000_000_000));
    }

    #[test]
    fn callback_has_its_own_options() {
        let options = options(&[
            ("Upstash-Callback", "https://example.com/cb"),
            ("Upstash-Callback-Retries", "7"),
            ("Upstash-Callback-Forward-X-Key", "v"),
            ("Upstash-Failure-Callback", "https://example.com/fail"),
            ("Upstash-Failure-Callback-Method", "PUT"),
        ])
        .expect("parses");
        let callback = options.callback.expect("a callback");
        assert_eq!(callback.options.retries, Some(7));
        assert_eq!(
            callback.options.headers.pairs().collect::<Vec<_>>(),
            [("X-Key", "v")]
        );
        assert_eq!(
            options
                .failure_callback
                .expect("a failure callback")
                .options
                .method,
            Method::Put
        );
        assert_eq!(options.retries, None);
        assert_eq!(options.headers.pairs().count(), 0);
    }

    #[test]
    fn callback_with_a_delay_is_refused() {
        for (name, value) in [
            ("Upstash-Callback-Delay", "5s"),
            ("Upstash-Callback-Not-Before", "1900000000"),
        ] {
            let refused = options(&[("Upstash-Callback", "https://example.com/"), (name, value)]);
            assert!(matches!(refused, Err(Error::DelayedCallback(_))), "{name}");
        }
    }

    #[test]
    fn deduplication_id_outside_the_alphabet_is_refused() {
        let parsed = |id: &str| {
            Fields::of_pairs([("Upstash-Deduplication-Id".to_owned(), id.to_owned())])
                .deduplication()
        };
        assert_eq!(
            parsed("a-1_2.3").ok(),
            Some(Deduplication::Id("a-1_2.3".to_owned()))
        );
        for id in ["a:b", "a b", &"x".repeat(129)] {
            assert!(parsed(id).is_err(), "{id}");
        }
    }

    #[test]
    fn framing_headers_are_not_forwarded() {
        let options = options(&[
            ("Upstash-Forward-Content-Length", "1"),
            ("Upstash-Forward-Transfer-Encoding", "chunked"),
            ("Upstash-Forward-Host", "elsewhere"),
            ("Upstash-Forward-Connection", "close"),
            ("Upstash-Forward-Authorization", "Bearer x"),
        ])
        .expect("parses");
        let forwarded: Vec<_> = options.headers.pairs().collect();
        assert_eq!(forwarded, [("Authorization", "Bearer x")]);
    }

    #[test]
    fn query_parameters_count_as_headers() {
        let fields = Fields::of_request(
            &HeaderMap::new(),
            Some("upstash-retries=3&upstash-delay=100s&x=1"),
        );
        let options = fields.and_then(|fields| fields.options()).expect("parses");
        assert_eq!(
            (options.retries, options.start),
            (Some(3), Start::After(100_000))
        );
    }

    #[test]
    fn malformed_header_is_refused_by_name() {
        for (name, value) in [
            ("Upstash-Method", "BREW"),
            ("Upstash-Retries", "-1"),
            ("Upstash-Delay", "soon"),
            ("Upstash-Not-Before", "tomorrow"),
            ("Upstash-Callback", "example.com"),
            ("Upstash-Retry-Delay", "retried +"),
            ("Upstash-Timeout", "0s"),
            ("Upstash-Queue-Name", "a/b"),
            ("Upstash-Label", "good,not:good"),
            ("Upstash-Flow-Control-Key", "email:high:acme"),
            ("Upstash-Workflow-RunId", "wfr_1"),
            ("Upstash-Forward-A B", "x"),
        ] {
            assert!(options(&[(name, value)]).is_err(), "{name}: {value}");
        }
    }
}
