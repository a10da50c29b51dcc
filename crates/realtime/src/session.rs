//! A conversation with the model, over as many connections as it takes. Sans-IO: the shell opens and closes the
//! connections that [`Session::poll_action`] names, and carries events between them and the session.

mod caller_turn;
mod configuring;
mod empty_responses;
mod event;
mod greeting;
mod hosted_tools;
mod idle_timer;
mod link_ids;
mod prompting;
mod reconnecting;
mod responding;
mod rollover;
mod server_events;
mod tools;

use crate::audio_encoding::{AudioEncoder, RATE};
use crate::history::ConversationHistory;
use crate::link::{Link, LinkId, Stage, Unconfirmed};
use crate::{ClientEvent, OptionalPart, SessionConfig, TurnMode, Usage};
use caller_turn::CallerTurn;
use empty_responses::EmptyResponses;
pub use empty_responses::{EmptyResponseAction, Purpose};
pub use event::{SessionAction, SessionEvent};
use greeting::GreetingState;
pub use hosted_tools::HostedOutcome;
pub(crate) use hosted_tools::ToolLists;
use idle_timer::IdleTimer;
use reconnecting::Reconnection;
use serde_json::{Value, json};
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};
use tools::Tools;

/// So much of the caller's sound is kept while there is no session, samples: what is older would be stale.
const KEPT: usize = 2 * RATE as usize;

/// A conversation.
pub struct Session {
    config: SessionConfig,
    link: Link,
    /// The one that is to take over.
    next: Option<Link>,
    /// No other one is tried before then.
    next_after: Option<Instant>,
    outage: Option<Reconnection>,
    /// Sessions that were given up without having served, one after the other.
    fruitless: u32,
    /// Failed responses, one after the other.
    strikes: u32,
    lacks: EmptyResponses,
    /// The remote servers whose tools could not be listed.
    missing_tools: HashSet<String>,
    /// Parts that were refused, each with its code, until a configuration without them is taken.
    refused_parts: Vec<(OptionalPart, String)>,
    greeted: GreetingState,
    idling: IdleTimer,
    tools: Tools,
    turn: CallerTurn,
    mirror: ConversationHistory,
    writer: AudioEncoder,
    kept: VecDeque<i16>,
    was_ready: bool,
    is_open: bool,
    is_playing: bool,
    is_over: bool,
    names: u64,
    links: u64,
    used: Usage,
    actions: VecDeque<SessionAction>,
    happenings: VecDeque<SessionEvent>,
}

impl Session {
    /// A conversation that is to begin.
    pub fn new(config: SessionConfig, now: Instant) -> Self {
        let mut session = Self {
            link: Link::new(LinkId(0), Stage::Waiting(now), now),
            next: None,
            next_after: None,
            outage: None,
            fruitless: 0,
            strikes: 0,
            lacks: EmptyResponses::default(),
            missing_tools: HashSet::new(),
            refused_parts: vec![],
            greeted: GreetingState::default(),
            idling: IdleTimer::default(),
            tools: Tools::default(),
            turn: CallerTurn::default(),
            mirror: ConversationHistory::default(),
            writer: AudioEncoder::new(config.options.input_format),
            kept: VecDeque::new(),
            was_ready: false,
            is_open: false,
            is_playing: false,
            is_over: false,
            names: 0,
            links: 0,
            used: Usage::default(),
            actions: VecDeque::new(),
            happenings: VecDeque::new(),
            config,
        };
        session.try_again(now);
        session
    }

    /// The telephone line is open: from here on the model hears the caller.
    pub fn open(&mut self, now: Instant) {
        self.is_open = true;
        self.go_on(now);
    }

