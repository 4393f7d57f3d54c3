//! Payloads as the web app sends them.

use serde_json::{Value, json};

/// Returns a request to one signer.
pub(crate) fn signature_request(to: &str) -> Value {
    json!({
        "type": "signature-request",
        "to": to,
        "signerName": "Ann Signer",
        "documentTitle": "Lease of a flat",
        "senderName": "Bob Owner",
        "signatureUrl": "https://app.example.com/sign/1",
    })
}

/// Returns a bulk to `count` signers, numbered.
pub(crate) fn bulk(count: usize) -> Value {
    let emails: Vec<Value> = (0..count)
        .map(|number| json!({ "name": format!("Signer {number}"), "email": address(number) }))
        .collect();
    json!({
        "documentTitle": "Lease of a flat",
        "senderName": "Bob Owner",
        "documentId": "doc-1",
        "emails": emails,
    })
}

/// Returns the address of a bulk's signer.
pub(crate) fn address(number: usize) -> String {
    format!("signer-{number}@example.com")
}
