//! Internet addresses for limits and block lists: networks, and the part of an address that identifies a subscriber.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;

/// The bits of an IPv6 address that identify a subscriber. Providers assign a /64 to a household, whose devices choose
/// the other bits freely (RFC 6177).
const SUBSCRIBER_BITS: u8 = 64;

/// A network: an address and its prefix length. A single address is a network too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The text is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an address or a network such as 192.0.2.0/24 or 2001:db8::/32")]
pub struct InvalidNetwork;

impl Network {
    /// Returns the network of an address's first `bits`; the remaining bits are cleared.
    pub fn new(address: IpAddr, bits: u8) -> Result<Self, InvalidNetwork> {
        let address = plain(address);
        if bits > width(address) {
            return Err(InvalidNetwork);
        }
        Ok(Self {
            address: masked(address, bits),
            bits,
        })
    }

    /// Returns the network of one address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let address = plain(address);
        let bits = width(address);
        Self { address, bits }
    }

    /// Returns whether the network contains the address. Families do not mix, but an IPv4 address written as IPv6
    /// counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = plain(address);
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.bits) == self.address
    }

    /// Returns the first address of the network.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Returns the prefix length.
    #[must_use]
    pub fn bits(&self) -> u8 {
        self.bits
    }
}

/// CIDR notation, also for a single address: `192.0.2.1/32`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let Some((address, bits)) = text.split_once('/') else {
            return text.parse().map(Self::of).map_err(|_| InvalidNetwork);
        };
        let written: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let bits: u8 = bits.parse().map_err(|_| InvalidNetwork)?;
        // The first 96 bits of an IPv4-mapped IPv6 address are its fixed prefix.
        let mapped_prefix = width(written) - width(plain(written));
        Self::new(
            written,
            bits.checked_sub(mapped_prefix).ok_or(InvalidNetwork)?,
        )
    }
}

impl TryFrom<String> for Network {
    type Error = InvalidNetwork;

    fn try_from(text: String) -> Result<Self, InvalidNetwork> {
        text.parse()
    }
}

/// Returns the subscriber of an address: an IPv4 address unchanged, an IPv6 address by its /64. Limiter keys contain
/// this text.
#[must_use]
pub fn subscriber(address: IpAddr) -> String {
    match plain(address) {
        IpAddr::V4(address) => address.to_string(),
        address @ IpAddr::V6(_) => {
            format!("{}/{SUBSCRIBER_BITS}", masked(address, SUBSCRIBER_BITS))
        }
    }
}

/// Returns the address's digits in hexadecimal, without separators: scripts take prefixes of them.
#[must_use]
pub fn digits(address: IpAddr) -> String {
    match plain(address) {
        IpAddr::V4(address) => format!("{:08x}", address.to_bits()),
        IpAddr::V6(address) => format!("{:032x}", address.to_bits()),
    }
}

/// Parses a client address as programs write it: with or without a port, an IPv6 address with or without brackets (RFC
/// 7239, section 6). An IPv4-mapped IPv6 address is IPv4.
#[must_use]
pub fn written(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|it| it.ip());
    let address = text.parse().ok().or_else(with_port).or_else(bare);
    address.map(plain)
}

/// Returns the client's address from a list that proxies append to: the last one outside private networks. The client
/// may have written the entries left of it, and the private addresses right of it are proxies. None if any entry cannot
/// be parsed.
#[must_use]
pub fn client(list: &str) -> Option<IpAddr> {
    let hops: Vec<IpAddr> = list.split(',').map(written).collect::<Option<_>>()?;
    let public = hops.iter().rev().find(|hop| !is_private(**hop));
    public.or(hops.last()).copied()
}

/// Returns whether an address is in a network that no Internet client uses (RFC 1918, 3927, 4193, 6598).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// An address from a body, parsed like the addresses in proxy headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ClientAddress(pub IpAddr);

/// The text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an IPv4 or IPv6 address")]
pub struct InvalidAddress;

impl TryFrom<String> for ClientAddress {
    type Error = InvalidAddress;

    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        client(&text).map(Self).ok_or(InvalidAddress)
    }
}

/// Returns an IPv4-mapped address (`::ffff:192.0.2.1`) as IPv4.
#[must_use]
pub fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Network, client, digits, subscriber};

    #[test]
    fn network_is_written_with_its_host_bits_cleared() {
        for (text, expected) in [
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("192.0.2.77", "192.0.2.77/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8:1:2:3::9/64", "2001:db8:1:2::/64"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
            ("::ffff:192.0.2.1/120", "192.0.2.0/24"),
        ] {
            assert_eq!(
                text.parse::<Network>().unwrap().to_string(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn invalid_network_is_refused() {
        for text in [
            "",
            "192.0.2.0/33",
            "2001:db8::/129",
            "192.0.2/24",
            "::ffff:192.0.2.1/24",
            "a/8",
            "1.2.3.4/-1",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn network_contains_only_its_own_addresses() {
        let network: Network = "198.51.100.0/23".parse().unwrap();
        assert!(network.contains("198.51.101.255".parse().unwrap()));
        assert!(network.contains("::ffff:198.51.100.1".parse().unwrap()));
        assert!(!network.contains("198.51.102.0".parse().unwrap()));
        assert!(!network.contains("2001:db8::".parse().unwrap()));
    }

    #[test]
    fn client_address_is_read_in_every_proxy_format() {
        for (text, address) in [
            ("203.0.113.9", "203.0.113.9"),
            (" 203.0.113.9 ", "203.0.113.9"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:443", "203.0.113.9"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
            ("203.0.113.9, 10.0.0.1:80,[fd00::1]", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
            ("10.0.0.2, 10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(client(text), address.parse().ok(), "{text}");
        }
    }

    #[test]
    fn list_with_an_unreadable_entry_gives_no_address() {
        for text in [
            "",
            ",",
            "unknown",
            "203.0.113.9,",
            "unknown, 203.0.113.9",
            "203.0.113.9, _hidden",
            "203.0.113.9:99999",
            "[203.0.113.9",
            "2001:db8::1]",
            "203.0.113",
            "localhost",
        ] {
            assert_eq!(client(text), None, "{text}");
        }
    }

    #[test]
    fn ipv6_is_counted_by_its_64_prefix_and_ipv4_by_the_address() {
        assert_eq!(
            subscriber("2001:db8:1:2:aaaa::1".parse().unwrap()),
            "2001:db8:1:2::/64"
        );
        assert_eq!(subscriber("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
        assert_eq!(digits("192.0.2.1".parse().unwrap()), "c0000201");
        assert_eq!(digits("2001:db8::1".parse().unwrap()).len(), 32);
    }
}
