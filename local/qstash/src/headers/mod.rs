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
use crate::name::Name;
use crate::options::{Callback, Method, Options, Start};
use crate::redaction::Redaction;
use crate::retry_expression::RetryExpression;

pub(crate) use error::Error;

const PREFIX: &str = "upstash-";
const CALLBACK: &str = "upstash-callback";
const FAILURE_CALLBACK: &str = "upstash-failure-callback";

/// More retries than this are no plan's.
const MAX_RETRIES: u32 = 1_000;

/// The longest delay of the paid plans.
const MAX_DELAY: Duration = Duration::from_hours(366 * 24);

/// Header names, in lower case, and values, in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The headers of a request and the `upstash-*` parameters of its query.
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

    /// The headers of a batch item.
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

    /// What `Upstash-Callback-Retries` says to the callback is what `Upstash-Retries` says to the message.
    fn under(&self, prefix: &str) -> Self {
        let inner = |(name, value): &(String, String)| {
            let rest = name.strip_prefix(prefix)?.strip_prefix('-')?;
            Some((format!("{PREFIX}{rest}"), value.clone()))
        };
        Self(self.0.iter().filter_map(inner).collect())
    }

    /// The deduplication that is asked for.
    pub(crate) fn deduplication(&self) -> Deduplication {
        match self.get("upstash-deduplication-id") {
            Some(id) => Deduplication::Id(id.to_owned()),
            None if self.is_true("upstash-content-based-deduplication") => Deduplication::Content,
            None => Deduplication::Off,
        }
    }

    /// The cron expression of a schedule.
    pub(crate) fn cron(&self) -> Result<Option<CronExpression>, Error> {
        Ok(self
            .get("upstash-cron")
            .map(CronExpression::parse)
            .transpose()?)
    }

    /// The id that the publisher gives a schedule.
    pub(crate) fn schedule_id(&self) -> Result<Option<Name>, Error> {
        self.name("upstash-schedule-id", "Upstash-Schedule-Id")
    }

    /// The options of a new message.
    pub(crate) fn options(&self) -> Result<Options, Error> {
        self.options_over(Options::default())
    }

    /// The options of a message that is tried again: what is not said stays as it was.
    pub(crate) fn options_over(&self, base: Options) -> Result<Options, Error> {
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
        options.timeout_ms = self
            .duration("upstash-timeout", "Upstash-Timeout")?
            .map(millis)
            .or(options.timeout_ms);
        if let Some(labels) = self.get("upstash-label") {
            options.labels = labels
                .split(',')
                .map(str::trim)
                .filter(|label| !label.is_empty())
                .map(str::to_owned)
                .collect();
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
        if let Some(too_long) = delay.filter(|delay| *delay > MAX_DELAY) {
            let source = duration::Error::TooLong(format!("{}s", too_long.as_secs()));
            return Err(Error::Duration {
                header: "Upstash-Delay",
                source,
            });
        }
        Ok(delay.map(|delay| Start::After(millis(delay))))
    }

    fn retries(&self) -> Result<Option<u32>, Error> {
        let Some(text) = self.get("upstash-retries") else {
            return Ok(None);
        };
        text.parse()
            .ok()
            .filter(|retries| *retries <= MAX_RETRIES)
            .map(Some)
            .ok_or_else(|| Error::Number {
                header: "Upstash-Retries",
                value: text.to_owned(),
                expected: "0 to 1000",
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
        let options = self.under(name).delivery_options(Options::default())?;
        Ok(Some(Box::new(Callback { target, options })))
    }
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
    fn not_before_wins_over_delay() {
        let options = options(&[
            ("Upstash-Delay", "50s"),
            ("Upstash-Not-Before", "1700000000"),
        ])
        .expect("parses");
        assert_eq!(options.start, Start::At(1_700_000_000_000));
    }

    #[test]
    fn a_callback_has_options_of_its_own_and_leaves_the_message_alone() {
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
    fn malformed_headers_are_refused_by_name() {
        for (name, value) in [
            ("Upstash-Method", "BREW"),
            ("Upstash-Retries", "-1"),
            ("Upstash-Delay", "soon"),
            ("Upstash-Delay", "500d"),
            ("Upstash-Not-Before", "tomorrow"),
            ("Upstash-Callback", "example.com"),
            ("Upstash-Retry-Delay", "retried +"),
            ("Upstash-Queue-Name", "a/b"),
            ("Upstash-Forward-A B", "x"),
        ] {
            assert!(options(&[(name, value)]).is_err(), "{name}: {value}");
        }
    }
}
