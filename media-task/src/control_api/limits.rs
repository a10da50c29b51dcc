//! Decides which connections may begin a TLS handshake, and when: anyone on the internet can connect to the door, and many
//! handshakes at once would be heard as a gap in every call.
//!
//! A host, its network, all networks without a recent valid seal, and everyone together each have an allowance, which refills with
//! time. A connection beyond one of them is dropped and counts for none. What networks without a seal may not use is a reserve for
//! those with one: strangers alone, however many, never keep call-control's next connection out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Of a known network. A hundred sandboxes of call-control may share an address, and connect at once.
const KNOWN_HOST: NetworkAllowance = NetworkAllowance { at_once: 100, every: Duration::from_millis(10) };
const KNOWN_NETWORK: NetworkAllowance = NetworkAllowance { at_once: 125, every: Duration::from_millis(8) };

const HOST: NetworkAllowance = NetworkAllowance { at_once: 50, every: Duration::from_millis(20) };
const NETWORK: NetworkAllowance = NetworkAllowance { at_once: 60, every: Duration::from_millis(12) };

/// All networks without a recent valid seal: 125 of the 200 handshakes a second, and 60 of the 100 places in the queue.
const STRANGERS: NetworkAllowance = NetworkAllowance { at_once: 60, every: Duration::from_millis(8) };

/// One after the other, so the last of those that come at once waits for half a second: a third of what call-control does.
const EVERYONE: NetworkAllowance = NetworkAllowance { at_once: 100, every: Duration::from_millis(5) };

/// How long a network counts as known after a valid seal. Call-control asks after each call every fifteen to twenty seconds.
const KNOWN_FOR: Duration = Duration::from_secs(10 * 60);

/// How many networks are known at most. The one whose last seal is oldest is forgotten first.
const MOST_KNOWN: usize = 256;

/// A token bucket, as the time at which it will be full again.
#[derive(Debug, Clone, Copy)]
struct NetworkAllowance {
    at_once: u32,
    every: Duration,
}

/// What is used of each allowance.
#[derive(Debug, Default)]
pub(super) struct ConnectionLimits {
    everyone: Option<Instant>,
    strangers: Option<Instant>,
    /// By address and prefix length. Those that are full again are dropped, so there are never more than a few hundred.
    networks: BTreeMap<(IpAddr, u8), Instant>,
    /// When each known network last showed a valid seal.
    known: BTreeMap<(IpAddr, u8), Instant>,
}

impl ConnectionLimits {
    /// When a connection's handshake begins; `None` if the connection is to be dropped.
    pub(super) fn admit(&mut self, from: IpAddr, now: Instant) -> Option<Instant> {
        let (host, network) = networks_of(from.to_canonical());
        let used = |network| self.networks.get(network).copied();
        let is_known = self.known.get(&network).is_some_and(|at| now.duration_since(*at) < KNOWN_FOR);
        let (a_host, a_network) = if is_known { (KNOWN_HOST, KNOWN_NETWORK) } else { (HOST, NETWORK) };
        let (of_host, of_network) = (a_host.take(used(&host), now)?, a_network.take(used(&network), now)?);
        let of_strangers = if is_known { self.strangers } else { Some(STRANGERS.take(self.strangers, now)?) };
        let of_everyone = EVERYONE.take(self.everyone, now)?;
        (self.everyone, self.strangers) = (Some(of_everyone), of_strangers);
        self.networks.retain(|_, full_at| *full_at > now);
        self.networks.extend([(host, of_host), (network, of_network)]);
        Some(of_everyone - EVERYONE.every)
    }

    /// Notes that a valid seal came from this address.
    pub(super) fn is_known(&mut self, from: IpAddr, now: Instant) {
        self.known.insert(networks_of(from.to_canonical()).1, now);
        if self.known.len() > MOST_KNOWN
            && let Some((&oldest, _)) = self.known.iter().min_by_key(|(_, at)| **at)
        {
            self.known.remove(&oldest);
        }
    }
}

