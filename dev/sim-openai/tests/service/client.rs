//! A client that shares nothing with the simulator.

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sim_openai::{Config, Realtime};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::interval;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) fn config() -> Config {
    Config::new("sk-test")
}

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub(crate) async fn configured(realtime: &Realtime) -> Result<Self> {
        let mut client = Self::connect(realtime, "sk-test").await?;
        client.configure().await?;
        Ok(client)
    }

    pub(crate) async fn connect(realtime: &Realtime, key: &str) -> Result<Self> {
        let mut request = format!("{}?model=gpt-realtime-2.1", realtime.url()).into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse()?);
        let (socket, _) = connect_async(request).await?;
        Ok(Self { socket })
    }

    /// The code of the first event, which is an error, and that of the close frame after it, whose reason is the same.
    pub(crate) async fn is_refused(&mut self) -> Result<(String, u16)> {
        let error = self.next().await?["error"].clone();
        let code = error["code"].as_str().context("no code")?.to_owned();
        let Some(Ok(Message::Close(Some(frame)))) = self.socket.next().await else { bail!("no close frame") };
        assert_eq!(frame.reason.as_str(), format!("invalid_request_error.{code}"));
        Ok((code, frame.code.into()))
    }

    pub(crate) async fn configure(&mut self) -> Result<()> {
        self.until("session.created").await?;
        let turns = json!({"type": "server_vad", "silence_duration_ms": 500});
        let input = json!({"turn_detection": turns, "transcription": {"model": "gpt-transcribe"}});
        let session = json!({"type": "realtime", "instructions": "Be brief.", "audio": {"input": input}});
        self.send(json!({"type": "session.update", "session": session})).await?;
        self.until("session.updated").await?;
        Ok(())
    }

    /// Speaks in real time, and is silent afterwards.
    pub(crate) async fn say(&mut self, samples: &[i16]) -> Result<()> {
        let sound = [samples, &[0; 24_000]].concat();
        let mut clock = interval(Duration::from_millis(20));
        for frame in sound.chunks(sim_audio::FRAME) {
            clock.tick().await;
            let bytes: Vec<u8> = frame.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            self.send(json!({"type": "input_audio_buffer.append", "audio": BASE64.encode(bytes)})).await?;
        }
        Ok(())
    }

    pub(crate) async fn send(&mut self, event: Value) -> Result<()> {
        Ok(self.socket.send(Message::text(event.to_string())).await?)
    }

    pub(crate) async fn until(&mut self, kind: &str) -> Result<Value> {
        loop {
            let event = self.next().await?;
            match event["type"].as_str() {
                Some(this) if this == kind => return Ok(event),
                Some("error") => bail!("{event}"),
                _ => {}
            }
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Value> {
        match self.socket.next().await.context("the connection is over")?? {
            Message::Text(text) => Ok(serde_json::from_str(&text)?),
            other => bail!("no event: {other:?}"),
        }
    }
}
