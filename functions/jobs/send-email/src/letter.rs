//! From a payload to a mail: subject, HTML and text, in English. The templates escape what people wrote.

use askama::Template;
use shared::base::env;
use shared::protocol::mail::{Mail, Mailbox};
use shared::service::email::{HttpUrl, Invitation, Reminder};

/// Writes the mails of one deployment.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    from: Mailbox,
    app: HttpUrl,
}

/// What the templates see.
struct Letter<'a> {
    subject: String,
    invitation: &'a Invitation,
    reminder_count: Option<u32>,
}

#[derive(Template)]
#[template(path = "signature-request.html")]
struct RequestHtml<'a> {
    letter: &'a Letter<'a>,
}

#[derive(Template)]
#[template(path = "signature-request.txt")]
struct RequestText<'a> {
    letter: &'a Letter<'a>,
}

#[derive(Template)]
#[template(path = "reminder.html")]
struct ReminderHtml<'a> {
    letter: &'a Letter<'a>,
}

#[derive(Template)]
#[template(path = "reminder.txt")]
struct ReminderText<'a> {
    letter: &'a Letter<'a>,
}

impl Writer {
    /// The sender of `EMAIL_FROM` and the web app of `APP_URL`.
    pub(crate) fn from_env() -> Result<Self, env::Error> {
        Ok(Self {
            from: env::parsed("EMAIL_FROM")?,
            app: env::parsed("APP_URL")?,
        })
    }

    /// The web app, to which the links lead.
    pub(crate) fn app(&self) -> &HttpUrl {
        &self.app
    }

    /// The request to sign.
    pub(crate) fn signature_request(&self, invitation: &Invitation) -> Result<Mail, askama::Error> {
        let letter = &Letter {
            subject: format!("Signature Request: {}", invitation.document_title.as_str()),
            invitation,
            reminder_count: None,
        };
        let (html, text) = (RequestHtml { letter }, RequestText { letter });
        Ok(self.mail("signature-request", letter, html.render()?, text.render()?))
    }

    /// The reminder of such a request.
    pub(crate) fn reminder(&self, reminder: &Reminder) -> Result<Mail, askama::Error> {
        let invitation = &reminder.invitation;
        let letter = &Letter {
            subject: format!(
                "Reminder: {} - Signature Required",
                invitation.document_title.as_str()
            ),
            invitation,
            reminder_count: reminder.reminder_count.filter(|count| *count > 0),
        };
        let (html, text) = (ReminderHtml { letter }, ReminderText { letter });
        Ok(self.mail("reminder", letter, html.render()?, text.render()?))
    }

