//! The root certificates for TLS to the Realtime API: the web's, and any that an operator adds for their own gateway.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::Arc;
use tokio_tungstenite::Connector;

/// The root certificates that a server's must lead to. Clones share one set, and its resumable TLS sessions.
#[derive(Clone)]
pub struct TrustedRoots(Arc<ClientConfig>);

/// An error of adding root certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// The text is not valid PEM.
    #[error("it is not valid PEM")]
    Malformed,
    /// The text holds no certificate.
    #[error("it has no certificate")]
    Empty,
    /// A certificate cannot be a root; certificates count from 1.
    #[error("certificate {0} in it cannot be used")]
    Unusable(usize),
}

impl TrustedRoots {
    /// Returns the web's roots and the certificates in `pem`.
    ///
    /// # Errors
    /// Returns an error if the text is not PEM, holds no certificate, or holds one that cannot be a root.
    pub fn from_pem(pem: &str) -> Result<Self, RootsError> {
        let mut roots = web_roots();
        let mut added = 0;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            added += 1;
            let certificate = certificate.map_err(|_| RootsError::Malformed)?;
            roots.add(certificate).map_err(|_| RootsError::Unusable(added))?;
        }
        if added == 0 { Err(RootsError::Empty) } else { Ok(Self::of(roots)) }
    }

    /// Returns the roots as the WebSocket library takes them.
    pub(crate) fn connector(&self) -> Connector {
        Connector::Rustls(self.0.clone())
    }

    fn of(roots: RootCertStore) -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider speaks the default versions of TLS");
        Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

impl Default for TrustedRoots {
    /// Returns the web's roots.
    fn default() -> Self {
        Self::of(web_roots())
    }
}

impl fmt::Debug for TrustedRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedRoots").finish_non_exhaustive()
    }
}

fn web_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        assert_eq!(TrustedRoots::from_pem("").map(drop), Err(RootsError::Empty));
        assert_eq!(TrustedRoots::from_pem("just words").map(drop), Err(RootsError::Empty));
    }

    #[test]
    fn an_unusable_certificate_is_refused_by_its_number() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

        assert_eq!(TrustedRoots::from_pem(pem).map(drop), Err(RootsError::Unusable(1)));
    }
}
