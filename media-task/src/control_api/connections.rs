//! Connections at the door: accepted at once, and dropped or given a little time to show a valid seal.

use super::ControlApi;
use super::refusal_log::RefusalLog;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tokio_rustls::TlsAcceptor;

/// How long a connection may take to show a valid seal.
const STRANGERS_STAY: Duration = Duration::from_secs(3);

/// How long one that did is kept without another. Call-control asks after each call every fifteen to twenty seconds, and must
/// not need a new handshake for each.
const KNOWN_STAY: Duration = Duration::from_secs(60);

/// The largest head of a request, bytes: ours are a tenth of it.
const LARGEST_HEAD: usize = 8 * 1024;

/// Where a connection comes from, and how long it lasts.
pub(super) struct ControlConnection {
    pub(super) from: IpAddr,
    ends_at: Mutex<Instant>,
}

/// Accepts connections until dropped, which closes them all. It never stops accepting: a queue of strangers' connections in the
/// kernel would keep call-control's out.
pub(super) async fn accept(door: Arc<ControlApi>, listener: TcpListener, acceptor: TlsAcceptor) {
    let (mut dropped, mut connections) = (RefusalLog::default(), JoinSet::new());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => match door.admit_connection(from.ip(), Instant::now()) {
                    Some(begins_at) => {
                        let visit = ControlConnection::begin(from.ip(), begins_at);
                        connections.spawn(hold(door.clone(), stream, acceptor.clone(), visit, begins_at));
                    }
                    None => drop_at_once(stream, &mut dropped),
                },
                // Too many open files, most likely: some will close.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// With a reset, which leaves nothing of the connection behind.
fn drop_at_once(stream: TcpStream, dropped: &mut RefusalLog) {
    let _ = stream.set_zero_linger();
    if let Some(unsaid) = dropped.handle(Instant::now()) {
        tracing::warn!(
            unsaid,
            "Dropped a connection at the door: too many from its network, or from all; {unsaid} more since the last time"
        );
    }
}

async fn hold(
    door: Arc<ControlApi>,
    stream: TcpStream,
    acceptor: TlsAcceptor,
    visit: ControlConnection,
    begins_at: Instant,
) {
    let talk = async {
        sleep_until(begins_at.into()).await;
        let stream = acceptor.accept(stream).await.ok()?;
        let (door, visit) = (&door, &visit);
        let answer = move |request| async move { Ok::<_, Infallible>(door.answer(visit, request).await) };
        let mut http = http1::Builder::new();
        http.max_buf_size(LARGEST_HEAD);
        http.serve_connection(TokioIo::new(stream), service_fn(answer)).await.ok()
    };
    tokio::select! {
        () = visit.is_over() => {}
        _ = talk => {}
    }
}

impl ControlConnection {
    fn begin(from: IpAddr, at: Instant) -> Self {
        Self { from, ends_at: Mutex::new(at + STRANGERS_STAY) }
    }

    /// Notes that a request with a valid seal came.
    pub(super) fn is_known(&self, now: Instant) {
        *self.ends_at.lock().expect("nothing panics while it holds this lock") = now + KNOWN_STAY;
    }

    fn ends_at(&self) -> Instant {
        *self.ends_at.lock().expect("nothing panics while it holds this lock")
    }

    async fn is_over(&self) {
        while self.ends_at() > Instant::now() {
            sleep_until(self.ends_at().into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_lasts_three_seconds_and_a_minute_after_each_seal() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let visit = ControlConnection::begin(IpAddr::from([192, 0, 2, 1]), start);

        assert_eq!(visit.ends_at(), start + 3 * second);
        visit.is_known(start + second);
        assert_eq!(visit.ends_at(), start + 61 * second);
        visit.is_known(start + 50 * second);
        assert_eq!(visit.ends_at(), start + 110 * second);
    }
}
