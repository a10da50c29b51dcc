//! Serves the connections that ask by plain HTTP, for models and responses, about telephone calls and webhooks, on the port of the sockets.

use crate::InjectedFault;
use crate::models;
use crate::responses::api;
use crate::session_registry::SessionRegistry;
use crate::sip::{Exchange, control, endpoint_api, rest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use tokio::net::TcpStream;
use tracing::info;

/// How plain requests begin; anything else is for the socket.
const BEGINNINGS: [&[u8]; 5] = [b"GET /v1/models", b"GET /v1/web", b"GET /sim/", b"POST ", b"DELETE "];
const LONGEST: usize = BEGINNINGS[0].len();

/// Whether the first words on a connection are a plain request. Nothing is taken from it.
pub(crate) async fn is_asked_for(stream: &TcpStream) -> bool {
    let mut first = [0; LONGEST];
    loop {
        let Ok(read @ 1..) = stream.peek(&mut first).await else { return false };
        let begun = &first[..read];
        if BEGINNINGS.iter().any(|beginning| begun.starts_with(beginning)) {
            return true;
        }
        if !BEGINNINGS.iter().any(|beginning| beginning.starts_with(begun)) {
            return false;
        }
        // A client that sends its first word in pieces is none of ours; it is waited for all the same.
        tokio::task::yield_now().await;
    }
}

/// Serves such a connection.
pub(crate) async fn serve(
    stream: TcpStream,
    fault: Option<InjectedFault>,
    registry: &Arc<SessionRegistry>,
    exchange: &Arc<Exchange>,
) {
    let calls = rest::routes(exchange.clone(), fault).merge(control::routes(exchange.clone()));
    let calls = calls.merge(endpoint_api::routes(exchange.clone(), fault));
    let calls = calls.merge(api::routes(registry.clone(), fault));
    let routes = models::routes(registry.clone(), fault).merge(calls);
    let service = TowerToHyperService::new(routes);
    let served = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        info!(%error, "A client that asked by plain HTTP left");
    }
}
