//! The control API's connections: accepts each at once, then resets it or gives it a few seconds to send a validly signed
//! request.

use super::connection::ControlConnection;
use super::refusal_log::RefusalLog;
use super::requests::ControlApi;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tokio_rustls::TlsAcceptor;

/// The largest head of a request, in bytes: ours are a tenth of it.
const MAX_HEAD_BYTES: usize = 8 * 1024;

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
