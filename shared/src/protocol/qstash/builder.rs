//! A message builder: each option becomes a header.
//!
//! Headers and their formats: <https://upstash.com/docs/qstash/api-reference/messages/publish-a-message>.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::flow_control::FlowControl;
use super::message::{Message, MessageError};
use super::name::{DeduplicationId, Label};
use super::seconds::seconds;

const METHOD: HeaderName = HeaderName::from_static("upstash-method");
const DELAY: HeaderName = HeaderName::from_static("upstash-delay");
const NOT_BEFORE: HeaderName = HeaderName::from_static("upstash-not-before");
const RETRIES: HeaderName = HeaderName::from_static("upstash-retries");
const RETRY_DELAY: HeaderName = HeaderName::from_static("upstash-retry-delay");
const TIMEOUT: HeaderName = HeaderName::from_static("upstash-timeout");
const CALLBACK: HeaderName = HeaderName::from_static("upstash-callback");
const FAILURE_CALLBACK: HeaderName = HeaderName::from_static("upstash-failure-callback");
pub(super) const DEDUPLICATION_ID: HeaderName = HeaderName::from_static("upstash-deduplication-id");
const LABEL: HeaderName = HeaderName::from_static("upstash-label");
const FLOW_CONTROL_KEY: HeaderName = HeaderName::from_static("upstash-flow-control-key");
const FLOW_CONTROL_VALUE: HeaderName = HeaderName::from_static("upstash-flow-control-value");

/// The largest body that QStash accepts, in bytes: 10 MB on pay-as-you-go, the smallest plan that docs/DEPLOYING.md
/// supports.
pub const MAX_BODY: usize = 10_000_000;

/// A message builder. [`Builder::build`] returns the first error.
#[derive(Debug)]
#[must_use]
pub struct Builder {
    message: Message,
    labels: Vec<Label>,
    problem: Option<MessageError>,
}

impl Builder {
    pub(super) fn new(message: Message) -> Self {
        Self {
            message,
            labels: Vec::new(),
            problem: None,
        }
    }

    /// Sets the body, which is delivered byte for byte, and its media type.
    pub fn body(mut self, body: impl Into<Bytes>, content_type: &str) -> Self {
        self.message.body = body.into();
        self.set(CONTENT_TYPE, content_type)
    }

    /// Sets `value` as a JSON body.
    pub fn json(self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body(body, "application/json"),
            Err(source) => self.failing(MessageError::Body(source)),
        }
    }

    /// Sets the method of the delivery; the default is POST.
    pub fn method(self, method: &Method) -> Self {
        self.set(METHOD, method.as_str())
    }

    /// Delays the delivery by this time, in whole seconds, rounded up. Replaces a [`Self::not_before`].
    pub fn delay(mut self, delay: Duration) -> Self {
        self.message.headers.remove(NOT_BEFORE);
        self.set(DELAY, &seconds(delay))
    }

    /// Sets the time of the delivery, in whole seconds, rounded up. Replaces a [`Self::delay`].
    pub fn not_before(mut self, instant: Timestamp) -> Self {
        self.message.headers.remove(DELAY);
        let second = instant.as_second() + i64::from(instant.subsec_nanosecond() > 0);
        self.set(NOT_BEFORE, &second.to_string())
    }

    /// Sets the number of retries; the default is the plan's (3).
    pub fn retries(self, retries: u32) -> Self {
        self.set(RETRIES, &retries.to_string())
    }

    /// Sets the wait before a retry: an expression in milliseconds over `retried`, which is 0 before the first retry,
    /// with `+ - * /`, parentheses and `pow sqrt abs exp floor ceil round min max`.
    pub fn retry_delay(self, expression: &str) -> Self {
        self.set(RETRY_DELAY, expression)
    }

    /// Sets the time limit of the destination's answer, in whole seconds, rounded up.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(TIMEOUT, &seconds(timeout))
    }

    /// Sets the URL that is called with the answer after every attempt.
    pub fn callback(self, url: &Url) -> Self {
        self.set(CALLBACK, url.as_str())
    }

    /// Sets the URL that is called once, after the last retry has failed.
    pub fn failure_callback(self, url: &Url) -> Self {
        self.set(FAILURE_CALLBACK, url.as_str())
    }

    /// Sets the deduplication id. Publishing the same id again within the window (ten minutes today) returns the first
    /// message, so publishing is repeatable.
    pub fn deduplication_id(self, id: &DeduplicationId) -> Self {
        self.set(DEDUPLICATION_ID, id.as_str())
    }

    /// Adds a label to find, cancel or redrive messages by. May be called several times.
    pub fn label(mut self, label: &Label) -> Self {
        self.labels.push(label.clone());
        self
    }

    /// Sets the flow control: the delivery limits of its key.
    pub fn flow_control(self, flow: &FlowControl) -> Self {
        match flow.value() {
            Some(value) => self
                .set(FLOW_CONTROL_KEY, flow.key())
                .set(FLOW_CONTROL_VALUE, &value),
            None => self.failing(MessageError::FlowControl),
        }
    }

    /// Adds a header to the delivery, under the unchanged `name`.
    pub fn forward(self, name: &HeaderName, value: &str) -> Self {
        let forwarded = format!("upstash-forward-{name}");
        match HeaderName::try_from(forwarded) {
            Ok(forwarded) => self.set(forwarded, value),
            Err(_) => self.failing(MessageError::Header(name.clone())),
        }
    }

    /// Returns the message, or its first error.
    pub fn build(mut self) -> Result<Message, MessageError> {
        if !matches!(self.message.destination.scheme(), "http" | "https") {
            return Err(MessageError::Destination);
        }
        let bytes = self.message.body.len();
        if bytes > MAX_BODY {
            return Err(MessageError::TooLarge { bytes });
        }
        if !self.labels.is_empty() {
            let labels: Vec<&str> = self.labels.iter().map(Label::as_str).collect();
            let labels = labels.join(",");
            self = self.set(LABEL, &labels);
        }
        self.problem.map_or(Ok(self.message), Err)
    }

    fn set(mut self, name: HeaderName, value: &str) -> Self {
        match printable(value) {
            Some(value) => {
                self.message.headers.insert(name, value);
                self
            }
            None => self.failing(MessageError::Header(name)),
        }
    }

    fn failing(mut self, problem: MessageError) -> Self {
        self.problem.get_or_insert(problem);
        self
    }
}

