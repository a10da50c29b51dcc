//! A Realtime API that plays a script, event by event, whatever the client does: `fixtures/field-cases/events`.
//!
//! It understands nothing of what it sends. The simulator, `dev/sim-openai`, behaves as the service does; this one behaves as
//! the service was once seen to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// How long to wait for an event that a step does not limit.
const PATIENCE: Duration = Duration::from_secs(30);

/// The bytes of one audio delta: 100 ms of 16-bit samples at 24 kHz.
const DELTA: usize = 4_800;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Step {
    /// What this part is about, and where it was reported.
    Note {
        #[allow(dead_code, reason = "for those who read the script")]
        note: String,
    },
    /// Waits for the next connection. The first one is implied. The one before stays open, and is not listened to.
    Accept {
        #[allow(dead_code, reason = "always true")]
        accept: bool,
    },
    /// Waits for a client event of this type. The script ends if it does not come.
    Wait { wait: String, within_ms: Option<u64> },
    /// Sends an event. `$E` is the id of the client event last waited for, `$NOW+60` a time in a minute, seconds since 1970.
    Send { send: Value },
    /// Sends a tone, at once.
    Tone { tone: Tone },
    /// Waits, milliseconds. Client events are kept for the next step.
    Sleep { sleep: u64 },
    /// As `wait`; but an event that does not come is a finding, and the script goes on.
    Want { want: String, within_ms: u64, why: String },
    /// No client event of this type may come meanwhile.
    WantNone { want_none: String, for_ms: u64, why: String },
    /// Some client event so far holds this text.
    WantText { want_text: String, why: String },
    /// Closes the connection.
    Close { close: Closing },
    /// Drops the TCP connection.
    Drop {
        #[allow(dead_code, reason = "always true")]
        drop: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tone {
    response_id: String,
    item_id: String,
    ms: usize,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    code: u16,
    reason: String,
}

/// A script that is to be played once.
pub struct ScriptedModel {
    listener: TcpListener,
    steps: Vec<Step>,
    socket: Option<WebSocketStream<TcpStream>>,
    earlier: Vec<WebSocketStream<TcpStream>>,
    inbox: VecDeque<Value>,
    seen: Vec<Value>,
    last_event_id: String,
    findings: Vec<String>,
}

impl ScriptedModel {
    /// Listens on loopback; plays nothing yet.
    pub async fn listen(script: &str) -> Self {
        let lines = script.lines().filter(|line| !line.trim().is_empty());
        let steps =
            lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.expect("there is a free port"),
            steps: steps.collect(),
            socket: None,
            earlier: vec![],
            inbox: VecDeque::new(),
            seen: vec![],
            last_event_id: String::new(),
            findings: vec![],
        }
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        let address = self.listener.local_addr().expect("a bound socket has an address");
        format!("ws://{address}/v1/realtime")
    }

    /// Plays the script to its end. What it wanted and did not get, in its own words.
    ///
    /// # Panics
    /// When it cannot be played to its end: what it waits for does not come.
    pub async fn play(&mut self) -> Vec<String> {
        self.accept().await;
        for step in self.steps.clone() {
            self.take(step).await;
        }
        std::mem::take(&mut self.findings)
    }

    /// What clients have sent so far, but for sound.
    pub fn seen(&self) -> &[Value] {
        &self.seen
    }

    /// Reads on, and answers nothing, until dropped.
    pub async fn linger(&mut self) -> ! {
        loop {
            let an_hour = Instant::now() + Duration::from_secs(3_600);
            self.listen_until(an_hour).await;
            self.inbox.clear();
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Note { .. } => {}
            Step::Accept { .. } => self.accept().await,
            Step::Wait { wait, within_ms } => {
                let within = within_ms.map_or(PATIENCE, Duration::from_millis);
                assert!(
                    self.comes(&wait, within).await,
                    "the script waits for {wait} in vain: {}",
                    self.types()
                );
            }
            Step::Send { send } => self.send(&send).await,
            Step::Tone { tone } => self.sound(&tone).await,
            Step::Sleep { sleep } => self.sleep(Duration::from_millis(sleep)).await,
            Step::Want { want, within_ms, why } => {
                let is_there = self.comes(&want, Duration::from_millis(within_ms)).await;
                self.note(is_there, &format!("no {want}: {why}"));
            }
            Step::WantNone { want_none, for_ms, why } => {
                let is_there = self.comes(&want_none, Duration::from_millis(for_ms)).await;
                self.note(!is_there, &format!("{want_none}: {why}"));
            }
            Step::WantText { want_text, why } => {
                let is_there = self.seen.iter().any(|event| event.to_string().contains(&want_text));
                self.note(is_there, &format!("{want_text} was never sent: {why}"));
            }
            Step::Close { close } => {
                let frame = CloseFrame { code: close.code.into(), reason: close.reason.into() };
                let mut socket = self.socket.take().expect("a script closes what is open");
                // The client may be gone already.
                let _closed = socket.close(Some(frame)).await;
                self.earlier.push(socket);
            }
            Step::Drop { .. } => self.socket = None,
        }
    }

    async fn accept(&mut self) {
        self.earlier.extend(self.socket.take());
        self.inbox.clear();
        let accepted = async {
            let (stream, _) = self.listener.accept().await.expect("a bound socket accepts");
            accept_async(stream).await.expect("the client speaks WebSocket")
        };
        let socket = tokio::time::timeout(PATIENCE, accepted).await;
        self.socket = Some(socket.expect("the script waits for a connection in vain"));
    }

    async fn send(&mut self, event: &Value) {
        let socket = self.socket.as_mut().expect("a script sends on what is open");
        let text = filled_in(&event.to_string(), &self.last_event_id);
        // A client that has closed meanwhile shows in what the script wants next.
        let _sent = socket.send(Message::text(text)).await;
    }

    async fn sound(&mut self, tone: &Tone) {
        let sample = |n: usize| (8_000.0 * (TAU * 440.0 * n as f64 / 24_000.0).sin()) as i16;
        let bytes: Vec<u8> = (0..tone.ms * 24).flat_map(|n| sample(n).to_le_bytes()).collect();
        for (n, delta) in bytes.chunks(DELTA).enumerate() {
            let (response, item) = (&tone.response_id, &tone.item_id);
            self.send(
                &json!({"type": "response.output_audio.delta", "event_id": format!("event_{item}_{n}"),
                "response_id": response, "item_id": item, "output_index": 0, "content_index": 0,
                "delta": BASE64.encode(delta)}),
            )
            .await;
        }
    }

    async fn sleep(&mut self, lasts: Duration) {
        let end = Instant::now() + lasts;
        let mut kept = std::mem::take(&mut self.inbox);
        while Instant::now() < end {
            self.listen_until(end).await;
            kept.append(&mut self.inbox);
        }
        self.inbox = kept;
    }

    /// Whether an event of this type comes in time. Those before it are passed over.
    async fn comes(&mut self, kind: &str, within: Duration) -> bool {
        let end = Instant::now() + within;
        loop {
            while let Some(event) = self.inbox.pop_front() {
                if event["type"] == kind {
                    self.last_event_id = event["event_id"].as_str().unwrap_or_default().to_owned();
                    return true;
                }
            }
            if Instant::now() >= end {
                return false;
            }
            self.listen_until(end).await;
        }
    }

    /// Listens until an event is in the inbox, or until then. The caller's sound is left out.
    async fn listen_until(&mut self, end: Instant) {
        while self.inbox.is_empty() {
            let Some(socket) = &mut self.socket else { return tokio::time::sleep_until(end).await };
            match timeout_at(end, socket.next()).await {
                Err(_) => return,
                Ok(Some(Ok(Message::Text(text)))) => {
                    let event: Value = serde_json::from_str(&text).expect("clients send JSON");
                    if event["type"] != "input_audio_buffer.append" {
                        self.seen.push(event.clone());
                        self.inbox.push_back(event);
                    }
                }
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) => self.earlier.extend(self.socket.take()),
            }
        }
    }

    fn note(&mut self, holds: bool, finding: &str) {
        if !holds {
            self.findings.push(format!("{finding} (seen: {})", self.types()));
        }
    }

    /// The types of the client events so far.
    fn types(&self) -> String {
        let types = self.seen.iter().filter_map(|event| event["type"].as_str());
        types.collect::<Vec<_>>().join(", ")
    }
}

