//! Tests a conversation on virtual time; every client event is validated against OpenAI's types.

mod audio;
mod caller_turn;
mod configuring;
mod cut_off_responses;
mod empty_responses;
mod failed_responses;
mod greeting;
mod holding;
mod hosted_tools;
mod properties;
mod reconnecting;
mod response_timeouts;
mod responses;
mod rollover;
mod sideband;
mod sideband_properties;
mod tools;

use super::*;
use crate::options::{Format, ServerVad, TurnDetection};
use crate::{AudioPath, ConnectionLoss, Failure, Greeting, Options, ServerEvent};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// The level of audible samples.
const LOUD: i16 = 700;

/// The time when each test begins, in seconds since 1970.
const T0: u64 = 1_795_300_000;

static SCHEMAS: LazyLock<Mutex<HashMap<String, jsonschema::Validator>>> = LazyLock::new(Mutex::default);

/// A conversation, its virtual clock, and the server's side of it.
struct Talk {
    session: Session,
    start: Instant,
    now: Instant,
    /// The client events that were sent, with their link.
    sent: Vec<(LinkId, Value)>,
    connects: Vec<LinkId>,
    closed: Vec<LinkId>,
    events: Vec<SessionEvent>,
}

impl Talk {
    fn with(config: SessionConfig) -> Self {
        let now = Instant::now();
        Self::of(Session::new(config, now), now)
    }

    /// Returns a conversation whose configuration is still to be given.
    fn held(config: SessionConfig) -> Self {
        let now = Instant::now();
        Self::of(Session::held(config, now), now)
    }

    fn of(session: Session, now: Instant) -> Self {
        let mut talk =
            Self { session, start: now, now, sent: vec![], connects: vec![], closed: vec![], events: vec![] };
        talk.drain();
        talk
    }

    /// Returns a configured conversation whose greeting is requested.
    fn ready_with(config: SessionConfig) -> Self {
        let mut talk = Self::with(config);
        talk.accept();
        talk
    }

    /// Returns an opened conversation whose greeting was played.
    fn greeted_with(config: SessionConfig) -> Self {
        let mut talk = Self::ready_with(config);
        talk.say("greeting", "g", "Hello, how can I help?", 500);
        talk.session.open(talk.now);
        talk.session.set_playing(true, talk.now);
        talk.session.was_played(&"g".into(), talk.now);
        talk.session.set_playing(false, talk.now);
        talk.forget();
        talk
    }

    fn greeted() -> Self {
        Self::greeted_with(config())
    }

    /// Creates and configures the session of the newest link.
    fn accept(&mut self) {
        let link = self.newest();
        self.on(link, json!({"type": "session.created", "session": {}}));
        self.on(link, json!({"type": "session.updated", "session": {"expires_at": self.unix() + 3_600}}));
    }

    fn newest(&self) -> LinkId {
        *self.connects.last().expect("it connects first of all")
    }

    fn unix(&self) -> u64 {
        T0 + (self.now - self.start).as_secs()
    }

    /// Receives a server event on the link in use.
    fn server_sends(&mut self, event: Value) {
        let link = self.session.link.id;
        self.on(link, event);
    }

    fn on(&mut self, link: LinkId, event: Value) {
        let (now, unix) = (self.now, self.unix());
        self.session.handle_event(link, ServerEvent::read(&event.to_string()), now, unix);
        self.drain();
    }

    fn down(&mut self, down: ConnectionLoss) {
        let link = self.session.link.id;
        self.session.handle_connection_loss(link, down, self.now);
        self.drain();
    }

    /// Calls the session, then takes its actions and events.
    fn act(&mut self, act: impl FnOnce(&mut Session, Instant)) {
        act(&mut self.session, self.now);
        self.drain();
    }

