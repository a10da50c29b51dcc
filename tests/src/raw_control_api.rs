//! Knocking at a media task's door by hand: sealed or not, whole or in part.

use crate::Story;
use internal_api::lease::Lease;
use internal_api::request_signature::{NONCE, SIGNATURE, SignedRequest, TIME};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// A request for the door, of bytes.
#[derive(Debug, Clone)]
pub struct Knock {
    method: &'static str,
    path: String,
    nonce: String,
    time_ms: u64,
    body: Vec<u8>,
    seal: Option<String>,
}

impl Knock {
    /// Asks after a call, sealed with this key, now.
    pub fn asking_after(call_ref: &str, key: &str) -> Self {
        let nonce = format!("by hand {call_ref} {:?}", std::time::Instant::now());
        let path = internal_api::control_api::path_of(call_ref);
        let now = service::time::now_ms();
        let knock = Self { method: "GET", path, nonce, time_ms: now, body: vec![], seal: None };
        knock.sealed(key)
    }

    /// The same, of so many seconds ago.
    #[must_use]
    pub fn of_seconds_ago(mut self, seconds: u64, key: &str) -> Self {
        self.time_ms -= seconds * 1_000;
        self.sealed(key)
    }

    /// The same, of so many seconds from now.
    #[must_use]
    pub fn in_seconds(mut self, seconds: u64, key: &str) -> Self {
        self.time_ms += seconds * 1_000;
        self.sealed(key)
    }

    /// The same with another body, sealed.
    #[must_use]
    pub fn saying(mut self, body: Vec<u8>, key: &str) -> Self {
        (self.method, self.body) = ("POST", body);
        self.sealed(key)
    }

    /// The same request under the same seal, but about another call.
    #[must_use]
    pub fn altered(mut self) -> Self {
        self.path = internal_api::control_api::path_of("another");
        self
    }

    /// The same without a seal.
    #[must_use]
    pub fn without_seal(self) -> Self {
        Self { seal: None, ..self }
    }

    /// Knocks on a connection of its own: the status, and everything that was said.
    pub async fn at(&self, lease: &Lease) -> (u16, String) {
        let mut stream = connect(lease).await;
        // A door that has heard enough may close while this is still being said.
        let _ = stream.write_all(&self.bytes()).await;
        let _ = stream.flush().await;
        let mut said = vec![];
        let _ = stream.read_to_end(&mut said).await;
        let said = String::from_utf8_lossy(&said).into_owned();
        let status = said.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        (status, said)
    }

    /// What goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: door\r\nconnection: close\r\n", self.method, self.path);
        head += &format!("{TIME}: {}\r\n{NONCE}: {}\r\n", self.time_ms, self.nonce);
        head += &format!("content-length: {}\r\n", self.body.len());
        if let Some(seal) = &self.seal {
            head += &format!("{SIGNATURE}: {seal}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }

    fn sealed(mut self, key: &str) -> Self {
        let sealed = SignedRequest {
            time_ms: self.time_ms,
            nonce: &self.nonce,
            method: self.method,
            path: &self.path,
            body: &self.body,
        };
        self.seal = Some(sealed.sign(key.as_bytes()));
        self
    }
}

impl Story {
    /// Where the one media task's door is, and what certificate it shows.
    pub async fn door(&self) -> Lease {
        let leases = self.stack.ledger.ready_tasks().await.expect("the table can be read");
        leases.into_iter().next().expect("a media task is ready")
    }

    /// What seals requests at the door.
    pub fn door_key(&self) -> String {
        let secret = &self.stack.secrets["media"]["door_key"];
        secret.as_str().expect("it is a text").to_owned()
    }
}

/// A connection to a control API, whose certificate is not checked.
pub async fn connect(lease: &Lease) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(&lease.door).await.expect("the door takes connections");
    let name = ServerName::try_from("media-task").expect("it is a name");
    TlsConnector::from(trusting()).connect(name, stream).await.expect("the door shakes hands")
}

/// A client that does not care who opens.
pub fn trusting() -> Arc<ClientConfig> {
    Arc::new(service::tls::client(|_certificate| true).expect("the provider speaks TLS"))
}