fn filled_in(event: &str, event_id: &str) -> String {
    let event = event.replace("$E", event_id);
    let Some((before, after)) = event.split_once("\"$NOW+") else { return event };
    let (seconds, after) = after.split_once('"').expect("a string in JSON ends");
    let later: u64 = seconds.parse().expect("a script names seconds");
    let then = service::time::now_ms() / 1_000 + later;
    filled_in(&format!("{before}{then}{after}"), event_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_the_event_id_and_the_times() {
        let filled = filled_in(r#"{"id": "$E", "a": "$NOW+60", "b": "$NOW+3600"}"#, "e7");

        let filled: Value = serde_json::from_str(&filled).expect("it is still JSON");
        let (a, b) = (filled["a"].as_u64().expect("a number"), filled["b"].as_u64().expect("a number"));
        assert_eq!(filled["id"], "e7");
        assert_eq!(b - a, 3_540);
    }

    #[test]
    fn reads_every_kind_of_line() {
        let read = |line| serde_json::from_str::<Step>(line).expect("a step");

        assert_eq!(read(r#"{"wait": "x"}"#), Step::Wait { wait: "x".into(), within_ms: None });
        assert_eq!(read(r#"{"sleep": 5}"#), Step::Sleep { sleep: 5 });
        assert_eq!(read(r#"{"drop": true}"#), Step::Drop { drop: true });
        let wanted = read(r#"{"want": "x", "within_ms": 9, "why": "y"}"#);
        assert_eq!(wanted, Step::Want { want: "x".into(), within_ms: 9, why: "y".into() });
        assert!(serde_json::from_str::<Step>(r#"{"wand": "x"}"#).is_err());
    }
}
