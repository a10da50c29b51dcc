//! The simulator itself: listens on loopback and answers for what happened.

use crate::desk::Desk;
use crate::socket::serve;
use crate::{Config, Observation, SessionReport};
use anyhow::Context;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

/// A simulated Realtime API. It stops when it is dropped.
#[derive(Debug)]
pub struct Realtime {
    address: SocketAddr,
    desk: Arc<Desk>,
    listening: JoinHandle<()>,
}

impl Realtime {
    /// Listens on 127.0.0.1, on a port of the system's choice.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::start_at(config, (Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Listens on the address.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start_at(config: Config, address: SocketAddr) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr().context("a bound socket has an address")?;
        let desk = Arc::new(Desk::new(config));
        info!(%address, "The Realtime API is simulated at ws://{address}/v1/realtime");
        let listening = tokio::spawn(listen(listener, desk.clone()));
        Ok(Self { address, desk, listening })
    }

    /// `ws://127.0.0.1:<port>/v1/realtime`; the client adds `?model=`.
    pub fn url(&self) -> String {
        format!("ws://{}/v1/realtime", self.address)
    }

    /// What happened so far in each session, in the order they began. Connections turned away at the door have none.
    pub fn sessions(&self) -> Vec<SessionReport> {
        self.desk.reports()
    }

    /// How many TCP connections there have been, also those turned away.
    pub fn connections(&self) -> usize {
        self.desk.connections()
    }

    /// What is seen from now on, in all sessions. What was seen before is in [`Realtime::sessions`].
    pub fn subscribe(&self) -> broadcast::Receiver<Observation> {
        self.desk.subscribe()
    }

    /// Breaks all connections and stops listening.
    pub async fn stop(mut self) {
        self.listening.abort();
        // It ends as cancelled: that is what was asked for.
        let _cancelled = (&mut self.listening).await;
    }
}

impl Drop for Realtime {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Serves whoever connects. The sessions end with it, as the set that holds them is dropped.
async fn listen(listener: TcpListener, desk: Arc<Desk>) {
    let mut sessions = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = desk.count_connection();
                let desk = desk.clone();
                sessions.spawn(async move { serve(stream, connection, &desk).await });
            }
            Err(error) => warn!(%error, "Could not accept a connection: {error}"),
        }
        while sessions.try_join_next().is_some() {}
    }
}
