//! The WebSocket connection to the Realtime API.

use crate::tls_roots::TrustedRoots;
use crate::{ApiError, ClientEvent, ConnectionLoss, ServerEvent};
use futures_util::{SinkExt, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

/// The address of the Realtime API, unless configured otherwise.
pub const URL: &str = "wss://api.openai.com/v1/realtime";

pub use crate::options::MODEL;

/// The largest message accepted, in bytes: a response's audio comes in one burst, and OpenAI's own clients accept at least this much.
const LARGEST_MESSAGE: usize = 16 * 1024 * 1024;

/// How long opening a connection may take. Meanwhile the caller hears it ring, or waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// How long after the last message a ping is sent, and how long its pong may take.
const PING_INTERVAL: Duration = Duration::from_secs(15);

/// How long sending a close frame may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The address, model and credentials of a Realtime session.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The API's address; a `model` in its query is kept.
    pub url: String,
    /// The name of the model.
    pub model: String,
    /// The call whose sideband is to be attached, in place of a new session with the model. Secret: it and the key can end the call.
    pub call: Option<SecretString>,
    /// The API key that is sent as `auth` says.
    pub key: SecretString,
    /// The header that carries the key.
    pub auth: Auth,
    /// The caller's pseudonym, a stable hash of at most 128 characters, sent as `OpenAI-Safety-Identifier`.
    pub safety_identifier: Option<String>,
    /// Further headers by name. The values are secret, since they can hold keys.
    pub headers: Vec<(String, SecretString)>,
    /// The root certificates that the server's certificate must lead to.
    pub trust: TrustedRoots,
}

/// The header that carries an API key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer …`, which OpenAI and most others expect.
    #[default]
    Bearer,
    /// `api-key: …`, which Azure expects.
    ApiKey,
}

/// An error of opening or using a connection.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectionError {
    /// The address is not a valid URL.
    #[error("the address of the Realtime API is not valid")]
    Address,
    /// A header or the key has characters that no header can hold.
    #[error("a header or the key for the Realtime API has characters no header can hold")]
    Header,
    /// The connection was not open in time.
    #[error("the Realtime API did not answer within {} s", CONNECT_TIMEOUT.as_secs())]
    TookTooLong,
    /// No pong came for a ping in time.
    #[error("the Realtime API answered no ping within {} s", PING_INTERVAL.as_secs())]
    Silent,
    /// The server refused the WebSocket upgrade with an HTTP status.
    #[error("the Realtime API refused the connection (status {0})")]
    Refused(u16),
    /// The server accepted the upgrade, and refused the key with its first event or its close.
    #[error("the Realtime API refused the key")]
    KeyRefused,
    /// The server closed the connection, or it ended.
    #[error("the Realtime API closed the connection (code {code:?})")]
    Closed {
        /// The close code, if there was one.
        code: Option<u16>,
        /// The server's reason. It may quote what was sent, so it is not logged.
        reason: String,
    },
    /// The network, TLS or the WebSocket protocol failed.
    #[error("the connection to the Realtime API failed: {0}")]
    Failed(String),
}

/// An open WebSocket to the Realtime API.
#[derive(Debug)]
pub struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    ping: Duration,
    /// When the next ping is sent, or when the pong to the last one is overdue.
    due: Instant,
    awaits_pong: bool,
    /// The server's first event, if it was awaited and not returned yet.
    first: Option<ServerEvent>,
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// Returns an error if the address or a header is invalid, the server refuses the upgrade, or the connection fails or takes too long.
    pub async fn open(endpoint: &Endpoint) -> Result<Self, ConnectionError> {
        let mut request =
            endpoint.address()?.as_str().into_client_request().map_err(|_| ConnectionError::Address)?;
        request.headers_mut().extend(endpoint.all_headers()?);
        let config = WebSocketConfig::default()
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE));
        let connector = Some(endpoint.trust.connector());
        let connecting = connect_async_tls_with_config(request, Some(config), true, connector);
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
        let (socket, _) = connected.map_err(|_| ConnectionError::TookTooLong)?.map_err(connection_error)?;
        Ok(Self {
            socket,
            ping: PING_INTERVAL,
            due: Instant::now() + PING_INTERVAL,
            awaits_pong: false,
            first: None,
        })
    }

    /// Waits for the server's first event, which [`Connection::next`] then returns.
    ///
    /// The upgrade succeeds with any key: only an event other than an error shows that the key is accepted. Has no time limit of its own.
    ///
    /// # Errors
    /// Returns [`ConnectionError::KeyRefused`] if the key is refused, and another error if the connection is lost.
    pub async fn wait_for_first_event(&mut self) -> Result<(), ConnectionError> {
        let first = self.next().await.map_err(ConnectionError::of_first_event)?;
        if let ServerEvent::Error { error } = &first
            && ApiError::from(error.clone()).is_about_the_key()
        {
            return Err(ConnectionError::KeyRefused);
        }
        self.first = Some(first);
        Ok(())
    }

    /// Sends a client event.
    ///
    /// # Errors
    /// Returns an error if the connection is lost.
    pub async fn send(&mut self, event: &ClientEvent) -> Result<(), ConnectionError> {
        self.socket.send(Message::text(event.to_json())).await.map_err(connection_error)
    }

    /// Returns the next server event, and sends pings while it waits.
    ///
    /// Cancel safe. Pings are sent only while it is polled.
    ///
    /// # Errors
    /// Returns [`ConnectionError::Silent`] if a pong is overdue, and another error if the connection is lost.
    pub async fn next(&mut self) -> Result<ServerEvent, ConnectionError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        loop {
            match tokio::time::timeout_at(self.due, self.socket.next()).await {
                Err(_) if self.awaits_pong => return Err(ConnectionError::Silent),
                Err(_) => self.send_ping().await?,
                Ok(message) => {
                    // Any message shows that the server is alive.
                    (self.due, self.awaits_pong) = (Instant::now() + self.ping, false);
                    if let Some(event) = read_event(message)? {
                        return Ok(event);
                    }
                }
            }
        }
    }

    /// Closes the connection with a close frame.
    pub async fn close(mut self) {
        // A server that does not accept the frame is not waited for.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.socket.close(None)).await;
    }

    async fn send_ping(&mut self) -> Result<(), ConnectionError> {
        // Recorded first: if this future is dropped while it sends, the pong is still awaited.
        (self.due, self.awaits_pong) = (Instant::now() + self.ping, true);
        let sending = self.socket.send(Message::Ping(Bytes::new()));
        let sent = tokio::time::timeout(self.ping, sending).await;
        sent.map_err(|_| ConnectionError::Silent)?.map_err(connection_error)
    }
}

