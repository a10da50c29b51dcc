//! Runs a conversation with the model over as many Realtime sessions as it takes.
//!
//! Sans-IO: the caller opens and closes the connections that [`Session::poll_action`] names, and carries events between them and the
//! session.

mod caller_turn;
mod configuring;
mod empty_responses;
mod event;
mod greeting;
mod holding;
mod hosted_tools;
mod idle_timer;
mod link_ids;
mod outage;
mod playback;
mod prompting;
mod reconnecting;
mod responding;
mod rollover;
mod server_events;
mod sideband;
mod tools;

use crate::audio_encoding::{AudioEncoder, RATE};
use crate::history::ConversationHistory;
use crate::link::{Link, LinkId, Stage, Unconfirmed};
use crate::{ClientEvent, ItemId, OptionalPart, ResponseId, SessionConfig, ToolCallId, TurnMode, Usage};
use caller_turn::CallerTurn;
use empty_responses::EmptyResponses;
pub use event::{EmptyResponseAction, HostedOutcome, Purpose, SessionAction, SessionEvent};
use greeting::GreetingState;
use idle_timer::IdleTimer;
use outage::Outage;
use serde_json::{Value, json};
use sideband::Sideband;
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};
use tools::Tools;

/// How much of the caller's audio is buffered while no session is ready, in samples. Older audio would be stale.
const PENDING_AUDIO: usize = 2 * RATE as usize;

/// A conversation with the model that survives lost and expired Realtime sessions.
pub struct Session {
    config: SessionConfig,
    link: Link,
    /// The link that will take over at the session rollover.
    next: Option<Link>,
    /// The earliest time to open another next link.
    next_not_before: Option<Instant>,
    outage: Option<Outage>,
    /// Links in a row that were given up because responses failed on them.
    failed_links: u32,
    /// Failed responses in a row.
    failed_responses: u32,
    empty_responses: EmptyResponses,
    /// Labels of the MCP servers whose tools could not be listed.
    missing_tools: HashSet<String>,
    /// Refused parts with their error codes, reported once a configuration without them is accepted.
    refused_parts: Vec<(OptionalPart, String)>,
    greeting: GreetingState,
    idle_timer: IdleTimer,
    sideband: Sideband,
    tools: Tools,
    caller_turn: CallerTurn,
    history: ConversationHistory,
    encoder: AudioEncoder,
    pending_audio: VecDeque<i16>,
    was_ready: bool,
    is_open: bool,
    is_playing: bool,
    is_over: bool,
    /// Whether the configuration is still to be given.
    is_held: bool,
    /// How often the instructions were replaced.
    instructions_revision: u32,
    last_id: u64,
    last_link: u64,
    usage: Usage,
    actions: VecDeque<SessionAction>,
    events: VecDeque<SessionEvent>,
}

impl Session {
    /// Creates a conversation and asks for its first connection; a sideband asks for it once it is [opened](Session::open).
    pub fn new(config: SessionConfig, now: Instant) -> Self {
        Self::create(config, false, now)
    }

    fn create(config: SessionConfig, is_held: bool, now: Instant) -> Self {
        let mut session = Self {
            link: Link::new(LinkId(0), Stage::Waiting(now), now),
            next: None,
            next_not_before: None,
            outage: None,
            failed_links: 0,
            failed_responses: 0,
            empty_responses: EmptyResponses::default(),
            missing_tools: HashSet::new(),
            refused_parts: vec![],
            greeting: GreetingState::of(&config.greeting),
            idle_timer: IdleTimer::default(),
            sideband: Sideband::default(),
            tools: Tools::default(),
            caller_turn: CallerTurn::default(),
            history: ConversationHistory::default(),
            encoder: AudioEncoder::new(config.options.input_format),
            pending_audio: VecDeque::new(),
            was_ready: false,
            is_open: false,
            is_playing: false,
            is_over: false,
            is_held,
            instructions_revision: 0,
            last_id: 0,
            last_link: 0,
            usage: Usage::default(),
            actions: VecDeque::new(),
            events: VecDeque::new(),
            config,
        };
        if !session.is_sideband() {
            session.reconnect(now);
        }
        session
    }

