//! A server that answers by TLS with a certificate of its own, and speaks no SIP.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::path::Path;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

pub(crate) struct SipServer {
    port: u16,
    certificate: String,
    serving: JoinHandle<()>,
}

impl SipServer {
    /// Listens with a certificate for this name.
    pub(crate) async fn start(name: &str) -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let certificate = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sip-server-{port}.pem"));
        std::fs::write(&certificate, cert.pem()).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        assert_eq!(stream.read(&mut [0]).await.unwrap_or_default(), 0, "nothing is said");
                    }
                });
            }
        });
        Self { port, certificate: certificate.to_str().unwrap().to_owned(), serving }
    }

    /// Returns its address, by the machine's own name.
    pub(crate) fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Returns the file of its certificate.
    pub(crate) fn certificate(&self) -> String {
        self.certificate.clone()
    }
}

impl Drop for SipServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
