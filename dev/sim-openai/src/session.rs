//! One session: client events and time in, server events and observations out. Opens no socket and reads no clock.

mod choosing;
mod configuring;
mod delivery;
mod items;
mod mcp;
mod pending;
mod replies;
mod sending;
mod telephone;
mod turns;

use crate::clock::AudioClock;
use crate::conversation::Conversation;
use crate::greetings::Greetings;
use crate::injected_fault::InjectedFault;
use crate::input::Input;
use crate::playback::Playback;
use crate::random;
use crate::refusal::Refusal;
use crate::report::Side;
use crate::response::Response;
use crate::settings::Settings;
use crate::usage::Cache;
use crate::{Config, Observation, ObservationKind, SessionReport, schema};
pub(crate) use configuring::beta_disabled;
use configuring::is_beta_shape;
use fastrand::Rng;
use pending::{FollowUp, OpenCall, RemoteCall, Transcription};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

const LONGEST_EVENT_ID: usize = 512;
const GOING_AWAY: u16 = 1_001;
const NORMAL: u16 = 1_000;
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    Send(Arc<Value>),
    Observe(Observation),
    Close {
        code: u16,
        reason: String,
    },
    /// Break the connection, without one.
    Break,
}

#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// How many sessions came before.
    pub session: usize,
    /// What befalls it.
    pub fault: Option<InjectedFault>,
    pub model: String,
    /// Seconds since 1970 now.
    pub unix_now: u64,
    /// The instructions by which earlier sessions greeted.
    pub greetings: Greetings,
}

#[derive(Debug)]
pub(crate) struct Session {
    config: Arc<Config>,
    fault: Option<InjectedFault>,
    session: usize,
    /// The moment of the fact being handled.
    now: Instant,
    expires: Instant,
    rng: Rng,
    settings: Settings,
    configured: bool,
    over: bool,
    conversation_id: String,
    conversation: Conversation,
    input: Input,
    clock: AudioClock,
    transcriptions: VecDeque<Transcription>,
    idle: Option<Instant>,
    responses: Vec<Response>,
    /// When the last response has been played, while there was no speech since.
    played: Option<Instant>,
    open_calls: Vec<OpenCall>,
    /// What follows the results that no response has spoken of yet.
    answered: Vec<Option<FollowUp>>,
    greetings: Greetings,
    /// Nothing was said in this session: whatever the client creates is of an earlier one.
    is_fresh: bool,
    /// The words of an earlier session were replayed.
    has_replayed: bool,
    has_ignored: bool,
    /// Whether the fault in mid-response has been injected.
    has_cut: bool,
    /// What is left of a reply that was cut, for a response asked for before the caller speaks again.
    rest: Option<crate::Reply>,
    /// Events that are sent only then.
    later: Vec<(Instant, Value)>,
    remote_calls: Vec<RemoteCall>,
    /// It will never send anything again.
    is_dead: bool,
    /// The remote servers whose tools were listed.
    listed: Vec<String>,
    responses_begun: usize,
    deltas_sent: usize,
    cache: Cache,
    /// The service's own, in the session of a telephone call; a client at a socket plays what it is sent.
    playback: Option<Playback>,
    report: SessionReport,
    outputs: VecDeque<Output>,
}

impl Session {
    /// A session for a client that was let in.
    pub(crate) fn open(config: Arc<Config>, connection: Connection, now: Instant) -> Self {
        let mut session = Self::new(config, &connection, now);
        session.observe(ObservationKind::Connected { model: connection.model });
        match session.fault {
            Some(InjectedFault::NoSession) => session.is_dead = true,
            Some(InjectedFault::QuotaExhausted) => session.refuse_for_good(&Refusal::quota()),
            _ => session.greet(),
        }
        session
    }

    /// A session that ends with its first event: let in, and refused at once.
    pub(crate) fn refused(
        config: Arc<Config>,
        connection: Connection,
        refusal: &Refusal,
        now: Instant,
    ) -> Self {
        let mut session = Self::new(config, &connection, now);
        session.refuse_for_good(refusal);
        session
    }

