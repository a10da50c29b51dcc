//! Meta's Graph API, as far as calls and messages go.

mod calls;
mod error;
mod messages;
mod moods;
mod permit;
mod request;
mod wire;

use crate::cloud::Cloud;
use axum::Router;
use axum::routing::post;
use error::GraphError;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wire::{Listener, Scissors};

/// Listens on 127.0.0.1 until `stop` is sent or dropped.
///
/// # Errors
/// When the port cannot be bound.
pub(crate) async fn serve(
    cloud: Arc<Cloud>,
    stop: oneshot::Receiver<()>,
) -> std::io::Result<(SocketAddr, impl Future<Output = ()>)> {
    let listener = TcpListener::bind(("127.0.0.1", cloud.config.graph_port)).await?;
    let address = listener.local_addr()?;
    let routes = Router::new()
        .route("/{version}/{number}/calls", post(calls::post))
        .route("/{version}/{number}/messages", post(messages::post))
        .fallback(|| async { GraphError::unknown_path() })
        .method_not_allowed_fallback(|| async { GraphError::unknown_path() })
        .with_state(cloud)
        .into_make_service_with_connect_info::<Scissors>();
    let serving = async move {
        let stopped = async {
            let _ = stop.await;
        };
        if let Err(error) = axum::serve(Listener(listener), routes).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "Graph stopped");
        }
    };
    Ok((address, serving))
}
