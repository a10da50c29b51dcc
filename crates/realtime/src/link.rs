//! The state of one connection and its Realtime session.

use crate::audio_encoding::AudioDecoder;
use crate::options::Format;
use crate::response_queue::ResponseQueue;
use crate::server_event;
use crate::tool_lists::ToolLists;
use crate::{ItemId, ResponseId, ToolCallId};
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// Identifies a connection; never reused within a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkId(pub(crate) u64);

/// How long a link may take from its start until it is configured.
const CONFIGURED_WITHIN: Duration = Duration::from_secs(5);

/// How long the server may take to confirm a created item. After that the item is taken to be in the conversation: some servers confirm
/// nothing.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(1);

/// How long a link must be ready before its loss starts a new count of tries.
const PROVEN_AFTER: Duration = Duration::from_secs(5);

/// How long before a session expires the rollover no longer waits for a pause, at most.
const LAST_MOMENT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Link {
    pub id: LinkId,
    pub stage: Stage,
    /// When the connection was requested.
    pub since: Instant,
    pub queue: ResponseQueue,
    pub items: HashMap<ItemId, Item>,
    /// The created items that the server has not confirmed.
    pub unconfirmed: Vec<Unconfirmed>,
    /// Whether the server confirms created items: some do not.
    pub confirms: bool,
    /// Since when the link is ready.
    pub ready_at: Option<Instant>,
    /// When the session expires.
    pub ends_at: Option<Instant>,
    /// Whether a response was completed on this link.
    pub has_served: bool,
    /// When the exhausted rate limits reset.
    pub resets_at: Option<Instant>,
    /// Since when a rate-limited response waits to be requested again.
    pub rate_limited_since: Option<Instant>,
    /// Whether the pending answer is for a caller who may still be speaking.
    pub caller_may_continue: bool,
    /// The items that responses in progress have produced.
    pub produced: Vec<Produced>,
    /// Whether the pending answer continues a sentence that was cut off.
    pub continues: bool,
    /// The id of the system message that prompts the response that is requested or in progress.
    pub prompt: Option<ItemId>,
    /// The tool listings of the MCP servers.
    pub tool_lists: ToolLists,
    /// The event id of the last full `session.update`.
    pub update: Option<String>,
    /// The revision of the instructions that the link has.
    pub instructions_revision: u32,
    /// The error code of the last refused optional part.
    pub refused: Option<String>,
    /// Whether the server has not named the item of the caller's turn.
    pub has_unnamed_turn: bool,
}

/// An item that a response produced.
#[derive(Debug)]
pub(crate) struct Produced {
    pub response: ResponseId,
    pub item: ItemId,
    /// Whether the item is a function call or a hosted MCP call.
    pub is_call: bool,
}

impl Unconfirmed {
    fn counts_as_confirmed(&self, now: Instant) -> bool {
        self.since + CONFIRMED_WITHIN <= now
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not connected before that time.
    Waiting(Instant),
    /// Connecting: only the server's first event proves that it accepted the connection.
    Connecting,
    /// The session exists, and its configuration is still to be given.
    Held,
    /// The configuration was sent and is not confirmed.
    Configuring,
    /// Configured, while another link is in use.
    StandingBy,
    /// Configured and in use.
    Ready,
}

/// An item that was created and not confirmed.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    pub item: ItemId,
    /// The id of the function call that the item answers, if it does.
    pub call_id: Option<ToolCallId>,
    pub since: Instant,
}

/// An item of the agent's speech.
#[derive(Debug)]
pub(crate) struct Item {
    pub response: ResponseId,
    pub decoder: AudioDecoder,
    /// Whether all of its audio has arrived.
    pub is_finished: bool,
    /// Whether any of its audio is audible.
    pub is_audible: bool,
    /// The silent start of its audio, held back until something audible follows.
    pub held_back: Vec<i16>,
    /// Whether its transcript was reported.
    pub is_reported: bool,
}

impl Link {
    pub(crate) fn new(id: LinkId, stage: Stage, now: Instant) -> Self {
        Self {
            id,
            stage,
            since: now,
            queue: ResponseQueue::default(),
            items: HashMap::new(),
            unconfirmed: vec![],
            confirms: false,
            ready_at: None,
            ends_at: None,
            has_served: false,
            resets_at: None,
            rate_limited_since: None,
            caller_may_continue: false,
            produced: vec![],
            continues: false,
            prompt: None,
            tool_lists: ToolLists::default(),
            update: None,
            instructions_revision: 0,
            refused: None,
            has_unnamed_turn: false,
        }
    }