    /// The caller's sound, 24 kHz mono. Nothing is sent before the line is open; while no session is ready, the last two
    /// seconds are kept for the next one.
    pub fn append(&mut self, samples: &[i16], now: Instant) {
        if !self.is_open || self.is_over {
            return;
        }
        self.turn.note_sound(samples, now);
        if self.link.is_ready() {
            return self.send_sound(samples);
        }
        self.kept.extend(samples);
        let stale = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..stale);
    }

    /// Whether the caller is being played something.
    pub fn set_playing(&mut self, playing: bool, now: Instant) {
        if self.is_playing && !playing {
            self.greeted.fell_silent();
            self.idling.fell_silent(now);
        }
        self.is_playing = playing;
        self.go_on(now);
    }

    /// An item was interrupted after so much of it: the model is told, unless all of it was heard.
    pub fn was_heard(&mut self, item: &str, heard: Duration, of: Duration, now: Instant) {
        self.greeted.was_heard(item);
        let retold = self.mirror.heard(item, heard, of);
        if let Some(spoken) = self.link.items.get(item) {
            let received = spoken.reader.so_far();
            if heard < received || !spoken.is_finished {
                self.cut(item, heard.min(received));
            }
        } else if let Some(retold) = retold.filter(|_| self.link.is_ready()) {
            self.delete(&retold);
            self.tell_again(item);
        }
        self.go_on(now);
    }

    /// An item was heard to its end.
    pub fn was_played(&mut self, item: &str, now: Instant) {
        self.greeted.was_heard(item);
        self.go_on(now);
    }

    /// The agent is to stop, and the server does not know it yet.
    pub fn interrupt(&mut self, now: Instant) {
        if let Some(response) = self.link.gate.cancel(now) {
            self.cancel(response);
        }
        self.go_on(now);
    }

    /// [`Turns::Ours`]: the caller's turn is over, and is answered; or it was none.
    pub fn yield_turn(&mut self, answer: bool, now: Instant) {
        if self.config.turns == TurnMode::Ours {
            self.link.gate.yielded(answer);
            self.go_on(now);
        }
    }

    /// Tells the model something the caller did, such as keys pressed; it answers.
    pub fn tell(&mut self, text: &str, now: Instant) {
        self.mirror.told(text);
        if self.link.is_ready() {
            let content = json!([{"type": "input_text", "text": text}]);
            self.put(json!({"type": "message", "role": "user", "content": content}), None, now);
        }
        self.link.gate.wish(crate::response_queue::ResponseRequest::Answer);
        self.go_on(now);
    }

    /// Has the agent say something out of turn, without tools, as soon as it does not speak. `insists`: even if the caller
    /// speaks meanwhile, such as a goodbye; otherwise it is dropped then, such as a question whether anybody is there.
    pub fn ask(&mut self, instructions: &str, insists: bool, now: Instant) {
        self.link
            .gate
            .wish(crate::response_queue::ResponseRequest::Ask { words: instructions.to_owned(), insists });
        self.go_on(now);
    }

    /// What was asked for is not wanted any more, unless it is being said.
    pub fn withdraw(&mut self, now: Instant) {
        self.link.gate.withdraw();
        self.go_on(now);
    }

    /// The caller speaks, by our own meter, and the model does not hear it: another session is to ask them to say it again.
    pub fn replace_deaf(&mut self, now: Instant) {
        if self.link.is_ready() && !self.is_over {
            // A turn without words: the next session is told that it was not caught.
            let item = self.name();
            self.mirror.caller_speaks(&item);
            self.link.gate.yielded(true);
            self.link.answers_late = true;
            self.lose("deaf", now);
            self.go_on(now);
        }
    }

    /// What to do.
    pub fn poll_action(&mut self) -> Option<SessionAction> {
        self.actions.pop_front()
    }

    /// What happened.
    pub fn poll_happening(&mut self) -> Option<SessionEvent> {
        self.happenings.pop_front()
    }

    /// What everything took so far.
    pub fn used(&self) -> Usage {
        self.used
    }

    /// Does what has become possible.
    fn go_on(&mut self, now: Instant) {
        if self.is_over {
            return;
        }
        self.end_greeting();
        self.tell_missing_tools(now);
        self.roll(now);
        self.respond(now);
    }

    fn cut(&mut self, item: &str, heard: Duration) {
        let audio_end_ms = heard.as_millis() as u64;
        if audio_end_ms == 0 {
            self.link.items.remove(item);
            return self.delete(item);
        }
        let (event_id, item_id) = (self.name(), item.to_owned());
        self.send(ClientEvent::Truncate { event_id, item_id, content_index: 0, audio_end_ms });
    }

    fn delete(&mut self, item: &str) {
        let (event_id, item_id) = (self.name(), item.to_owned());
        self.send(ClientEvent::ItemDelete { event_id, item_id });
    }

    fn cancel(&mut self, response_id: String) {
        let event_id = self.name();
        self.send(ClientEvent::Cancel { event_id, response_id });
    }

    /// Puts an item of ours into the conversation, and remembers that it is not confirmed.
    fn put(&mut self, mut item: Value, call_id: Option<&str>, now: Instant) {
        let id = format!("ahoy_{}", self.name());
        item["id"] = json!(id);
        let call_id = call_id.map(|id| self.link.id.outward(id).to_owned());
        self.link.note_put(Unconfirmed { item: id, call_id, since: now });
        let event_id = self.name();
        self.send(ClientEvent::ItemCreate { event_id, item: item.into() });
    }

    fn send_sound(&mut self, samples: &[i16]) {
        if let Some(audio) = self.writer.write(samples) {
            self.send(ClientEvent::Append { audio: audio.into() });
        }
    }

    fn send(&mut self, event: ClientEvent) {
        self.send_to(self.link.id, event);
    }

    fn send_to(&mut self, link: LinkId, event: ClientEvent) {
        self.actions.push_back(SessionAction::Send(link, link.told(event)));
    }

    fn happen(&mut self, happening: SessionEvent) {
        self.happenings.push_back(happening);
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("e{}", self.names)
    }
}

impl fmt::Debug for Session {
    /// Without what was said in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (link, stage) = (self.link.id, self.link.stage);
        f.debug_struct("Session").field("link", &link).field("stage", &stage).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
