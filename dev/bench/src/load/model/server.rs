//! The server: TLS on loopback, one task for each session.

use super::certificate::Certificate;
use super::session::{self, Voice};
use super::speech::Speech;
use super::{Rhythm, SessionCounters};
use anyhow::Context;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A Realtime API for load. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Model {
    address: SocketAddr,
    pem: String,
    sessions: Sessions,
    begun: watch::Receiver<usize>,
    _listening: JoinSet<()>,
}

pub(crate) type SharedCounters = Arc<Mutex<SessionCounters>>;

/// The tallies of all sessions, in the order they began.
type Sessions = Arc<Mutex<Vec<SharedCounters>>>;

impl Model {
    pub(crate) async fn start(rhythm: Rhythm) -> anyhow::Result<Self> {
        let Certificate { config, pem } = Certificate::make()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for the model")?;
        let address = listener.local_addr()?;
        let sessions = Sessions::default();
        let (count, begun) = watch::channel(0);
        let voice = Arc::new(Voice { speech: Speech::of(&rhythm), rhythm });
        let shared = Shared { voice, sessions: sessions.clone(), count: Arc::new(count) };
        let listening = JoinSet::from_iter([shared.listen(listener, TlsAcceptor::from(config))]);
        Ok(Self { address, pem, sessions, begun, _listening: listening })
    }

    pub(crate) fn url(&self) -> String {
        format!("wss://{}/v1/realtime", self.address)
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) async fn begun(&self, sessions: usize) {
        let mut begun = self.begun.clone();
        // The listener, which counts, lives as long as we do.
        let _ = begun.wait_for(|count| *count >= sessions).await;
    }

    /// What each session counted since this was last asked, in the order they began.
    pub(crate) fn take(&self) -> Vec<SessionCounters> {
        lock(&self.sessions).iter().map(|session| lock(session).take()).collect()
    }
}

#[derive(Clone)]
struct Shared {
    voice: Arc<Voice>,
    sessions: Sessions,
    count: Arc<watch::Sender<usize>>,
}

impl Shared {
    /// Serves every connection. The sessions end with it.
    async fn listen(self, listener: TcpListener, acceptor: TlsAcceptor) {
        let mut serving = JoinSet::new();
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                serving.spawn(self.clone().serve(stream, acceptor.clone()));
            }
            while serving.try_join_next().is_some() {}
        }
    }

    async fn serve(self, stream: TcpStream, acceptor: TlsAcceptor) {
        if let Err(error) = self.converse(stream, acceptor).await {
            // The session's task sees that the channel is closed.
            tracing::debug!("A session broke: {error:#}");
        }
    }

    async fn converse(self, stream: TcpStream, acceptor: TlsAcceptor) -> anyhow::Result<()> {
        stream.set_nodelay(true)?;
        let stream = acceptor.accept(stream).await.context("no TLS")?;
        let socket = tokio_tungstenite::accept_async(stream).await.context("no upgrade")?;
        let counters = SharedCounters::default();
        let number = {
            let mut sessions = lock(&self.sessions);
            sessions.push(counters.clone());
            sessions.len()
        };
        self.count.send_replace(number);
        let held = session::hold(socket, number, &self.voice, &counters).await;
        lock(&counters).is_over = true;
        held
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
