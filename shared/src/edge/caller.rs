//! The acting user of a call. The headers are trusted because the service token is verified.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use utoipa::PartialSchema as _;
use uuid::Uuid;

use super::input::visible;
use super::problem::Problem;
use super::schema::IpAddress;
use crate::base::identity;
use crate::base::network;
use crate::service::cache::Viewer;
use crate::service::job;
use crate::service::session;

/// The longest accepted value: it exceeds the longest e-mail address.
const MAX_HEADER_LEN: usize = 320;

/// The rights of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sees the user's own resources.
    User,
    /// Sees the resources of the domain.
    DomainAdmin,
    /// Sees all resources.
    Admin,
}

/// The acting user, as named by the web app, each name in its normal form ([`identity`]). Without a user id, the caller
/// is the service itself, with all rights.
#[derive(Clone, Debug, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Caller {
    /// The acting user. Without it, the caller is the service itself, with all rights.
    #[param(rename = "X-User-Id", value_type = String, required = false, max_length = 320, pattern = "^[!-~]([ -~]*[!-~])?$")]
    pub user_id: Option<String>,
    /// The acting user's e-mail address.
    #[param(rename = "X-User-Email", value_type = String, required = false)]
    pub email: Option<String>,
    /// `user`, `domain_admin` or `admin`; any other value counts as `user`. Needs `X-User-Id`.
    #[param(rename = "X-User-Role", value_type = String, required = false, max_length = 320, pattern = "^[!-~]([ -~]*[!-~])?$", example = "domain_admin")]
    pub role: Option<Role>,
    /// The acting user's domain. New jobs count against its budget.
    #[param(rename = "X-User-Domain", value_type = String, required = false, max_length = 320, pattern = "^[!-~]([ -~]*[!-~])?$")]
    pub domain: Option<String>,
    /// The IP address of the acting user. A port, brackets, and the list of `X-Forwarded-For` are accepted.
    #[param(rename = "X-Client-Ip", required = false, schema_with = IpAddress::schema)]
    pub client_ip: Option<IpAddr>,
}

/// Documents the header that routes of the acting user need.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub struct ActingUser {
    /// The acting user.
    #[param(rename = "X-User-Id", value_type = Uuid)]
    pub user_id: Uuid,
}

impl Caller {
    /// Reads the headers. A header that decides rights must be valid if it is present: a user whose id was lost would
    /// otherwise count as the service, which sees everything.
    pub fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let user_id = decisive(headers, "x-user-id")?.map(|id| identity::user(&id));
        let role = decisive(headers, "x-user-role")?;
        if role.is_some() && user_id.is_none() {
            return Err(invalid("X-User-Role requires X-User-Id."));
        }
        Ok(Self {
            user_id,
            email: text(headers, "x-user-email").map(|email| identity::address(&email)),
            role: role.map(|role| match role.as_str() {
                "admin" => Role::Admin,
                "domain_admin" => Role::DomainAdmin,
                _ => Role::User,
            }),
            domain: decisive(headers, "x-user-domain")?.map(|name| identity::domain(&name)),
            client_ip: address(headers)?,
        })
    }

    /// Returns the tenant whose budget a job of this caller uses: the domain, else the user, else `-`.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.domain
            .as_deref()
            .or(self.user_id.as_deref())
            .unwrap_or("-")
    }

    /// Returns whether this is the service itself or an administrator, other than one of a domain.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.user_id.is_none() || self.role == Some(Role::Admin)
    }

    /// Errors if this is neither the service itself nor an administrator.
    pub fn must_be_admin(&self) -> Result<(), Problem> {
        if self.is_admin() {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "role_insufficient",
            "Administrator role required.",
        ))
    }

    /// Returns the acting user. Errors for the service itself, on routes that need a user: it has no inbox.
    pub fn acting_user(&self) -> Result<&str, Problem> {
        self.user_id
            .as_deref()
            .ok_or_else(|| invalid("This route requires X-User-Id."))
    }

    /// Returns the acting user's id as a UUID, as the database has it.
    pub fn acting_user_id(&self) -> Result<Uuid, Problem> {
        let id = self.acting_user()?;
        id.parse().map_err(|_| invalid("X-User-Id must be a UUID."))
    }

    /// Returns this caller as a viewer of caches.
    #[must_use]
    pub fn viewer(&self) -> Viewer<'_> {
        match (&self.user_id, self.role) {
            (None, _) | (_, Some(Role::Admin)) => Viewer::Everything,
            (Some(user), role) => Viewer::Person {
                user,
                email: self.email.as_deref(),
                administers: (self.domain.as_deref()).filter(|_| role == Some(Role::DomainAdmin)),
            },
        }
    }

    /// Errors if the caller acts for another user and is not an administrator.
    pub fn must_be(&self, user: Uuid) -> Result<(), Problem> {
        let is_same = |id: &String| Uuid::try_parse(id).is_ok_and(|id| id == user);
        if self.is_admin() || self.user_id.as_ref().is_some_and(is_same) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "user_differs",
            "Only this user or an administrator may do this.",
        ))
    }

    /// Returns the viewer that decides which sessions this caller may see.
    #[must_use]
    pub fn session_viewer(&self) -> session::Viewer<'_> {
        if self.is_admin() {
            return session::Viewer::ALL;
        }
        let administers = self.role == Some(Role::DomainAdmin);
        session::Viewer {
            user: self.user_id.as_deref(),
            domain: self.domain.as_deref().filter(|_| administers),
        }
    }

    /// Returns the viewer that decides which jobs this caller may see.
    #[must_use]
    pub fn job_viewer(&self) -> job::Viewer<'_> {
        match (&self.user_id, self.role) {
            (None, _) | (_, Some(Role::Admin)) => job::Viewer::ALL,
            (Some(_), Some(Role::DomainAdmin)) => job::Viewer {
                tenant: Some(self.tenant()),
                user: None,
            },
            (Some(user), _) => job::Viewer {
                tenant: None,
                user: Some(user),
            },
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// Returns a header's text, if it is valid.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    visible(headers.get(name)?, MAX_HEADER_LEN).map(str::to_owned)
}

