//! The control API's connections: accepts each at once, then resets it or gives it a few seconds to send a validly signed
//! request.

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

/// How long a connection may take to send a validly signed request.
const UNAUTHENTICATED_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an authenticated connection is kept without another signed request. Call-control asks after each call every fifteen
/// to twenty seconds, and must not need a new handshake for each.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The largest head of a request, in bytes: ours are a tenth of it.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// A connection's source address, and when it expires.
pub(super) struct ControlConnection {
    pub(super) from: IpAddr,
    expires_at: Mutex<Instant>,
}

/// Accepts connections until the future is dropped, which closes them all.
///
/// Never stops accepting: a kernel queue full of unauthenticated connections would keep call-control's out.
pub(super) async fn accept(api: Arc<ControlApi>, listener: TcpListener, acceptor: TlsAcceptor) {
    let (mut dropped, mut connections) = (RefusalLog::default(), JoinSet::new());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => match api.admit_connection(from.ip(), Instant::now()) {
                    Some(begins_at) => {
                        let connection = ControlConnection::begin(from.ip(), begins_at);
                        connections.spawn(serve(api.clone(), stream, acceptor.clone(), connection, begins_at));
                    }
                    None => reset(stream, &mut dropped),
                },
                // Too many open files, most likely: some will close.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Closes with a reset, which leaves no TIME_WAIT state behind.
fn reset(stream: TcpStream, dropped: &mut RefusalLog) {
    let _ = stream.set_zero_linger();
    if let Some(unsaid) = dropped.handle(Instant::now()) {
        tracing::warn!(
            unsaid,
            "control API reset a connection: its network or all networks exceeded the rate limit; {unsaid} more since the last line"
        );
    }
}

async fn serve(
    api: Arc<ControlApi>,
    stream: TcpStream,
    acceptor: TlsAcceptor,
    connection: ControlConnection,
    begins_at: Instant,
) {
    let exchange = async {
        sleep_until(begins_at.into()).await;
        let stream = acceptor.accept(stream).await.ok()?;
        let (api, connection) = (&api, &connection);
        let handle =
            move |request| async move { Ok::<_, Infallible>(api.handle_request(connection, request).await) };
        let mut http = http1::Builder::new();
        http.max_buf_size(MAX_HEAD_BYTES);
        http.serve_connection(TokioIo::new(stream), service_fn(handle)).await.ok()
    };
    tokio::select! {
        () = connection.expired() => {}
        _ = exchange => {}
    }
}

impl ControlConnection {
    fn begin(from: IpAddr, at: Instant) -> Self {
        Self { from, expires_at: Mutex::new(at + UNAUTHENTICATED_TIMEOUT) }
    }

    /// Notes that a validly signed request came, which extends the connection's life.
    pub(super) fn note_authenticated(&self, now: Instant) {
        *self.expires_at.lock().expect("nothing panics while it holds this lock") = now + IDLE_TIMEOUT;
    }

    fn expires_at(&self) -> Instant {
        *self.expires_at.lock().expect("nothing panics while it holds this lock")
    }

    async fn expired(&self) {
        while self.expires_at() > Instant::now() {
            sleep_until(self.expires_at().into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_lasts_a_minute_after_each_valid_signature() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let connection = ControlConnection::begin(IpAddr::from([192, 0, 2, 1]), start);

        assert_eq!(connection.expires_at(), start + 3 * second);
        connection.note_authenticated(start + second);
        assert_eq!(connection.expires_at(), start + 61 * second);
        connection.note_authenticated(start + 50 * second);
        assert_eq!(connection.expires_at(), start + 110 * second);
    }
}
