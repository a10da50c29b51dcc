//! One session: the same few turns over and over, whatever the caller says.

use super::Rhythm;
use super::server::{SharedCounters, lock};
use super::speech::Speech;
use super::speech_detector::SpeechDetector;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::sleep_until;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

/// The sound and the timing of all sessions.
#[derive(Debug)]
pub(crate) struct Voice {
    pub(crate) speech: Speech,
    pub(crate) rhythm: Rhythm,
}

/// What a reply says, in words; a part of them goes with each piece of sound.
const WORDS: &str = "From the station ";

/// Longer than any bench runs.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// What is to be done next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A piece of the reply is due.
    Piece(usize),
    Finish,
    CallerBegins,
    CallerStops,
    Reply,
}

struct Session<'a> {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    voice: &'a Voice,
    counters: &'a SharedCounters,
    detector: SpeechDetector,
    number: usize,
    steps: VecDeque<(Instant, Step)>,
    /// The response being sent, and what its client put on it.
    response: Option<(String, Value)>,
    replies: usize,
    turns: usize,
}

/// Holds a session until the client closes it.
pub(crate) async fn hold(
    socket: WebSocketStream<TlsStream<TcpStream>>,
    number: usize,
    voice: &Voice,
    counters: &SharedCounters,
) -> anyhow::Result<()> {
    let (detector, steps) = (SpeechDetector::default(), VecDeque::new());
    let mut session =
        Session { socket, voice, counters, detector, number, steps, response: None, replies: 0, turns: 0 };
    session.greet().await?;
    session.converse().await
}