    /// Whether a response that starts now takes every created item into account.
    pub(crate) fn is_up_to_date(&self, now: Instant) -> bool {
        !self.confirms || self.unconfirmed.iter().all(|created| created.counts_as_confirmed(now))
    }

    /// Records that an item was created.
    pub(crate) fn note_created(&mut self, created: Unconfirmed) {
        self.unconfirmed.retain(|earlier| !earlier.counts_as_confirmed(created.since));
        self.unconfirmed.push(created);
    }

    /// Records that the server confirmed an item, by its id or by the call that it answers.
    pub(crate) fn confirm(&mut self, item: Option<&ItemId>, call_id: Option<&ToolCallId>) {
        self.confirms = true;
        self.unconfirmed.retain(|created| {
            let is_it =
                item == Some(&created.item) || (call_id.is_some() && call_id == created.call_id.as_ref());
            !is_it
        });
    }

    /// Records an item that a response produced.
    pub(crate) fn note_produced(&mut self, response: &ResponseId, item: &server_event::Item) {
        let Some(id) = &item.id else { return };
        if !self.produced.iter().any(|known| known.item == *id) {
            let is_call = item.r#type.ends_with("_call");
            self.produced.push(Produced { response: response.clone(), item: id.clone(), is_call });
        }
    }

    /// Removes and returns the items that an ended response produced.
    pub(crate) fn take_produced(&mut self, response: &ResponseId) -> Vec<Produced> {
        self.produced.extract_if(.., |produced| produced.response == *response).collect()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// Returns the responses that are in progress, or of which audio is missing.
    pub(crate) fn unfinished(&self) -> BTreeSet<ResponseId> {
        let items = self.items.values().filter(|item| !item.is_finished);
        let ongoing = self.queue.ongoing().map(|(response, _)| response.clone());
        items.map(|item| item.response.clone()).chain(ongoing).collect()
    }

    /// Whether a connection exists or is being opened.
    pub(crate) fn has_connection(&self) -> bool {
        !matches!(self.stage, Stage::Waiting(_))
    }

    /// Whether the link has worked, so that its loss counts as a new outage.
    pub(crate) fn is_proven(&self, now: Instant) -> bool {
        self.has_served || self.ready_at.is_some_and(|then| then + PROVEN_AFTER <= now)
    }

    pub(crate) fn item(&mut self, id: &ItemId, response: &ResponseId, format: Format) -> &mut Item {
        self.items.entry(id.clone()).or_insert_with(|| Item {
            response: response.clone(),
            decoder: AudioDecoder::new(format),
            is_finished: false,
            is_audible: false,
            held_back: vec![],
            is_reported: false,
        })
    }

    /// Records how long the session will last, if the server says so.
    pub(crate) fn expect_end(&mut self, left: Option<Duration>, now: Instant) {
        self.ends_at = left.map(|left| now + left).or(self.ends_at);
    }

    /// When the stage ends: the time to connect, or to give up a link that is not configured.
    pub(crate) fn stage_deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Waiting(until) => Some(until),
            Stage::Connecting | Stage::Configuring => Some(self.since + CONFIGURED_WITHIN),
            Stage::Held | Stage::StandingBy | Stage::Ready => None,
        }
    }

    /// When another session should take over, in a pause.
    pub(crate) fn rollover_at(&self, margin: Duration, recycle_after: Option<Duration>) -> Option<Instant> {
        let ready_at = self.ready_at?;
        let recycled = recycle_after.map(|after| ready_at + after);
        // Even a short session is used for half of its time.
        let expires = self.ends_at.map(|end| end - margin.min((end - ready_at) / 2));
        [recycled, expires].into_iter().flatten().min()
    }

    /// When another session must take over, pause or not.
    pub(crate) fn rollover_deadline(&self) -> Option<Instant> {
        let (ready_at, end) = (self.ready_at?, self.ends_at?);
        Some(end - LAST_MOMENT.min((end - ready_at) / 4))
    }
}
