//! The mailbox and the endpoint over raw HTTP: the structures that tools read, and hostile requests.

use local_mail::{Server, Settings, start};
use serde_json::{Value, json};

const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=A/20261123/eu-west-1/ses/aws4_request, \
    SignedHeaders=host, Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n\
    X-Amz-Date: 20261123T000000Z\r\n";

async fn server(data: &tempfile::TempDir) -> Server {
    start(Settings {
        verified: vec!["me@signtusk.localhost".to_owned()],
        ..Settings::throwaway(data.path())
    })
    .await
    .unwrap()
}

/// Sends one request; returns the head and the body of the response.
async fn call(url: &str, head: &str, body: &[u8]) -> (String, String) {
    let answer = crate::http_client::call(url, head, body).await;
    (answer.head, answer.body)
}

async fn get(server: &Server, path: &str) -> (String, String) {
    call(
        &server.mailbox_url(),
        &format!("GET {path} HTTP/1.1\r\n"),
        b"",
    )
    .await
}

async fn send(server: &Server, body: &[u8]) -> (String, String) {
    let head = format!("POST /v2/email/outbound-emails HTTP/1.1\r\n{SIGNED}");
    call(&server.ses_url(), &head, body).await
}

fn mail(to: &str, html: Option<&str>) -> Vec<u8> {
    let html = html.map(|data| json!({ "Data": data, "Charset": "UTF-8" }));
    let body = json!({ "Html": html, "Text": { "Data": "Grüße" } });
    json!({
        "FromEmailAddress": "Me <me@signtusk.localhost>",
        "Destination": { "ToAddresses": [to] },
        "Content": { "Simple": { "Subject": { "Data": "Hi" }, "Body": body } },
    })
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn list_is_a_bare_array_newest_first() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    for to in ["a@example.com", "b@example.com", "a@example.com"] {
        let (head, _) = send(&server, &mail(to, Some("<b>x</b>"))).await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
    }
    let (_, all) = get(&server, "/messages?to=&limit=5000").await;
    let all: Vec<Value> = serde_json::from_str(&all).unwrap();
    assert_eq!(all.len(), 3);
    let mut members: Vec<&String> = all[0].as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(
        members,
        [
            "at", "from", "html", "id", "provider", "subject", "tags", "text", "to"
        ]
    );
    assert_eq!(all[0]["to"], json!(["a@example.com"]));
    assert_eq!(all[1]["to"], json!(["b@example.com"]));
    assert!(all[0]["at"].as_str().unwrap().ends_with('Z'));
    let (_, some) = get(&server, "/messages?to=a%40example.com&limit=1").await;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&some).unwrap().len(), 1);
    let (head, _) = get(&server, "/messages?limit=many").await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
}

#[tokio::test]
async fn text_without_a_charset_arrives_in_seven_bits() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    send(&server, &mail("a@example.com", None)).await;
    assert_eq!(server.messages(None)[0].text, "Gr??e");
}

#[tokio::test]
async fn shown_mail_cannot_run_scripts() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    send(
        &server,
        &mail("a@example.com", Some("<script>alert(1)</script>")),
    )
    .await;
    let id = &server.messages(None)[0].id;
    let (head, body) = get(&server, &format!("/messages/{id}/html")).await;
    assert!(head.contains("content-security-policy: sandbox"), "{head}");
    assert_eq!(body, "<script>alert(1)</script>");
    let (head, page) = get(&server, "/").await;
    assert!(head.contains("script-src 'self'"), "{head}");
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "the page names another host"
    );
    let (head, _) = get(&server, "/messages/none").await;
    assert!(head.starts_with("http/1.1 404"), "{head}");
}

#[tokio::test]
async fn links_of_a_framed_mail_open_in_a_tab() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let html = "<!doctype html><html><head lang=en><title>x</title></head></html>";
    send(&server, &mail("a@example.com", Some(html))).await;
    let id = &server.messages(None)[0].id;
    let (_, plain) = get(&server, &format!("/messages/{id}/html")).await;
    assert_eq!(plain, html);
    let (_, framed) = get(&server, &format!("/messages/{id}/html?links=tab")).await;
    assert!(
        framed.contains("<head lang=en><base target=\"_blank\"><title>"),
        "{framed}"
    );
}

#[tokio::test]
async fn unchanged_list_is_answered_304() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let (head, _) = get(&server, "/messages").await;
    let tag = head
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let again = format!("GET /messages HTTP/1.1\r\nIf-None-Match: {tag}\r\n");
    let (head, _) = call(&server.mailbox_url(), &again, b"").await;
    assert!(head.starts_with("http/1.1 304"), "{head}");
    send(&server, &mail("a@example.com", None)).await;
    let (head, _) = call(&server.mailbox_url(), &again, b"").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
}

#[tokio::test]
async fn deletion_removes_every_mail_permanently() {
    let data = tempfile::tempdir().unwrap();
    let first = server(&data).await;
    send(&first, &mail("a@example.com", None)).await;
    let (head, _) = call(&first.mailbox_url(), "DELETE /messages HTTP/1.1\r\n", b"").await;
    assert!(head.starts_with("http/1.1 204"), "{head}");
    send(&first, &mail("b@example.com", None)).await;
    first.stop().await;
    let second = server(&data).await;
    let mails = second.messages(None);
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["b@example.com"]);
}

#[tokio::test]
async fn malformed_request_gets_an_error_in_ses_format() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    for body in [
        &b""[..],
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{\"Content\":{\"Simple\":7}}",
        b"{\"Content\":{\"Raw\":{\"Data\":\"%\"}}}",
    ] {
        let (head, body) = send(&server, body).await;
        assert!(head.starts_with("http/1.1 400"), "{head}");
        assert!(
            head.contains("x-amzn-errortype: serializationexception"),
            "{head}"
        );
        assert!(serde_json::from_str::<Value>(&body).unwrap()["message"].is_string());
    }
    let unsigned = "POST /v2/email/outbound-emails HTTP/1.1\r\n";
    let (head, _) = call(&server.ses_url(), unsigned, b"{}").await;
    assert!(head.starts_with("http/1.1 403"), "{head}");
    assert!(
        head.contains("missingauthenticationtokenexception"),
        "{head}"
    );
    let (head, _) = call(&server.ses_url(), "GET /v2/email/account HTTP/1.1\r\n", b"").await;
    assert!(head.starts_with("http/1.1 404"), "{head}");
    assert!(server.messages(None).is_empty());
}
