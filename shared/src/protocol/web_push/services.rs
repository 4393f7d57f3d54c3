//! The known push services. A subscription comes from outside, and its address must not reach any other host.

use std::str::FromStr;

use url::{Host, Url};

use crate::base::env;

/// The hosts of the browsers' push services: exact names, or with a leading dot all subdomains.
const BROWSER_HOSTS: [&str; 6] = [
    // Chrome, Edge on Android, Opera, Samsung Internet
    "fcm.googleapis.com",
    // Builds of Chromium without Google's keys
    "jmt17.google.com",
    // Firefox
    "updates.push.services.mozilla.com",
    // Edge on Windows
    ".notify.windows.com",
    // Safari
    "web.push.apple.com",
    ".push.apple.com",
];

/// The allowed push services: those of the browsers, over https, and the configured ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushServices {
    named: Vec<Origin>,
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: Host,
    port: Option<u16>,
}

/// Why a list of push services is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be origins such as https://push.example.com, separated by commas")]
pub struct InvalidServices;

impl PushServices {
    /// Returns the services of the browsers, and those of `PUSH_SERVICES`: origins, separated by commas. A configured
    /// service may be in a private network.
    pub fn from_env() -> Result<Self, env::Error> {
        env::parsed_or("PUSH_SERVICES", Self::default())
    }

    /// Returns whether an address belongs to a known service.
    pub(super) fn know(&self, url: &Url) -> bool {
        self.names(url) || is_of_browser(url)
    }

    /// Returns whether exactly this origin is configured.
    fn names(&self, url: &Url) -> bool {
        Origin::of(url).is_some_and(|origin| self.named.contains(&origin))
    }

    /// Returns the configured hosts that are names: they may be in a private network.
    pub(super) fn named_hosts(&self) -> Vec<String> {
        let hosts = self.named.iter().filter_map(|origin| match &origin.host {
            Host::Domain(name) => Some(name.clone()),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        });
        hosts.collect()
    }
}

impl Origin {
    fn of(url: &Url) -> Option<Self> {
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host()?.to_owned(),
            port: url.port_or_known_default(),
        })
    }
}

/// Returns whether it is a browser's own service: https, the default port, and a host name, not an IP address.
fn is_of_browser(url: &Url) -> bool {
    let Some(Host::Domain(host)) = url.host() else {
        return false;
    };
    url.scheme() == "https"
        && url.port().is_none()
        && BROWSER_HOSTS.iter().any(|usual| {
            host == *usual
                || (usual.starts_with('.') && host.ends_with(usual) && host.len() > usual.len())
        })
}

impl FromStr for PushServices {
    type Err = InvalidServices;

    fn from_str(text: &str) -> Result<Self, InvalidServices> {
        let named = text.split(',').map(|part| {
            let url = Url::parse(part.trim()).map_err(|_| InvalidServices)?;
            let is_origin = matches!(url.scheme(), "http" | "https")
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty();
            Origin::of(&url)
                .filter(|_| is_origin)
                .ok_or(InvalidServices)
        });
        Ok(Self {
            named: named.collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{InvalidServices, PushServices};

    fn know(services: &PushServices, url: &str) -> bool {
        services.know(&Url::parse(url).unwrap())
    }

    #[test]
    fn browser_push_services_are_known_and_lookalikes_are_not() {
        let usual = PushServices::default();
        for url in [
            "https://fcm.googleapis.com/fcm/send/abc:def",
            "https://jmt17.google.com/fcm/send/abc:def",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://wns2-par02p.notify.windows.com/w/?token=abc",
            "https://web.push.apple.com/abc",
            "https://api.push.apple.com:443/abc",
        ] {
            assert!(know(&usual, url), "{url}");
        }
        for url in [
            "http://fcm.googleapis.com/fcm/send/abc",
            "https://fcm.googleapis.com:8443/abc",
            "https://fcm.googleapis.com.evil.example/abc",
            "https://evilfcm.googleapis.com/abc",
            "https://jmt18.google.com/fcm/send/abc",
            "https://google.com/fcm/send/abc",
            "https://evil.jmt17.google.com/abc",
            "https://evil-notify.windows.com/abc",
            "https://notify.windows.com.evil.example/abc",
            "https://push.example.com/abc",
            "ftp://fcm.googleapis.com/abc",
        ] {
            assert!(!know(&usual, url), "{url}");
        }
    }

    #[test]
    fn private_address_is_unknown_unless_configured() {
        let private = [
            "http://127.0.0.1:9000/x",
            "https://127.1/x",
            "https://2130706433/x",
            "https://0x7f000001/x",
            "https://localhost/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/latest/meta-data/",
            "https://192.168.1.1/x",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://[fd00::1]/x",
        ];
        for url in private {
            assert!(!know(&PushServices::default(), url), "{url}");
        }
        let named: PushServices = "http://127.0.0.1:9000".parse().unwrap();
        assert!(know(&named, "http://127.0.0.1:9000/x"));
        for url in &private[1..] {
            assert!(!know(&named, url), "{url}");
        }
        for url in ["http://127.0.0.1:9001/x", "https://127.0.0.1:9000/x"] {
            assert!(!know(&named, url), "{url}");
        }
    }

    #[test]
    fn invalid_list_of_origins_is_refused() {
        for text in [
            "",
            "push.example.com",
            "https://push.example.com/path",
            "https://u@push.example.com",
            "https://push.example.com,,",
            "ftp://push.example.com",
        ] {
            assert_eq!(
                text.parse::<PushServices>(),
                Err(InvalidServices),
                "{text:?}"
            );
        }
    }
}
