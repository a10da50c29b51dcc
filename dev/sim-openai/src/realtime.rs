//! The simulator itself: listens on loopback and answers for what happened.

use crate::session_registry::SessionRegistry;
use crate::sip::{Exchange, Trunk};
use crate::socket::serve;
use crate::{Config, Observation, ResponsesRequest, SessionReport};
use anyhow::Context;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tracing::{info, warn};

/// How much an unread socket takes, bytes: less than a second of sound, so that a held client feels it.
const UNREAD: u32 = 32 * 1024;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// A simulated Realtime API. It stops when it is dropped.
#[derive(Debug)]
pub struct Realtime {
    address: SocketAddr,
    registry: Arc<SessionRegistry>,
    exchange: Arc<Exchange>,
    listening: JoinSet<()>,
}

impl Realtime {
    /// Listens on 127.0.0.1, on a port of the system's choice.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::start_at(config, (Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Listens on the address.
    pub async fn start_at(config: Config, address: SocketAddr) -> anyhow::Result<Self> {
        let listener = bind(address).with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr().context("a bound socket has an address")?;
        let registry = Arc::new(SessionRegistry::new(config));
        info!(%address, "The Realtime API is simulated at ws://{address}/v1/realtime");
        let exchange = Arc::new(Exchange::new(registry.clone())?);
        let listening = JoinSet::from_iter([listen(listener, registry.clone(), exchange.clone())]);
        Ok(Self { address, registry, exchange, listening })
    }

    /// `ws://127.0.0.1:<port>/v1/realtime`; the client adds `?model=`.
    pub fn url(&self) -> String {
        format!("ws://{}/v1/realtime", self.address)
    }

    /// `http://127.0.0.1:<port>/v1`, the base of requests about calls.
    pub fn rest_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The carrier's trunk, which places telephone calls.
    pub fn trunk(&self) -> Trunk {
        Trunk { exchange: self.exchange.clone() }
    }

    /// What happened so far in each session, in the order they began. Connections refused at the upgrade have none.
    pub fn sessions(&self) -> Vec<SessionReport> {
        self.registry.reports()
    }

    /// What the Responses API was asked for so far, in order.
    pub fn responses(&self) -> Vec<ResponsesRequest> {
        self.registry.responses.all()
    }

    /// How many TCP connections there have been, also those turned away.
    pub fn connections(&self) -> usize {
        self.registry.connections()
    }

    /// What is seen from now on, in all sessions. What was seen before is in [`Realtime::sessions`].
    pub fn subscribe(&self) -> broadcast::Receiver<Observation> {
        self.registry.subscribe()
    }

    /// Lets in another API key from now on, and the old one no more. Who is in stays.
    pub fn set_key(&self, key: impl Into<String>) {
        self.registry.set_key(key.into());
    }

    /// Holds every connection for this duration: nothing is read or written, and nothing is lost.
    pub fn hold_sockets(&self, lasts: Duration) {
        self.registry.hold(lasts);
    }

    /// Breaks all connections and stops listening.
    pub async fn stop(mut self) {
        self.exchange.stop();
        self.listening.shutdown().await;
    }
}

impl Drop for Realtime {
    fn drop(&mut self) {
        self.exchange.stop();
    }
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // What a connection can take is settled by its listener.
    socket.set_recv_buffer_size(UNREAD)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves every connection. The sessions end with it, as the set that holds them is dropped.
async fn listen(listener: TcpListener, registry: Arc<SessionRegistry>, exchange: Arc<Exchange>) {
    let mut sessions = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = registry.count_connection();
                let (registry, exchange) = (registry.clone(), exchange.clone());
                sessions.spawn(async move { serve(stream, connection, &registry, &exchange).await });
            }
            Err(error) => warn!(%error, "Could not accept a connection: {error}"),
        }
        while sessions.try_join_next().is_some() {}
    }
}
