//! HTTP connections that can be cut in the middle of a request, for [`crate::InjectedFault::CutAccept`], and that know whether they
//! have carried an action before, for [`crate::InjectedFault::DeadConnections`].

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections that can be cut.
pub(super) struct Listener(pub(super) TcpListener);

/// A handle on a connection: cuts it, and knows what it has carried.
#[derive(Debug, Clone, Default)]
pub(super) struct Connection(Arc<Wired>);

#[derive(Debug, Default)]
struct Wired {
    is_cut: AtomicBool,
    has_carried: AtomicBool,
}

impl Connection {
    /// From now on nothing can be written: the client sees the connection close without a reply.
    pub(super) fn cut(&self) {
        self.0.is_cut.store(true, Ordering::Relaxed);
    }

    /// A call action comes over it. Whether one came before.
    pub(super) fn carries(&self) -> bool {
        self.0.has_carried.swap(true, Ordering::Relaxed)
    }

    fn check(&self) -> io::Result<()> {
        if self.0.is_cut.load(Ordering::Relaxed) {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Wire;
    type Addr = Connection;

    async fn accept(&mut self) -> (Wire, Connection) {
        let (stream, _) = axum::serve::Listener::accept(&mut self.0).await;
        let connection = Connection::default();
        (Wire { stream, connection: connection.clone() }, connection)
    }

    fn local_addr(&self) -> io::Result<Connection> {
        Ok(Connection::default())
    }
}

impl Connected<IncomingStream<'_, Listener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Connection {
        stream.remote_addr().clone()
    }
}

/// A connection that may have been cut.
pub(super) struct Wire {
    stream: TcpStream,
    connection: Connection,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
