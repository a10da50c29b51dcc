//! Sessions on virtual time: a client speaks, time passes, and every event sent is checked against OpenAI's types.

mod asking;
mod injected_faults;
mod interrupting;
mod items;
mod listening;
mod opening;
mod remote_tools;
mod replying;
mod restoring;
mod silent_responses;
mod turns;

use super::*;
use crate::conversation::Item;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sim_audio::{FRAME, clips};
use std::time::Duration;

/// A client and its session, alone in the world.
struct Rig {
    session: Session,
    now: Instant,
    /// What the server sent since it was last looked at.
    inbox: Vec<Value>,
    ending: Option<Output>,
}

impl Rig {
    fn connected(config: Config) -> Self {
        Self::connected_after(&Greetings::default(), config)
    }

    /// A session of a service that has seen others.
    fn connected_after(greetings: &Greetings, config: Config) -> Self {
        let fault = config.fault_of(0, 0);
        let model = "gpt-realtime-2.1".into();
        let greetings = greetings.clone();
        let who = Connection { session: 0, fault, model, unix_now: 1_795_330_800, greetings };
        let now = Instant::now();
        let mut rig =
            Self { session: Session::open(Arc::new(config), who, now), now, inbox: vec![], ending: None };
        rig.collect();
        rig
    }

    /// A session that is configured to wait 500 ms for the end of a turn, and to write turns down.
    fn configured(config: Config) -> Self {
        let mut rig = Self::connected(config);
        rig.configure(json!({"audio": {"input": {
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
            "transcription": {"model": "gpt-transcribe"},
        }}}));
        rig.inbox.clear();
        rig
    }

    /// A session that has greeted the caller, unless something went wrong.
    fn greeted(config: Config) -> Self {
        let mut rig = Self::configured(config);
        rig.respond(json!({}));
        rig
    }

    fn configure(&mut self, mut session: Value) {
        session["type"] = json!("realtime");
        self.send(json!({"type": "session.update", "session": session}));
    }

    /// Detects turns by volume, with these settings.
    fn detect(&mut self, mut settings: Value) {
        settings["type"] = json!("server_vad");
        self.configure(json!({"audio": {"input": {"turn_detection": settings}}}));
    }

    fn send(&mut self, event: Value) {
        self.session.handle_client(&event.to_string(), self.now);
        self.collect();
    }

    fn ask(&mut self, kind: &str) {
        self.send(json!({"type": kind}));
    }

    /// Speaks, in real time, 20 ms at once.
    fn speak(&mut self, sound: &[i16]) {
        for frame in sound.chunks(FRAME) {
            self.append(frame);
            self.pass(sim_audio::duration(frame.len()));
        }
    }

    /// Says a sentence and waits until the silence proves that it was all.
    fn take_turn(&mut self) {
        self.speak(&clips::caller_question().samples);
        self.speak(&silence(700));
    }

    /// Takes a turn, and hears the reply to it out.
    fn exchange(&mut self) {
        self.take_turn();
        self.pass(ms(3_000));
    }

    fn append(&mut self, samples: &[i16]) {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.send(json!({"type": "input_audio_buffer.append", "audio": BASE64.encode(bytes)}));
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            self.now = due;
            self.session.handle_timeout(due);
            self.collect();
        }
        self.now = end;
    }

    fn collect(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send(event) => self.inbox.push(event.as_ref().clone()),
                Output::Observe(_) => {}
                Output::Close { .. } | Output::Break => self.ending = Some(output),
            }
        }
    }

    /// The names of the events received, each run of deltas as one, without those that float.
    fn received(&self) -> Vec<&str> {
        let names = self.inbox.iter().filter_map(|event| event["type"].as_str());
        let mut names: Vec<&str> =
            names.filter(|name| !name.starts_with("conversation.item.input_audio_transcription")).collect();
        names.dedup_by(|next, kept| is_spoken_delta(next) && is_spoken_delta(kept));
        names
    }

    fn all(&self, kind: &str) -> Vec<&Value> {
        self.inbox.iter().filter(|event| event["type"] == kind).collect()
    }

    fn last(&self, kind: &str) -> &Value {
        self.all(kind).last().copied().unwrap_or(&Value::Null)
    }

    /// The last of the caller's turns, written down.
    fn transcript(&self) -> Option<&str> {
        self.last("conversation.item.input_audio_transcription.completed")["transcript"].as_str()
    }

    fn error(&self) -> (&str, &str) {
        let error = &self.last("error")["error"];
        (error["code"].as_str().unwrap_or_default(), error["message"].as_str().unwrap_or_default())
    }

    /// Asks for a response with these fields, and waits until it is over.
    fn respond(&mut self, response: Value) {
        self.send(json!({"type": "response.create", "response": response}));
        self.pass(ms(4_000));
    }

    fn spoken(&self) -> Vec<&str> {
        self.session.report().spoken.iter().map(|spoken| spoken.clip.as_str()).collect()
    }

    fn has_seen(&self, wanted: impl Fn(&ObservationKind) -> bool) -> bool {
        self.session.report().observations.iter().any(|observation| wanted(&observation.kind))
    }

    fn violations(&self) -> &[String] {
        &self.session.report().violations
    }
}

fn is_spoken_delta(name: &str) -> bool {
    name.ends_with("audio.delta") || name.ends_with("audio_transcript.delta")
}

fn config() -> Config {
    Config::new("sk-test")
}

fn with(fault: InjectedFault) -> Config {
    Config { fault: Some(fault), ..config() }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A message of the client, to be put into the conversation.
fn written(role: &str, text: &str) -> Value {
    let part = if role == "assistant" { "output_text" } else { "input_text" };
    let item = json!({"type": "message", "role": role, "content": [{"type": part, "text": text}]});
    json!({"type": "conversation.item.create", "item": item})
}

/// What a function answered.
fn output_of(call_id: &Value) -> Value {
    let item = json!({"type": "function_call_output", "call_id": call_id, "output": "{\"state\":\"ready\"}"});
    json!({"type": "conversation.item.create", "item": item})
}

fn silence(milliseconds: u64) -> Vec<i16> {
    vec![0; sim_audio::samples(ms(milliseconds))]
}

/// A sound that counts as speech.
fn voice() -> Vec<i16> {
    sim_audio::tone(300.0, ms(200))
}
