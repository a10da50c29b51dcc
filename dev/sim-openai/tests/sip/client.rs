//! A client by the book: takes the webhook, decides, watches.

use super::webhook::{Delivered, SECRET, Webhook};
use super::{PATIENCE, session};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sim_openai::sip::{CallSpec, PlacedCall, Trunk, WebhookEndpoint};
use sim_openai::{Config, Realtime};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) struct Client {
    pub(crate) realtime: Realtime,
    pub(crate) trunk: Trunk,
    pub(crate) webhook: Webhook,
    pub(crate) http: reqwest::Client,
}

impl Client {
    pub(crate) async fn start(config: Config) -> Self {
        let realtime = Realtime::start(config).await.unwrap();
        let (trunk, webhook) = (realtime.trunk(), Webhook::open().await);
        trunk.add_endpoint(WebhookEndpoint::on_loopback(&webhook.url, SECRET)).unwrap();
        Self { realtime, trunk, webhook, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// A call comes in, and its webhook with it.
    pub(crate) async fn rung(&mut self, spec: CallSpec) -> (PlacedCall, Delivered) {
        let call = self.trunk.ring(spec);
        let delivered = self.webhook.next().await;
        assert_eq!(delivered.event()["data"]["call_id"], call.id());
        (call, delivered)
    }

    /// A call is accepted, and watched by a socket.
    pub(crate) async fn watched(&mut self, spec: CallSpec) -> (PlacedCall, Sideband) {
        let (call, _) = self.rung(spec).await;
        assert_eq!(self.ask(&call, "accept", session()).await, (200, Value::Null));
        let mut sideband = self.attach(&call).await.unwrap();
        sideband.until("session.created").await;
        (call, sideband)
    }

    /// The same, and the caller is greeted.
    pub(crate) async fn greeted(&mut self, spec: CallSpec) -> (PlacedCall, Sideband) {
        let (call, mut sideband) = self.watched(spec).await;
        sideband.configure().await;
        sideband.send(json!({"type": "response.create", "response": {"instructions": "Greet."}})).await;
        sideband.until("output_audio_buffer.started").await;
        (call, sideband)
    }

    /// Asks for something, with a body unless it is null. Status and body of the answer.
    pub(crate) async fn ask(&self, call: &PlacedCall, action: &str, body: Value) -> (u16, Value) {
        self.ask_about(&call.id(), action, body, "sk-test").await
    }

    pub(crate) async fn ask_about(&self, id: &str, action: &str, body: Value, key: &str) -> (u16, Value) {
        let url = format!("{}/realtime/calls/{id}/{action}", self.realtime.rest_url());
        let request = self.http.post(url).bearer_auth(key);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }

    /// A sideband; or the status it is turned away with.
    pub(crate) async fn attach(&self, call: &PlacedCall) -> Result<Sideband, u16> {
        self.attach_with(call, "sk-test").await
    }

    pub(crate) async fn attach_with(&self, call: &PlacedCall, key: &str) -> Result<Sideband, u16> {
        let url = format!("{}?call_id={}", self.realtime.url(), call.id());
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Sideband { socket }),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// What the session holds against the client.
    pub(crate) fn violations(&self, call: &PlacedCall) -> Vec<String> {
        self.realtime.sessions().swap_remove(call.report().session.expect("it was accepted")).violations
    }
}

#[derive(Debug)]
pub(crate) struct Sideband {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Sideband {
    /// Waits half a second for the end of a turn, and has turns written down.
    pub(crate) async fn configure(&mut self) {
        let turns = json!({"type": "server_vad", "silence_duration_ms": 500, "threshold": 0.6});
        let input = json!({"turn_detection": turns, "transcription": {"model": "gpt-transcribe"}});
        let session = json!({"type": "realtime", "instructions": "Be brief.", "audio": {"input": input}});
        self.send(json!({"type": "session.update", "session": session})).await;
        self.until("session.updated").await;
    }

    pub(crate) async fn send(&mut self, event: Value) {
        self.socket.send(Message::text(event.to_string())).await.unwrap();
    }

    /// The next event of this type.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        self.passing(kind).await.pop().unwrap()
    }

    /// All events up to the next one of this type.
    pub(crate) async fn passing(&mut self, kind: &str) -> Vec<Value> {
        let mut passed = vec![];
        loop {
            let event = self.next().await.unwrap_or_else(|end| panic!("no {kind}, but {end:?}: {passed:?}"));
            let is_last = event["type"] == kind;
            passed.push(event);
            if is_last {
                return passed;
            }
        }
    }

    /// The next event, or how the connection ends: with the code of a close frame, or with none.
    pub(crate) async fn next(&mut self) -> Result<Value, Option<u16>> {
        let message = timeout(PATIENCE, self.socket.next()).await.expect("something comes");
        match message {
            Some(Ok(Message::Text(text))) => Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(frame))) => Err(frame.map(|frame| frame.code.into())),
            Some(Ok(other)) => panic!("no event: {other:?}"),
            Some(Err(_)) | None => Err(None),
        }
    }

    /// How the connection ends.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            if let Err(end) = self.next().await {
                return end;
            }
        }
    }
}
