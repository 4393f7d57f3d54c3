//! The requests of the demo: a signature request to a signer of the sample data, and a bulk.

use serde_json::{Value, json};
use tokio_postgres::NoTls;

/// The number of recipients of the bulk.
pub(super) const BULK: usize = 25;

/// The query of the first signer of the sample request, with the mail's values.
const SIGNER: &str = "select s.signer_email, s.signer_name, r.title, p.full_name, r.id::text, s.id::text \
    from public.signing_request_signers s \
    join public.signing_requests r on r.id = s.signing_request_id \
    join public.user_profiles p on p.id = r.initiated_by \
    order by r.created_at, s.signing_order limit 1";

/// A signer with a signature request.
pub(super) struct Signer {
    pub(super) email: String,
    name: String,
    title: String,
    owner: String,
    request: String,
    id: String,
}

impl Signer {
    /// Returns the payload that the web app would send. Each run of the demo has its own occurrence.
    pub(super) fn request(&self) -> Value {
        json!({
            "type": "signature-request",
            "to": self.email,
            "signerName": self.name,
            "documentTitle": self.title,
            "senderName": self.owner,
            "message": "Please have a look before Friday.\nThank you!",
            "signatureUrl": format!("http://localhost:3001/sign/{}", self.request),
            "requestId": self.request,
            "signerId": self.id,
            "priority": "high",
        })
    }
}

/// Reads the first signer from the sample data.
pub(super) async fn first_signer(url: &str) -> Result<Signer, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let driven = tokio::spawn(connection);
    let row = client.query_one(SIGNER, &[]).await?;
    drop(client);
    driven.abort();
    Ok(Signer {
        email: row.try_get(0)?,
        name: row.try_get(1)?,
        title: row.try_get(2)?,
        owner: row.try_get(3)?,
        request: row.try_get(4)?,
        id: row.try_get(5)?,
    })
}

/// Returns a mail to many signers.
pub(super) fn bulk() -> Value {
    let emails: Vec<Value> = (1..=BULK)
        .map(|number| {
            json!({
                "name": format!("Signer {number}"),
                "email": format!("signer-{number}@example.com"),
            })
        })
        .collect();
    json!({
        "documentTitle": "House rules 2027",
        "senderName": "Olivia Owner",
        "documentId": "house-rules-2027",
        "dueDate": "2027-01-31",
        "emails": emails,
    })
}