    /// Opens the call's audio: from here on the caller's audio is sent to the model. Attaches a sideband to its call.
    pub fn open(&mut self, now: Instant) {
        self.is_open = true;
        if self.is_sideband() {
            self.attach(now);
        }
        self.advance(now);
    }

    /// Sends the caller's audio, 24 kHz mono.
    ///
    /// Audio before [`Session::open`] is dropped. While no session is ready, the last two seconds are buffered for the next one.
    pub fn append(&mut self, samples: &[i16], now: Instant) {
        if !self.is_open || self.is_over || self.is_sideband() {
            return;
        }
        self.caller_turn.note_audio(samples, now);
        if self.link.is_ready() {
            return self.send_audio(samples);
        }
        self.pending_audio.extend(samples);
        let stale = self.pending_audio.len().saturating_sub(PENDING_AUDIO);
        self.pending_audio.drain(..stale);
    }

    /// Sets whether agent audio is being played to the caller. The service reports it where it carries the audio.
    pub fn set_playing(&mut self, playing: bool, now: Instant) {
        if self.is_sideband() {
            return;
        }
        self.note_playing(playing, now);
        self.advance(now);
    }

    fn note_playing(&mut self, playing: bool, now: Instant) {
        if self.is_playing && !playing {
            self.greeting.playback_stopped();
            self.idle_timer.playback_stopped(now);
        }
        self.is_playing = playing;
    }

    /// Truncates an interrupted item to what the caller heard of it, so that the model knows what was not heard.
    ///
    /// Sends nothing if all of it was heard, or where the service carries the audio. An item of an earlier session is replaced by one that holds the heard words only.
    pub fn truncate(&mut self, item: &ItemId, heard: Duration, of: Duration, now: Instant) {
        if self.is_sideband() {
            return;
        }
        self.greeting.item_played(item);
        let replayed_as = self.history.set_heard(item, heard, of);
        if let Some(spoken) = self.link.items.get(item) {
            let received = spoken.decoder.received();
            if heard < received || !spoken.is_finished {
                self.truncate_item(item, heard.min(received));
            }
        } else if let Some(replayed_as) = replayed_as.filter(|_| self.link.is_ready()) {
            self.delete(&replayed_as);
            self.replay_item(item);
        }
        self.advance(now);
    }

    /// Records that an item was played to its end.
    pub fn was_played(&mut self, item: &ItemId, now: Instant) {
        self.greeting.item_played(item);
        self.advance(now);
    }

    /// Cancels the response in progress, and discards what is still to be played where the service carries the audio, for a barge-in that
    /// the server did not detect.
    pub fn interrupt(&mut self, now: Instant) {
        let cancelled = self.link.queue.cancel(now);
        if let Some(response) = cancelled.clone() {
            self.cancel(response);
        }
        if self.link.is_ready() {
            self.clear_played(cancelled.as_ref());
        }
        self.advance(now);
    }

    /// Ends the caller's turn under [`TurnMode::Local`], and requests a response if `answer` is set; has no effect under
    /// [`TurnMode::Server`].
    pub fn yield_turn(&mut self, answer: bool, now: Instant) {
        if self.config.turns == TurnMode::Local {
            self.link.queue.end_turn(answer);
            self.advance(now);
        }
    }

    /// Adds a user message about what the caller did, such as DTMF digits, and requests a response to it.
    pub fn tell(&mut self, text: &str, now: Instant) {
        self.history.add_note(text);
        let content = json!([{"type": "input_text", "text": text}]);
        self.add_item(json!({"type": "message", "role": "user", "content": content}), None, now);
        self.link.queue.request(crate::response_queue::ResponseRequest::Answer);
        self.advance(now);
    }

    /// Prompts the agent to speak out of turn, without tools, once no response is in progress.
    ///
    /// If the caller speaks first, the prompt is dropped, such as a question whether the caller is still there; with `insists` it is kept,
    /// such as a goodbye.
    pub fn ask(&mut self, instructions: &str, insists: bool, now: Instant) {
        self.link.queue.request(crate::response_queue::ResponseRequest::Prompt {
            prompt: instructions.to_owned(),
            insists,
        });
        self.advance(now);
    }

    /// Withdraws the prompt of [`Session::ask`], unless its response has already begun.
    pub fn withdraw(&mut self, now: Instant) {
        self.link.queue.withdraw_prompt();
        self.advance(now);
    }

