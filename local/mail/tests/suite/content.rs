//! Contents of mails, as the AWS SDK writes them.

use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Body, Content, EmailContent, Message, MessageHeader, RawMessage};

fn utf8(text: &str) -> Content {
    Content::builder()
        .data(text)
        .charset("UTF-8")
        .build()
        .unwrap()
}

pub(crate) fn simple(subject: &str, headers: &[(&str, &str)]) -> EmailContent {
    let headers = headers
        .iter()
        .map(|(name, value)| {
            MessageHeader::builder()
                .name(*name)
                .value(*value)
                .build()
                .unwrap()
        })
        .collect();
    let message = Message::builder()
        .subject(utf8(subject))
        .body(
            Body::builder()
                .html(utf8("<p>Grüße</p>"))
                .text(utf8("Grüße"))
                .build(),
        )
        .set_headers(Some(headers))
        .build();
    EmailContent::builder().simple(message).build()
}

pub(crate) fn raw(mail: &str) -> EmailContent {
    let message = RawMessage::builder()
        .data(Blob::new(mail.as_bytes()))
        .build()
        .unwrap();
    EmailContent::builder().raw(message).build()
}