impl Endpoint {
    fn address(&self) -> Result<url::Url, ConnectionError> {
        let mut url = url::Url::parse(&self.url).map_err(|_| ConnectionError::Address)?;
        if let Some(call) = &self.call {
            url.query_pairs_mut().append_pair("call_id", call.expose_secret());
        } else if !url.query_pairs().any(|(name, _)| name == "model") {
            url.query_pairs_mut().append_pair("model", &self.model);
        }
        Ok(url)
    }

    fn all_headers(&self) -> Result<HeaderMap, ConnectionError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name).map_err(|_| ConnectionError::Header)?;
            headers.insert(name, header(value.expose_secret())?);
        }
        let key = self.key.expose_secret();
        match self.auth {
            Auth::Bearer => headers.insert("authorization", header(&format!("Bearer {key}"))?),
            Auth::ApiKey => headers.insert("api-key", header(key)?),
        };
        if let Some(identifier) = &self.safety_identifier {
            headers.insert("openai-safety-identifier", header(identifier)?);
        }
        Ok(headers)
    }
}

impl ConnectionError {
    /// Whether the key was refused, so that another key may be accepted.
    pub fn is_about_the_key(&self) -> bool {
        matches!(self, Self::Refused(401) | Self::Header | Self::KeyRefused)
    }

    /// Turns the error of a server's first event into a refused key, if it is about the key.
    fn of_first_event(self) -> Self {
        let is_refused =
            ConnectionLoss::from(self.clone()).failure().is_some_and(|failure| failure.is_about_the_key());
        if is_refused { Self::KeyRefused } else { self }
    }
}

impl From<ConnectionError> for ConnectionLoss {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Refused(status) => Self::Refused { status },
            // No server accepts a key that no header can hold.
            ConnectionError::Header => Self::Refused { status: 401 },
            ConnectionError::KeyRefused => {
                Self::Closed { code: Some(3000), reason: "invalid_request_error.invalid_api_key".to_owned() }
            }
            ConnectionError::Closed { code, reason } => Self::Closed { code, reason },
            ConnectionError::Address => Self::Refused { status: 400 },
            ConnectionError::TookTooLong | ConnectionError::Silent | ConnectionError::Failed(_) => {
                Self::Failed(error.to_string())
            }
        }
    }
}

fn header(text: &str) -> Result<HeaderValue, ConnectionError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| ConnectionError::Header)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads the event of a text message; other messages hold none.
fn read_event(message: Option<Result<Message, Error>>) -> Result<Option<ServerEvent>, ConnectionError> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(ServerEvent::read(&text))),
        Some(Ok(Message::Close(frame))) => Err(ConnectionError::Closed {
            code: frame.as_ref().map(|frame| frame.code.into()),
            reason: frame.map(|frame| frame.reason.to_string()).unwrap_or_default(),
        }),
        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
        Some(Err(error)) => Err(connection_error(error)),
        None => Err(ConnectionError::Closed { code: None, reason: String::new() }),
    }
}

fn connection_error(error: Error) -> ConnectionError {
    match error {
        Error::Http(reply) => ConnectionError::Refused(reply.status().as_u16()),
        Error::ConnectionClosed | Error::AlreadyClosed => {
            ConnectionError::Closed { code: None, reason: String::new() }
        }
        other => ConnectionError::Failed(other.to_string()),
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
