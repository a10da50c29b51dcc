//! TLS to doors whose certificates no authority signed: a certificate is believed or not for what it is, whatever name it
//! bears.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// A TLS client that accepts the certificates (DER) that `believes` says it does, and no others. Whoever shows one must
/// still prove that it is theirs.
///
/// # Errors
/// When the provider speaks no TLS version.
pub fn client(believes: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier { believes, provider: provider.clone() });
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

struct Verifier<F> {
    believes: F,
    provider: Arc<CryptoProvider>,
}

impl<F: Fn(&[u8]) -> bool + Send + Sync> ServerCertVerifier for Verifier<F> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if (self.believes)(certificate) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl<F> fmt::Debug for Verifier<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_certificate_that_is_not_believed_is_refused() {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier { believes: |certificate: &[u8]| certificate == b"ours", provider };
        let shown = |certificate: &'static [u8]| {
            let (name, now) =
                (ServerName::try_from("door").unwrap(), UnixTime::since_unix_epoch(Duration::ZERO));
            verifier.verify_server_cert(&CertificateDer::from(certificate), &[], &name, &[], now)
        };

        assert!(shown(b"ours").is_ok());
        assert!(matches!(shown(b"theirs"), Err(Error::InvalidCertificate(_))));
    }
}
