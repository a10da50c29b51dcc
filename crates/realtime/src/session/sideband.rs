//! Follows a call whose audio the service carries: attaches to the call's session, and attaches again after a lost connection.
//!
//! The session belongs to the call. A lost connection neither ends nor pauses it, so nothing is replayed; and when the call is over, the
//! service no longer knows the session.

use super::playback::Playback;
use super::{Session, SessionAction, SessionEvent};
use crate::link::{Link, LinkId, Stage};
use crate::server_event::Response;
use crate::{AudioPath, ClientEvent, ConnectionLoss, ServerEvent, ToolCallId};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long after its accept a call's session may be unknown to the service.
const ATTACHED_WITHIN: Duration = Duration::from_secs(5);

/// How long a call may go on without its sideband.
const ATTACHED_AGAIN_WITHIN: Duration = Duration::from_secs(10);

/// How long a new connection is listened to before a request is repeated that the lost one may have delivered.
const IN_DOUBT: Duration = Duration::from_secs(2);

/// How long a session lasts, unless the server says otherwise.
const LONGEST_SESSION: Duration = Duration::from_secs(60 * 60);

/// How long before the end of the session the call has to end.
const LAST_MINUTE: Duration = Duration::from_secs(60);

/// The sideband of a call.
#[derive(Debug, Default)]
pub(super) struct Sideband {
    /// When it was first attached.
    attached_at: Option<Instant>,
    /// Whether the service did not know the session at the last try.
    is_unknown: bool,
    has_announced_end: bool,
    /// Items that wait for a connection, with the id of the function call that each answers.
    unsent: Vec<(Value, Option<ToolCallId>)>,
    pub(super) playback: Option<Playback>,
}

impl Session {
    /// Whether the service carries the audio, so that this is the sideband of a call.
    pub(super) fn is_sideband(&self) -> bool {
        self.config.audio == AudioPath::Service
    }

    /// Whether the call is not open yet, so that there is nothing to attach to.
    pub(super) fn is_unattached(&self) -> bool {
        self.is_sideband() && !self.is_open
    }

    /// Attaches to the call's session, once.
    pub(super) fn attach(&mut self, now: Instant) {
        if self.outage.is_none() && !self.was_ready {
            self.reconnect(now);
        }
    }

    /// Notes that the connection is attached to the call's session, and returns whether the session is configured already.
    pub(super) fn note_attached(&mut self, now: Instant) -> bool {
        self.sideband.attached_at.get_or_insert(now);
        self.sideband.is_unknown = false;
        self.was_ready
    }

    /// Handles a lost connection, or one that could not be opened.
    pub(super) fn handle_sideband_loss(&mut self, down: &ConnectionLoss, now: Instant) {
        let was_attached = self.sideband.attached_at.is_some();
        self.sideband.is_unknown = match down {
            ConnectionLoss::Refused { status: 404 } => true,
            // The same request was taken before.
            ConnectionLoss::Refused { status: 400 } => was_attached,
            ConnectionLoss::Refused { .. } | ConnectionLoss::Closed { .. } | ConnectionLoss::Failed(_) => {
                false
            }
        };
        match down.failure() {
            _ if self.sideband.is_unknown && was_attached => self.end_with_call(now),
            Some(failure) if !self.sideband.is_unknown && !self.may_succeed_on_retry(&failure) => {
                self.fail_after(failure, false, now);
            }
            Some(_) | None => self.handle_lost_link(&down.word(), false, now),
        }
    }

    /// How long the session may be unreachable.
    pub(super) fn attach_deadline(&self) -> Duration {
        if self.sideband.attached_at.is_some() { ATTACHED_AGAIN_WITHIN } else { ATTACHED_WITHIN }
    }

    /// Whether the service does not know the session, rather than being unreachable.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_sideband() && self.sideband.is_unknown
    }

    /// Ends the conversation: the call is over at the service, or never had a session.
    pub(super) fn end_with_call(&mut self, now: Instant) {
        let was_attached = self.sideband.attached_at.is_some();
        self.detach(true, now);
        self.is_over = true;
        self.emit(SessionEvent::CallGone { was_attached });
    }

    /// Drops a lost connection. The session continues at the service, with the response that is in progress.
    pub(super) fn detach(&mut self, close: bool, now: Instant) {
        if close && self.link.has_connection() {
            self.actions.push_back(SessionAction::Close(self.link.id));
        }
        if let Some((response, _)) = self.link.queue.ongoing() {
            let response = response.clone();
            self.emit(SessionEvent::ResponseDone { response });
        }
        self.lose_playback(now);
        self.caller_turn.forget();
        self.end_batches(None);
        let old = std::mem::replace(&mut self.link, Link::new(LinkId(0), Stage::Waiting(now), now));
        self.link.queue = old.queue.into_outstanding(now + IN_DOUBT);
        (self.link.items, self.link.produced, self.link.tool_lists) =
            (old.items, old.produced, old.tool_lists);
        (self.link.ends_at, self.link.prompt) = (old.ends_at, old.prompt);
    }

    /// Continues with a session that was configured by an earlier connection.
    pub(super) fn resume(&mut self, now: Instant) {
        let since = self.outage.as_ref().map_or(now, |outage| outage.since);
        (self.link.stage, self.link.ready_at) = (Stage::Ready, Some(now));
        let event_id = self.new_id();
        let session = self.config.turn_detection_update(self.config.turn_taking(self.greeting.is_over()));
        self.send(ClientEvent::SessionUpdate { event_id, session });
        self.send_newer_instructions();
        for (item, call_id) in std::mem::take(&mut self.sideband.unsent) {
            self.create_item(item, call_id.as_ref(), now);
        }
        self.emit(SessionEvent::SessionRestored { took: now - since, planned: false });
    }

    /// Keeps an item until there is a connection.
    pub(super) fn keep_unsent(&mut self, item: Value, call_id: Option<&ToolCallId>) {
        self.sideband.unsent.push((item, call_id.cloned()));
    }

    /// Learns from an event of a response what happened while there was no connection.
    pub(super) fn catch_up(&mut self, event: &ServerEvent, now: Instant) {
        let Some(response) = event.response() else { return };
        if self.link.queue.is_greeting_pending() {
            // It was requested on the lost connection, and the session got it.
            self.link.queue.drop_greeting();
            self.greeting.response_ended();
        }
        let is_in_progress = matches!(
            event,
            ServerEvent::OutputItemAdded { .. }
                | ServerEvent::TranscriptDelta { .. }
                | ServerEvent::TranscriptDone { .. }
                | ServerEvent::AudioDone { .. }
        );
        if is_in_progress && self.link.queue.ongoing().is_none() {
            let response = Response { id: response.clone(), ..Response::default() };
            self.start_response(&response, now);
        }
    }

    /// Announces the end of the session, once, early enough for a goodbye.
    pub(super) fn announce_end(&mut self, now: Instant) {
        if self.end_announced_at().is_some_and(|at| at <= now) {
            self.sideband.has_announced_end = true;
            self.emit(SessionEvent::EndsSoon);
        }
    }

    /// When the end of the session is announced.
    pub(super) fn end_announced_at(&self) -> Option<Instant> {
        let attached_at = self.sideband.attached_at.filter(|_| !self.sideband.has_announced_end)?;
        let ends_at = self.link.ends_at.unwrap_or(attached_at + LONGEST_SESSION);
        Some(ends_at.checked_sub(LAST_MINUTE).map_or(attached_at, |at| at.max(attached_at)))
    }
}
