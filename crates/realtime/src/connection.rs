//! The WebSocket to the model.

use crate::{ClientEvent, ServerEvent};
use futures_util::{SinkExt, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Where the Realtime API is unless told otherwise.
pub const URL: &str = "wss://api.openai.com/v1/realtime";

/// The model unless told otherwise.
pub const MODEL: &str = "gpt-realtime-2.1";

/// A reply's sound comes in one burst; OpenAI's own clients take at least this much, bytes.
const LARGEST_MESSAGE: usize = 16 * 1024 * 1024;

/// So long a connection may take. A caller hears it ring meanwhile.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Where a session is to be had, and with what key.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The API's address; a `model` in its query is left alone.
    pub url: String,
    /// The model.
    pub model: String,
    /// The API key.
    pub key: SecretString,
}

/// Why there is no connection, or not any more.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The address is none.
    #[error("the address of the Realtime API is not valid")]
    Address,
    /// It took too long.
    #[error("the Realtime API did not answer within {} s", TIMEOUT.as_secs())]
    TookTooLong,
    /// The key was refused.
    #[error("the Realtime API refused the key (status {0})")]
    Refused(u16),
    /// The server closed the connection.
    #[error("the Realtime API closed the connection: {0}")]
    Closed(String),
    /// The network, TLS or the protocol failed.
    #[error("the connection to the Realtime API failed: {0}")]
    Failed(String),
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn open(endpoint: &Endpoint) -> Result<Self, ConnectionError> {
        let mut request =
            endpoint.address()?.as_str().into_client_request().map_err(|_| ConnectionError::Address)?;
        let bearer = format!("Bearer {}", endpoint.key.expose_secret());
        let bearer = HeaderValue::from_str(&bearer).map_err(|_| ConnectionError::Refused(401))?;
        request.headers_mut().insert("authorization", bearer);
        let config = WebSocketConfig::default()
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE));
        let connecting = connect_async_with_config(request, Some(config), true);
        let connected = tokio::time::timeout(TIMEOUT, connecting).await;
        let (socket, _) = connected.map_err(|_| ConnectionError::TookTooLong)?.map_err(why)?;
        Ok(Self { socket })
    }

    /// Sends an event.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, event: &ClientEvent) -> Result<(), ConnectionError> {
        self.socket.send(Message::text(event.to_json())).await.map_err(why)
    }

    /// The next event. Safe to drop while it waits.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn next(&mut self) -> Result<ServerEvent, ConnectionError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(ServerEvent::read(&text)),
                Some(Ok(Message::Close(frame))) => {
                    let reason = frame.map(|frame| format!("{} {}", frame.code, frame.reason));
                    return Err(ConnectionError::Closed(reason.unwrap_or_else(|| "no reason given".into())));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(why(error)),
                None => return Err(ConnectionError::Closed("no reason given".into())),
            }
        }
    }

    /// Closes the connection properly.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
    }
}

impl Endpoint {
    fn address(&self) -> Result<url::Url, ConnectionError> {
        let mut url = url::Url::parse(&self.url).map_err(|_| ConnectionError::Address)?;
        if !url.query_pairs().any(|(name, _)| name == "model") {
            url.query_pairs_mut().append_pair("model", &self.model);
        }
        Ok(url)
    }
}

fn why(error: Error) -> ConnectionError {
    match error {
        Error::Http(reply) => ConnectionError::Refused(reply.status().as_u16()),
        Error::ConnectionClosed | Error::AlreadyClosed => ConnectionError::Closed("no reason given".into()),
        other => ConnectionError::Failed(other.to_string()),
    }
}
