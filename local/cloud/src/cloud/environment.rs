//! The variables that point the functions, and any other client, at the running cloud.

use std::collections::BTreeMap;

use super::secrets::Secrets;

/// Who the mails are from. Its domain is verified at the local SES.
pub(super) const EMAIL_FROM: &str = "SignTusk <noreply@signtusk.localhost>";

/// The domain that the local SES lets send.
pub(super) const VERIFIED_DOMAIN: &str = "signtusk.localhost";

/// What the running parts say about themselves.
pub(super) struct Addresses {
    pub(super) functions: String,
    pub(super) redis_rest: String,
    pub(super) redis_token: String,
    pub(super) qstash: String,
    pub(super) qstash_token: String,
    pub(super) qstash_current_key: String,
    pub(super) qstash_next_key: String,
    pub(super) database: String,
    pub(super) migrations_database: String,
    pub(super) ses: String,
    pub(super) sns: String,
    pub(super) mailbox: String,
}

/// Every variable of the functions' contract, and `MAILBOX_URL` for those who look.
pub(super) fn variables(addresses: Addresses, secrets: &mut Secrets) -> BTreeMap<String, String> {
    let fixed = |text: &str| text.to_owned();
    [
        ("UPSTASH_REDIS_REST_URL", addresses.redis_rest),
        ("UPSTASH_REDIS_REST_TOKEN", addresses.redis_token),
        ("QSTASH_URL", addresses.qstash),
        ("QSTASH_TOKEN", addresses.qstash_token),
        ("QSTASH_CURRENT_SIGNING_KEY", addresses.qstash_current_key),
        ("QSTASH_NEXT_SIGNING_KEY", addresses.qstash_next_key),
        ("DATABASE_URL", addresses.database),
        ("MIGRATIONS_DATABASE_URL", addresses.migrations_database),
        ("FUNCTIONS_URL", addresses.functions),
        ("APP_URL", fixed("http://localhost:3001")),
        ("API_TOKEN", secrets.get("api_token")),
        ("API_TOKEN_NEXT", secrets.get("api_token_next")),
        ("API_TOKEN_READONLY", secrets.get("api_token_read_only")),
        ("EMAIL_PROVIDER", fixed("ses")),
        ("EMAIL_FROM", fixed(EMAIL_FROM)),
        ("AWS_REGION", fixed("us-east-1")),
        ("AWS_ACCESS_KEY_ID", fixed("AKIALOCALCLOUD")),
        (
            "AWS_SECRET_ACCESS_KEY",
            secrets.get("aws_secret_access_key"),
        ),
        ("AWS_ENDPOINT_URL_SESV2", addresses.ses),
        ("AWS_ENDPOINT_URL_SNS", addresses.sns),
        (
            "MAIL_EVENTS_TOPIC_ARN",
            fixed(local_mail::events::sns::TOPIC_ARN),
        ),
        (
            "RESEND_WEBHOOK_SECRET",
            local_mail::events::svix::secret_of(&secrets.get("resend_webhook")),
        ),
        ("LOG_LEVEL", fixed("info")),
        ("MAILBOX_URL", addresses.mailbox),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
