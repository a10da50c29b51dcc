//! The WebSocket to the model.

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

/// Where the Realtime API is unless told otherwise.
pub const URL: &str = "wss://api.openai.com/v1/realtime";

/// The model unless told otherwise.
pub const MODEL: &str = "gpt-realtime-2.1";

/// A reply's sound comes in one burst; OpenAI's own clients take at least this much, bytes.
const LARGEST_MESSAGE: usize = 16 * 1024 * 1024;

/// So long a connection may take. A caller hears it ring, or waits, meanwhile.
const TIMEOUT: Duration = Duration::from_secs(8);

/// A ping is sent so often, and so long its pong may take.
const PING: Duration = Duration::from_secs(15);

/// So long a closing frame may take to be sent.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);

/// Where a session is to be had, and with what key.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The API's address; a `model` in its query is left alone.
    pub url: String,
    /// The model.
    pub model: String,
    /// The API key.
    pub key: SecretString,
    /// How the key is shown.
    pub auth: Auth,
    /// Who calls, as a stable hash of at most 128 characters: `OpenAI-Safety-Identifier`.
    pub safety_identifier: Option<String>,
    /// More headers, by name. Secret, since they can hold keys.
    pub headers: Vec<(String, SecretString)>,
    /// Whom to believe to be the API.
    pub trust: TrustedRoots,
}

/// How a key is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer …`: OpenAI, and most others.
    #[default]
    Bearer,
    /// `api-key: …`: Azure.
    ApiKey,
}

/// Why there is no connection, or not any more.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectionError {
    /// The address is none.
    #[error("the address of the Realtime API is not valid")]
    Address,
    /// A header, or the key, cannot be sent.
    #[error("a header or the key for the Realtime API has characters no header can hold")]
    Header,
    /// It took too long.
    #[error("the Realtime API did not answer within {} s", TIMEOUT.as_secs())]
    TookTooLong,
    /// No pong came for a ping.
    #[error("the Realtime API gave no sign of life for {} s", PING.as_secs())]
    Silent,
    /// The server refused the connection.
    #[error("the Realtime API refused the connection (status {0})")]
    Refused(u16),
    /// The server let us in, and refused the key with its first word.
    #[error("the Realtime API does not take the key")]
    KeyRefused,
    /// The server closed the connection.
    #[error("the Realtime API closed the connection (code {code:?})")]
    Closed {
        /// The close code, if there was one.
        code: Option<u16>,
        /// The server's words. Not for logs.
        reason: String,
    },
    /// The network, TLS or the protocol failed.
    #[error("the connection to the Realtime API failed: {0}")]
    Failed(String),
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    ping: Duration,
    /// When the next ping is sent; or, if one was sent, when its pong is late.
    due: Instant,
    awaits_pong: bool,
    /// The server's first event, if it was waited for and not taken yet.
    first: Option<ServerEvent>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn open(endpoint: &Endpoint) -> Result<Self, ConnectionError> {
        let mut request =
            endpoint.address()?.as_str().into_client_request().map_err(|_| ConnectionError::Address)?;
        request.headers_mut().extend(endpoint.all_headers()?);
        let config = WebSocketConfig::default()
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE));
        let connector = Some(endpoint.trust.connector());
        let connecting = connect_async_tls_with_config(request, Some(config), true, connector);
        let connected = tokio::time::timeout(TIMEOUT, connecting).await;
        let (socket, _) = connected.map_err(|_| ConnectionError::TookTooLong)?.map_err(why)?;
        Ok(Self { socket, ping: PING, due: Instant::now() + PING, awaits_pong: false, first: None })
    }

    /// Waits for the server's first event, which [`Connection::next`] gives then: the upgrade succeeds with any key, and only
    /// an event that is no error admits. Takes as long as the server does.
    ///
    /// # Errors
    /// When the key is refused, or the connection is gone.
    pub async fn wait_for_first_event(&mut self) -> Result<(), ConnectionError> {
        let first = self.next().await.map_err(ConnectionError::of_first_word)?;
        if let ServerEvent::Error { error } = &first
            && ApiError::from(error.clone()).is_about_the_key()
        {
            return Err(ConnectionError::KeyRefused);
        }
        self.first = Some(first);
        Ok(())
    }

    /// Sends an event.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, event: &ClientEvent) -> Result<(), ConnectionError> {
        self.socket.send(Message::text(event.to_json())).await.map_err(why)
    }

    /// The next event. Safe to drop while it waits. Pings while it waits, so it must be waited on.
    ///
    /// # Errors
    /// When the connection is gone, or silent.
    pub async fn next(&mut self) -> Result<ServerEvent, ConnectionError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        loop {
            match tokio::time::timeout_at(self.due, self.socket.next()).await {
                Err(_) if self.awaits_pong => return Err(ConnectionError::Silent),
                Err(_) => self.send_ping().await?,
                Ok(message) => {
                    // Anything from there is a sign of life.
                    (self.due, self.awaits_pong) = (Instant::now() + self.ping, false);
                    if let Some(event) = read(message)? {
                        return Ok(event);
                    }
                }
            }
        }
    }

    /// Closes the connection properly.
    pub async fn close(mut self) {
        // Whoever does not even take that is not waited for.
        let _ = tokio::time::timeout(CLOSES_WITHIN, self.socket.close(None)).await;
    }

    async fn send_ping(&mut self) -> Result<(), ConnectionError> {
        // Noted first: should this be dropped while it sends, the pong is waited for all the same.
        (self.due, self.awaits_pong) = (Instant::now() + self.ping, true);
        let sending = self.socket.send(Message::Ping(Bytes::new()));
        let sent = tokio::time::timeout(self.ping, sending).await;
        sent.map_err(|_| ConnectionError::Silent)?.map_err(why)
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
    /// Whether the key is at fault: another one may do.
    pub fn is_about_the_key(&self) -> bool {
        matches!(self, Self::Refused(401) | Self::Header | Self::KeyRefused)
    }

    /// The same, of a server that said nothing before.
    fn of_first_word(self) -> Self {
        let is_refused =
            ConnectionLoss::from(self.clone()).failure().is_some_and(|failure| failure.is_about_the_key());
        if is_refused { Self::KeyRefused } else { self }
    }
}

impl From<ConnectionError> for ConnectionLoss {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Refused(status) => Self::Refused { status },
            // A key that no header can hold is a key nobody takes.
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

/// An event, if the message is one.
fn read(message: Option<Result<Message, Error>>) -> Result<Option<ServerEvent>, ConnectionError> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(ServerEvent::read(&text))),
        Some(Ok(Message::Close(frame))) => Err(ConnectionError::Closed {
            code: frame.as_ref().map(|frame| frame.code.into()),
            reason: frame.map(|frame| frame.reason.to_string()).unwrap_or_default(),
        }),
        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
        Some(Err(error)) => Err(why(error)),
        None => Err(ConnectionError::Closed { code: None, reason: String::new() }),
    }
}

fn why(error: Error) -> ConnectionError {
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
