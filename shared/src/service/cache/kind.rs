//! The fixed set of kinds: the content, life and consistency class of each, and the one statement that fills it.

use std::time::Duration;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::class::{Class, Display, Former, Security};
use super::id::{Id, Subject};
use crate::service::key::Family;

/// A kind of entry with its consistency class.
#[derive(Debug)]
pub struct Kind<C> {
    name: &'static str,
    family: Family,
    subject: Subject,
    load: &'static str,
    class: C,
}

/// A kind whose class is only known at run time, such as one named by a URL.
#[derive(Clone, Copy, Debug)]
pub enum AnyKind {
    /// A kind of security data.
    Security(&'static Kind<Security>),
    /// A kind of display data.
    Display(&'static Kind<Display>),
}

/// A user's profile. It is fresh for half an hour: the web app shows it on every page.
pub static USER_PROFILES: Kind<Display> = Kind {
    name: "user-profiles",
    family: family("user_profile:{userId}", DISPLAYED_HALF_HOUR),
    subject: Subject::User,
    load: include_str!("sql/user_profile.sql"),
    class: Display::new(Duration::from_mins(30), Former::Trusted),
};

/// A request with its signers and its document, without signatures, addresses and links of signers.
pub static DOCUMENTS: Kind<Display> = Kind {
    name: "documents",
    family: family("document:{requestId}", DISPLAYED_HOUR),
    subject: Subject::Request,
    load: include_str!("sql/document.sql"),
    class: Display::new(Duration::from_hours(1), Former::Replaced),
};

/// Which of a user's logins and signatures require a one-time password: flags, never a secret.
pub static TOTP_CONFIGS: Kind<Security> = Kind {
    name: "totp-configs",
    family: family("totp_config:{userId}", GUARDED),
    subject: Subject::User,
    load: include_str!("sql/totp_config.sql"),
    class: Security::new(Duration::from_mins(1)),
};

/// A domain's policies.
pub static DOMAIN_SETTINGS: Kind<Security> = Kind {
    name: "domain-settings",
    family: family("domain_settings:{domain}", GUARDED),
    subject: Subject::Domain,
    load: include_str!("sql/domain_settings.sql"),
    class: Security::new(Duration::from_mins(1)),
};

/// The administrators of a domain.
pub static DOMAIN_ADMINS: Kind<Security> = Kind {
    name: "domain-admins",
    family: family("domain_admins:{domain}", GUARDED),
    subject: Subject::Domain,
    load: include_str!("sql/domain_admins.sql"),
    class: Security::new(Duration::from_mins(1)),
};

/// The users of a domain with their roles; the first thousand by address.
pub static DOMAIN_USERS: Kind<Security> = Kind {
    name: "domain-users",
    family: family("domain_users:{domain}", GUARDED),
    subject: Subject::Domain,
    load: include_str!("sql/domain_users.sql"),
    class: Security::new(Duration::from_mins(1)),
};

/// A user's notification preferences.
pub static NOTIFICATION_PREFERENCES: Kind<Display> = Kind {
    name: "notification-preferences",
    family: family("notification_prefs:{userId}", DISPLAYED_HALF_HOUR),
    subject: Subject::User,
    load: include_str!("sql/notification_prefs.sql"),
    class: Display::new(Duration::from_mins(30), Former::Trusted),
};

/// A signing request without its signers.
pub static SIGNING_REQUESTS: Kind<Display> = Kind {
    name: "signing-requests",
    family: family("signing_request:{requestId}", DISPLAYED_HOUR),
    subject: Subject::Request,
    load: include_str!("sql/signing_request.sql"),
    class: Display::new(Duration::from_hours(1), Former::Replaced),
};

/// The progress of a request. `doc_status:{requestId}` is the newest real-time event and belongs to that service.
pub static DOCUMENT_STATUS: Kind<Display> = Kind {
    name: "document-status",
    family: family("request_status:{requestId}", DISPLAYED_MINUTES),
    subject: Subject::Request,
    load: include_str!("sql/document_status.sql"),
    class: Display::new(Duration::from_mins(5), Former::Replaced),
};

const GUARDED: &str = "60 seconds; 30 seconds where nothing is there";
const DISPLAYED_HOUR: &str =
    "fresh for 1 hour, kept for 1 hour more; 30 seconds where nothing is there";
const DISPLAYED_HALF_HOUR: &str =
    "fresh for 30 minutes, kept for 1 hour more; 30 seconds where nothing is there";
const DISPLAYED_MINUTES: &str =
    "fresh for 5 minutes, kept for 1 hour more; 30 seconds where nothing is there";

const fn family(pattern: &'static str, life: &'static str) -> Family {
    Family {
        pattern,
        kind: "hash",
        life,
    }
}

/// The families of all kinds.
pub(super) const FAMILIES: [&Family; 9] = [
    &USER_PROFILES.family,
    &DOCUMENTS.family,
    &TOTP_CONFIGS.family,
    &DOMAIN_SETTINGS.family,
    &DOMAIN_ADMINS.family,
    &DOMAIN_USERS.family,
    &NOTIFICATION_PREFERENCES.family,
    &SIGNING_REQUESTS.family,
    &DOCUMENT_STATUS.family,
];

impl<C: Class> Kind<C> {
    pub(super) fn load(&self) -> &'static str {
        self.load
    }

    pub(super) fn class(&self) -> C {
        self.class
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the subject of its ids.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// Returns the key of an entry.
    #[must_use]
    pub fn key(&self, id: &Id) -> String {
        self.family.key(id.as_str())
    }
}

impl AnyKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Display(&USER_PROFILES),
        Self::Display(&DOCUMENTS),
        Self::Security(&TOTP_CONFIGS),
        Self::Security(&DOMAIN_SETTINGS),
        Self::Security(&DOMAIN_ADMINS),
        Self::Security(&DOMAIN_USERS),
        Self::Display(&NOTIFICATION_PREFERENCES),
        Self::Display(&SIGNING_REQUESTS),
        Self::Display(&DOCUMENT_STATUS),
    ];

    /// Returns the kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns its name in URLs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Security(kind) => kind.name,
            Self::Display(kind) => kind.name,
        }
    }

    /// Returns the subject of its ids.
    #[must_use]
    pub fn subject(self) -> Subject {
        match self {
            Self::Security(kind) => kind.subject,
            Self::Display(kind) => kind.subject,
        }
    }

    /// Returns the key of an id, if the id is valid.
    #[must_use]
    pub fn key(self, id: &str) -> Option<String> {
        let id = Id::of(self.subject(), id)?;
        Some(match self {
            Self::Security(kind) => kind.key(&id),
            Self::Display(kind) => kind.key(&id),
        })
    }
}

/// The names, as documented in the API.
impl PartialSchema for AnyKind {
    fn schema() -> RefOr<Schema> {
        names(Self::ALL)
    }
}

/// Documents the display kinds.
#[derive(Debug)]
pub struct DisplayKind;

impl PartialSchema for DisplayKind {
    fn schema() -> RefOr<Schema> {
        let all = AnyKind::ALL.into_iter();
        names(all.filter(|kind| matches!(kind, AnyKind::Display(_))))
    }
}

impl ToSchema for DisplayKind {
    fn name() -> std::borrow::Cow<'static, str> {
        "CacheDisplayKind".into()
    }
}

fn names(kinds: impl IntoIterator<Item = AnyKind>) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(kinds.into_iter().map(AnyKind::name)))
        .into()
}

impl ToSchema for AnyKind {
    fn name() -> std::borrow::Cow<'static, str> {
        "CacheKind".into()
    }
}
