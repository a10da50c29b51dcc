//! TLS that trusts one certificate: the one whose SHA-256 is in the task's lease.

use anyhow::Context;
use rustls::ClientConfig;
use service::tls;
use sha2::{Digest, Sha256};

/// Returns a TLS configuration that accepts the certificate with this hex SHA-256 under any host name, and no other certificate.
pub(super) fn tls(pin: &str) -> anyhow::Result<ClientConfig> {
    let pin = hex::decode(pin).context("the lease's certificate hash is not hex")?;
    tls::client(move |certificate| Sha256::digest(certificate).as_slice() == pin)
        .context("cannot configure TLS: the provider supports no TLS version")
}