/// Returns the text of a header that decides rights. Errors if it is present but invalid.
fn decisive(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    match text(headers, name) {
        None if headers.contains_key(name) => Err(invalid(
            "X-User-Id, X-User-Role and X-User-Domain must be 1 to 320 visible ASCII characters if present.",
        )),
        text => Ok(text),
    }
}

/// Returns the client's address. Errors if it is present but invalid, because the block list is checked with it.
fn address(headers: &HeaderMap) -> Result<Option<IpAddr>, Problem> {
    let values = headers.get_all("x-client-ip").iter();
    let lists: Option<Vec<&str>> = values.map(|value| value.to_str().ok()).collect();
    match lists {
        Some(lists) if lists.is_empty() => Ok(None),
        lists => lists
            .and_then(|lists| network::client(&lists.join(",")))
            .map(Some)
            .ok_or_else(|| invalid("X-Client-Ip must be an IPv4 or IPv6 address.")),
    }
}

fn invalid(detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "caller_invalid", detail)
}

#[cfg(test)]
mod tests {
    use super::{Caller, Role};
    use http::{HeaderMap, HeaderValue};

    fn caller(pairs: &[(&'static str, &'static str)]) -> Caller {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        Caller::read(&headers).unwrap()
    }

    #[test]
    fn unreadable_caller_header_is_refused() {
        let long = "x".repeat(321);
        for name in ["x-user-id", "x-user-role", "x-user-domain"] {
            for value in ["", " ", "\u{fc}", "a\tb", &long] {
                let mut headers = HeaderMap::new();
                headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
                assert_eq!(Caller::read(&headers).unwrap_err().status, 400, "{name}");
            }
        }
    }

    #[test]
    fn unreadable_client_address_is_refused() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                "x-client-ip",
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
            Caller::read(&headers)
        };
        for value in ["", "unknown", "203.0.113.9,", "\u{fc}", "203.0.113.9 x"] {
            assert_eq!(read(value).unwrap_err().status, 400, "{value}");
        }
        for value in [
            "203.0.113.9:80",
            "[::ffff:203.0.113.9]",
            "203.0.113.9, 10.0.0.1",
        ] {
            let address = read(value).unwrap().client_ip;
            assert_eq!(address, "203.0.113.9".parse().ok(), "{value}");
        }
    }

    #[test]
    fn caller_headers_are_compared_in_lower_case() {
        let id = "01985C00-0000-7000-8000-00000000000A";
        let caller = caller(&[
            ("x-user-id", id),
            ("x-user-email", "Ann@Acme.Example"),
            ("x-user-domain", "Acme.Example"),
        ]);
        assert_eq!(caller.acting_user().unwrap(), id.to_lowercase());
        assert_eq!(caller.email.as_deref(), Some("ann@acme.example"));
        assert_eq!(caller.tenant(), "acme.example");
    }

    #[test]
    fn unknown_role_counts_as_user() {
        let caller = caller(&[("x-user-id", "u1"), ("x-user-role", "root")]);
        assert_eq!(caller.role, Some(Role::User));
        assert_eq!(caller.job_viewer().user, Some("u1"));
    }

    #[test]
    fn domain_admin_sees_only_the_own_domain() {
        let caller = caller(&[
            ("x-user-id", "u1"),
            ("x-user-role", "domain_admin"),
            ("x-user-domain", "example.com"),
        ]);
        assert_eq!(caller.job_viewer().tenant, Some("example.com"));
    }

    #[test]
    fn only_service_and_admin_pass_must_be_admin() {
        assert!(caller(&[]).must_be_admin().is_ok());
        for (role, admitted) in [
            ("admin", true),
            ("domain_admin", false),
            ("user", false),
            ("Admin", false),
        ] {
            let caller = caller(&[("x-user-id", "u1"), ("x-user-role", role)]);
            assert_eq!(caller.must_be_admin().is_ok(), admitted, "{role}");
        }
        let nameless = caller(&[("x-user-id", "u1")]).must_be_admin();
        assert_eq!(nameless.unwrap_err().status, 403);
    }

    #[test]
    fn acting_user_without_a_user_id_is_refused() {
        assert_eq!(caller(&[]).acting_user().unwrap_err().status, 400);
        let named = caller(&[("x-user-id", "u1")]);
        assert_eq!(named.acting_user().unwrap(), "u1");
        assert_eq!(named.acting_user_id().unwrap_err().status, 400);
    }

    #[test]
    fn tenant_is_domain_then_user_id_then_dash() {
        assert_eq!(caller(&[]).tenant(), "-");
        assert_eq!(caller(&[("x-user-id", "u1")]).tenant(), "u1");
        let both = caller(&[("x-user-id", "u1"), ("x-user-domain", "d")]);
        assert_eq!(both.tenant(), "d");
    }
}
