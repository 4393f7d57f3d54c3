//! The allowed hosts of messages: they resolve and are not on a private network.
//!
//! The real service resolves a destination when it is published. It cannot reach a local machine, so loopback is
//! rejected too unless [`Hosts::loopback`] allows it.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::destination::Target;

/// The timeout of a look-up.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);

/// The allowed hosts of messages.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// Whether loopback is allowed: the functions of the local cloud are there.
    pub loopback: bool,
    /// Hosts with fixed addresses, as in a hosts file: deliveries go to the address, over plain HTTP. For machines
    /// without a network.
    pub known: BTreeMap<String, SocketAddr>,
}

/// Why deliveries to a host are impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The host does not resolve.
    #[error("invalid destination url: unable to resolve host `{host}`: {reason}")]
    Unresolvable {
        /// The host.
        host: String,
        /// The look-up's error.
        reason: String,
    },
    /// It is this machine.
    #[error(
        "invalid destination url: `{0}` is a loopback address, which cannot be reached from outside"
    )]
    Loopback(String),
    /// It is on a private network.
    #[error("invalid destination url: `{0}` is not a public address")]
    NotPublic(String),
}

/// The checks of one call: a repeated name is looked up once.
pub(crate) struct HostChecks<'a> {
    hosts: &'a Hosts,
    done: HashMap<String, Result<(), Error>>,
}

impl Hosts {
    /// Starts the checks of one call.
    pub(crate) fn checks(&self) -> HostChecks<'_> {
        HostChecks {
            hosts: self,
            done: HashMap::new(),
        }
    }

    /// Returns the fixed address of `host`, if it has one.
    pub(crate) fn address(&self, host: &str) -> Option<SocketAddr> {
        self.known.get(host).copied()
    }

    async fn check(&self, host: &str) -> Result<(), Error> {
        if self.known.contains_key(host) {
            return Ok(());
        }
        if let Some(address) = literal(host) {
            return self.check_address(host, address);
        }
        if host == "localhost" || host.ends_with(".localhost") {
            return self.check_address(host, Ipv4Addr::LOCALHOST.into());
        }
        for address in look_up(host).await? {
            self.check_address(host, address)?;
        }
        Ok(())
    }

    fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Error> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return if self.loopback {
                Ok(())
            } else {
                Err(Error::Loopback(host.to_owned()))
            };
        }
        let public = match address {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        };
        if public {
            Ok(())
        } else {
            Err(Error::NotPublic(host.to_owned()))
        }
    }
}

impl HostChecks<'_> {
    /// Checks the host of a destination.
    pub(crate) async fn check(&mut self, target: &Target) -> Result<(), Error> {
        let host = target.host();
        if let Some(known) = self.done.get(host) {
            return known.clone();
        }
        let checked = self.hosts.check(host).await;
        self.done.insert(host.to_owned(), checked.clone());
        checked
    }
}

/// Returns the address in a URL; IPv6 is in brackets there.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

async fn look_up(host: &str) -> Result<Vec<IpAddr>, Error> {
    let failed = |reason: String| Error::Unresolvable {
        host: host.to_owned(),
        reason,
    };
    let found = tokio::time::timeout(LOOKUP_LIMIT, tokio::net::lookup_host((host, 0)))
        .await
        .map_err(|_| failed("no answer".to_owned()))?
        .map_err(|error| failed(error.to_string()))?;
    let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    if addresses.is_empty() {
        return Err(failed("no such host".to_owned()));
    }
    Ok(addresses)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = a == 192 && b == 0 && c == 0;
    let benchmarks = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 224
        || shared
        || protocols
        || benchmarks
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let documentation = address.segments()[..2] == [0x2001, 0x0db8];
    !(address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || documentation)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn checked(hosts: &Hosts, url: &str) -> Result<(), Error> {
        let target = Target::parse(url).expect(url);
        hosts.checks().check(&target).await
    }

    #[tokio::test]
    async fn private_and_reserved_addresses_are_refused() {
        let hosts = Hosts {
            loopback: true,
            ..Hosts::default()
        };
        for host in [
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "[fd00::1]",
            "[fe80::1]",
            "[::]",
            "[::ffff:10.0.0.1]",
        ] {
            let refused = checked(&hosts, &format!("http://{host}/")).await;
            assert!(
                matches!(refused, Err(Error::NotPublic(_))),
                "{host}: {refused:?}"
            );
        }
        for host in ["1.1.1.1", "[2606:4700::1111]"] {
            assert_eq!(checked(&hosts, &format!("http://{host}/")).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn loopback_is_accepted_only_by_setting() {
        let (strict, local) = (
            Hosts::default(),
            Hosts {
                loopback: true,
                ..Hosts::default()
            },
        );
        for host in ["127.0.0.1", "localhost", "api.localhost", "[::1]"] {
            let url = format!("http://{host}:3000/");
            assert!(
                matches!(checked(&strict, &url).await, Err(Error::Loopback(_))),
                "{host}"
            );
            assert_eq!(checked(&local, &url).await, Ok(()), "{host}");
        }
    }

    #[tokio::test]
    async fn unknown_name_is_refused_unless_it_is_in_the_list() {
        let url = "https://nobody.invalid/";
        let refused = checked(&Hosts::default(), url).await;
        assert!(
            matches!(refused, Err(Error::Unresolvable { .. })),
            "{refused:?}"
        );
        let known = Hosts {
            known: BTreeMap::from([("nobody.invalid".to_owned(), ([127, 0, 0, 1], 9).into())]),
            ..Hosts::default()
        };
        assert_eq!(checked(&known, url).await, Ok(()));
    }
}
