//! What is known of a call before the first datagram, and whether the relay can reach the address in our answer.

use std::net::{IpAddr, Ipv4Addr};

/// What is known of a call before the first datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaContext {
    /// The address in our SDP answer.
    pub advertised: IpAddr,
    /// The address that the call's socket is bound to; unspecified for any address of the host.
    pub bound: IpAddr,
    /// The addresses of the offer's candidates.
    pub relays: Vec<IpAddr>,
    /// The negotiated payload type of Opus.
    pub opus: u8,
    /// The negotiated payload types of telephone events.
    pub keys: Vec<u8>,
}

/// From where an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Nowhere,
    Host,
    Site,
    World,
}

impl MediaContext {
    /// Whether the payload type was negotiated.
    pub(crate) fn agrees_to(&self, payload_type: u8) -> bool {
        payload_type == self.opus || self.keys.contains(&payload_type)
    }

    /// Returns why the relay cannot reach the address in our answer, or `None` if it can.
    pub(crate) fn unreachable(&self) -> Option<String> {
        let ours = reach(self.advertised);
        let (advertised, called) = (self.advertised, describe(ours));
        let relays = self.relays.iter().filter(|relay| relay.is_ipv4() == advertised.is_ipv4());
        let farthest = relays.map(|relay| reach(*relay)).max();
        // NAT may translate a public address to the bound one. A private address that is not bound is not this
        // socket's.
        let is_elsewhere =
            ours != Reach::World && !self.bound.is_unspecified() && self.bound != self.advertised;
        match farthest {
            None => {
                Some(format!("our answer gives {advertised}, and the offer has no candidate of that family"))
            }
            Some(_) if ours == Reach::Nowhere => {
                Some(format!("our answer gives {advertised}, which is not a host address"))
            }
            Some(Reach::World) if ours != Reach::World => {
                Some(format!("our answer gives {advertised}, {called}, and the relay is on the internet"))
            }
            Some(_) if is_elsewhere => Some(format!(
                "our answer gives {advertised}, {called}, and the call's socket is bound to {} only",
                self.bound
            )),
            Some(Reach::Site) if ours == Reach::Host => {
                Some(format!("our answer gives {advertised}, {called}, and the relay is another host"))
            }
            Some(_) => None,
        }
    }

    /// Whether the offer has a candidate of our socket's address family.
    pub(crate) fn has_candidate_to_check(&self) -> bool {
        self.relays.iter().any(|relay| relay.is_ipv4() == self.advertised.is_ipv4())
    }
}

fn describe(reach: Reach) -> &'static str {
    match reach {
        Reach::Nowhere => "no host's address",
        Reach::Host => "a loopback address",
        Reach::Site => "a private address",
        Reach::World => "a public address",
    }
}

fn reach(address: IpAddr) -> Reach {
    if address.is_unspecified() || address.is_multicast() {
        return Reach::Nowhere;
    }
    if address.is_loopback() {
        return Reach::Host;
    }
    let is_of_a_site = match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || is_carriers(v4),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    if is_of_a_site { Reach::Site } else { Reach::World }
}

/// Whether the address is of 100.64.0.0/10, which carriers share among customers (RFC 6598).
fn is_carriers(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && (64..128).contains(&second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: &str = "57.144.0.7";

    #[test]
    fn a_relay_on_the_internet_cannot_reach_a_private_address() {
        for private in ["10.0.0.7", "192.168.1.7", "172.31.0.7", "100.64.0.7", "169.254.0.7", "127.0.0.1"] {
            assert!(context(private, "0.0.0.0", &[RELAY]).unreachable().is_some(), "{private}");
        }
        assert_eq!(context("203.0.114.9", "0.0.0.0", &[RELAY]).unreachable(), None);
        assert_eq!(context("203.0.114.9", "10.0.0.7", &[RELAY]).unreachable(), None, "it is translated");
    }

    #[test]
    fn private_addresses_are_reachable_on_one_site_or_host() {
        assert_eq!(context("10.0.0.7", "0.0.0.0", &["10.0.0.8"]).unreachable(), None);
        assert_eq!(context("127.0.0.1", "127.0.0.1", &["127.0.0.1"]).unreachable(), None);
        assert!(context("127.0.0.1", "127.0.0.1", &["10.0.0.8"]).unreachable().is_some());
    }

    #[test]
    fn a_private_address_other_than_the_bound_one_is_unreachable() {
        let why = context("10.9.9.9", "127.0.0.1", &["127.0.0.1"]).unreachable();

        let expected =
            "our answer gives 10.9.9.9, a private address, and the call's socket is bound to 127.0.0.1 only";
        assert_eq!(why.as_deref(), Some(expected));
    }

    #[test]
    fn candidates_of_the_other_address_family_do_not_count() {
        let context = context("203.0.114.9", "0.0.0.0", &["2a03:2880::7"]);

        assert!(!context.has_candidate_to_check());
        assert!(context.unreachable().is_some());
    }

    fn context(advertised: &str, bound: &str, relays: &[&str]) -> MediaContext {
        let address = |text: &str| text.parse().expect("it is an address");
        let relays = relays.iter().map(|relay| address(relay)).collect();
        MediaContext {
            advertised: address(advertised),
            bound: address(bound),
            relays,
            opus: 111,
            keys: vec![126],
        }
    }
}
