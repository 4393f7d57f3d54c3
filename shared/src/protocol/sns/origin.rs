//! The only origin of certificates and confirmations.
//!
//! A message contains the URL of its certificate, so control of that URL allows forging signatures.
//! `sns.*.amazonaws.com` is too wide: `sns.s3-us-west-2.amazonaws.com` is a bucket. The origin is therefore that of the
//! topic's own region. A URL must have the exact spelling that parsing leaves unchanged, which excludes spelling
//! tricks.

use std::str::FromStr;

use url::Url;

use super::topic::TopicArn;

/// The origin (RFC 6454) of SNS for one topic: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(url::Origin);

/// The text is not an http(s) URL that consists of a host only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an http(s) URL without path, query, fragment and user")]
pub struct InvalidOrigin;

impl Origin {
    /// Returns the host of the topic's region, over HTTPS.
    #[must_use]
    pub fn of(topic: &TopicArn) -> Self {
        let host = url::Host::Domain(topic.host().to_owned());
        Self(url::Origin::Tuple("https".to_owned(), host, 443))
    }

    /// Returns the URL of a certificate, if it is valid.
    pub(super) fn certificate(&self, text: &str) -> Option<Url> {
        let url = self.own(text)?;
        let path = url.path();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
        let is_plain = path
            .strip_suffix(".pem")
            .is_some_and(|name| name.bytes().all(plain));
        (is_plain && url.query().is_none()).then_some(url)
    }

    /// Returns the URL that confirms a subscription to `topic` with `token`, if it is valid.
    pub(super) fn confirmation(&self, text: &str, topic: &TopicArn, token: &str) -> Option<Url> {
        let url = self.own(text)?;
        let asked = |name: &str, value: &str| {
            let mut values = url.query_pairs().filter(|(known, _)| known == name);
            values.next().is_some_and(|(_, found)| found == value) && values.next().is_none()
        };
        let confirms = url.path() == "/"
            && asked("Action", "ConfirmSubscription")
            && asked("TopicArn", topic.as_str())
            && asked("Token", token);
        confirms.then_some(url)
    }

    /// Returns a URL of this origin in its normalized spelling.
    fn own(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_own = url.as_str() == text
            && url.origin() == self.0
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        is_own.then_some(url)
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text).map_err(|_| InvalidOrigin)?;
        let is_bare = matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if is_bare {
            Ok(Self(url.origin()))
        } else {
            Err(InvalidOrigin)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidOrigin, Origin};
    use crate::protocol::sns::TopicArn;

    const ARN: &str = "arn:aws:sns:us-west-2:123456789012:mail-events";

    fn amazon() -> Origin {
        Origin::of(&ARN.parse().unwrap())
    }

    #[test]
    fn certificate_url_of_the_topic_region_is_accepted() {
        for text in [
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-01d088a6f77103d0fe307c0069e40ed6.pem",
            "https://sns.us-west-2.amazonaws.com/x.pem",
        ] {
            assert!(amazon().certificate(text).is_some(), "{text}");
        }
        let china: TopicArn = "arn:aws-cn:sns:cn-north-1:123456789012:a".parse().unwrap();
        let text = "https://sns.cn-north-1.amazonaws.com.cn/x.pem";
        assert!(Origin::of(&china).certificate(text).is_some());
    }