impl NetworkAllowance {
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
    fn a_hundred_of_one_known_host_come_at_once_and_a_hundred_a_second() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        limits.is_known(ip("192.0.2.1"), start);

        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start), 100);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start + Duration::from_millis(500)), 50);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start + Duration::from_secs(60)), 100);
    }

    #[test]
    fn fifty_of_one_host_without_a_seal_come_at_once_and_fifty_a_second() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());

        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start), 50);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start + Duration::from_millis(500)), 25);
    }

    /// Two hosts in two networks once took all there was.
    #[test]
    fn strangers_from_everywhere_leave_a_reserve_for_a_known_network() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        limits.is_known(ip("203.0.113.1"), start);
        let mut kept_out = 0;
        for ms in 0..5_000 {
            let now = start + Duration::from_millis(ms);
            for network in 0..20 {
                admitted(&mut limits, &format!("198.51.{network}.1"), 1, now);
            }
            if ms % 50 == 0 {
                let begins_at = limits.admit(ip("203.0.113.2"), now);
                kept_out += usize::from(begins_at.is_none_or(|at| at - now > Duration::from_millis(500)));
            }
        }

        assert_eq!(kept_out, 0, "of a hundred from the known network");
        let at_once = admitted(&mut limits, "203.0.113.1", 100, start + Duration::from_secs(5));
        assert!(at_once >= 35, "{at_once}");
    }

    #[test]
    fn a_network_is_known_for_ten_minutes_after_its_last_seal() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        limits.is_known(ip("203.0.113.1"), start);
        let mut come_among_strangers_at = |now| {
            (0..100).for_each(|n| _ = admitted(&mut limits, &format!("198.51.{n}.1"), 1, now));
            admitted(&mut limits, "203.0.113.2", 1, now)
        };

        assert_eq!(come_among_strangers_at(start + KNOWN_FOR - Duration::from_millis(1)), 1);
        assert_eq!(come_among_strangers_at(start + KNOWN_FOR + Duration::from_secs(1)), 0);
    }

    #[test]
    fn of_too_many_known_networks_the_oldest_is_forgotten() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        for n in 0..1_000_u32 {
            limits.is_known(ip_of_network(n), start + Duration::from_millis(n.into()));
        }

        assert_eq!(limits.known.len(), MOST_KNOWN);
        assert!(limits.known.keys().all(|(ip, _)| *ip >= ip_of_network(1_000 - MOST_KNOWN as u32)));
    }

    #[test]
    fn a_flood_from_one_host_leaves_room_for_its_neighbours() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        for ms in 0..5_000 {
            admitted(&mut limits, "192.0.2.2", 10, start + Duration::from_millis(ms));
        }

        let neighbours = admitted(&mut limits, "192.0.2.1", 100, start + Duration::from_secs(5));

        assert!(neighbours >= 35, "{neighbours}");
    }

    #[test]
    fn a_flood_from_one_network_leaves_room_for_others() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        for ms in 0..5_000 {
            let hosts = (0..10).map(|host| format!("192.0.2.{host}"));
            hosts.for_each(|host| _ = admitted(&mut limits, &host, 10, start + Duration::from_millis(ms)));
        }

        let others = admitted(&mut limits, "198.51.100.1", 100, start + Duration::from_secs(5));

        assert!(others >= 45, "{others}");
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_host() {
        let (mut limits, now) = (ConnectionLimits::default(), Instant::now());
        let addresses = (0..1_000).map(|n| format!("2001:db8:0:1::{n:x}"));
        let admitted: usize = addresses.map(|ip| admitted(&mut limits, &ip, 1, now)).sum();

        assert_eq!(admitted, 50);
        assert_eq!(
            networks_of("2001:db8:0:1ff::1".parse().unwrap()).1,
            networks_of("2001:db8:0:100::2".parse().unwrap()).1
        );
    }

    #[test]
    fn an_ipv4_address_is_the_same_on_a_socket_for_both_versions() {
        let (mut limits, now) = (ConnectionLimits::default(), Instant::now());
        limits.is_known(ip("::ffff:192.0.2.1"), now);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, now), 100);

        assert_eq!(admitted(&mut limits, "::ffff:192.0.2.1", 1_000, now), 0);
    }

    #[test]
    fn handshakes_begin_one_after_the_other_within_half_a_second() {
        let (mut limits, now) = (ConnectionLimits::default(), Instant::now());
        (0..200).for_each(|n| limits.is_known(ip_of_network(n), now));

        let begin: Vec<_> = (0..200).filter_map(|n| limits.admit(ip_of_network(n), now)).collect();

        assert_eq!((begin.len(), begin[0]), (100, now));
        assert!(begin.windows(2).all(|two| two[1] - two[0] == EVERYONE.every));
        assert!(begin[99] - now < Duration::from_millis(500));
    }

    #[test]
    fn networks_that_come_no_more_are_forgotten() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        for n in 0..100_000_u32 {
            limits.admit(ip_of_network(n), start + Duration::from_millis(n.into()));
        }

        assert!(limits.networks.len() < 1_000, "{}", limits.networks.len());
    }

    fn admitted(limits: &mut ConnectionLimits, from: &str, come: usize, now: Instant) -> usize {
        let from = ip(from);
        (0..come).filter(|_| limits.admit(from, now).is_some()).count()
    }

    fn ip(address: &str) -> IpAddr {
        address.parse().expect("it is an address")
    }

    fn ip_of_network(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(n << 8).into()
    }
}
