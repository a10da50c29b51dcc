//! Decides which connections may begin a TLS handshake, and when: anyone on the internet can connect to the door, and many
//! handshakes at once would be heard as a gap in every call.
//!
//! A host, its network, and everyone together each have an allowance, which refills with time. A connection beyond one of them is
//! dropped and counts for none, so a flood from one host leaves half of all handshakes to others.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

/// A hundred sandboxes of call-control may share an address, and connect at once.
const HOST: Allowance = Allowance { at_once: 100, every: Duration::from_millis(10) };
const NETWORK: Allowance = Allowance { at_once: 150, every: Duration::from_millis(8) };

/// One after the other, so the last of those that come at once waits for a second: less than call-control does.
const EVERYONE: Allowance = Allowance { at_once: 200, every: Duration::from_millis(5) };

/// A token bucket, as the time at which it will be full again.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    at_once: u32,
    every: Duration,
}

/// What is used of each allowance.
#[derive(Debug, Default)]
pub(super) struct Limits {
    everyone: Option<Instant>,
    /// By address and prefix length. Those that are full again are dropped, so there are never more than a few hundred.
    networks: BTreeMap<(IpAddr, u8), Instant>,
}

impl Limits {
    /// When a connection's handshake begins; `None` if the connection is to be dropped.
    pub(super) fn admit(&mut self, from: IpAddr, now: Instant) -> Option<Instant> {
        let (host, network) = networks_of(from.to_canonical());
        let used = |network| self.networks.get(network).copied();
        let (of_host, of_network) = (HOST.take(used(&host), now)?, NETWORK.take(used(&network), now)?);
        let of_everyone = EVERYONE.take(self.everyone, now)?;
        self.everyone = Some(of_everyone);
        self.networks.retain(|_, full_at| *full_at > now);
        self.networks.extend([(host, of_host), (network, of_network)]);
        Some(of_everyone - EVERYONE.every)
    }
}

impl Allowance {
    /// When it is full again once one more is taken; `None` if none is left.
    fn take(self, full_at: Option<Instant>, now: Instant) -> Option<Instant> {
        let full_at = full_at.map_or(now, |at| at.max(now)) + self.every;
        (full_at - now <= self.every * self.at_once).then_some(full_at)
    }
}

/// The host and its network. A host that has one IPv6 address has a /64 of them, and a customer often a /56.
fn networks_of(from: IpAddr) -> ((IpAddr, u8), (IpAddr, u8)) {
    match from {
        IpAddr::V4(ip) => ((from, 32), (Ipv4Addr::from_bits(ip.to_bits() >> 8 << 8).into(), 24)),
        IpAddr::V6(ip) => {
            let prefix = |length: u8| Ipv6Addr::from_bits(ip.to_bits() >> (128 - length) << (128 - length));
            ((prefix(64).into(), 64), (prefix(56).into(), 56))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_of_one_host_come_at_once_and_a_hundred_a_second() {
        let (mut limits, start) = (Limits::default(), Instant::now());

        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start), 100);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start + Duration::from_millis(500)), 50);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start + Duration::from_secs(60)), 100);
    }

    #[test]
    fn a_flood_from_one_host_leaves_room_for_its_neighbours() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        for ms in 0..5_000 {
            admitted(&mut limits, "192.0.2.2", 10, start + Duration::from_millis(ms));
        }

        let neighbours = admitted(&mut limits, "192.0.2.1", 100, start + Duration::from_secs(5));

        assert!(neighbours >= 90, "{neighbours}");
    }

    #[test]
    fn a_flood_from_one_network_leaves_room_for_others() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        for ms in 0..5_000 {
            let hosts = (0..10).map(|host| format!("192.0.2.{host}"));
            hosts.for_each(|host| _ = admitted(&mut limits, &host, 10, start + Duration::from_millis(ms)));
        }

        let others = admitted(&mut limits, "198.51.100.1", 100, start + Duration::from_secs(5));

        assert_eq!(others, 100);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_host() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        let addresses = (0..1_000).map(|n| format!("2001:db8:0:1::{n:x}"));
        let admitted: usize = addresses.map(|ip| admitted(&mut limits, &ip, 1, now)).sum();

        assert_eq!(admitted, 100);
        assert_eq!(
            networks_of("2001:db8:0:1ff::1".parse().unwrap()).1,
            networks_of("2001:db8:0:100::2".parse().unwrap()).1
        );
    }

    #[test]
    fn an_ipv4_address_is_the_same_on_a_socket_for_both_versions() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, now), 100);

        assert_eq!(admitted(&mut limits, "::ffff:192.0.2.1", 1_000, now), 0);
    }

    #[test]
    fn handshakes_begin_one_after_the_other_within_a_second() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        let hosts = (0..1_000).map(|n: u32| IpAddr::from(Ipv4Addr::from_bits(n << 8)));

        let begin: Vec<_> = hosts.filter_map(|host| limits.admit(host, now)).collect();

        assert_eq!((begin.len(), begin[0]), (200, now));
        assert!(begin.windows(2).all(|two| two[1] - two[0] == EVERYONE.every));
        assert!(begin[199] - now < Duration::from_secs(1));
    }

    #[test]
    fn networks_that_come_no_more_are_forgotten() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        for n in 0..100_000_u32 {
            limits.admit(Ipv4Addr::from_bits(n << 8).into(), start + Duration::from_millis(n.into()));
        }

        assert!(limits.networks.len() < 1_000, "{}", limits.networks.len());
    }

    fn admitted(limits: &mut Limits, from: &str, come: usize, now: Instant) -> usize {
        let from = from.parse().expect("it is an address");
        (0..come).filter(|_| limits.admit(from, now).is_some()).count()
    }
}
