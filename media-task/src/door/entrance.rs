//! Connections at the door: each in a task of its own, which ends when its visitor has stayed too long or must make room.

use super::Door;
use super::doorstep::{Doorstep, Id};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Who says nothing within this is nobody: no hand is wasted on them.
const FIRST_WORD: Duration = Duration::from_secs(1);

/// So much of a request's head is read, bytes: ours are a tenth of it.
const LARGEST_HEAD: usize = 8 * 1024;

/// Where visitors come in.
pub(super) struct Entrance {
    door: Arc<Door>,
    acceptor: TlsAcceptor,
    here: Mutex<Here>,
    hand_held_out: Notify,
}

#[derive(Default)]
struct Here {
    step: Doorstep,
    connections: BTreeMap<Id, AbortHandle>,
    hands: BTreeMap<Id, oneshot::Sender<()>>,
}

/// One connection's place at the door. It is given back when this is dropped, however the connection ended.
pub(super) struct Visit {
    entrance: Arc<Entrance>,
    id: Id,
}

impl Entrance {
    pub(super) fn new(door: Arc<Door>, acceptor: TlsAcceptor) -> Arc<Self> {
        Arc::new(Self { door, acceptor, here: Mutex::default(), hand_held_out: Notify::new() })
    }

    /// Lets visitors in for ever. Dropped, it ends every connection.
    pub(super) async fn open(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let next_hands = self.shake_hands();
            let opens = self.lock().step.opens_at(Instant::now());
            tokio::select! {
                accepted = listener.accept(), if opens.is_none() => match accepted {
                    Ok((stream, from)) => self.receive(stream, from, &mut connections),
                    // Too many open files, most likely: some will close.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                () = self.hand_held_out.notified() => {}
                () = at(next_hands) => {}
                () = at(opens), if opens.is_some() => {}
                Some(_) = connections.join_next() => {}
            }
        }
    }

    fn receive(self: &Arc<Self>, stream: TcpStream, from: SocketAddr, connections: &mut JoinSet<()>) {
        let mut here = self.lock();
        let (id, goes) = here.step.handle_arrival(from.ip(), Instant::now());
        if let Some(connection) = goes.and_then(|goes| here.connections.remove(&goes)) {
            connection.abort();
        }
        let visit = Visit { entrance: self.clone(), id };
        here.connections.insert(id, connections.spawn(visit.stay(stream)));
    }

    /// When there may be hands to shake again.
    fn shake_hands(&self) -> Option<Instant> {
        let mut here = self.lock();
        while let Some(id) = here.step.poll_hand(Instant::now()) {
            if let Some(hand) = here.hands.remove(&id) {
                let _ = hand.send(());
            }
        }
        here.step.poll_timeout()
    }

    fn lock(&self) -> MutexGuard<'_, Here> {
        self.here.lock().expect("nothing panics while it holds this lock")
    }
}

impl Visit {
    /// Notes that this visitor has knocked with a seal.
    pub(super) fn is_known(&self) {
        self.entrance.lock().step.handle_seal(self.id, Instant::now());
    }

    async fn stay(self, stream: TcpStream) {
        tokio::select! {
            () = self.has_stayed_too_long() => {}
            _ = self.talk(stream) => {}
        }
    }

    async fn has_stayed_too_long(&self) {
        while let Some(until) = self.stays_until().filter(|until| *until > Instant::now()) {
            at(Some(until)).await;
        }
    }

    fn stays_until(&self) -> Option<Instant> {
        self.entrance.lock().step.stays_until(self.id)
    }

    /// `None` when it comes to nothing.
    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let first_word = tokio::time::timeout(FIRST_WORD, stream.peek(&mut [0])).await;
        first_word.ok()?.ok().filter(|bytes| *bytes > 0)?;
        self.hand_is_taken().await?;
        let stream = self.entrance.acceptor.accept(stream).await.ok()?;
        let answer =
            move |request| async move { Ok::<_, Infallible>(self.entrance.door.answer(self, request).await) };
        let mut http = http1::Builder::new();
        http.max_buf_size(LARGEST_HEAD);
        http.serve_connection(TokioIo::new(stream), service_fn(answer)).await.ok()
    }

    async fn hand_is_taken(&self) -> Option<()> {
        let (hand, taken) = oneshot::channel();
        {
            let mut here = self.entrance.lock();
            here.hands.insert(self.id, hand);
            here.step.handle_hand(self.id);
        }
        self.entrance.hand_held_out.notify_one();
        taken.await.ok()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut here = self.entrance.lock();
        here.step.handle_leaving(self.id);
        here.connections.remove(&self.id);
        here.hands.remove(&self.id);
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}
