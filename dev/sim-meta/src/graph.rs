//! Meta's Graph API, as far as calls, messages, and setting a business up for them go.

mod account;
mod app;
mod bearer;
mod calls;
mod challenge;
mod error;
mod faults;
mod messages;
mod node;
mod node_request;
mod permissions;
mod permit;
mod request;
mod settings;
mod token;

use crate::cloud::Cloud;
use axum::Router;
use axum::routing::{get, post};
use error::GraphError;
use sim_network::{Connection, CuttableListener};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Listens on 127.0.0.1 until `stop` is sent or dropped.
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
        .into_make_service_with_connect_info::<Connection>();
    let serving = async move {
        let stopped = async {
            let _ = stop.await;
        };
        if let Err(error) =
            axum::serve(CuttableListener(listener), routes).with_graceful_shutdown(stopped).await
        {
            tracing::error!(%error, "Graph stopped");
        }
    };
    Ok((address, serving))
}
