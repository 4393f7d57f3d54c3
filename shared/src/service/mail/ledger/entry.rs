//! The key of the ledger, which identifies a mail.

use sha2::{Digest, Sha256};

use crate::base::hex::hex;
use crate::service::mail::payload::{EmailAddress, Envelope, Reference};

/// One mail to one recipient, as recorded in the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The e-mail's type.
    pub kind: &'a str,
    /// The recipient.
    pub recipient: &'a EmailAddress,
    /// The job that sends it. It replaces missing parts of the identity.
    pub job_id: &'a str,
    /// The identity that the web app gives the mail.
    pub identity: Identity<'a>,
    /// Whether its recipient may unsubscribe from this type of mail.
    pub optional: bool,
    /// An earlier occurrence that this mail replaces, such as one to a mistyped address: it must no longer be sent. It
    /// requires a request and a signer to identify that mail, and is ignored otherwise.
    pub supersedes: Option<&'a str>,
    /// The acting user of the job, who is notified of a bounce if the mail belongs to no request; empty for none.
    pub acting_user: &'a str,
}

/// The identity that the web app gives a mail. Each part may be absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity<'a> {
    /// The signing request.
    pub request_id: Option<&'a str>,
    /// The signer's row.
    pub signer_id: Option<&'a str>,
    /// Distinguishes the mails of its type to that signer.
    pub occurrence: Option<&'a str>,
}

impl<'a> From<&'a Envelope> for Identity<'a> {
    fn from(envelope: &'a Envelope) -> Self {
        Self {
            request_id: envelope.request_id.as_ref().map(Reference::as_str),
            signer_id: envelope.signer_id.as_ref().map(Reference::as_str),
            occurrence: envelope.occurrence.as_ref().map(Reference::as_str),
        }
    }
}

impl Entry<'_> {
    /// Returns the row's key: the SHA-256 of the parts that identify the mail, in lower-case hex. Each part is hashed
    /// with its length and with its origin, the payload or a replacement, so that no two mails share a key.
    #[must_use]
    pub fn key(&self) -> String {
        self.key_of(self.identity)
    }

    /// Returns the key of the mail that this one replaces.
    pub(super) fn superseded_key(&self) -> Option<String> {
        let named = self.identity.request_id.and(self.identity.signer_id);
        let earlier = named.and(self.supersedes)?;
        let identity = Identity {
            occurrence: Some(earlier),
            ..self.identity
        };
        // A mail that names itself is a mistake of the caller; the mail is sent anyway.
        (self.identity.occurrence != Some(earlier)).then(|| self.key_of(identity))
    }

    fn key_of(&self, identity: Identity<'_>) -> String {
        let Identity {
            request_id,
            signer_id,
            occurrence,
        } = identity;
        let mut hash = Sha256::new();
        for (own, stand_in) in [
            (request_id, self.job_id),
            (signer_id, self.recipient.as_str()),
            (Some(self.kind), ""),
            (occurrence, self.job_id),
        ] {
            let part = own.unwrap_or(stand_in);
            hash.update([u8::from(own.is_some())]);
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Identity};
    use crate::service::mail::payload::EmailAddress;

    fn entry<'a>(job_id: &'a str, to: &'a EmailAddress, parts: [Option<&'a str>; 3]) -> Entry<'a> {
        let [request_id, signer_id, occurrence] = parts;
        Entry {
            kind: "reminder",
            recipient: to,
            job_id,
            identity: Identity {
                request_id,
                signer_id,
                occurrence,
            },
            optional: true,
            supersedes: None,
            acting_user: "",
        }
    }

    fn key(job_id: &str, recipient: &str, parts: [Option<&str>; 3]) -> String {
        entry(job_id, &EmailAddress::parse(recipient).unwrap(), parts).key()
    }

    #[test]
    fn mail_supersedes_only_the_occurrence_that_it_names() {
        let [ann, bob] = ["ann@example.com", "bob@example.com"]
            .map(|address| EmailAddress::parse(address).unwrap());
        let former = entry("job-1", &ann, [Some("r"), Some("s"), Some("1")]);
        let later = |parts| Entry {
            supersedes: Some("1"),
            ..entry("job-2", &bob, parts)
        };
        let named = later([Some("r"), Some("s"), Some("2")]);
        assert_eq!(named.superseded_key(), Some(former.key()));
        assert_eq!(former.superseded_key(), None);
        for vague in [
            [None, Some("s"), Some("2")],
            [Some("r"), None, Some("2")],
            [Some("r"), Some("s"), Some("1")],
        ] {
            assert_eq!(later(vague).superseded_key(), None, "{vague:?}");
        }
    }

    #[test]
    fn fully_named_mail_has_the_same_key_in_every_job() {
        let parts = [Some("r"), Some("s"), Some("1")];
        assert_eq!(
            key("job-1", "ann@example.com", parts),
            key("job-2", "ann@example.org", parts)
        );
    }

    #[test]
    fn partly_named_mail_has_its_own_key_per_job_and_address() {
        let base = key("job-1", "ann@example.com", [None; 3]);
        assert_eq!(base.len(), 64);
        assert_ne!(base, key("job-2", "ann@example.com", [None; 3]));
        assert_ne!(base, key("job-1", "bob@example.com", [None; 3]));
    }

    #[test]
    fn key_parts_do_not_run_into_each_other() {
        let one = key("j", "a@example.com", [Some("ab"), Some("c"), Some("1")]);
        let other = key("j", "a@example.com", [Some("a"), Some("bc"), Some("1")]);
        let posing = key("1", "a@example.com", [Some("ab"), Some("c"), None]);
        assert_ne!(one, other);
        assert_ne!(one, posing);
    }
}
