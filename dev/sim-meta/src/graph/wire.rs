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

/// Accepts connections, each with scissors.
pub(super) struct Listener(pub(super) TcpListener);

/// Cuts the connection it belongs to.
#[derive(Debug, Clone, Default)]
pub(super) struct Scissors(Arc<Wired>);

#[derive(Debug, Default)]
struct Wired {
    is_cut: AtomicBool,
    has_carried: AtomicBool,
}

impl Scissors {
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
    type Addr = Scissors;

    async fn accept(&mut self) -> (Wire, Scissors) {
        let (stream, _) = axum::serve::Listener::accept(&mut self.0).await;
        let scissors = Scissors::default();
        (Wire { stream, scissors: scissors.clone() }, scissors)
    }

    fn local_addr(&self) -> io::Result<Scissors> {
        Ok(Scissors::default())
    }
}

impl Connected<IncomingStream<'_, Listener>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Scissors {
        stream.remote_addr().clone()
    }
}

/// A connection that may have been cut.
pub(super) struct Wire {
    stream: TcpStream,
    scissors: Scissors,
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
        self.scissors.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
