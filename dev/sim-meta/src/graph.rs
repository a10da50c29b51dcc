//! Meta's Graph API, as far as calls, messages, and setting a business up for them go.

mod account;
mod app;
mod bearer;
mod calls;
mod error;
mod messages;
mod moods;
mod node;
mod permissions;
mod permit;
mod request;
mod settings;
mod token;
mod wire;

use crate::cloud::Cloud;
use axum::Router;
use axum::routing::{get, post};
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
        .route("/{version}/{node}/calls", post(calls::post))
        .route("/{version}/{node}/messages", post(messages::post))
        .route("/{version}/{node}/settings", get(settings::get).post(settings::post))
        .route("/{version}/{node}/subscriptions", get(app::list).post(app::subscribe))
        .route("/{version}/{node}/subscribed_apps", get(account::subscribers).post(account::subscribe))
        .route("/{version}/{node}/phone_numbers", get(account::numbers))
        .route("/{version}/{node}/permissions", get(permissions::granted))
        .route("/{version}/{node}/call_permissions", get(permissions::to_call))
        .route("/{version}/debug_token", get(token::debug))
        .route("/{version}/{node}", get(node::get).post(node::post))
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

/// Asks an address for the challenge before anything is sent there.
async fn challenge(cloud: &Cloud, url: &str, verify_token: &str) -> Result<(), GraphError> {
    let challenge = cloud.rng().u64(..) >> 33;
    let asked = cloud.postman.challenge(url, verify_token, challenge).await;
    asked.map_err(|error| GraphError::callback(&error.to_string()))
}
