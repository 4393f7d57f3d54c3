//! Determines the events of a mail by its addresses. Both providers have addresses that simulate failures, with or
//! without a label (`name+label@domain`). All other mails are delivered.
//!
//! <https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html>,
//! <https://resend.com/docs/dashboard/emails/send-test-emails>. The reply of `ooto@` goes to the sender by mail, which
//! no server receives here.

use std::time::Duration;

use super::mail_event::MailEvent;
use crate::address::Address;
use crate::mail::{Mail, Provider};

/// The delay after the previous event. It is short to avoid waiting, but the sender usually gets its own response
/// first.
const NEXT: Duration = Duration::from_millis(100);

/// One event of a mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step<'a> {
    /// The delay before it.
    pub(super) after: Duration,
    pub(super) what: MailEvent,
    /// Its recipients.
    pub(super) to: Vec<&'a str>,
}

/// The final state of a mail to one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Delivered,
    Bounced,
    Suppressed,
    Complained,
}

/// Returns all events of a mail, in their order.
pub(super) fn course(mail: &Mail) -> Vec<Step<'_>> {
    let ends: Vec<(&str, End)> = mail
        .recipients()
        .map(|address| (address, end(mail.provider, address)))
        .collect();
    let those = |wanted: &[End]| -> Vec<&str> {
        let found = ends.iter().filter(|(_, end)| wanted.contains(end));
        found.map(|(address, _)| *address).collect()
    };
    // SES reports a send that its list then stops; Resend does not.
    let sent = match mail.provider {
        Provider::Ses => mail.recipients().collect(),
        Provider::Resend => those(&[End::Delivered, End::Bounced, End::Complained]),
    };
    let step = |after, what, to| Step { after, what, to };
    let permanent = MailEvent::Bounced { permanent: true };
    let mut steps = vec![
        step(Duration::ZERO, MailEvent::Sent, sent),
        step(
            NEXT,
            MailEvent::Delivered,
            those(&[End::Delivered, End::Complained]),
        ),
        step(NEXT, permanent, those(&[End::Bounced])),
        step(NEXT, MailEvent::Suppressed, those(&[End::Suppressed])),
        step(NEXT, MailEvent::Complained, those(&[End::Complained])),
    ];
    steps.retain(|step| !step.to.is_empty());
    steps
}

fn end(provider: Provider, address: &str) -> End {
    let Ok(address) = Address::parse(address) else {
        return End::Delivered;
    };
    let name = address.unlabelled().to_ascii_lowercase();
    let domain = address.domain().to_ascii_lowercase();
    match (provider, domain.as_str(), name.as_str()) {
        (Provider::Ses, "simulator.amazonses.com", "bounce")
        | (Provider::Resend, "resend.dev", "bounced") => End::Bounced,
        (Provider::Ses, "simulator.amazonses.com", "suppressionlist")
        | (Provider::Resend, "resend.dev", "suppressed") => End::Suppressed,
        (Provider::Ses, "simulator.amazonses.com", "complaint")
        | (Provider::Resend, "resend.dev", "complained") => End::Complained,
        _ => End::Delivered,
    }
}

#[cfg(test)]
mod tests {
    use super::{End, end};
    use crate::mail::Provider;

    #[test]
    fn simulator_addresses_have_their_documented_outcome_with_any_label() {
        for (provider, address, expected) in [
            (
                Provider::Ses,
                "success@simulator.amazonses.com",
                End::Delivered,
            ),
            (
                Provider::Ses,
                "bounce+a1@simulator.amazonses.com",
                End::Bounced,
            ),
            (
                Provider::Ses,
                "Complaint@Simulator.amazonses.com",
                End::Complained,
            ),
            (
                Provider::Ses,
                "suppressionlist@simulator.amazonses.com",
                End::Suppressed,
            ),
            (
                Provider::Ses,
                "ooto@simulator.amazonses.com",
                End::Delivered,
            ),
            (Provider::Resend, "delivered@resend.dev", End::Delivered),
            (Provider::Resend, "bounced+x@resend.dev", End::Bounced),
            (Provider::Resend, "complained@resend.dev", End::Complained),
            (Provider::Resend, "suppressed@resend.dev", End::Suppressed),
            (Provider::Ses, "bounced@resend.dev", End::Delivered),
            (Provider::Ses, "bounce@example.com", End::Delivered),
        ] {
            assert_eq!(end(provider, address), expected, "{address}");
        }
    }
}
