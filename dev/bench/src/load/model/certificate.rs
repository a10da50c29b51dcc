//! A certificate for loopback that lives as long as the process.

use anyhow::Context;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// A self-signed certificate for 127.0.0.1, ready to serve with.
pub(crate) struct Certificate {
    pub(crate) config: Arc<ServerConfig>,
    /// For clients that are to trust it.
    pub(crate) pem: String,
}

impl Certificate {
    pub(crate) fn make() -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .context("cannot use the certificate that was just made")?;
        Ok(Self { config: Arc::new(config), pem: made.cert.pem() })
    }
}