    /// Replaces a session that does not detect the caller's speech, though the local level meter does.
    ///
    /// The next session asks the caller to repeat what was lost.
    pub fn replace_deaf(&mut self, now: Instant) {
        if self.link.is_ready() && !self.is_over {
            // A turn without a transcript makes the history ask the caller to repeat it.
            let item = self.new_id().into();
            self.history.add_caller_item(&item);
            self.link.queue.end_turn(true);
            self.link.caller_may_continue = true;
            self.abandon_link("deaf", now);
            self.advance(now);
        }
    }

    /// Returns the next action for the caller to perform, in order.
    pub fn poll_action(&mut self) -> Option<SessionAction> {
        self.actions.pop_front()
    }

    /// Returns the next event of the conversation, in order.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }

    /// Returns the tokens and time used by the conversation so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Takes every step that the last input has made possible.
    fn advance(&mut self, now: Instant) {
        if self.is_over {
            return;
        }
        self.end_greeting();
        self.report_missing_tools(now);
        self.roll_over(now);
        self.respond(now);
    }

    fn truncate_item(&mut self, item: &ItemId, heard: Duration) {
        let audio_end_ms = heard.as_millis() as u64;
        if audio_end_ms == 0 {
            self.link.items.remove(item);
            return self.delete(item);
        }
        let (event_id, item_id) = (self.new_id(), item.clone());
        self.send(ClientEvent::Truncate { event_id, item_id, content_index: 0, audio_end_ms });
    }

    fn delete(&mut self, item: &ItemId) {
        let (event_id, item_id) = (self.new_id(), item.clone());
        self.send(ClientEvent::ItemDelete { event_id, item_id });
    }

    fn cancel(&mut self, response_id: ResponseId) {
        let event_id = self.new_id();
        self.send(ClientEvent::Cancel { event_id, response_id: response_id.clone() });
        self.clear_cancelled(&response_id);
    }

    /// Adds an item to the conversation. Without a connection it reaches the next session with the history, and the same session later.
    fn add_item(&mut self, item: Value, call_id: Option<&ToolCallId>, now: Instant) {
        if self.link.is_ready() {
            self.create_item(item, call_id, now);
        } else if self.is_sideband() {
            self.keep_unsent(item, call_id);
        }
    }

    /// Creates an item in the conversation, and remembers that the server has not confirmed it.
    fn create_item(&mut self, mut item: Value, call_id: Option<&ToolCallId>, now: Instant) {
        let id = self.new_item_id();
        item["id"] = json!(id);
        let call_id = call_id.map(|id| self.server_id(id));
        self.link.note_created(Unconfirmed { item: id, call_id, since: now });
        let event_id = self.new_id();
        self.send(ClientEvent::ItemCreate { event_id, item: item.into() });
    }

    /// Returns an id as the server of the link in use knows it. A sideband has one server all along.
    fn server_id(&self, id: &ToolCallId) -> ToolCallId {
        if self.is_sideband() { id.clone() } else { self.link.id.server_id(id.as_str()).into() }
    }

    fn send_audio(&mut self, samples: &[i16]) {
        if let Some(audio) = self.encoder.encode(samples) {
            self.send(ClientEvent::Append { audio: audio.into() });
        }
    }

    fn send(&mut self, event: ClientEvent) {
        self.send_to(self.link.id, event);
    }

    fn send_to(&mut self, link: LinkId, event: ClientEvent) {
        let event = if self.is_sideband() { event } else { link.to_server(event) };
        self.actions.push_back(SessionAction::Send(link, event));
    }

    fn emit(&mut self, event: SessionEvent) {
        self.events.push_back(event);
    }

    fn new_id(&mut self) -> String {
        self.last_id += 1;
        format!("e{}", self.last_id)
    }

    /// Returns an id for an item that we create.
    fn new_item_id(&mut self) -> ItemId {
        format!("ahoy_{}", self.new_id()).into()
    }
}

impl fmt::Debug for Session {
    /// Omits the conversation's content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (link, stage) = (self.link.id, self.link.stage);
        f.debug_struct("Session").field("link", &link).field("stage", &stage).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