    /// Advances the clock, and handles every timeout on the way.
    fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        let mut at_once = 0;
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.session.handle_timeout(self.now);
            self.drain();
            let is_again = self.session.poll_timeout().is_some_and(|again| again <= self.now);
            at_once = if is_again { at_once + 1 } else { 0 };
            // Several timeouts may be due at once.
            assert!(at_once < 5, "a timeout that is never over");
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                SessionAction::Connect(link) => self.connects.push(link),
                SessionAction::Close(link) => self.closed.push(link),
                SessionAction::Send(link, event) => {
                    let event = serde_json::from_str(&event.to_json()).expect("we write JSON");
                    check(&event);
                    self.sent.push((link, event));
                }
            }
        }
        self.events.extend(std::iter::from_fn(|| self.session.poll_event()));
    }

    fn forget(&mut self) {
        self.drain();
        self.sent.clear();
        self.events.clear();
    }

    /// Returns the sent events of a type.
    fn sent_of(&self, kind: &str) -> Vec<&Value> {
        self.sent.iter().map(|(_, event)| event).filter(|event| event["type"] == kind).collect()
    }

    /// Returns the types of the sent events.
    fn kinds(&self) -> Vec<&str> {
        self.sent.iter().filter_map(|(_, event)| event["type"].as_str()).collect()
    }

    fn response_creates(&self) -> usize {
        self.sent_of("response.create").len()
    }

    /// Starts a response, the requested one if there is one.
    fn begin(&mut self, id: &str) {
        let metadata = self.session.link.queue.requested_event().map(|id| json!({"client_event_id": id}));
        self.server_sends(json!({"type": "response.created",
            "response": {"id": id, "status": "in_progress", "metadata": metadata}}));
    }

    /// Starts a response of the server's own.
    fn begin_own(&mut self, id: &str) {
        self.server_sends(json!({"type": "response.created", "response": {"id": id, "status": "in_progress", "metadata": null}}));
    }

    /// Sends an item's transcript and audio.
    fn speak(&mut self, response: &str, item: &str, words: &str, ms: usize) {
        self.speak_at(LOUD, response, item, words, ms);
    }

    fn speak_at(&mut self, level: i16, response: &str, item: &str, words: &str, ms: usize) {
        let audio = crate::audio_encoding::AudioEncoder::new(Format::Pcm)
            .encode(&vec![level; ms * 24])
            .unwrap_or_default();
        let of = |kind: &str| json!({"type": kind, "response_id": response, "item_id": item});
        let mut text = of("response.output_audio_transcript.delta");
        text["delta"] = json!(words);
        let mut sound = of("response.output_audio.delta");
        sound["delta"] = json!(audio);
        let item = json!({"id": item, "type": "message", "status": "in_progress"});
        self.server_sends(
            json!({"type": "response.output_item.added", "response_id": response, "item": item}),
        );
        self.server_sends(text);
        self.server_sends(sound);
    }

    fn finish(&mut self, response: &str, item: &str) {
        self.server_sends(
            json!({"type": "response.output_audio.done", "response_id": response, "item_id": item}),
        );
        let item = json!({"id": item, "type": "message", "status": "completed"});
        self.server_sends(
            json!({"type": "response.output_item.done", "response_id": response, "item": item}),
        );
    }

    /// Ends a response; a completed one without content gets some.
    fn done(&mut self, response: &str, status: &str) {
        let is_ongoing = self.session.link.queue.ongoing().is_some_and(|(id, _)| id.as_str() == response);
        let has_called = self.session.tools.were_called_by(&response.into());
        if status == "completed" && is_ongoing && !has_called && !self.session.has_audio(&response.into()) {
            self.speak(response, &format!("{response}_said"), "Well.", 100);
        }
        self.ends(response, status, None);
    }

    /// Ends a response with the content it has so far.
    fn ends(&mut self, response: &str, status: &str, reason: Option<&str>) {
        let details = json!({"type": status, "reason": reason});
        self.server_sends(json!({"type": "response.done",
            "response": {"id": response, "status": status, "status_details": details}}));
    }

    fn fails(&mut self, response: &str, code: &str) {
        self.server_sends(json!({"type": "response.done", "response": {"id": response, "status": "failed",
            "status_details": {"error": {"code": code, "message": "x"}}}}));
    }

    /// Sends a complete response of one item.
    fn say(&mut self, response: &str, item: &str, words: &str, ms: usize) {
        self.begin(response);
        self.speak(response, item, words, ms);
        self.finish(response, item);
        self.done(response, "completed");
    }

    fn caller_starts(&mut self, item: &str) {
        self.server_sends(json!({"type": "input_audio_buffer.speech_started", "item_id": item}));
    }

    fn caller_stops(&mut self, item: &str) {
        self.server_sends(json!({"type": "input_audio_buffer.speech_stopped", "item_id": item}));
    }

    fn transcribed(&mut self, item: &str, words: &str) {
        self.server_sends(
            json!({"type": "conversation.item.input_audio_transcription.completed", "item_id": item,
            "transcript": words, "usage": {"type": "duration", "seconds": 1.5}}),
        );
    }

    /// Sends a complete function call.
    fn calls(&mut self, response: &str, call_id: &str) {
        let item = json!({"id": format!("i{call_id}"), "type": "function_call", "status": "completed",
            "call_id": call_id, "name": "look", "arguments": "{\"order\":\"7\"}"});
        self.server_sends(
            json!({"type": "response.output_item.done", "response_id": response, "item": item}),
        );
    }

    fn errs(&mut self, code: &str) {
        self.server_sends(json!({"type": "error", "error": {"type": "invalid_request_error", "code": code, "message": "x"}}));
    }

    /// Returns the texts or call ids of the created items.
    fn item_texts(&self) -> Vec<String> {
        let items = self.sent_of("conversation.item.create").into_iter().map(|event| &event["item"]);
        let word = |item: &Value| {
            let text = item["content"][0]["text"].as_str().or(item["call_id"].as_str());
            text.unwrap_or_default().to_owned()
        };
        items.map(word).collect()
    }

    fn failure(&self) -> Option<&Failure> {
        self.events.iter().find_map(|event| match event {
            SessionEvent::Failed(failure) => Some(failure),
            _ => None,
        })
    }
}

