//! Decides which connections may begin a TLS handshake, and when: a rate limiter of token buckets. Anyone on the internet can
//! connect to the control API, and many handshakes at once would be heard as a gap in every call.
//!
//! A host, its network, all networks without a recent valid signature, and all networks together each have an allowance, which
//! refills with time. A connection beyond one of them is dropped and counts towards none. What unauthenticated networks may not
//! use is a reserve for authenticated ones: unauthenticated connections alone, however many, never keep call-control's next one
//! out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

/// The allowance of a host in an authenticated network. A hundred sandboxes of call-control may share an address, and connect at
/// once.
const AUTHENTICATED_HOST: NetworkAllowance =
    NetworkAllowance { burst: 100, interval: Duration::from_millis(10) };
const AUTHENTICATED_NETWORK: NetworkAllowance =
    NetworkAllowance { burst: 125, interval: Duration::from_millis(8) };

const HOST: NetworkAllowance = NetworkAllowance { burst: 50, interval: Duration::from_millis(20) };
const NETWORK: NetworkAllowance = NetworkAllowance { burst: 60, interval: Duration::from_millis(12) };

/// The allowance of all networks without a recent valid signature: 125 of the 200 handshakes a second, and 60 of the 100 places
/// in the queue.
const UNAUTHENTICATED: NetworkAllowance = NetworkAllowance { burst: 60, interval: Duration::from_millis(8) };

/// The allowance of all networks together. Handshakes run one after the other, so the last of a burst waits for half a second: a
/// third of what call-control waits.
const ALL_NETWORKS: NetworkAllowance = NetworkAllowance { burst: 100, interval: Duration::from_millis(5) };

/// How long a network counts as authenticated after a valid signature. Call-control asks after each call every fifteen to twenty
/// seconds.
const AUTHENTICATED_FOR: Duration = Duration::from_secs(10 * 60);

/// How many networks are remembered as authenticated. The one whose last signature is oldest is dropped first.
const MAX_AUTHENTICATED: usize = 256;

/// A token bucket, whose state is the time at which it will be full again.
#[derive(Debug, Clone, Copy)]
struct NetworkAllowance {
    burst: u32,
    interval: Duration,
}

/// The state of every token bucket.
#[derive(Debug, Default)]
pub(super) struct ConnectionLimits {
    all_networks: Option<Instant>,
    unauthenticated: Option<Instant>,
    /// By address and prefix length. Full buckets are dropped, so there are never more than a few hundred.
    networks: BTreeMap<(IpAddr, u8), Instant>,
    /// When each network last sent a valid signature.
    authenticated: BTreeMap<(IpAddr, u8), Instant>,
}

impl ConnectionLimits {
    /// Returns when a connection's handshake may begin; `None` drops the connection.
    pub(super) fn admit(&mut self, from: IpAddr, now: Instant) -> Option<Instant> {
        let (host, network) = networks_of(from.to_canonical());
        let used = |network| self.networks.get(network).copied();
        let is_authenticated =
            self.authenticated.get(&network).is_some_and(|at| now.duration_since(*at) < AUTHENTICATED_FOR);
        let (host_limit, network_limit) =
            if is_authenticated { (AUTHENTICATED_HOST, AUTHENTICATED_NETWORK) } else { (HOST, NETWORK) };
        let (of_host, of_network) =
            (host_limit.take(used(&host), now)?, network_limit.take(used(&network), now)?);
        let of_unauthenticated = if is_authenticated {
            self.unauthenticated
        } else {
            Some(UNAUTHENTICATED.take(self.unauthenticated, now)?)
        };
        let of_all = ALL_NETWORKS.take(self.all_networks, now)?;
        (self.all_networks, self.unauthenticated) = (Some(of_all), of_unauthenticated);
        self.networks.retain(|_, full_at| *full_at > now);
        self.networks.extend([(host, of_host), (network, of_network)]);
        Some(of_all - ALL_NETWORKS.interval)
    }

    /// Notes that a valid signature came from this address.
    pub(super) fn note_authenticated(&mut self, from: IpAddr, now: Instant) {
        self.authenticated.insert(networks_of(from.to_canonical()).1, now);
        if self.authenticated.len() > MAX_AUTHENTICATED
            && let Some((&oldest, _)) = self.authenticated.iter().min_by_key(|(_, at)| **at)
        {
            self.authenticated.remove(&oldest);
        }
    }
}

impl NetworkAllowance {
    /// Returns when the bucket is full again once one token is taken; `None` if none is left.
    fn take(self, full_at: Option<Instant>, now: Instant) -> Option<Instant> {
        let full_at = full_at.map_or(now, |at| at.max(now)) + self.interval;
        (full_at - now <= self.interval * self.burst).then_some(full_at)
    }
}

