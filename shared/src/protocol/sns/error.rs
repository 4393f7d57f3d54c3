//! Why a message is rejected. The variants differ in the response.

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a message was not verified, or a subscription not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not an SNS message.
    #[error("not an SNS message: {0}")]
    Malformed(&'static str),
    /// It is an SNS message, but not trusted. A repetition would be rejected as well.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// SNS's own host did not provide the certificate or the confirmation. A repetition may succeed.
    #[error("SNS is unavailable: {0}")]
    Unavailable(#[from] Unreachable),
}

/// Why a message is not trusted. Each reason is distinct in the log. A caller learns only about the signature version,
/// which the topic's owner has to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It belongs to another topic.
    #[error("the message belongs to another topic")]
    Topic,
    /// It is signed with SHA-1.
    #[error("the signature version is not 2; set the topic's SignatureVersion to 2")]
    SignatureVersion,
    /// Its header and its body have different types.
    #[error("the header and the message differ in type")]
    Type,
    /// Its certificate's URL is not one of SNS.
    #[error("the certificate's URL is not in the topic's region")]
    CertificateUrl,
    /// The certificate's URL does not return a certificate.
    #[error("the certificate's URL has no certificate")]
    Certificate,
    /// The certificate has expired or is not valid yet.
    #[error("the certificate has expired or is not valid yet")]
    CertificateDates,
    /// The signature does not match the certificate's key and this message.
    #[error("the signature does not match the message")]
    Signature,
    /// The confirmation link does not confirm a subscription to this topic.
    #[error("the SubscribeURL does not confirm a subscription to this topic")]
    SubscribeUrl,
    /// SNS rejects the confirmation: its token was used or has expired.
    #[error("SNS rejected the confirmation")]
    Token,
}

/// Why SNS's host gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// The connection failed, broke or timed out. The source omits the address.
    #[error("no response")]
    Transport(#[source] Cause),
    /// The host failed or throttled the call.
    #[error("response status {0}")]
    Status(u16),
}