fn config() -> SessionConfig {
    SessionConfig {
        instructions: "You answer calls.".into(),
        options: Options::default(),
        greeting: Greeting::Prompt("Greet the caller.".into()),
        greeting_interruptible: true,
        turns: TurnMode::Server,
        audio: AudioPath::Socket,
        tools: vec![json!({"type": "function", "name": "look", "description": "Looks up an order.",
            "parameters": {"type": "object", "properties": {"order": {"type": "string"}}}})],
        recycle_after: None,
        margin: SessionConfig::MARGIN,
        without: crate::OptionalParts::default(),
    }
}

/// Returns a configuration with a protected greeting and an idle timer of nine seconds.
fn protected_greeting() -> SessionConfig {
    let vad = ServerVad { idle_timeout_ms: Some(9_000), ..ServerVad::default() };
    let options = Options { turn_detection: TurnDetection::Server(vad), ..Options::default() };
    SessionConfig { greeting_interruptible: false, options, ..config() }
}

fn local_turns() -> SessionConfig {
    SessionConfig { turns: TurnMode::Local, ..config() }
}

fn check(event: &Value) {
    let name = event["type"].as_str().expect("every event has a type");
    let mut schemas = SCHEMAS.lock().expect("no test fails while it holds this");
    let validator = schemas.entry(name.to_owned()).or_insert_with(|| {
        let path =
            format!("{}/../../fixtures/realtime-schema/client/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let schema = std::fs::read_to_string(path).expect("there is a schema for each client event");
        let schema = serde_json::from_str(&schema).expect("the schemas are JSON");
        jsonschema::validator_for(&schema).expect("the schemas are schemas")
    });
    let errors: Vec<_> = validator.iter_errors(event).map(|error| error.to_string()).collect();
    drop(schemas);
    assert_eq!(errors, Vec::<String>::new(), "{event}");
}