    fn mail(&self, kind: &str, letter: &Letter<'_>, html: String, text: String) -> Mail {
        Mail {
            from: self.from.clone(),
            to: letter.invitation.to.clone(),
            reply_to: None,
            subject: letter.subject.clone(),
            html,
            text,
            // An automatic answer to it would reach nobody (RFC 3834, section 5).
            headers: vec![
                ("Auto-Submitted", "auto-generated".to_owned()),
                ("X-SignTusk-Type", kind.to_owned()),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::protocol::mail::{Mail, Mailbox};
    use shared::service::email::{Email, HttpUrl};

    use super::Writer;

    fn writer() -> Writer {
        Writer {
            from: Mailbox::parse("SignTusk <no-reply@example.com>").unwrap(),
            app: HttpUrl::parse("https://app.example.com").unwrap(),
        }
    }

    fn written(payload: &serde_json::Value) -> Mail {
        match Email::parse(payload).unwrap() {
            Email::SignatureRequest(invitation) => writer().signature_request(&invitation),
            Email::Reminder(reminder) => writer().reminder(&reminder),
            Email::Bulk(bulk) => {
                writer().signature_request(&bulk.invitation(&bulk.emails[0], writer().app()))
            }
        }
        .unwrap()
    }

    fn single(kind: &str, text: &str) -> serde_json::Value {
        json!({
            "type": kind, "to": "ann@example.com", "signerName": text, "documentTitle": text, "senderName": text,
            "message": text, "signatureUrl": "https://app.example.com/sign/1?a=1&b=2", "reminderCount": 2,
            "dueDate": "2026-12-01",
        })
    }

    #[test]
    fn what_people_write_is_escaped_in_every_place() {
        let hostile = "<script>alert('1')</script>\" onload=\"x &amp;";
        let bulk = json!({
            "type": "bulk", "documentTitle": hostile, "senderName": hostile, "message": hostile,
            "documentId": "\"><script>", "emails": [{"name": hostile, "email": "ann@example.com"}],
        });
        for payload in [
            single("signature-request", hostile),
            single("reminder", hostile),
            bulk,
        ] {
            let mail = written(&payload);
            assert!(!mail.html.contains("<script"), "{}", mail.html);
            assert!(!mail.html.contains("\" onload"), "{}", mail.html);
            assert!(mail.html.contains("&#38;amp;"), "{}", mail.html);
            assert!(mail.text.contains(hostile), "{}", mail.text);
            assert!(mail.subject.contains(hostile));
        }
    }

    #[test]
    fn every_field_reaches_both_parts() {
        for kind in ["signature-request", "reminder"] {
            let mail = written(&single(kind, "Zoë"));
            for part in [&mail.html, &mail.text] {
                assert!(part.contains("Hello Zoë,"), "{part}");
                assert!(part.contains("1 December 2026"), "{part}");
                assert!(
                    part.contains("https://app.example.com/sign/1?a=1"),
                    "{part}"
                );
                assert_eq!(
                    part.contains("This is reminder 2."),
                    kind == "reminder",
                    "{part}"
                );
            }
            assert!(mail.text.contains("sign/1?a=1&b=2"), "{}", mail.text);
            assert!(
                mail.html
                    .contains("href=\"https://app.example.com/sign/1?a=1&#38;b=2\"")
            );
        }
    }

    #[test]
    fn what_is_absent_leaves_no_trace() {
        for kind in ["signature-request", "reminder"] {
            let mail = written(&json!({
                "type": kind, "to": "ann@example.com", "signerName": "Ann", "documentTitle": "Lease",
                "senderName": "Bob", "signatureUrl": "https://app.example.com/sign/1",
            }));
            for part in [&mail.html, &mail.text] {
                for trace in [
                    "undefined",
                    "None",
                    "Some(",
                    "null",
                    "Please sign by",
                    "blockquote",
                    "reminder 0",
                ] {
                    assert!(!part.contains(trace), "{trace} in {part}");
                }
            }
            assert!(!mail.text.contains("\n\n\n"), "{}", mail.text);
        }
    }

    #[test]
    fn a_message_keeps_its_lines() {
        let mut payload = single("signature-request", "Ann");
        payload["message"] = json!("First <b>\nsecond");
        let mail = written(&payload);
        assert!(
            mail.html.contains("First &#60;b&#62;<br>second"),
            "{}",
            mail.html
        );
        assert!(
            mail.text.contains("> First <b>\n> second\n"),
            "{}",
            mail.text
        );
    }

    #[test]
    fn a_bulk_mail_leads_each_signer_to_an_own_page() {
        let mail = written(&json!({
            "type": "bulk", "documentId": "d-1", "emails": [{"name": "Ann", "email": "ann+x@example.com"}],
        }));
        assert_eq!(mail.subject, "Signature Request: Document");
        assert!(
            mail.text
                .contains("https://app.example.com/sign/d-1?signer=ann%2Bx%40example.com\n")
        );
    }

    #[test]
    fn a_title_of_300_characters_stays_one_line_of_the_subject() {
        let mail = written(&single("reminder", &"W".repeat(200)));
        assert!(mail.is_one_line_per_header());
        let mut payload = single("reminder", "Ann");
        payload["documentTitle"] = json!("é".repeat(300));
        assert!(written(&payload).html.contains(&"é".repeat(300)));
    }
}
