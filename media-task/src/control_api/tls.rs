//! The control API's TLS: a self-signed certificate that lives as long as the task. Its hash is in the task's lease, where
//! call-control reads which one to expect.

use anyhow::Context;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// A self-signed certificate and its key.
pub(crate) struct Certificate {
    config: Arc<ServerConfig>,
    /// Hex SHA-256 of the certificate.
    pub pin: String,
}

impl Certificate {
    /// Generates a key and a certificate for it.
    ///
    /// # Errors
    /// When the operating system gives no randomness, or rustls does not take the certificate.
    pub(crate) fn make() -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["media-task".to_owned()])
            .context("cannot make a certificate")?;
        let certificate = CertificateDer::from(made.cert.der().to_vec());
        let pin = hex::encode(Sha256::digest(&certificate));
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate], key))
            .context("cannot use the certificate that was just made")?;
        Ok(Self { config: Arc::new(config), pin })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }
}
