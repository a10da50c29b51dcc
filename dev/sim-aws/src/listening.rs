//! Serves HTTP on a loopback address until the cloud is over.

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use sim_network::{Connection, CuttableListener};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Some free port of 127.0.0.1.
pub(crate) const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Takes an address.
///
/// # Errors
/// When it is taken already, or is not ours to take; the message says which.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            anyhow::bail!("cannot listen at {address}: another process already does")
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen at {address}")),
    }
}

/// Serves `router` at `listener`. The services know their own size limits, so there is none here.
pub(crate) fn serve(listener: TcpListener, router: Router, over: CancellationToken) {
    let service =
        router.layer(DefaultBodyLimit::disable()).into_make_service_with_connect_info::<Connection>();
    tokio::spawn(async move {
        let serving =
            axum::serve(CuttableListener(listener), service).with_graceful_shutdown(over.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(%error, "A listener of the cloud failed");
        }
    });
}

pub(crate) fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("a bound listener has an address")
}
