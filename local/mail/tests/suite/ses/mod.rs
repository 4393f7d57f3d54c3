//! The endpoint with the AWS SDK: stored mails, errors and their codes, and faults.

mod faults;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, Template};
use aws_smithy_http_client::Builder;
use local_mail::{Code, Fault, Server, Settings, start};
use tempfile::TempDir;

use crate::content::{raw, simple};

const FROM: &str = "SignTusk <noreply@signtusk.localhost>";

struct Provider {
    server: Server,
    client: Client,
    _data: TempDir,
}

async fn provider() -> Provider {
    provider_with_rate(None).await
}

async fn provider_with_rate(ses_rate: Option<u32>) -> Provider {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings {
        ses_rate,
        ..Settings::throwaway(data.path())
    };
    let server = start(settings).await.unwrap();
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("AKIDLOCAL", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(server.ses_url())
        .http_client(Builder::new().build_http())
        .build();
    Provider {
        server,
        client: Client::from_conf(config),
        _data: data,
    }
}

type Sent = Result<String, SdkError<SendEmailError>>;

impl Provider {
    async fn send(&self, from: &str, to: &[&str], content: EmailContent) -> Sent {
        let to = to.iter().map(ToString::to_string).collect();
        let destination = Destination::builder().set_to_addresses(Some(to)).build();
        let output = self
            .client
            .send_email()
            .from_email_address(from)
            .destination(destination)
            .content(content)
            .send()
            .await?;
        Ok(output.message_id.unwrap())
    }

    async fn send_to(&self, to: &str) -> Sent {
        self.send(FROM, &[to], simple("Hello", &[])).await
    }

    fn kept(&self) -> usize {
        self.server.messages(None).len()
    }
}

fn code(sent: Sent) -> String {
    let error = sent.unwrap_err();
    error
        .code()
        .unwrap_or_else(|| panic!("no code in {error:?}"))
        .to_owned()
}

#[tokio::test]
async fn accepted_mail_is_stored_under_its_answered_id() {
    let provider = provider().await;
    let content = simple(
        "Bitte prüfen",
        &[("List-Unsubscribe", "<https://signtusk.localhost/u>")],
    );
    let id = provider
        .send(FROM, &["Ann <ann@example.com>"], content)
        .await
        .unwrap();
    let mails = provider.server.messages(Some("ANN@example.com"));
    let [mail] = &mails[..] else {
        panic!("{mails:?}")
    };
    assert_eq!(mail.id, id);
    assert_eq!(mail.to, ["ann@example.com"]);
    assert_eq!(mail.from, FROM);
    assert_eq!(
        (
            mail.subject.as_str(),
            mail.html.as_str(),
            mail.text.as_str()
        ),
        ("Bitte prüfen", "<p>Grüße</p>", "Grüße")
    );
    assert_eq!(mail.headers[0].name, "List-Unsubscribe");
    assert_eq!(provider.server.requests(), 1);
    provider.server.stop().await;
}

#[tokio::test]
async fn tags_and_a_known_configuration_set_are_stored_with_the_mail() {
    let provider = provider().await;
    let send = |set: &str| {
        let tag = MessageTag::builder().name("ledger").value("ab12");
        provider
            .client
            .send_email()
            .from_email_address(FROM)
            .destination(Destination::builder().to_addresses("a@b.c").build())
            .content(simple("Hello", &[]))
            .email_tags(tag.build().unwrap())
            .configuration_set_name(set)
            .send()
    };
    send("signtusk").await.unwrap();
    let mail = &provider.server.messages(None)[0];
    assert_eq!(mail.provider, local_mail::Provider::Ses);
    assert_eq!(mail.tag("ledger"), Some("ab12"));
    assert_eq!(mail.configuration_set.as_deref(), Some("signtusk"));
    let unknown = send("other").await.unwrap_err();
    assert_eq!(unknown.code(), Some("NotFoundException"));
    assert_eq!(provider.kept(), 1);
}

#[tokio::test]
async fn tag_outside_the_alphabet_is_refused() {
    let provider = provider().await;
    for (value, taken) in [
        ("a-Z_09".to_owned(), true),
        ("x".repeat(256), true),
        ("x".repeat(257), false),
        ("a.b".to_owned(), false),
        ("a@b".to_owned(), false),
        ("a b".to_owned(), false),
        ("ä".to_owned(), false),
    ] {
        let tag = MessageTag::builder().name("ledger").value(&value);
        let sent = provider
            .client
            .send_email()
            .from_email_address(FROM)
            .destination(Destination::builder().to_addresses("a@b.c").build())
            .content(simple("Hello", &[]))
            .email_tags(tag.build().unwrap())
            .send()
            .await;
        let code = sent.err().and_then(|error| error.code().map(str::to_owned));
        let expected = (!taken).then(|| "BadRequestException".to_owned());
        assert_eq!(code, expected, "{value}");
    }
}

#[tokio::test]
async fn rate_limit_of_ses_counts_recipients() {
    let provider = provider_with_rate(Some(3)).await;
    let two = provider.send(FROM, &["a@b.c", "b@b.c"], simple("Hello", &[]));
    two.await.unwrap();
    provider.send_to("c@b.c").await.unwrap();
    let refused = provider.send_to("d@b.c").await;
    assert_eq!(code(refused), "TooManyRequestsException");
    assert_eq!(provider.kept(), 2);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    provider.send_to("d@b.c").await.unwrap();
}

#[tokio::test]
async fn raw_mail_is_parsed_as_its_recipient_sees_it() {
    let provider = provider().await;
    let mail = "From: SignTusk <noreply@signtusk.localhost>\r\nTo: Ann <ann@example.com>, bob@example.com\r\n\
        Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Note: folded\r\n line\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n\
        --b\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n--b--\r\n";
    let output = provider
        .client
        .send_email()
        .content(raw(mail))
        .send()
        .await
        .unwrap();
    let mails = provider.server.messages(Some("bob@example.com"));
    let [kept] = &mails[..] else {
        panic!("{mails:?}")
    };
    assert_eq!(output.message_id(), Some(kept.id.as_str()));
    assert_eq!(kept.to, ["ann@example.com", "bob@example.com"]);
    assert_eq!(
        (kept.subject.as_str(), kept.text.as_str()),
        ("Grüße", "Grüße")
    );
    assert!(kept.html.contains("<p>Hi</p>"), "{}", kept.html);
    assert_eq!(kept.headers[0].value, "folded line");
}

#[tokio::test]
async fn mail_refused_by_ses_gets_its_error_code_and_is_not_stored() {
    let provider = provider().await;
    let ok = || simple("Hello", &[]);
    let many: Vec<String> = (0..51).map(|n| format!("s{n}@example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let template = Template::builder().template_name("welcome").build();
    let long_line = format!("From: {FROM}\r\nTo: a@b.c\r\n\r\n{}\r\n", "x".repeat(999));
    let twice = format!("From: {FROM}\r\nTo: a@b.c\r\nSubject: a\r\nSubject: b\r\n\r\nx\r\n");
    for (sent, expected) in [
        (
            provider
                .send("evil@elsewhere.example", &["a@b.c"], ok())
                .await,
            "MessageRejected",
        ),
        (
            provider.send(FROM, &["a@b.c"], raw(&long_line)).await,
            "MessageRejected",
        ),
        (
            provider.send(FROM, &["a@b.c"], raw(&twice)).await,
            "BadRequestException",
        ),
        (
            provider.send(FROM, &many, ok()).await,
            "BadRequestException",
        ),
        (provider.send(FROM, &[], ok()).await, "BadRequestException"),
        (
            provider.send(FROM, &["not an address"], ok()).await,
            "BadRequestException",
        ),
        (
            provider.send(FROM, &["a@b.c\r\nBcc: x@y.z"], ok()).await,
            "BadRequestException",
        ),
        (
            provider
                .send(FROM, &["a@b.c"], simple("a\r\nBcc: x@y.z", &[]))
                .await,
            "BadRequestException",
        ),
        (
            provider
                .send(FROM, &["a@b.c"], simple("a", &[("X-A", "b\nc")]))
                .await,
            "BadRequestException",
        ),
        (
            provider
                .send(FROM, &["a@b.c"], simple("a", &[("To", "x@y.z")]))
                .await,
            "BadRequestException",
        ),
        (
            provider
                .send(
                    FROM,
                    &["a@b.c"],
                    EmailContent::builder().template(template).build(),
                )
                .await,
            "NotFoundException",
        ),
        (
            provider
                .send(FROM, &["a@b.c"], EmailContent::builder().build())
                .await,
            "BadRequestException",
        ),
    ] {
        assert_eq!(code(sent), expected);
    }
    assert_eq!(provider.kept(), 0);
}

#[tokio::test]
async fn mail_over_forty_megabytes_is_refused() {
    let provider = provider().await;
    let mail = format!(
        "From: {FROM}\r\nTo: a@b.c\r\n\r\n{}",
        "0123456789abcde\n".repeat(40 * 1024 * 1024 / 16)
    );
    assert_eq!(
        code(provider.send(FROM, &["a@b.c"], raw(&mail)).await),
        "MessageRejected"
    );
}
