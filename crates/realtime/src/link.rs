//! One connection of a conversation, and what only it knows.

use crate::audio_encoding::AudioDecoder;
use crate::options::Format;
use crate::response_queue::ResponseQueue;
use crate::server_event;
use crate::session::ToolLists;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// Names a connection. Never used twice in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkId(pub(crate) u64);

/// So long a connection may take to be configured, from the first packet on.
const CONFIGURED_WITHIN: Duration = Duration::from_secs(5);

/// What is not confirmed after so long never will be, and is in the conversation all the same.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(1);

/// A link that lived so long was a good one.
const PROVEN_AFTER: Duration = Duration::from_secs(5);

/// So long before the end of a session nobody waits for a silence any more.
const LAST_MOMENT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Link {
    pub id: LinkId,
    pub stage: Stage,
    /// When it was asked for.
    pub since: Instant,
    pub gate: ResponseQueue,
    pub items: HashMap<String, Item>,
    /// What we put into the conversation and the server has not confirmed.
    pub unconfirmed: Vec<Unconfirmed>,
    /// Whether its server says what is put into the conversation: some do not.
    pub confirms: bool,
    /// Since when it may be spoken to.
    pub ready_at: Option<Instant>,
    /// When its session ends.
    pub ends_at: Option<Instant>,
    /// Whether a response was completed on it.
    pub has_served: bool,
    /// When the limits that were hit last are reset.
    pub resets_at: Option<Instant>,
    /// Since when a response that was refused for want of capacity waits to be asked for again.
    pub waits_since: Option<Instant>,
    /// The answer it owes is for a caller who may still be speaking.
    pub answers_late: bool,
    /// What responses under way have produced.
    pub produced: Vec<Produced>,
    /// The answer it owes goes on with half a sentence.
    pub goes_on: bool,
    /// The item that says what the response that is asked for, or under way, is to say.
    pub prompt: Option<String>,
    /// The tools of remote servers.
    pub lists: ToolLists,
    /// Our name for the last update with all of the configuration.
    pub update: Option<String>,
    /// The code with which an optional part was refused last.
    pub refused: Option<String>,
    /// The caller's turn began without a name.
    pub has_unnamed_turn: bool,
}

/// An item that a response produced.
#[derive(Debug)]
pub(crate) struct Produced {
    pub response: String,
    pub item: String,
    /// Whether it calls something.
    pub is_call: bool,
}

impl Unconfirmed {
    fn is_in(&self, now: Instant) -> bool {
        self.since + CONFIRMED_WITHIN <= now
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is connected only then.
    Waiting(Instant),
    /// Nothing has come from the server: only its first event proves that it took us.
    Connecting,
    /// Our configuration is on its way.
    Configuring,
    /// It is configured, and another one is in use.
    StandingBy,
    /// It may be spoken to.
    Ready,
}

/// An item that we put into the conversation.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    pub item: String,
    /// The function call that it answers, if it does.
    pub call_id: Option<String>,
    pub since: Instant,
}

/// An item that the agent speaks.
#[derive(Debug)]
pub(crate) struct Item {
    pub response: String,
    pub reader: AudioDecoder,
    /// No more of its sound comes.
    pub is_finished: bool,
    /// Whether any of it can be heard.
    pub is_audible: bool,
    /// Its beginning, held back until something of it can be heard.
    pub held: Vec<i16>,
    /// What was said in it has been told.
    pub is_told: bool,
}

impl Link {
    pub(crate) fn new(id: LinkId, stage: Stage, now: Instant) -> Self {
        Self {
            id,
            stage,
            since: now,
            gate: ResponseQueue::default(),
            items: HashMap::new(),
            unconfirmed: vec![],
            confirms: false,
            ready_at: None,
            ends_at: None,
            has_served: false,
            resets_at: None,
            waits_since: None,
            answers_late: false,
            produced: vec![],
            goes_on: false,
            prompt: None,
            lists: ToolLists::default(),
            update: None,
            refused: None,
            has_unnamed_turn: false,
        }
    }

