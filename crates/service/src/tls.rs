//! TLS with certificate pinning, for the media tasks' control APIs: a self-signed certificate is trusted by its bytes, whatever name it
//! has.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// Returns the configuration of a TLS client that accepts the certificates (DER) for which `is_trusted` returns true, and no others. The
/// peer must still prove that it has the private key.
///
/// # Errors
/// Returns an error when the crypto provider supports no TLS version.
pub fn client(is_trusted: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(PinningVerifier { is_trusted, provider: provider.clone() });
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

struct PinningVerifier<F> {
    is_trusted: F,
    provider: Arc<CryptoProvider>,
}

impl<F: Fn(&[u8]) -> bool + Send + Sync> ServerCertVerifier for PinningVerifier<F> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if (self.is_trusted)(certificate) {
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

impl<F> fmt::Debug for PinningVerifier<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinningVerifier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_untrusted_certificate_is_refused() {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = PinningVerifier { is_trusted: |certificate: &[u8]| certificate == b"ours", provider };
        let verify = |certificate: &'static [u8]| {
            let (name, now) =
                (ServerName::try_from("task").unwrap(), UnixTime::since_unix_epoch(Duration::ZERO));
            verifier.verify_server_cert(&CertificateDer::from(certificate), &[], &name, &[], now)
        };

        assert!(verify(b"ours").is_ok());
        assert!(matches!(verify(b"theirs"), Err(Error::InvalidCertificate(_))));
    }
}
