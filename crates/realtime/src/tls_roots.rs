//! Whom a socket believes to be the Realtime API: the web's roots, and any that an operator adds for a gateway of their own.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::Arc;
use tokio_tungstenite::Connector;

/// The certificates that a server's must lead to. Clones share one set, and with it the sessions of TLS that can be
/// resumed.
#[derive(Clone)]
pub struct TrustedRoots(Arc<ClientConfig>);

/// Why certificates cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongRoots {
    /// The text is no PEM.
    #[error("it is not valid PEM")]
    Malformed,
    /// There is no certificate in it.
    #[error("it has no certificate")]
    Empty,
    /// What is in it cannot be a root.
    #[error("certificate {0} in it cannot be used")]
    Unusable(usize),
}

impl TrustedRoots {
    /// The web's roots, and the certificates in `pem`.
    ///
    /// # Errors
    /// When there is none in it, or one of them cannot be used.
    pub fn with(pem: &str) -> Result<Self, WrongRoots> {
        let mut roots = web();
        let mut added = 0;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            added += 1;
            let certificate = certificate.map_err(|_| WrongRoots::Malformed)?;
            roots.add(certificate).map_err(|_| WrongRoots::Unusable(added))?;
        }
        if added == 0 { Err(WrongRoots::Empty) } else { Ok(Self::of(roots)) }
    }

    /// As the socket takes it.
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
    /// The web's roots.
    fn default() -> Self {
        Self::of(web())
    }
}

impl fmt::Debug for TrustedRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

fn web() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        assert_eq!(TrustedRoots::with("").map(drop), Err(WrongRoots::Empty));
        assert_eq!(TrustedRoots::with("just words").map(drop), Err(WrongRoots::Empty));
    }

    #[test]
    fn what_is_no_certificate_is_refused_by_its_number() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

        assert_eq!(TrustedRoots::with(pem).map(drop), Err(WrongRoots::Unusable(1)));
    }
}
