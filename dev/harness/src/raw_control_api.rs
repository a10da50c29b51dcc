//! Control API requests written by hand: signed or not, whole or in part.

use crate::Story;
use call::CallRef;
use internal_api::request_signature::{NONCE, SIGNATURE, SignedRequest, TIME};
use std::sync::Arc;
use store::lease::Lease;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// A request to the control API, as bytes.
#[derive(Debug, Clone)]
pub struct RawRequest {
    method: &'static str,
    path: String,
    nonce: String,
    time_ms: u64,
    body: Vec<u8>,
    signature: Option<String>,
}

impl RawRequest {
    /// Asks whether the task has this call, signed with this key, now.
    pub fn about(call_ref: &CallRef, key: &str) -> Self {
        let nonce = format!("by hand {call_ref} {:?}", std::time::Instant::now());
        let path = internal_api::control_api::path_of(call_ref);
        let now = service::time::now_ms();
        let request = Self { method: "GET", path, nonce, time_ms: now, body: vec![], signature: None };
        request.signed(key)
    }

    /// The same, of so many seconds ago.
    #[must_use]
    pub fn of_seconds_ago(mut self, seconds: u64, key: &str) -> Self {
        self.time_ms -= seconds * 1_000;
        self.signed(key)
    }

    /// The same, of so many seconds from now.
    #[must_use]
    pub fn in_seconds(mut self, seconds: u64, key: &str) -> Self {
        self.time_ms += seconds * 1_000;
        self.signed(key)
    }

    /// The same with another body, signed.
    #[must_use]
    pub fn saying(mut self, body: Vec<u8>, key: &str) -> Self {
        (self.method, self.body) = ("POST", body);
        self.signed(key)
    }

    /// The same request with the same signature, but about another call.
    #[must_use]
    pub fn altered(mut self) -> Self {
        self.path = internal_api::control_api::path_of(&"another".into());
        self
    }

    /// The same without a signature.
    #[must_use]
    pub fn unsigned(self) -> Self {
        Self { signature: None, ..self }
    }

    /// Sends it on a connection of its own; returns the status and the whole reply.
    pub async fn at(&self, lease: &Lease) -> (u16, String) {
        let mut stream = connect(lease).await;
        // The control API may close the connection while this is still being sent.
        let _ = stream.write_all(&self.bytes()).await;
        let _ = stream.flush().await;
        let mut said = vec![];
        let _ = stream.read_to_end(&mut said).await;
        let said = String::from_utf8_lossy(&said).into_owned();
        let status = said.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        (status, said)
    }

    /// Returns the bytes of the request.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: task\r\nconnection: close\r\n", self.method, self.path);
        head += &format!("{TIME}: {}\r\n{NONCE}: {}\r\n", self.time_ms, self.nonce);
        head += &format!("content-length: {}\r\n", self.body.len());
        if let Some(signature) = &self.signature {
            head += &format!("{SIGNATURE}: {signature}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }

    fn signed(mut self, key: &str) -> Self {
        let signed = SignedRequest {
            time_ms: self.time_ms,
            nonce: &self.nonce,
            method: self.method,
            path: &self.path,
            body: &self.body,
        };
        self.signature = Some(signed.sign(key.as_bytes()));
        self
    }
}

impl Story {
    /// Returns the lease of the one media task.
    pub async fn media_lease(&self) -> Lease {
        let leases = self.stack.store.ready_tasks().await.expect("the table can be read");
        leases.into_iter().next().expect("a media task is ready")
    }

    /// Returns the key that signs control API requests.
    pub fn control_api_key(&self) -> String {
        let secret = &self.stack.secrets["media"]["door_key"];
        secret.as_str().expect("it is a text").to_owned()
    }
}

/// Connects to a control API without checking its certificate.
pub async fn connect(lease: &Lease) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(&lease.door).await.expect("the control API accepts connections");
    let name = ServerName::try_from("media-task").expect("it is a name");
    TlsConnector::from(trusting()).connect(name, stream).await.expect("the handshake succeeds")
}

/// Returns a TLS client that accepts any certificate.
pub fn trusting() -> Arc<ClientConfig> {
    Arc::new(service::tls::client(|_certificate| true).expect("the provider speaks TLS"))
}