/// Returns a header value that arrives unchanged. Servers decode characters beyond printable ASCII differently, and a
/// batch's JSON cannot contain them. Outer spaces are trimmed in transit.
pub(super) fn printable(value: &str) -> Option<HeaderValue> {
    let plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let sound = plain && !value.is_empty() && value.trim() == value;
    sound.then(|| HeaderValue::from_str(value).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderName, Method};
    use jiff::Timestamp;
    use url::Url;

    use crate::protocol::qstash::{
        Builder, FlowControl, FlowKey, Label, MAX_BODY, Message, MessageError,
    };

    fn message() -> Builder {
        Message::to(Url::parse("https://example.test/job").expect("a url"))
    }

    /// Returns the value of each named header; empty if absent.
    fn headers<const N: usize>(builder: Builder, names: [&str; N]) -> [String; N] {
        let message = builder.build().expect("a message");
        names.map(|name| {
            let value = message.headers().get(name);
            value.map_or_else(String::new, |it| it.to_str().expect("text").to_owned())
        })
    }

    #[test]
    fn delay_and_not_before_replace_each_other() {
        let at = Timestamp::from_millisecond(1_500).expect("an instant");
        let second = Duration::from_secs(1);
        let names = ["upstash-delay", "upstash-not-before"];
        let fixed = message().delay(second).not_before(at);
        assert_eq!(headers(fixed, names), ["", "2"]);
        let relative = message().not_before(at).delay(second);
        assert_eq!(headers(relative, names), ["1s", ""]);
    }

    #[test]
    fn labels_are_joined_by_commas() {
        let [job, email] = ["job-1", "email"].map(Label::derive);
        let two = message().label(&job).label(&email);
        assert_eq!(headers(two, ["upstash-label"]), ["job-1,email"]);
    }

    #[test]
    fn body_larger_than_the_plan_is_refused() {
        let body = |bytes: usize| message().body(vec![b'x'; bytes], "text/plain").build();
        assert!(body(MAX_BODY).is_ok());
        let error = body(MAX_BODY + 1).expect_err("refused");
        assert!(matches!(error, MessageError::TooLarge { bytes } if bytes == MAX_BODY + 1));
    }

    #[test]
    fn value_that_a_header_cannot_hold_is_refused() {
        for value in ["", " a", "a ", "a\r\nX: y", "a\0", "caf\u{e9}", "\u{7f}"] {
            let error = message().retry_delay(value).build();
            let error = error.expect_err("refused");
            assert!(matches!(error, MessageError::Header(_)), "{value:?}");
        }
    }

    #[test]
    fn flow_control_without_a_limit_is_refused() {
        let flow = FlowControl::new(FlowKey::derive("k"));
        let error = message().flow_control(&flow).build().expect_err("refused");
        assert!(matches!(error, MessageError::FlowControl));
    }

    #[test]
    fn destination_must_be_http_and_loses_its_fragment() {
        let mail = Url::parse("mailto:a@b.test").expect("a url");
        let error = Message::to(mail).build().expect_err("refused");
        assert!(matches!(error, MessageError::Destination));
        let url = Url::parse("http://h/p?x=1#top").expect("a url");
        let message = Message::to(url).build().expect("a message");
        assert_eq!(message.destination().as_str(), "http://h/p?x=1");
    }

    #[test]
    fn debug_output_hides_body_and_forwarded_headers() {
        let name = HeaderName::from_static("x-token");
        let message = message().method(&Method::PUT).forward(&name, "hush");
        let message = message.body("quiet", "text/plain").build().expect("built");
        let shown = format!("{message:?}");
        assert!(
            !shown.contains("hush") && !shown.contains("quiet"),
            "{shown}"
        );
    }
}
