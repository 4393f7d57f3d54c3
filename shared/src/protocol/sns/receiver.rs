//! The receiver: verifies a message, or returns why it is rejected.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::certificates::{Certificates, answered, lost};
use super::error::{Error, Refusal};
use super::message::{Kind, Message};
use super::origin::Origin;
use super::topic::TopicArn;
use super::verified::{Notification, Subscription, Verified};
use crate::base::clock::Clock;
use crate::base::env;
use crate::protocol::http;

/// The time limit of a call to SNS's host. SNS gives up a delivery after 15 seconds.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The variable that names the topic.
const TOPIC: &str = "MAIL_EVENTS_TOPIC_ARN";

/// The variable that names another endpoint, as in the AWS SDKs.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_SNS";

/// Verifies the messages of one topic. Built once at init, so that certificates are fetched once.
#[derive(Debug)]
pub struct Receiver {
    topic: TopicArn,
    origin: Origin,
    certificates: Certificates,
    http: reqwest::Client,
    clock: Clock,
}

/// The HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("SNS receiver setup failed")]
pub struct SetupError(#[from] http::Error);

impl Receiver {
    /// Returns the receiver of `MAIL_EVENTS_TOPIC_ARN`; none if it is not set. Certificates and confirmations use SNS's
    /// host in the topic's region, or `AWS_ENDPOINT_URL_SNS` if it is set.
    pub fn from_env() -> Result<Option<Self>, env::Error> {
        if env::optional(TOPIC).is_none() {
            return Ok(None);
        }
        let topic: TopicArn = env::parsed(TOPIC)?;
        let origin = env::parsed_or(ENDPOINT, Origin::of(&topic))?;
        let receiver = Self::new(topic, origin, Clock::system());
        receiver.map(Some).map_err(|error| env::Error::Malformed {
            name: TOPIC,
            reason: error.to_string(),
        })
    }

    /// Returns a receiver of messages that `topic` signs with the certificates of `origin`.
    pub fn new(topic: TopicArn, origin: Origin, clock: Clock) -> Result<Self, SetupError> {
        let http = http::client(TIMEOUT)?;
        Ok(Self {
            topic,
            origin,
            certificates: Certificates::new(http.clone()),
            http,
            clock,
        })
    }

    /// Verifies a message, or returns why it is rejected.
    ///
    /// `kind` is the value of the header `x-amz-sns-message-type`, `body` the raw body. The certificate is fetched
    /// last, so that a sender who does not know the topic cannot cause a call. The age of a message does not matter:
    /// each message takes effect once.
    pub async fn verify(&self, kind: &[u8], body: &[u8]) -> Result<Verified, Error> {
        let message = Message::parse(body)?;
        if message.topic_arn != self.topic.as_str() {
            return Err(Refusal::Topic.into());
        }
        if message.signature_version != "2" {
            return Err(Refusal::SignatureVersion.into());
        }
        if kind != message.kind.name().as_bytes() {
            return Err(Refusal::Type.into());
        }
        self.check_signature(&message).await?;
        self.verified(message)
    }

    async fn check_signature(&self, message: &Message) -> Result<(), Error> {
        let url = self.origin.certificate(&message.signing_cert_url);
        let url = url.ok_or(Refusal::CertificateUrl)?;
        let signature = STANDARD.decode(&message.signature);
        let signature = signature.map_err(|_| Refusal::Signature)?;
        let certificate = self.certificates.get(&url).await?;
        if !certificate.is_valid_at(self.clock.now()) {
            return Err(Refusal::CertificateDates.into());
        }
        if !certificate.has_signed(message.string_to_sign().as_bytes(), &signature) {
            return Err(Refusal::Signature.into());
        }
        Ok(())
    }

    fn verified(&self, message: Message) -> Result<Verified, Error> {
        Ok(match message.kind {
            Kind::Notification => Verified::Notification(Notification {
                message_id: message.id,
                message: message.text,
            }),
            Kind::SubscriptionConfirmation => {
                let asked = message.confirmation().ok_or(Refusal::SubscribeUrl)?;
                let link = self
                    .origin
                    .confirmation(asked.subscribe_url, &self.topic, asked.token);
                let url = link.ok_or(Refusal::SubscribeUrl)?;
                Verified::Subscription(Subscription { url })
            }
            Kind::UnsubscribeConfirmation => Verified::Unsubscribed,
        })
    }

    /// Confirms a subscription. The topic sends messages afterwards.
    pub async fn confirm(&self, subscription: &Subscription) -> Result<(), Error> {
        let answer = self.http.get(subscription.url.clone()).send().await;
        answered(answer.map_err(lost)?, Refusal::Token)?;
        Ok(())
    }
}
