//! Signs requests to an operator's system: HMAC-SHA256 over time, method, path with query, and body.
//!
//! The signed text is these four, with a line feed between them and none at the end. The time keeps a recorded request from being
//! replayed: a receiver refuses a time more than five minutes from its own clock.
//!
//! A second signature also covers the host, so that a request to one system is not valid at another that shares the secret. The
//! first stays unchanged for systems that verify it.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Request;
use reqwest::header::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use url::Position;

/// The header with the time of signing, in whole seconds since 1970.
pub(crate) const TIME: HeaderName = HeaderName::from_static("x-ahoy-time");
/// The header with the signature: `sha256=` and 64 hexadecimal digits.
pub(crate) const SIGNATURE: HeaderName = HeaderName::from_static("x-ahoy-signature");

/// The header with the signature that covers the host as well, in the same form.
pub(crate) const SIGNATURE_WITH_HOST: HeaderName = HeaderName::from_static("x-ahoy-signature-v2");

/// Adds the time and both signatures to a request whose URL and body are final.
pub fn sign(request: &mut Request, key: &SecretString, time_s: u64) {
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    let signed = SignedRequest {
        time_s,
        method: request.method().as_str(),
        host: &request.url()[Position::BeforeHost..Position::AfterPort],
        target: &request.url()[Position::BeforePath..Position::AfterQuery],
        body,
    };
    let key = key.expose_secret();
    let signatures =
        [(SIGNATURE, signed.signature(key)), (SIGNATURE_WITH_HOST, signed.signature_with_host(key))];
    for (name, signature) in signatures {
        let signature = signature.parse().expect("hexadecimal digits may be in a header");
        request.headers_mut().insert(name, signature);
    }
    request.headers_mut().insert(TIME, time_s.into());
}

/// The signed parts of a request.
#[derive(Clone, Copy)]
struct SignedRequest<'a> {
    /// The time of signing, in whole seconds since 1970.
    time_s: u64,
    /// The method, in capitals.
    method: &'a str,
    /// The host as in the `Host` header: with its port, unless that is the scheme's own.
    host: &'a str,
    /// Path and query as they are sent, percent-encoded.
    target: &'a str,
    /// The body as it is sent; empty if there is none.
    body: &'a [u8],
}

impl SignedRequest<'_> {
    /// Returns the value of the [`SIGNATURE`] header under `secret`.
    fn signature(&self, secret: &str) -> String {
        self.sign(secret, &format!("{}\n{}\n{}\n", self.time_s, self.method, self.target))
    }

    /// Returns the value of the [`SIGNATURE_WITH_HOST`] header under `secret`: with the host between method and path. A path
    /// begins with a slash and a host does not, so neither signature can pass for the other.
    fn signature_with_host(&self, secret: &str) -> String {
        let Self { time_s, method, host, target, .. } = self;
        self.sign(secret, &format!("{time_s}\n{method}\n{host}\n{target}\n"))
    }

    fn sign(&self, secret: &str, head: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(head.as_bytes());
        mac.update(self.body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: SignedRequest<'static> = SignedRequest {
        time_s: 1_795_000_000,
        method: "POST",
        host: "shop.example",
        target: "/ahoy/orders?shop=2",
        body: br#"{"arguments":{"order":"A-17"}}"#,
    };

    #[test]
    fn openssl_makes_the_same_signature() {
        // printf '1795000000\nPOST\n/ahoy/orders?shop=2\n{"arguments":{"order":"A-17"}}' |
        //   openssl dgst -sha256 -hmac 'a secret of the shop'
        let expected = "sha256=a9d1ab22af3101dc846d72d5cfa80b13f29bca9500ff13cea916321abeafb6fd";

        assert_eq!(ORDER.signature("a secret of the shop"), expected);
    }

    #[test]
    fn openssl_makes_the_same_signature_with_the_host() {
        // printf '1795000000\nPOST\nshop.example\n/ahoy/orders?shop=2\n{"arguments":{"order":"A-17"}}' |
        //   openssl dgst -sha256 -hmac 'a secret of the shop'
        let expected = "sha256=ed37e9c2aa2323620450f221b15bcf5bdf460df978642fdfa4e2bb7e92c1aff6";

        assert_eq!(ORDER.signature_with_host("a secret of the shop"), expected);
    }

    #[test]
    fn only_the_second_signature_changes_with_the_host() {
        let other_host = SignedRequest { host: "bank.example", ..ORDER };

        assert_eq!(other_host.signature("secret"), ORDER.signature("secret"));
        assert_ne!(other_host.signature_with_host("secret"), ORDER.signature_with_host("secret"));
    }

    #[test]
    fn a_request_without_a_body_ends_in_a_line_feed() {
        // printf '1795000000\nGET\n/orders/A-17\n' | openssl dgst -sha256 -hmac 'a secret of the shop'
        let expected = "sha256=56d39f2b53d77aed8728b39312593ea1616d4000677419886f9063e14e5b1ffa";
        let order = SignedRequest { method: "GET", target: "/orders/A-17", body: b"", ..ORDER };

        assert_eq!(order.signature("a secret of the shop"), expected);
    }

    #[test]
    fn every_signed_part_changes_the_signature() {
        let signature = ORDER.signature("secret");

        assert_ne!(SignedRequest { time_s: 1, ..ORDER }.signature("secret"), signature);
        assert_ne!(SignedRequest { method: "PUT", ..ORDER }.signature("secret"), signature);
        assert_ne!(SignedRequest { target: "/", ..ORDER }.signature("secret"), signature);
        assert_ne!(SignedRequest { body: b"", ..ORDER }.signature("secret"), signature);
        assert_ne!(ORDER.signature("another"), signature);
    }
}
