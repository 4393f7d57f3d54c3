//! Public network addresses, and a resolver that returns only those.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves names to public addresses only, also if the DNS answer changes between the check and the call. So a name in
/// a private network has no address. Configured hosts are trusted.
#[derive(Debug)]
pub(super) struct PublicOnly {
    /// The hosts that may be in a private network.
    pub(super) trusted: Vec<String>,
}

/// The name has no public address.
#[derive(Debug, thiserror::Error)]
#[error("the push service has no public address")]
struct Private;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_trusted = self.trusted.iter().any(|host| host == name.as_str());
        Box::pin(async move {
            // The caller sets the port.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<_> = found
                .filter(|address| is_trusted || is_public(address.ip()))
                .collect();
            if usable.is_empty() {
                return Err(Private.into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

/// Returns whether an address is public: not loopback, private, link-local, shared, multicast, documentation or
/// otherwise reserved (IANA's special-purpose registries).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_reserved = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        // Carrier-grade NAT (RFC 6598), protocol assignments, benchmarks, and addresses reserved for the future.
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18)
        || a >= 240;
    !is_reserved
}

/// Returns whether it is global unicast (`2000::/3`), but neither documentation nor an address that embeds an IPv4
/// address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [first, second, ..] = address.segments();
    let is_global = first & 0xe000 == 0x2000;
    let is_documentation = first == 0x2001 && second == 0x0db8;
    let embeds_ipv4 = first == 0x2002 || (first == 0x2001 && second < 0x0200);
    is_global && !is_documentation && !embeds_ipv4
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn non_public_addresses_are_recognised() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.0.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2a00:1450::1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
