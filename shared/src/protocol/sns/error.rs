//! Why a message is not taken, told apart by what is answered.

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a message was not verified, or a subscription not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not a message of SNS at all.
    #[error("not an SNS message: {0}")]
    Malformed(&'static str),
    /// It looks like one and must not be believed. Sent again, it would be refused again.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// SNS's own host did not give what is needed to decide. Sent again, the message may be taken.
    #[error("SNS is unavailable: {0}")]
    Unavailable(#[from] Unreachable),
}

/// Why a message is not believed. Each reason is its own, for the log; a caller is told none of them but the
/// signature's version, which the topic's owner has to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is a message of another topic.
    #[error("the message belongs to another topic")]
    Topic,
    /// It is signed over SHA-1.
    #[error("the signature version is not 2; set the topic's SignatureVersion to 2")]
    SignatureVersion,
    /// Its header says that it is of another type than its body.
    #[error("the header and the message differ in type")]
    Type,
    /// Its certificate lies where SNS keeps none.
    #[error("the certificate's URL is not in the topic's region")]
    CertificateUrl,
    /// SNS has no such certificate, or what it has is none.
    #[error("the certificate's URL has no certificate")]
    Certificate,
    /// The certificate's time has not come or is over.
    #[error("the certificate has expired or is not valid yet")]
    CertificateDates,
    /// The signature is not that of the certificate's key over this message.
    #[error("the signature does not match the message")]
    Signature,
    /// The link that confirms leads elsewhere than to this topic's confirmation.
    #[error("the SubscribeURL does not confirm a subscription to this topic")]
    SubscribeUrl,
    /// SNS does not take the confirmation: its token is spent or too old.
    #[error("SNS rejected the confirmation")]
    Token,
}

/// What SNS's host did instead of answering.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// The connection failed, broke or took too long. The address is left out of the source.
    #[error("no response")]
    Transport(#[source] Cause),
    /// It is in trouble, or wants to be left alone.
    #[error("response status {0}")]
    Status(u16),
}
