//! The variables that connect the functions and other clients to the running cloud.

use std::collections::BTreeMap;

use local_mail::Provider;
use local_mail::events::sns::TOPIC_ARN;

use super::secrets::{Secrets, VapidKeys};

/// The sender of the mails. Its domain is verified at the local providers.
pub(super) const EMAIL_FROM: &str = "SignTusk <noreply@signtusk.localhost>";

/// The configuration set of the local SES, which publishes its events.
pub(super) const CONFIGURATION_SET: &str = "signtusk";

/// The verified domain of the local providers.
pub(super) const VERIFIED_DOMAIN: &str = "signtusk.localhost";

/// The bucket of documents and temporary files.
pub(super) const DOCUMENTS_BUCKET: &str = "documents";

/// The bucket of signed documents.
pub(super) const SIGNED_BUCKET: &str = "signed";

/// The region of all AWS services.
pub(super) const REGION: &str = "us-east-1";

/// The access key of the functions' role: a temporary one, as on Lambda.
pub(super) const ROLE_ACCESS_KEY: &str = "ASIALOCALCLOUD";

/// The permanent access key of the object store, for clients other than the functions.
pub(super) const DOCUMENTS_ACCESS_KEY: &str = "AKIALOCALOBJECTS";

/// The addresses and keys of the running parts.
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
    pub(super) email_provider: Provider,
    pub(super) resend: String,
    pub(super) resend_key: String,
    pub(super) webhook_secret: String,
    pub(super) ses: String,
    pub(super) sns: String,
    pub(super) mailbox: String,
    pub(super) push: String,
    pub(super) objects: String,
    pub(super) object_keys: local_objects::Keys,
    pub(super) role: local_objects::Keys,
    pub(super) vapid: VapidKeys,
}

/// Returns every variable of the functions' contract, and `MAILBOX_URL` for people.
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
        ("EMAIL_PROVIDER", fixed(addresses.email_provider.name())),
        ("EMAIL_FROM", fixed(EMAIL_FROM)),
        ("AWS_REGION", fixed(REGION)),
        ("AWS_ACCESS_KEY_ID", addresses.role.id),
        ("AWS_SECRET_ACCESS_KEY", addresses.role.secret),
        (
            "AWS_SESSION_TOKEN",
            addresses.role.session_token.unwrap_or_default(),
        ),
        ("AWS_ENDPOINT_URL_SESV2", addresses.ses),
        ("AWS_ENDPOINT_URL_SNS", addresses.sns),
        ("MAIL_EVENTS_TOPIC_ARN", fixed(TOPIC_ARN)),
        ("SES_CONFIGURATION_SET", fixed(CONFIGURATION_SET)),
        ("RESEND_URL", addresses.resend),
        ("RESEND_API_KEY", addresses.resend_key),
        ("RESEND_WEBHOOK_SECRET", addresses.webhook_secret),
        ("DOCUMENTS_BUCKET", fixed(DOCUMENTS_BUCKET)),
        ("SIGNED_BUCKET", fixed(SIGNED_BUCKET)),
        ("DOCUMENTS_ENDPOINT", addresses.objects),
        ("DOCUMENTS_REGION", fixed(REGION)),
        ("DOCUMENTS_ACCESS_KEY", addresses.object_keys.id),
        ("DOCUMENTS_SECRET_KEY", addresses.object_keys.secret),
        ("RETENTION_DAYS", fixed("2555")),
        ("AUDIT_KEY", secrets.get("audit_key")),
        ("AUDIT_KEY_FORMER", secrets.get("audit_key_former")),
        ("TICKET_SECRET", secrets.get("ticket_secret")),
        ("TICKET_SECRET_NEXT", secrets.get("ticket_secret_next")),
        ("VAPID_PUBLIC_KEY", addresses.vapid.public),
        ("VAPID_PRIVATE_KEY", addresses.vapid.private),
        ("PUSH_SERVICES", addresses.push),
        ("LOG_LEVEL", fixed("info")),
        ("MAILBOX_URL", addresses.mailbox),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
