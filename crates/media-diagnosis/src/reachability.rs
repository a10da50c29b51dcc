//! What is agreed before anything is sent, and whether anybody could reach the address in our answer.

use std::net::{IpAddr, Ipv4Addr};

/// What is known of a call before the first datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaContext {
    /// The address that our answer gives.
    pub advertised: IpAddr,
    /// What the call's socket is bound to; unspecified when it takes what comes to any address of the host.
    pub bound: IpAddr,
    /// The addresses of the offer's candidates.
    pub relays: Vec<IpAddr>,
    /// The payload type of Opus.
    pub opus: u8,
    /// The payload types of telephone events.
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
    /// Whether RTP of this payload type is what was agreed on.
    pub(crate) fn agrees_to(&self, payload_type: u8) -> bool {
        payload_type == self.opus || self.keys.contains(&payload_type)
    }

    /// Why nobody at the relay could reach the address in our answer, if nobody could.
    pub(crate) fn unreachable(&self) -> Option<String> {
        let ours = reach(self.advertised);
        let (advertised, called) = (self.advertised, word(ours));
        let relays = self.relays.iter().filter(|relay| relay.is_ipv4() == advertised.is_ipv4());
        let farthest = relays.map(|relay| reach(*relay)).max();
        // A public address may be translated to the one that is bound; one that is not is nobody's but the host's.
        let is_elsewhere =
            ours != Reach::World && !self.bound.is_unspecified() && self.bound != self.advertised;
        match farthest {
            None => {
                Some(format!("our answer gives {advertised}, and the offer has no candidate of that family"))
            }
            Some(_) if ours == Reach::Nowhere => {
                Some(format!("our answer gives {advertised}, at which nobody is reached"))
            }
            Some(Reach::World) if ours != Reach::World => {
                Some(format!("our answer gives {advertised}, {called}, and the relay is out on the internet"))
            }
            Some(_) if is_elsewhere => Some(format!(
                "our answer gives {advertised}, {called}, and the call's socket listens at {} alone",
                self.bound
            )),
            Some(Reach::Site) if ours == Reach::Host => {
                Some(format!("our answer gives {advertised}, {called}, and the relay is another host"))
            }
            Some(_) => None,
        }
    }

    /// Whether the offer has anybody for our socket to check.
    pub(crate) fn has_somebody_to_check(&self) -> bool {
        self.relays.iter().any(|relay| relay.is_ipv4() == self.advertised.is_ipv4())
    }
}

fn word(reach: Reach) -> &'static str {
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

/// Addresses that carriers share among their customers, 100.64.0.0/10 (RFC 6598).
fn is_carriers(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && (64..128).contains(&second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: &str = "57.144.0.7";

    #[test]
    fn a_private_address_is_no_use_to_a_relay_on_the_internet() {
        for private in ["10.0.0.7", "192.168.1.7", "172.31.0.7", "100.64.0.7", "169.254.0.7", "127.0.0.1"] {
            assert!(premises(private, "0.0.0.0", &[RELAY]).unreachable().is_some(), "{private}");
        }
        assert_eq!(premises("203.0.114.9", "0.0.0.0", &[RELAY]).unreachable(), None);
        assert_eq!(premises("203.0.114.9", "10.0.0.7", &[RELAY]).unreachable(), None, "it is translated");
    }

    #[test]
    fn on_one_site_and_on_one_host_addresses_of_its_own_will_do() {
        assert_eq!(premises("10.0.0.7", "0.0.0.0", &["10.0.0.8"]).unreachable(), None);
        assert_eq!(premises("127.0.0.1", "127.0.0.1", &["127.0.0.1"]).unreachable(), None);
        assert!(premises("127.0.0.1", "127.0.0.1", &["10.0.0.8"]).unreachable().is_some());
    }

    #[test]
    fn nobody_listens_at_a_private_address_that_is_not_the_sockets() {
        let why = premises("10.9.9.9", "127.0.0.1", &["127.0.0.1"]).unreachable();

        let expected =
            "our answer gives 10.9.9.9, a private address, and the call's socket listens at 127.0.0.1 alone";
        assert_eq!(why.as_deref(), Some(expected));
    }

    #[test]
    fn candidates_of_the_other_family_are_nobody_to_check() {
        let premises = premises("203.0.114.9", "0.0.0.0", &["2a03:2880::7"]);

        assert!(!premises.has_somebody_to_check());
        assert!(premises.unreachable().is_some());
    }

    fn premises(advertised: &str, bound: &str, relays: &[&str]) -> MediaContext {
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
