//! The source address of a request. Only trusted proxies contribute to it, never the sender's own claims.

use std::net::IpAddr;
use std::str::FromStr;

use axum::extract::Request;
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;

use crate::base::env;
use crate::base::network::{Network, plain, written};

/// The largest number of proxies in a row; no deployment has more.
const MAX_HOPS: usize = 10;

/// The proxies in front of API Gateway that append their peer to the header. None, unless `TRUSTED_PROXIES` names them.
///
/// A client's own `X-Forwarded-For` stands left of the entries that proxies append. So only the right end is trusted,
/// and only the entries that trusted proxies wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TrustedProxies(Trust);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Trust {
    /// No proxy: the peer of API Gateway is the client.
    #[default]
    NoProxies,
    /// This number of proxies in a row, which no request can bypass.
    Hops(usize),
    /// The proxies in these networks; any other address is a client.
    Networks(Vec<Network>),
}

/// The text does not describe proxies.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "must be the number of trusted proxies (0 to 10) or their networks, separated by commas: 192.0.2.0/24,2001:db8::/32"
)]
pub(super) struct InvalidProxies;

impl FromStr for TrustedProxies {
    type Err = InvalidProxies;

    fn from_str(text: &str) -> Result<Self, InvalidProxies> {
        let text = text.trim();
        if let Ok(hops) = text.parse::<usize>() {
            return match hops {
                0 => Ok(Self(Trust::NoProxies)),
                1..=MAX_HOPS => Ok(Self(Trust::Hops(hops))),
                _ => Err(InvalidProxies),
            };
        }
        let networks = text.split(',').map(|network| network.trim().parse());
        let networks: Result<_, _> = networks.collect();
        networks
            .map(|networks| Self(Trust::Networks(networks)))
            .map_err(|_| InvalidProxies)
    }
}

impl TrustedProxies {
    pub(super) fn from_env() -> Result<Self, env::Error> {
        env::parsed_or("TRUSTED_PROXIES", Self::default())
    }

    /// Returns the client's address: API Gateway's peer first, then the header from the right.
    pub(super) fn client(&self, request: &Request) -> Option<IpAddr> {
        let peer = peer(request)?;
        let lists = request.headers().get_all("x-forwarded-for").iter();
        let lists: Vec<&str> = lists.filter_map(|value| value.to_str().ok()).collect();
        Some(self.pick(peer, &lists.join(",")))
    }

    fn pick(&self, peer: IpAddr, list: &str) -> IpAddr {
        let mut client = plain(peer);
        let mut hops = list.rsplit(',').map(written).peekable();
        // API Gateway appends its peer to the header as well.
        hops.next_if(|hop| *hop == Some(client));
        let mut passed = 0;
        while self.trusts(client, passed) {
            // A trusted proxy writes only addresses.
            let Some(Some(next)) = hops.next() else { break };
            client = next;
            passed += 1;
        }
        client
    }

    fn trusts(&self, hop: IpAddr, passed: usize) -> bool {
        match &self.0 {
            Trust::NoProxies => false,
            Trust::Hops(hops) => passed < *hops,
            Trust::Networks(networks) => networks.iter().any(|network| network.contains(hop)),
        }
    }
}

/// Returns API Gateway's peer.
fn peer(request: &Request) -> Option<IpAddr> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else {
        return None;
    };
    context.http.source_ip.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::TrustedProxies;

    fn picked(proxies: &str, peer: &str, written: &str) -> String {
        let proxies: TrustedProxies = proxies.parse().unwrap();
        proxies.pick(peer.parse().unwrap(), written).to_string()
    }

    #[test]
    fn forwarded_header_without_trusted_proxies_is_ignored() {
        for written in ["", "203.0.113.9", "203.0.113.9, 198.51.100.1", ", ,"] {
            assert_eq!(picked("0", "198.51.100.1", written), "198.51.100.1");
        }
    }

    #[test]
    fn number_of_proxies_selects_that_hop_from_the_right() {
        // forged, client, outer proxy, inner proxy (API Gateway's peer, which it appends)
        let written = "6.6.6.6, 203.0.113.9, 198.51.100.2, 198.51.100.1";
        assert_eq!(picked("1", "198.51.100.1", written), "198.51.100.2");
        assert_eq!(picked("2", "198.51.100.1", written), "203.0.113.9");
        assert_eq!(picked("1", "198.51.100.1", "203.0.113.9"), "203.0.113.9");
        assert_eq!(
            picked("9", "198.51.100.1", "203.0.113.9:4711"),
            "203.0.113.9"
        );
    }

    #[test]
    fn forwarded_header_is_trusted_up_to_the_first_address_outside_the_networks() {
        let proxies = "198.51.100.0/24, 2001:db8::/32";
        let written = "6.6.6.6, 203.0.113.9, 2001:db8::7, 198.51.100.1";
        assert_eq!(picked(proxies, "198.51.100.1", written), "203.0.113.9");
        assert_eq!(picked(proxies, "203.0.113.5", "6.6.6.6"), "203.0.113.5");
        assert_eq!(picked(proxies, "198.51.100.1", "unknown"), "198.51.100.1");
    }

    #[test]
    fn invalid_trusted_proxies_are_refused() {
        for text in [
            "",
            "11",
            "-1",
            "proxy.example.com",
            "192.0.2.0/33",
            "192.0.2.1,",
        ] {
            assert!(text.parse::<TrustedProxies>().is_err(), "{text}");
        }
    }
}