/// Returns the host and its network, with prefix lengths. A host with one IPv6 address has a /64 of them, and a customer often a
/// /56.
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
    fn an_authenticated_host_connects_a_hundred_times_a_second() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        limits.note_authenticated(ip("192.0.2.1"), start);

        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start), 100);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start + Duration::from_millis(500)), 50);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start + Duration::from_secs(60)), 100);
    }

    #[test]
    fn an_unauthenticated_host_connects_fifty_times_a_second() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());

        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start), 50);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, start + Duration::from_millis(500)), 25);
    }

    /// Two hosts in two networks once used up the whole allowance.
    #[test]
    fn unauthenticated_networks_leave_a_reserve_for_an_authenticated_one() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        limits.note_authenticated(ip("203.0.113.1"), start);
        let mut rejected = 0;
        for ms in 0..5_000 {
            let now = start + Duration::from_millis(ms);
            for network in 0..20 {
                admitted(&mut limits, &format!("198.51.{network}.1"), 1, now);
            }
            if ms % 50 == 0 {
                let begins_at = limits.admit(ip("203.0.113.2"), now);
                rejected += usize::from(begins_at.is_none_or(|at| at - now > Duration::from_millis(500)));
            }
        }

        assert_eq!(rejected, 0, "of a hundred from the authenticated network");
        let burst = admitted(&mut limits, "203.0.113.1", 100, start + Duration::from_secs(5));
        assert!(burst >= 35, "{burst}");
    }

    #[test]
    fn a_network_counts_as_authenticated_for_ten_minutes() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        limits.note_authenticated(ip("203.0.113.1"), start);
        let mut admitted_among_others_at = |now| {
            (0..100).for_each(|n| _ = admitted(&mut limits, &format!("198.51.{n}.1"), 1, now));
            admitted(&mut limits, "203.0.113.2", 1, now)
        };

        assert_eq!(admitted_among_others_at(start + AUTHENTICATED_FOR - Duration::from_millis(1)), 1);
        assert_eq!(admitted_among_others_at(start + AUTHENTICATED_FOR + Duration::from_secs(1)), 0);
    }

    #[test]
    fn the_oldest_of_too_many_authenticated_networks_is_dropped() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        for n in 0..1_000_u32 {
            limits.note_authenticated(ip_of_network(n), start + Duration::from_millis(n.into()));
        }

        assert_eq!(limits.authenticated.len(), MAX_AUTHENTICATED);
        assert!(
            limits.authenticated.keys().all(|(ip, _)| *ip >= ip_of_network(1_000 - MAX_AUTHENTICATED as u32))
        );
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
    fn addresses_of_one_ipv6_64_count_as_one_host() {
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
    fn an_ipv4_mapped_address_counts_as_its_ipv4_address() {
        let (mut limits, now) = (ConnectionLimits::default(), Instant::now());
        limits.note_authenticated(ip("::ffff:192.0.2.1"), now);
        assert_eq!(admitted(&mut limits, "192.0.2.1", 1_000, now), 100);

        assert_eq!(admitted(&mut limits, "::ffff:192.0.2.1", 1_000, now), 0);
    }

    #[test]
    fn handshakes_begin_one_after_the_other_within_half_a_second() {
        let (mut limits, now) = (ConnectionLimits::default(), Instant::now());
        (0..200).for_each(|n| limits.note_authenticated(ip_of_network(n), now));

        let begin: Vec<_> = (0..200).filter_map(|n| limits.admit(ip_of_network(n), now)).collect();

        assert_eq!((begin.len(), begin[0]), (100, now));
        assert!(begin.windows(2).all(|two| two[1] - two[0] == ALL_NETWORKS.interval));
        assert!(begin[99] - now < Duration::from_millis(500));
    }

    #[test]
    fn idle_networks_are_dropped() {
        let (mut limits, start) = (ConnectionLimits::default(), Instant::now());
        for n in 0..100_000_u32 {
            limits.admit(ip_of_network(n), start + Duration::from_millis(n.into()));
        }

        assert!(limits.networks.len() < 1_000, "{}", limits.networks.len());
    }

    fn admitted(limits: &mut ConnectionLimits, from: &str, attempts: usize, now: Instant) -> usize {
        let from = ip(from);
        (0..attempts).filter(|_| limits.admit(from, now).is_some()).count()
    }

    fn ip(address: &str) -> IpAddr {
        address.parse().expect("it is an address")
    }

    fn ip_of_network(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(n << 8).into()
    }
}
