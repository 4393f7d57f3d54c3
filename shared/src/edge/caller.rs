//! Who a call is made for. The headers are believed because the service token is.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

use crate::service::job::Job;

/// What a person may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Own things.
    User,
    /// Those of the domain.
    DomainAdmin,
    /// Everything.
    Admin,
}

/// The acting user, as the web app names it. Without a user id the caller is the service itself, with every right.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// `X-User-Id`.
    pub user_id: Option<String>,
    /// `X-User-Email`.
    pub email: Option<String>,
    /// `X-User-Role`; what is not a known role is a user.
    pub role: Option<Role>,
    /// `X-User-Domain`.
    pub domain: Option<String>,
    /// `X-Client-Ip`.
    pub client_ip: Option<IpAddr>,
}

impl Caller {
    /// Reads the headers.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let text = |name| {
            let value = headers.get(name)?.to_str().ok()?.trim();
            (!value.is_empty() && value.len() <= 320).then(|| value.to_owned())
        };
        Self {
            user_id: text("x-user-id"),
            email: text("x-user-email"),
            role: text("x-user-role").map(|role| match role.as_str() {
                "admin" => Role::Admin,
                "domain_admin" => Role::DomainAdmin,
                _ => Role::User,
            }),
            domain: text("x-user-domain"),
            client_ip: text("x-client-ip").and_then(|ip| ip.parse().ok()),
        }
    }

    /// Whose budget a job of this caller counts against: the domain, else the user, else `-`.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.domain
            .as_deref()
            .or(self.user_id.as_deref())
            .unwrap_or("-")
    }

    /// The tenant and the user that jobs must have for this caller to see them; none where any will do.
    #[must_use]
    pub fn horizon(&self) -> (Option<&str>, Option<&str>) {
        match (&self.user_id, self.role) {
            (None, _) | (_, Some(Role::Admin)) => (None, None),
            (Some(_), Some(Role::DomainAdmin)) => (Some(self.tenant()), None),
            (Some(user), _) => (None, Some(user)),
        }
    }

    /// Whether this caller may see a job.
    #[must_use]
    pub fn sees(&self, job: &Job) -> bool {
        let (tenant, user) = self.horizon();
        tenant.is_none_or(|tenant| tenant == job.tenant) && user.is_none_or(|user| user == job.user)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers))
    }
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
        Caller::read(&headers)
    }

    #[test]
    fn an_unknown_role_gives_no_more_than_a_user_has() {
        let caller = caller(&[("x-user-id", "u1"), ("x-user-role", "root")]);
        assert_eq!(caller.role, Some(Role::User));
        assert_eq!(caller.horizon(), (None, Some("u1")));
    }

    #[test]
    fn a_domain_admin_sees_the_domain_and_nothing_else() {
        let caller = caller(&[
            ("x-user-id", "u1"),
            ("x-user-role", "domain_admin"),
            ("x-user-domain", "example.com"),
        ]);
        assert_eq!(caller.horizon(), (Some("example.com"), None));
    }

    #[test]
    fn the_tenant_is_the_domain_then_the_user_then_nobody() {
        assert_eq!(caller(&[]).tenant(), "-");
        assert_eq!(caller(&[("x-user-id", "u1")]).tenant(), "u1");
        let both = caller(&[("x-user-id", "u1"), ("x-user-domain", "d")]);
        assert_eq!(both.tenant(), "d");
    }
}