    pub(crate) fn handle_client(&mut self, text: &str, now: Instant) {
        self.now = now;
        if self.over {
            return;
        }
        let event = match serde_json::from_str::<Value>(text) {
            Ok(event) => Arc::new(event),
            Err(error) => {
                return self.refuse(&Refusal::new("invalid_event", format!("Not JSON: {error}.")), None);
            }
        };
        self.record(Side::Client, &event);
        if self.is_dead {
            return;
        }
        if is_beta_shape(&event) && !self.is_telephone() {
            return self.refuse_for_good(&beta_disabled());
        }
        if let Err(refusal) = self.obey(&event) {
            self.refuse(&refusal, event["event_id"].as_str());
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        while let Some(due) = self.poll_timeout().filter(|due| *due <= now) {
            if due == self.expires {
                self.expire();
            } else if self.idle == Some(due) {
                self.end_idleness();
            } else if self.playback_due() == Some(due) {
                self.play_on();
            } else if let Some(index) = self.later.iter().position(|(then, _)| *then == due) {
                self.send_later(index);
            } else if let Some(index) = self.remote_calls.iter().position(|call| call.due == due) {
                self.end_remote_call(index);
            } else if let Some(index) = self.responses.iter().position(|r| r.next_due() == Some(due)) {
                self.advance(index);
            } else {
                self.transcribe_next();
            }
        }
    }

    pub(crate) fn handle_close(&mut self, why: impl Into<String>, now: Instant) {
        self.now = now;
        self.over = true;
        if !self.report.closed {
            self.report.closed = true;
            self.observe(ObservationKind::Closed { why: why.into() });
        }
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.over || self.is_dead {
            return None;
        }
        let responses = self.responses.iter().filter_map(Response::next_due);
        let transcription = self.transcriptions.front().map(|next| next.due);
        let later = self.later.iter().map(|(due, _)| *due);
        let remote = self.remote_calls.iter().map(|call| call.due);
        let due = responses.chain(transcription).chain(later).chain(remote).chain(self.playback_due());
        due.chain(self.idle).chain([self.expires]).min()
    }

    /// How many sessions came before.
    pub(crate) fn index(&self) -> usize {
        self.session
    }

    pub(crate) fn report(&self) -> &SessionReport {
        &self.report
    }

    fn new(config: Arc<Config>, connection: &Connection, now: Instant) -> Self {
        let fault = connection.fault;
        let length = if let Some(InjectedFault::Expires { after }) = fault { after } else { config.longest };
        let mut rng = random::of_session(config.seed, connection.session);
        let expires_at = connection.unix_now + length.as_secs();
        let settings = Settings::new(&random::id(&mut rng, "sess"), &connection.model, expires_at);
        let detection = settings.turn_detection().expect("a new session detects turns");
        Self {
            fault,
            session: connection.session,
            now,
            expires: now + length,
            conversation_id: random::id(&mut rng, "conv"),
            rng,
            settings,
            configured: false,
            over: false,
            conversation: Conversation::default(),
            input: Input::new(detection.hearing),
            clock: AudioClock::default(),
            transcriptions: VecDeque::new(),
            idle: None,
            responses: Vec::new(),
            played: None,
            open_calls: Vec::new(),
            answered: Vec::new(),
            greetings: connection.greetings.clone(),
            is_fresh: true,
            has_replayed: false,
            has_ignored: false,
            has_cut: false,
            rest: None,
            later: Vec::new(),
            remote_calls: Vec::new(),
            is_dead: false,
            listed: Vec::new(),
            responses_begun: 0,
            deltas_sent: 0,
            cache: Cache::default(),
            playback: None,
            report: SessionReport::default(),
            outputs: VecDeque::new(),
            config,
        }
    }

    fn greet(&mut self) {
        self.send(json!({"type": "session.created", "session": self.settings.json()}));
        let conversation = json!({"id": self.conversation_id, "object": "realtime.conversation"});
        self.send(json!({"type": "conversation.created", "conversation": conversation}));
    }

    fn obey(&mut self, event: &Value) -> Result<(), Refusal> {
        schema::check_client(event)?;
        if event["event_id"].as_str().is_some_and(|id| id.len() > LONGEST_EVENT_ID) {
            return Err(Refusal::value("event_id", "An event_id has at most 512 characters."));
        }
        let kind = event["type"].as_str().unwrap_or_default();
        if self.is_telephone() {
            self.check_for_telephone(kind)?;
        }
        match kind {
            "session.update" => self.configure(&event["session"]),
            "input_audio_buffer.append" => self.append(&event["audio"]),
            "input_audio_buffer.commit" => self.commit_by_hand(),
            "input_audio_buffer.clear" => self.clear(),
            "conversation.item.create" => self.create_item(event),
            "conversation.item.delete" => self.delete_item(&event["item_id"]),
            "conversation.item.retrieve" => self.retrieve_item(&event["item_id"]),
            "conversation.item.truncate" => self.truncate_item(event),
            "response.create" => self.create_response(&event["response"]),
            "response.cancel" => self.cancel_response(event["response_id"].as_str()),
            "output_audio_buffer.clear" if self.is_telephone() => {
                self.clear_playback();
                Ok(())
            }
            schema::CLOSE => {
                self.close(NORMAL, "");
                Ok(())
            }
            other => Err(Refusal::value(
                "type",
                format!("'{other}' is for WebRTC and SIP; a socket plays its own sound."),
            )),
        }
    }

    fn send_later(&mut self, index: usize) {
        let (_, event) = self.later.remove(index);
        if event["type"] == "session.updated" { self.confirm(event) } else { self.send(event) }
    }

    fn expire(&mut self) {
        let message = "Your session hit the maximum duration of 60 minutes.";
        self.send(Refusal::new("session_expired", message).event(None));
        self.close(GOING_AWAY, message);
    }
}

#[cfg(test)]
mod tests;
