//! Amazon SES over its API version 2 (`SendEmail`).
//!
//! The SDK makes one attempt: the ledger decides about retries, not the transport. Region, credentials and endpoint
//! come from the SDK's own chain, including `AWS_ENDPOINT_URL_SESV2`.

mod refusal;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::{LEDGER_TAG, Mail, MessageId, SendError};
use crate::base::env;

/// The time limit for opening the connection to SES.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The time limit of one `SendEmail`, including its answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// A sender over Amazon SES.
#[derive(Clone, Debug)]
pub struct Ses {
    client: Client,
    /// The configuration set whose event destinations report the events of a mail.
    configuration_set: Option<String>,
}

impl Ses {
    /// Returns a sender for the region and role of the environment, with the configuration set of
    /// `SES_CONFIGURATION_SET` if it is set. It makes no call yet: the first mail loads the credentials.
    pub async fn from_env() -> Self {
        let transport = Builder::new()
            .tls_provider(Provider::rustls(CryptoMode::Ring))
            .build_https();
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(transport)
            .load()
            .await;
        Self::new(&config, env::optional("SES_CONFIGURATION_SET"))
    }

    /// Returns a sender with this SDK configuration, except for its retries and timeouts, which this client sets.
    #[must_use]
    pub fn new(config: &SdkConfig, configuration_set: Option<String>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let config = aws_sdk_sesv2::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        Self {
            client: Client::from_conf(config),
            configuration_set,
        }
    }

    /// Sends one mail to SES, once. The events of the mail return `key`.
    pub async fn send(&self, mail: &Mail, key: &str) -> Result<MessageId, SendError> {
        let not_allowed = |error: BuildError| SendError::NotAllowed {
            reason: error.to_string(),
        };
        let tag = MessageTag::builder()
            .name(LEDGER_TAG)
            .value(key)
            .build()
            .map_err(not_allowed)?;
        let content = content(mail).map_err(not_allowed)?;
        let answer = self
            .client
            .send_email()
            .set_configuration_set_name(self.configuration_set.clone())
            .email_tags(tag)
            .from_email_address(mail.from.to_string())
            .destination(
                Destination::builder()
                    .to_addresses(mail.to.as_str())
                    .build(),
            )
            .set_reply_to_addresses(
                mail.reply_to
                    .as_ref()
                    .map(|address| vec![address.as_str().to_owned()]),
            )
            .content(content)
            .send()
            .await
            .map_err(refusal::decide)?;
        Ok(MessageId::new(answer.message_id.unwrap_or_default()))
    }
}

fn content(mail: &Mail) -> Result<EmailContent, BuildError> {
    let body = Body::builder()
        .html(utf8(&mail.html)?)
        .text(utf8(&mail.text)?)
        .build();
    let mut message = Message::builder().subject(utf8(&mail.subject)?).body(body);
    for (name, value) in &mail.headers {
        let header = MessageHeader::builder().name(*name).value(value).build()?;
        message = message.headers(header);
    }
    Ok(EmailContent::builder().simple(message.build()).build())
}

fn utf8(text: &str) -> Result<Content, BuildError> {
    Content::builder().data(text).charset("UTF-8").build()
}
