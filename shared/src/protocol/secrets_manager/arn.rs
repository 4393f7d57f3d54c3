//! The ARN of a secret, with its region.

use std::ops::Range;
use std::str::FromStr;

/// The longest secret ARN that Secrets Manager accepts, in bytes.
const MAX_LEN: usize = 2048;

/// `arn:<partition>:secretsmanager:<region>:<account>:secret:<name>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SecretArn {
    text: String,
    region: Range<usize>,
    domain: &'static str,
}

impl SecretArn {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn region(&self) -> &str {
        &self.text[self.region.clone()]
    }

    /// Returns the regional endpoint of the secret's own region, which may differ from the function's.
    pub(super) fn public_endpoint(&self) -> String {
        format!("https://secretsmanager.{}.{}", self.region(), self.domain)
    }
}

impl FromStr for SecretArn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const REASON: &str = "it is not the ARN of a secret in Secrets Manager";
        let parts: Vec<&str> = text.splitn(7, ':').collect();
        let [
            "arn",
            partition,
            "secretsmanager",
            region,
            account,
            "secret",
            name,
        ] = parts[..]
        else {
            return Err(REASON);
        };
        let domain = match partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return Err("its partition is not one that is known here"),
        };
        let is_label =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_valid = !region.is_empty()
            && region.bytes().all(is_label)
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && !name.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && text.len() <= MAX_LEN;
        let start = "arn:".len() + partition.len() + ":secretsmanager:".len();
        is_valid
            .then(|| Self {
                text: text.to_owned(),
                region: start..start + region.len(),
                domain,
            })
            .ok_or(REASON)
    }
}

#[cfg(test)]
mod tests {
    use super::SecretArn;

    fn parse(text: &str) -> Result<SecretArn, &'static str> {
        text.parse()
    }

    #[test]
    fn secret_arn_gives_the_endpoint_of_its_region() {
        let arn = parse("arn:aws:secretsmanager:eu-west-1:012345678901:secret:a/b-AbCdEf").unwrap();
        assert_eq!(arn.region(), "eu-west-1");
        assert_eq!(
            arn.public_endpoint(),
            "https://secretsmanager.eu-west-1.amazonaws.com"
        );
        let arn = parse("arn:aws-cn:secretsmanager:cn-north-1:012345678901:secret:a").unwrap();
        assert_eq!(
            arn.public_endpoint(),
            "https://secretsmanager.cn-north-1.amazonaws.com.cn"
        );
    }

    #[test]
    fn invalid_secret_arn_is_refused() {
        for text in [
            "",
            "signtusk",
            "arn:aws:secretsmanager:eu-west-1:012345678901:secret:",
            "arn:aws:secretsmanager:eu-west-1:012345678901:secret",
            "arn:aws:secretsmanager:eu-west-1:01234567890:secret:a",
            "arn:aws:secretsmanager::012345678901:secret:a",
            "arn:aws:secretsmanager:evil.example/?:012345678901:secret:a",
            "arn:aws:ssm:eu-west-1:012345678901:parameter:a",
            "arn:aws-iso:secretsmanager:eu-west-1:012345678901:secret:a",
            "arn:aws:secretsmanager:eu-west-1:012345678901:secret:a b",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