impl Session<'_> {
    async fn greet(&mut self) -> Result<(), Error> {
        let expires_at = std::time::SystemTime::now() + Duration::from_secs(3_600);
        let expires_at = expires_at.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let id = format!("sess_{}", self.number);
        let session =
            json!({"type": "realtime", "object": "realtime.session", "id": id, "expires_at": expires_at});
        self.say(&json!({"type": "session.created", "session": session})).await
    }

    async fn converse(&mut self) -> anyhow::Result<()> {
        loop {
            let due = self.steps.front().map_or_else(|| Instant::now() + NEVER, |(due, _)| *due);
            tokio::select! {
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.listen(&text).await?,
                    Some(Ok(_)) => {}
                    Some(Err(Error::ConnectionClosed)) | None => return Ok(()),
                    Some(Err(error)) => return Err(error.into()),
                },
                () = sleep_until(due.into()) => self.step().await?,
            }
        }
    }

    async fn listen(&mut self, text: &str) -> anyhow::Result<()> {
        if let Some(is_onset) = self.detector.hear(text) {
            let mut counters = lock(self.counters);
            counters.appends += 1;
            counters.bytes += text.len() as u64;
            if is_onset {
                counters.onsets.push(Instant::now());
            }
            return Ok(());
        }
        let event: Value = serde_json::from_str(text)?;
        match event["type"].as_str().unwrap_or_default() {
            "session.update" => {
                let mut session = event["session"].clone();
                session["id"] = json!(format!("sess_{}", self.number));
                self.say(&json!({"type": "session.updated", "session": session})).await?;
            }
            "response.create" if self.response.is_none() => {
                self.reply(event["response"]["metadata"].clone()).await?;
            }
            "conversation.item.create" => {
                let item = &event["item"];
                self.say(&json!({"type": "conversation.item.added", "item": item})).await?;
                self.say(&json!({"type": "conversation.item.done", "item": item})).await?;
            }
            "conversation.item.truncate" => {
                lock(self.counters).surprises += 1;
                let (item, end) = (&event["item_id"], &event["audio_end_ms"]);
                self.say(&json!({"type": "conversation.item.truncated", "item_id": item, "content_index": 0,
                                 "audio_end_ms": end}))
                    .await?;
            }
            "response.cancel" => {
                lock(self.counters).surprises += 1;
                self.finish("cancelled").await?;
            }
            _ => lock(self.counters).surprises += 1,
        }
        Ok(())
    }

    async fn step(&mut self) -> Result<(), Error> {
        let Some((_, step)) = self.steps.pop_front() else { return Ok(()) };
        match step {
            Step::Piece(n) => self.send_piece(n).await,
            Step::Finish => self.finish("completed").await,
            Step::CallerBegins => {
                self.turns += 1;
                let item = self.turn();
                self.say(&json!({"type": "input_audio_buffer.speech_started", "item_id": item,
                                 "audio_start_ms": 0}))
                    .await
            }
            Step::CallerStops => self.commit().await,
            Step::Reply => self.reply(Value::Null).await,
        }
    }

    /// The caller's turn is over, becomes an item, and is written down.
    async fn commit(&mut self) -> Result<(), Error> {
        let item = self.turn();
        self.say(&json!({"type": "input_audio_buffer.speech_stopped", "item_id": item, "audio_end_ms": 0}))
            .await?;
        self.say(&json!({"type": "input_audio_buffer.committed", "item_id": item, "previous_item_id": null}))
            .await?;
        let content = json!([{"type": "input_audio", "transcript": null}]);
        let message = json!({"id": item, "object": "realtime.item", "type": "message", "status": "completed",
                             "role": "user", "content": content});
        self.say(&json!({"type": "conversation.item.added", "item": message})).await?;
        self.say(&json!({"type": "conversation.item.done", "item": message})).await?;
        let usage = json!({"type": "tokens", "input_tokens": 40, "output_tokens": 10, "total_tokens": 50,
                           "input_token_details": {"audio_tokens": 40, "text_tokens": 0}});
        self.say(&json!({"type": "conversation.item.input_audio_transcription.completed", "item_id": item,
                         "content_index": 0, "transcript": "How do I get to your shop?", "usage": usage}))
            .await
    }

    /// Begins a reply, and plans the turn that it begins.
    async fn reply(&mut self, metadata: Value) -> Result<(), Error> {
        self.replies += 1;
        let now = Instant::now();
        let Rhythm { caller_begins, caller_stops, next, .. } = self.voice.rhythm;
        // The first turn is of another length for each session, so that they do not all speak at once.
        let apart = if self.replies == 1 { next.mul_f64(spread(self.number)) } else { Duration::ZERO };
        let pieces = self.voice.speech.pieces.iter().enumerate();
        let mut steps: VecDeque<_> = pieces.map(|(n, piece)| (now + piece.after, Step::Piece(n))).collect();
        let last = steps.back().map_or(now, |(due, _)| *due);
        steps.push_back((last, Step::Finish));
        steps.push_back((now + caller_begins + apart, Step::CallerBegins));
        steps.push_back((now + caller_stops + apart, Step::CallerStops));
        steps.push_back((now + next + apart, Step::Reply));
        self.steps = steps;
        let id = format!("resp_{}_{}", self.number, self.replies);
        self.response = Some((id.clone(), metadata));
        let created = self.response_json("in_progress", Value::Null);
        self.say(&json!({"type": "response.created", "response": created})).await?;
        let item = self.item_json("in_progress", json!([]));
        self.say(&json!({"type": "response.output_item.added", "response_id": id, "output_index": 0, "item": item}))
            .await?;
        self.say(&json!({"type": "conversation.item.added", "item": item})).await?;
        self.say(
            &self.about("response.content_part.added", json!({"part": {"type": "audio", "transcript": ""}})),
        )
        .await
    }

    async fn send_piece(&mut self, n: usize) -> Result<(), Error> {
        let Some((response, _)) = &self.response else { return Ok(()) };
        let words = self.about("response.output_audio_transcript.delta", json!({"delta": WORDS}));
        let (item, audio) = (self.item(), &self.voice.speech.pieces[n].audio);
        let delta = format!(
            r#"{{"type":"response.output_audio.delta","event_id":"event_{}_{}_{n}","response_id":"{response}","item_id":"{item}","output_index":0,"content_index":0,"delta":"{audio}"}}"#,
            self.number, self.replies
        );
        self.say(&words).await?;
        if n == 0 {
            lock(self.counters).replies.push(Instant::now());
        }
        self.socket.send(Message::text(delta)).await
    }

    /// Ends the reply, complete or not.
    async fn finish(&mut self, status: &str) -> Result<(), Error> {
        let Some((id, _)) = self.response.clone() else { return Ok(()) };
        self.steps.retain(|(_, step)| !matches!(step, Step::Piece(_) | Step::Finish));
        let words = WORDS.repeat(self.voice.speech.pieces.len());
        let part = json!({"type": "audio", "transcript": words});
        let item_status = if status == "completed" { "completed" } else { "incomplete" };
        let item = self.item_json(item_status, json!([{"type": "output_audio", "transcript": words}]));
        let usage = json!({
            "total_tokens": 500, "input_tokens": 420, "output_tokens": 80,
            "input_token_details": {"text_tokens": 200, "audio_tokens": 220, "image_tokens": 0, "cached_tokens": 0,
                "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}},
            "output_token_details": {"text_tokens": 20, "audio_tokens": 60},
        });
        let mut response = self.response_json(status, usage);
        response["output"] = json!([item]);
        self.say(&self.about("response.output_audio.done", json!({}))).await?;
        self.say(&self.about("response.output_audio_transcript.done", json!({"transcript": words}))).await?;
        self.say(&self.about("response.content_part.done", json!({"part": part}))).await?;
        self.say(
            &json!({"type": "response.output_item.done", "response_id": id, "output_index": 0, "item": item}),
        )
        .await?;
        self.say(&json!({"type": "conversation.item.done", "item": item})).await?;
        self.response = None;
        self.say(&json!({"type": "response.done", "response": response})).await
    }

    fn about(&self, kind: &str, mut fields: Value) -> Value {
        fields["type"] = json!(kind);
        fields["response_id"] = json!(self.response.as_ref().map(|(id, _)| id));
        fields["item_id"] = json!(self.item());
        fields["output_index"] = json!(0);
        fields["content_index"] = json!(0);
        fields
    }

    fn response_json(&self, status: &str, usage: Value) -> Value {
        let (id, metadata) =
            self.response.as_ref().map_or(("", &Value::Null), |(id, metadata)| (id, metadata));
        json!({"object": "realtime.response", "id": id, "status": status, "status_details": null, "output": [],
               "conversation_id": format!("conv_{}", self.number), "output_modalities": ["audio"],
               "usage": usage, "metadata": metadata})
    }

    fn item_json(&self, status: &str, content: Value) -> Value {
        json!({"id": self.item(), "object": "realtime.item", "type": "message", "status": status,
               "role": "assistant", "content": content})
    }

    fn item(&self) -> String {
        format!("item_{}_{}", self.number, self.replies)
    }

    fn turn(&self) -> String {
        format!("turn_{}_{}", self.number, self.turns)
    }

    async fn say(&mut self, event: &Value) -> Result<(), Error> {
        self.socket.send(Message::text(event.to_string())).await
    }
}

/// Between 0 and 1, and far apart for numbers that follow one another.
fn spread(number: usize) -> f64 {
    (number as f64 * 0.618_033_988_749_895).fract()
}
