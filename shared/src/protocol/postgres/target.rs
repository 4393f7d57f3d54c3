//! The database's address and its trusted certificates: `DATABASE_URL`, `DATABASE_CA`, TLS over rustls.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::Error;
use super::session::Session;
use crate::base::causes::causes;
use crate::base::env;

/// The time limit for opening a connection, including TLS and authentication.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Options that consoles of hosted poolers add for one client library; the server does not know them.
const FOREIGN_OPTIONS: [&str; 3] = ["pgbouncer=", "connection_limit=", "pool_timeout="];

/// A database and the certificates that it may present.
#[derive(Clone)]
pub(super) struct Target {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Target {
    pub(super) fn new(url: &str, authority: Option<&str>) -> Result<Self, env::Error> {
        let malformed = |name| move |reason| env::Error::Malformed { name, reason };
        Ok(Self {
            config: parse(url).map_err(malformed("DATABASE_URL"))?,
            tls: tls(authority).map_err(malformed("DATABASE_CA"))?,
        })
    }

    /// Opens a connection. Any failure here occurs before a statement is sent.
    pub(super) async fn connect(&self) -> Result<Session, Error> {
        let opening = self.config.connect(self.tls.clone());
        let (client, connection) = timeout(CONNECT_TIMEOUT, opening)
            .await
            .map_err(|elapsed| Error::Unavailable(elapsed.into()))?
            .map_err(|error| Error::Unavailable(error.into()))?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(
                    error = causes(&error),
                    "Postgres connection ended; the next statement opens another"
                );
            }
        });
        Ok(Session::new(client, driver.abort_handle()))
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").finish_non_exhaustive()
    }
}

/// Parses a connection string (PostgreSQL manual, 34.1.1). The certificate is always fully verified, so libpq's
/// `verify-ca` and `verify-full` mean `require`. A remote host is never contacted without TLS, unless `sslmode=disable`
/// is set.
fn parse(text: &str) -> Result<Config, String> {
    escaped(text)?;
    // The parser's own message may quote the password.
    let mut config = Config::from_str(&own_options(text))
        .map_err(|_| "it is not a PostgreSQL connection string".to_owned())?;
    if config.get_hosts().is_empty() {
        return Err("it names no host".to_owned());
    }
    if config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(if config.get_hosts().iter().all(is_local) {
            SslMode::Disable
        } else {
            SslMode::Require
        });
    }
    config.application_name("signtusk-functions");
    Ok(config)
}

/// Errors if the string would be parsed differently than intended: an unescaped `@`, `/`, `#`, `?` or `%` in a password
/// ends it early, and the rest would be parsed as a host.
fn escaped(text: &str) -> Result<(), String> {
    if text.contains(char::is_control) {
        return Err("it holds a line break or another control character; remove it".to_owned());
    }
    let Some((_, rest)) = text.split_once("://") else {
        return Ok(());
    };
    let hex = |digits: &str| {
        let mut digits = digits.bytes();
        (0..2).all(|_| digits.next().is_some_and(|digit| digit.is_ascii_hexdigit()))
    };
    let (authority, behind) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let is_valid = authority.matches('@').count() < 2
        && !behind.contains('@')
        && !rest.contains(|c: char| c.is_whitespace() || "#\\\"<>^`{|}".contains(c))
        && rest.split('%').skip(1).all(hex);
    if is_valid {
        return Ok(());
    }
    let rule =
        "its user or password holds a character that has to be percent-encoded, such as %40 for @";
    Err(rule.to_owned())
}

/// Returns the connection string with the options that the driver supports.
fn own_options(text: &str) -> String {
    let Some((base, options)) = text.split_once('?') else {
        return text.to_owned();
    };
    let kept: Vec<&str> = options
        .split('&')
        .filter(|option| {
            !FOREIGN_OPTIONS
                .iter()
                .any(|foreign| option.starts_with(foreign))
        })
        .map(|option| match option {
            "sslmode=verify-ca" | "sslmode=verify-full" => "sslmode=require",
            other => other,
        })
        .collect();
    format!("{base}?{}", kept.join("&"))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1" | "[::1]"),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Returns TLS with the public roots, and the given authority's certificates if there are any.
fn tls(authority: Option<&str>) -> Result<MakeRustlsConnect, String> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(authority) = authority {
        for certificate in certificates(authority)? {
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Returns the certificates of a PEM text, or of the PEM file at that path.
fn certificates(authority: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = if authority.contains("-----BEGIN") {
        // Dotenv files and consoles often write each line break as two characters.
        authority.replace("\\n", "\n")
    } else {
        std::fs::read_to_string(authority).map_err(|error| format!("{authority}: {error}"))?
    };
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    if certificates.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::{certificates, parse};

    #[test]
    fn remote_host_requires_tls_by_default() {
        let mode = |text| parse(text).unwrap().get_ssl_mode();
        assert_eq!(mode("postgres://u:p@db.example.com/x"), SslMode::Require);
        assert_eq!(
            mode("postgres://u:p@db.example.com/x?sslmode=prefer"),
            SslMode::Require
        );
        assert_eq!(
            mode("postgres://u:p@db.example.com/x?sslmode=disable"),
            SslMode::Disable
        );
        assert_eq!(mode("postgres://u:p@127.0.0.1:5433/x"), SslMode::Disable);
        assert_eq!(
            mode("postgres://u:p@127.0.0.1:5433/x?sslmode=verify-full"),
            SslMode::Require
        );
    }

    #[test]
    fn unescaped_character_in_the_password_is_refused() {
        for password in [
            "p@ss", "p/ss", "p#ss", "p?ss", "p%ss", "p ss", "pss\n", "p%4", "p\\ss", "p/@", "100%",
        ] {
            let text = format!("postgres://u:{password}@db.example.com:6543/x?sslmode=require");
            let reason = parse(&text).unwrap_err();
            assert!(!reason.contains("ss@"), "{reason}");
        }
        for text in [
            "postgres://u:p%40s%2Fs%23@db.example.com:6543/x?sslmode=require",
            "postgresql://u.ref:p$s!*()-_.~@[2001:db8::1]:5432/x",
            "host=db.example.com user=u password='p@s s#%' dbname=x",
            "postgres:///x?host=%2Frun%2Fpg&user=u",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn pooler_options_are_ignored() {
        let config =
            parse("postgres://u:p@db.example.com:6543/x?pgbouncer=true&connection_limit=1")
                .unwrap();
        assert_eq!(config.get_ports(), [6543]);
    }

    #[test]
    fn connection_string_error_does_not_quote_the_password() {
        for text in [
            "postgres://u:hush@db.example.com:port/x",
            "mysql://u:hush@db",
            "",
            "postgres://u:hush@db/x?sslmode=hush",
        ] {
            let reason = parse(text).unwrap_err();
            assert!(!reason.contains("hush"), "{reason}");
        }
    }

    #[test]
    fn ca_setting_without_a_certificate_is_refused() {
        assert!(certificates("-----BEGIN NOTHING-----").is_err());
        assert!(certificates("/nowhere/at/all.pem").is_err());
    }
}
