//! SSRF protection: decides which hosts and addresses a request may go to. Only public ones, so that an agent file never becomes a
//! way into a private network.
//!
//! A name is resolved once, and the checked address is the one that is connected to: a name that resolves differently a moment
//! later (DNS rebinding) gains nothing.

use crate::OperatorHttpError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use url::{Host, Url};

/// The only name that may resolve to this machine, for an operator who tries an agent locally.
const LOCALHOST: &str = "localhost";

/// Checks that an agent may request this URL: its host is in `allowed`, and it is https unless the host is this machine.
///
/// What a name resolves to is checked later, by the client's resolver.
///
/// # Errors
/// When the host is not allowed, the URL is not https, or the host is an address that is not public.
pub fn check(url: &Url, allowed: &[String]) -> Result<(), OperatorHttpError> {
    let host = url.host_str().unwrap_or_default();
    let is_allowed = allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(host));
    let (is_local, is_reachable) = match url.host() {
        Some(Host::Domain(name)) => (name == LOCALHOST, true),
        Some(Host::Ipv4(address)) => (address.is_loopback(), is_public(address.into())),
        Some(Host::Ipv6(address)) => (address.is_loopback(), is_public(address.into())),
        None => (false, false),
    };
    match url.scheme() {
        "https" | "http" if is_allowed && is_local => Ok(()),
        "https" if is_allowed && is_reachable => Ok(()),
        "https" if is_allowed => Err(OperatorHttpError::Address),
        _ => Err(OperatorHttpError::Host),
    }
}

/// Resolves names, and refuses those that resolve to an address that is not public.
pub(crate) struct PublicResolver(Arc<dyn Resolve>);

impl PublicResolver {
    /// Creates a resolver that checks what `resolver` finds.
    pub(crate) fn over(resolver: Arc<dyn Resolve>) -> Self {
        Self(resolver)
    }
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_local = name.as_str() == LOCALHOST;
        let found = self.0.resolve(name);
        Box::pin(async move {
            let found: Vec<_> = found.await?.collect();
            let is_permitted =
                |found: &SocketAddr| if is_local { found.ip().is_loopback() } else { is_public(found.ip()) };
            // One non-public address among public ones is no accident to work around.
            if found.iter().all(is_permitted) {
                Ok(Box::new(found.into_iter()) as Addrs)
            } else {
                Err(NotPublic.into())
            }
        })
    }
}

/// Resolves names as this machine does.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an error comes from [`PublicResolver`].
pub(crate) fn is_not_public(error: &(dyn Error + 'static)) -> bool {
    error.is::<NotPublic>() || error.source().is_some_and(is_not_public)
}

#[derive(Debug, thiserror::Error)]
#[error("the name resolves to an address that is not public")]
struct NotPublic;

/// Whether an address is globally reachable, by IANA's special-purpose registries of 2026.
///
/// The standard library's `is_global` says the same, but is not stable yet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NON_PUBLIC_V4.iter().any(|(net, bits)| is_in_v4(address, *net, *bits)),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(address) => is_public(address.into()),
            None => is_in_v6(address, GLOBAL_V6) && !NON_PUBLIC_V6.iter().any(|net| is_in_v6(address, *net)),
        },
    }
}

/// IPv4 networks that are not public: this host, private, shared, link-local (cloud metadata), test, multicast, reserved.
const NON_PUBLIC_V4: [(Ipv4Addr, u32); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// IPv6's global unicast range; unique local (`fc00::/7`), link-local and multicast are outside.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The parts of [`GLOBAL_V6`] that are not public: protocols such as Teredo, documentation, 6to4.
const NON_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// The NAT64 prefix: IPv4 addresses as networks that have only IPv6 see them.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Returns the IPv4 address that an IPv6 address stands for, if any.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let translated = || Ipv4Addr::from_bits(address.to_bits() as u32);
    address.to_ipv4_mapped().or_else(|| is_in_v6(address, NAT64).then(translated))
}

fn is_in_v4(address: Ipv4Addr, net: Ipv4Addr, bits: u32) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (32 - bits) == 0
}

fn is_in_v6(address: Ipv6Addr, (net, bits): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_public() {
        for address in ["1.1.1.1", "52.94.236.248", "172.32.0.1", "2606:4700::1111", "64:ff9b::1.1.1.1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn no_private_or_reserved_address_is_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "100::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_host_must_be_allowed_and_https() {
        assert_eq!(checked("https://shop.example/orders"), Ok(()));
        assert_eq!(checked("https://SHOP.example:8443/orders"), Ok(()));
        assert_eq!(checked("http://shop.example/orders"), Err(OperatorHttpError::Host));
        assert_eq!(checked("https://shop.example.evil.example/"), Err(OperatorHttpError::Host));
        assert_eq!(checked("https://evil.example/?shop.example"), Err(OperatorHttpError::Host));
        assert_eq!(checked("https://shop.example@evil.example/"), Err(OperatorHttpError::Host));
        assert_eq!(checked("ftp://shop.example/"), Err(OperatorHttpError::Host));
        assert_eq!(checked("data:text/plain,shop.example"), Err(OperatorHttpError::Host));
    }

    #[test]
    fn an_allowed_loopback_host_needs_no_tls() {
        assert_eq!(checked("http://127.0.0.1:8080/"), Ok(()));
        assert_eq!(checked("http://2130706433/"), Ok(()));
        assert_eq!(checked("http://localhost/"), Ok(()));
        assert_eq!(checked("http://[::1]/"), Ok(()));
        assert_eq!(checked("http://127.0.0.2/"), Err(OperatorHttpError::Host));
    }

    #[test]
    fn a_non_public_address_is_refused_even_if_allowed() {
        assert_eq!(checked("https://169.254.169.254/latest/meta-data"), Err(OperatorHttpError::Address));
        assert_eq!(checked("https://[::ffff:7f00:1]/"), Err(OperatorHttpError::Address));
    }

    #[tokio::test]
    async fn a_name_with_one_non_public_address_is_refused() {
        let public = SocketAddr::from(([1, 1, 1, 1], 0));
        let inner = SocketAddr::from(([169, 254, 169, 254], 0));
        let here = SocketAddr::from(([127, 0, 0, 1], 0));

        assert_eq!(found("shop.example", &[public, public]).await, Some(2));
        assert_eq!(found("shop.example", &[public, inner]).await, None);
        assert_eq!(found("shop.example", &[here]).await, None);
        assert_eq!(found("localhost", &[here]).await, Some(1));
        assert_eq!(found("localhost", &[here, public]).await, None);
        assert_eq!(found("evil.localhost", &[here]).await, None);
    }

    /// Returns how many addresses the resolver gives for a name that resolves to `addresses`.
    async fn found(name: &str, addresses: &[SocketAddr]) -> Option<usize> {
        let resolver = PublicResolver::over(Arc::new(Fixed(addresses.to_vec())));
        resolver.resolve(name.parse().unwrap()).await.ok().map(Iterator::count)
    }

    struct Fixed(Vec<SocketAddr>);

    impl Resolve for Fixed {
        fn resolve(&self, _: Name) -> Resolving {
            let found = self.0.clone();
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }

    fn checked(url: &str) -> Result<(), OperatorHttpError> {
        let allowed =
            ["Shop.Example", "127.0.0.1", "localhost", "[::1]", "169.254.169.254", "[::ffff:7f00:1]"];
        check(&url.parse().unwrap(), &allowed.map(str::to_owned))
    }
}