    /// Whether a response that begins now knows all that was put into the conversation.
    pub(crate) fn is_up_to_date(&self, now: Instant) -> bool {
        !self.confirms || self.unconfirmed.iter().all(|put| put.is_in(now))
    }

    /// This is put into the conversation.
    pub(crate) fn note_put(&mut self, put: Unconfirmed) {
        self.unconfirmed.retain(|earlier| !earlier.is_in(put.since));
        self.unconfirmed.push(put);
    }

    /// The server says that this is in the conversation.
    pub(crate) fn confirm(&mut self, item: Option<&str>, call_id: Option<&str>) {
        self.confirms = true;
        self.unconfirmed.retain(|put| {
            let is_it = item == Some(&put.item) || (call_id.is_some() && call_id == put.call_id.as_deref());
            !is_it
        });
    }

    /// A response has produced an item.
    pub(crate) fn note_produced(&mut self, response: &str, item: &server_event::Item) {
        let Some(id) = &item.id else { return };
        if !self.produced.iter().any(|known| known.item == *id) {
            let is_call = item.r#type.ends_with("_call");
            self.produced.push(Produced { response: response.to_owned(), item: id.clone(), is_call });
        }
    }

    /// What a response that is over has produced.
    pub(crate) fn take_produced(&mut self, response: &str) -> Vec<Produced> {
        self.produced.extract_if(.., |produced| produced.response == response).collect()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// The responses of which something is missing.
    pub(crate) fn unfinished(&self) -> BTreeSet<String> {
        let items = self.items.values().filter(|item| !item.is_finished);
        let ongoing = self.gate.ongoing().map(|(response, _)| response.to_owned());
        items.map(|item| item.response.clone()).chain(ongoing).collect()
    }

    /// Whether there is a connection to close.
    pub(crate) fn is_begun(&self) -> bool {
        !matches!(self.stage, Stage::Waiting(_))
    }

    /// Whether it was of use, so that its loss is a misfortune of its own.
    pub(crate) fn is_proven(&self, now: Instant) -> bool {
        self.has_served || self.ready_at.is_some_and(|then| then + PROVEN_AFTER <= now)
    }

    pub(crate) fn item(&mut self, id: &str, response: &str, format: Format) -> &mut Item {
        self.items.entry(id.to_owned()).or_insert_with(|| Item {
            response: response.to_owned(),
            reader: AudioDecoder::new(format),
            is_finished: false,
            is_audible: false,
            held: vec![],
            is_told: false,
        })
    }

    /// Its session lasts so long, if the server says so.
    pub(crate) fn expect_end(&mut self, left: Option<Duration>, now: Instant) {
        self.ends_at = left.map(|left| now + left).or(self.ends_at);
    }

    /// When it must be connected, or be given up, if it is not ready by then.
    pub(crate) fn impatient_at(&self) -> Option<Instant> {
        match self.stage {
            Stage::Waiting(until) => Some(until),
            Stage::Connecting | Stage::Configuring => Some(self.since + CONFIGURED_WITHIN),
            Stage::StandingBy | Stage::Ready => None,
        }
    }

    /// From when on another one should take over, in a silence.
    pub(crate) fn rolls_at(&self, margin: Duration, recycle_after: Option<Duration>) -> Option<Instant> {
        let ready_at = self.ready_at?;
        let recycled = recycle_after.map(|after| ready_at + after);
        // However short a session, it is used for half of its time.
        let expires = self.ends_at.map(|end| end - margin.min((end - ready_at) / 2));
        [recycled, expires].into_iter().flatten().min()
    }

    /// From when on another one must take over.
    pub(crate) fn must_roll_at(&self) -> Option<Instant> {
        let (ready_at, end) = (self.ready_at?, self.ends_at?);
        Some(end - LAST_MOMENT.min((end - ready_at) / 4))
    }
}
