//! The ARN of a topic, which also determines the host of its region.

use std::str::FromStr;

/// The supported partitions, each with the domain of its hosts.
const PARTITIONS: [(&str, &str); 3] = [
    ("aws", "amazonaws.com"),
    ("aws-us-gov", "amazonaws.com"),
    ("aws-cn", "amazonaws.com.cn"),
];

/// A topic: `arn:<partition>:sns:<region>:<account>:<name>`
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicArn {
    text: String,
    host: String,
}

/// The text is not the ARN of a topic that can send over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the ARN of a standard topic, such as arn:aws:sns:us-east-1:123456789012:mail-events"
)]
pub struct InvalidTopicArn;

impl TopicArn {
    /// Returns the ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the host of the topic's region, for certificates and confirmations.
    pub(super) fn host(&self) -> &str {
        &self.host
    }
}

impl FromStr for TopicArn {
    type Err = InvalidTopicArn;

    fn from_str(text: &str) -> Result<Self, InvalidTopicArn> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "sns", region, account, name] = parts[..] else {
            return Err(InvalidTopicArn);
        };
        let known = PARTITIONS.iter().find(|(known, _)| *known == partition);
        let (_, domain) = known.ok_or(InvalidTopicArn)?;
        if !is_region(region) || !is_account(account) || !is_name(name) {
            return Err(InvalidTopicArn);
        }
        Ok(Self {
            text: text.to_owned(),
            host: format!("sns.{region}.{domain}"),
        })
    }
}

/// Returns whether it is one host-name label that ends in a number, like all regions: `us-east-1`, `us-gov-west-1`.
fn is_region(region: &str) -> bool {
    let words: Vec<&str> = region.split('-').collect();
    let (Some((number, words)), 3..) = (words.split_last(), words.len()) else {
        return false;
    };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    words.iter().all(is_word) && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

fn is_account(account: &str) -> bool {
    account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether it names a standard topic. A FIFO topic, whose name ends in `.fifo`, does not send over HTTP.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=256).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{InvalidTopicArn, TopicArn};

    #[test]
    fn topic_arn_gives_the_sns_host_of_its_region() {
        for (arn, host) in [
            (
                "arn:aws:sns:us-east-1:123456789012:mail-events",
                "sns.us-east-1.amazonaws.com",
            ),
            (
                "arn:aws:sns:ap-southeast-12:123456789012:M_1",
                "sns.ap-southeast-12.amazonaws.com",
            ),
            (
                "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a",
                "sns.us-gov-west-1.amazonaws.com",
            ),
            (
                "arn:aws-cn:sns:cn-north-1:123456789012:a",
                "sns.cn-north-1.amazonaws.com.cn",
            ),
        ] {
            let topic: TopicArn = arn.parse().unwrap();
            assert_eq!((topic.as_str(), topic.host()), (arn, host));
        }
    }

    #[test]
    fn invalid_topic_arn_is_refused() {
        for text in [
            "",
            "mail-events",
            "arn:aws:sqs:us-east-1:123456789012:a",
            "arn:aws:sns:us-east-1:123456789012",
            "arn:aws:sns:us-east-1:123456789012:a:b",
            "arn:aws:sns:us-east-1:123456789012:a.fifo",
            "arn:aws:sns:us-east-1:123456789012:",
            "arn:aws:sns:us-east-1:12345:a",
            "arn:aws:sns::123456789012:a",
            "arn:aws:sns:east:123456789012:a",
            "arn:aws:sns:s3-us-west-2.evil:123456789012:a",
            "arn:aws:sns:us-east-1.s3:123456789012:a",
            "arn:aws:sns:us-east-1/:123456789012:a",
            "arn:aws:sns:US-EAST-1:123456789012:a",
            "arn:aws:sns:us--1:123456789012:a",
            "arn:aws-moon:sns:us-east-1:123456789012:a",
            " arn:aws:sns:us-east-1:123456789012:a",
        ] {
            assert_eq!(text.parse::<TopicArn>(), Err(InvalidTopicArn), "{text}");
        }
    }
}
