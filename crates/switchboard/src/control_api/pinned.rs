//! TLS that trusts one certificate: the one whose hash is in the task's lease.

use anyhow::Context;
use rustls::ClientConfig;
use service::tls;
use sha2::{Digest, Sha256};

/// A TLS client that accepts the certificate with this hex SHA-256, whatever name it bears, and no other.
pub(super) fn tls(pin: &str) -> anyhow::Result<ClientConfig> {
    let pin = hex::decode(pin).context("a lease's pin is not hex")?;
    tls::client(move |certificate| Sha256::digest(certificate).as_slice() == pin)
        .context("the provider speaks no TLS version")
}
