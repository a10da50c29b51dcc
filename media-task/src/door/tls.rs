//! TLS at the door, with a certificate that lives as long as the task. Its hash is in the task's lease.

use anyhow::Context;
use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// So many handshakes go on at once: whoever floods the door with them waits.
const HANDSHAKES: usize = 20;

/// So many connections are open at once, those that say nothing among them.
const CONNECTIONS: usize = 256;

/// Who says nothing within this is nobody.
const FIRST_WORD: Duration = Duration::from_secs(1);

/// So long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// A self-signed certificate, and its key.
pub struct Certificate {
    config: Arc<ServerConfig>,
    /// Hex SHA-256 of the certificate.
    pub pin: String,
}

impl Certificate {
    /// Makes one.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub fn make() -> anyhow::Result<Self> {
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
}

/// Connections whose handshake is done. Handshakes go on beside each other, so that a slow one holds nobody up.
pub struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Shakes hands with whoever connects to `listener`.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn new(listener: TcpListener, certificate: &Certificate) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (shaken, ready) = mpsc::channel(HANDSHAKES);
        tokio::spawn(shake_hands(listener, TlsAcceptor::from(certificate.config.clone()), shaken));
        Ok(Self { address, ready })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}

async fn shake_hands(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shaken: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let (room, hands) = (Arc::new(Semaphore::new(CONNECTIONS)), Arc::new(Semaphore::new(HANDSHAKES)));
    while let Ok(place) = room.clone().acquire_owned().await {
        let Ok((stream, from)) = listener.accept().await else {
            // Too many open files, most likely: some will close.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (acceptor, shaken, hands) = (acceptor.clone(), shaken.clone(), hands.clone());
        tokio::spawn(async move {
            let _place = place;
            // Idle connections must not hold up those who speak.
            let spoke = tokio::time::timeout(FIRST_WORD, stream.peek(&mut [0])).await;
            if !matches!(spoke, Ok(Ok(1))) {
                return;
            }
            let Ok(_hand) = hands.acquire().await else { return };
            if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                let _ = shaken.send((stream, from)).await;
            }
        });
    }
}
