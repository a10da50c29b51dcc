//! Carries events between one sideband socket and its call.

use super::shared_call::SharedCall;
use super::sockets::ToSocket;
use crate::session_registry::SessionRegistry;
use crate::socket::{Socket, close};
use futures_util::{SinkExt, StreamExt};
use std::time::Instant;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::tungstenite::{Error, Message};
use tracing::info;

/// Watches until the socket or the call is over.
pub(crate) async fn watch(
    socket: &mut Socket,
    call: &SharedCall,
    mut orders: UnboundedReceiver<ToSocket>,
    registry: &SessionRegistry,
) {
    loop {
        registry.released().await;
        tokio::select! {
            order = orders.recv() => match order {
                Some(ToSocket::Send(event)) => {
                    if let Err(error) = socket.send(Message::text(event.to_string())).await {
                        return info!(%error, "A sideband is gone: {error}");
                    }
                }
                Some(ToSocket::Close { code, reason }) => {
                    let why = close(socket, code, reason).await;
                    return info!("A sideband is {why}");
                }
                Some(ToSocket::Break) | None => return info!("A sideband breaks, as its call is over or on purpose"),
            },
            message = socket.next() => if !receive(message, call) {
                // The answer to a client's close frame waits to be sent; a connection that is gone takes none.
                let _answered = socket.flush().await;
                return info!("A client has left its sideband");
            },
        }
    }
}

/// Returns whether the socket is still there.
fn receive(message: Option<Result<Message, Error>>, call: &SharedCall) -> bool {
    match message {
        Some(Ok(Message::Text(text))) => call.step(|call| call.handle_socket(&text, Instant::now())),
        // The API speaks text only: whatever is in there, it is no event.
        Some(Ok(Message::Binary(_))) => call.step(|call| call.handle_socket("", Instant::now())),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
        Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
    }
    true
}