    #[test]
    fn certificate_url_of_another_host_is_refused() {
        for text in [
            "",
            "/x.pem",
            "x.pem",
            "//sns.us-west-2.amazonaws.com/x.pem",
            "https:sns.us-west-2.amazonaws.com/x.pem",
            "https:/sns.us-west-2.amazonaws.com/x.pem",
            "https:///sns.us-west-2.amazonaws.com/x.pem",
            "https:\\\\sns.us-west-2.amazonaws.com\\x.pem",
            // Another scheme or port.
            "http://sns.us-west-2.amazonaws.com/x.pem",
            "ftp://sns.us-west-2.amazonaws.com/x.pem",
            "file:///sns.us-west-2.amazonaws.com/x.pem",
            "data:application/x-pem-file,https://sns.us-west-2.amazonaws.com/x.pem",
            "HTTPS://sns.us-west-2.amazonaws.com/x.pem",
            "https://sns.us-west-2.amazonaws.com:443/x.pem",
            "https://sns.us-west-2.amazonaws.com:8443/x.pem",
            // Another host with a similar name.
            "https://sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.s3.amazonaws.com/x.pem",
            "https://sns.s3-us-west-2.amazonaws.com/x.pem",
            "https://sns.us-west-2.s3.amazonaws.com/x.pem",
            "https://us-west-2.amazonaws.com/x.pem",
            "https://sns.amazonaws.com/x.pem",
            "https://sns.us-west-2.amazonaws.com.evil.example/x.pem",
            "https://sns.us-west-2.amazonaws.com.cn/x.pem",
            "https://sns.us-west-2.amazonaws.co/x.pem",
            "https://sns.us-west-2.amazonaws.org/x.pem",
            "https://sns.us-west-2-amazonaws.com/x.pem",
            "https://sns-us-west-2.amazonaws.com/x.pem",
            "https://evil.sns.us-west-2.amazonaws.com/x.pem",
            "https://evilsns.us-west-2.amazonaws.com/x.pem",
            "https://xn--sns-.us-west-2.amazonaws.com/x.pem",
            "https://sns.us-west-2.amazonaws.com./x.pem",
            "https://SNS.us-west-2.amazonaws.com/x.pem",
            "https://ѕns.us-west-2.amazonaws.com/x.pem",
            "https://sns。us-west-2。amazonaws。com/x.pem",
            "https://sns.us-west-2.amazonaws%2Ecom/x.pem",
            "https://sns.us-west-2.amazonaws.com%00.evil.example/x.pem",
            "https://127.0.0.1/x.pem",
            "https://[::1]/x.pem",
            "https://169.254.169.254/x.pem",
            "https://localhost/x.pem",
            // Another host behind a user, a path, a query or a fragment.
            "https://sns.us-west-2.amazonaws.com@evil.example/x.pem",
            "https://evil.example\\@sns.us-west-2.amazonaws.com/x.pem",
            "https://a@sns.us-west-2.amazonaws.com/x.pem",
            "https://a:b@sns.us-west-2.amazonaws.com/x.pem",
            "https://evil.example/sns.us-west-2.amazonaws.com/x.pem",
            "https://evil.example/?https://sns.us-west-2.amazonaws.com/x.pem",
            "https://evil.example/#https://sns.us-west-2.amazonaws.com/x.pem",
            // Not a certificate.
            "https://sns.us-west-2.amazonaws.com",
            "https://sns.us-west-2.amazonaws.com/",
            "https://sns.us-west-2.amazonaws.com/x",
            "https://sns.us-west-2.amazonaws.com/x.pem/",
            "https://sns.us-west-2.amazonaws.com/x.PEM",
            "https://sns.us-west-2.amazonaws.com/x.pem.txt",
            "https://sns.us-west-2.amazonaws.com/?Action=Publish&x=.pem",
            "https://sns.us-west-2.amazonaws.com/x.pem?",
            "https://sns.us-west-2.amazonaws.com/x.pem?a=b",
            "https://sns.us-west-2.amazonaws.com/x.pem#",
            "https://sns.us-west-2.amazonaws.com/x%3F.pem",
            "https://sns.us-west-2.amazonaws.com/a/../x.pem",
            "https://sns.us-west-2.amazonaws.com/%2e%2e/x.pem",
            "https://sns.us-west-2.amazonaws.com/a;b.pem",
            // Spaces and control characters, which parsers drop.
            " https://sns.us-west-2.amazonaws.com/x.pem",
            "https://sns.us-west-2.amazonaws.com/x.pem ",
            "https://sns.us-west-2.amazonaws.com/x.pem\n",
            "https://sns.us-west-2.amazonaws.com/x\t.pem",
            "https://sns.us-west-2\n.amazonaws.com/x.pem",
            "ht\ntps://sns.us-west-2.amazonaws.com/x.pem",
            "https://sns.us-west-2.amazonaws.com\r\nhost: evil.example/x.pem",
        ] {
            assert_eq!(amazon().certificate(text), None, "{text:?}");
        }
    }

    #[test]
    fn configured_endpoint_is_the_only_certificate_origin() {
        let local: Origin = "http://127.0.0.1:4100".parse().unwrap();
        assert!(local.certificate("http://127.0.0.1:4100/x.pem").is_some());
        for text in [
            "https://sns.us-west-2.amazonaws.com/x.pem",
            "https://127.0.0.1:4100/x.pem",
            "http://127.0.0.1/x.pem",
            "http://127.0.0.1:4101/x.pem",
            "http://localhost:4100/x.pem",
        ] {
            assert_eq!(local.certificate(text), None, "{text}");
        }
    }

    #[test]
    fn endpoint_with_more_than_a_host_is_refused() {
        for text in [
            "",
            "127.0.0.1:4100",
            "ftp://a",
            "http://a/b",
            "http://a?b",
            "http://a#b",
            "http://u@a",
            "data:,x",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(InvalidOrigin), "{text}");
        }
    }

    #[test]
    fn only_the_confirmation_of_this_topic_and_token_is_followed() {
        let host = "https://sns.us-west-2.amazonaws.com";
        let good = format!("{host}/?Action=ConfirmSubscription&TopicArn={ARN}&Token=t1");
        let confirmation = |text: &str| amazon().confirmation(text, &ARN.parse().unwrap(), "t1");
        assert!(confirmation(&good).is_some());
        for text in [
            good.replace("us-west-2.amazonaws", "evil.example"),
            good.replace("https", "http"),
            good.replace("t1", "t2"),
            good.replace("mail-events", "other"),
            good.replace("ConfirmSubscription", "DeleteTopic"),
            good.replace("/?", "/x?"),
            good.replace("Token", "token"),
            format!("{good}&Action=DeleteTopic"),
            format!("{good}#x"),
            format!("{host}/"),
        ] {
            assert_eq!(confirmation(&text), None, "{text}");
        }
    }
}
