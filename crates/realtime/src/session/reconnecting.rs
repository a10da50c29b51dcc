//! Reconnects after a lost link: opens another session and replays the conversation history to it.

use super::outage::Outage;
use super::{Session, SessionAction, SessionEvent};
use crate::link::{Link, LinkId, Stage};
use crate::response_queue::ResponseRequest;
use crate::server_event::SessionInfo;
use crate::{ClientEvent, ConnectionLoss, Failure, ItemId};
use std::time::{Duration, Instant};

/// The longest a caller waits for another session.
const DEADLINE: Duration = Duration::from_secs(12);

/// How long a caller whose words were cut off by the loss may continue before the agent asks them to.
const CONTINUES_WITHIN: Duration = Duration::from_millis(1_500);

/// How many links in a row may be replaced because responses fail on them.
const MOST_FAILED_LINKS: u32 = 1;

impl Session {
    /// Handles a link that was lost, or could not be opened.
    pub fn handle_connection_loss(&mut self, link: LinkId, down: ConnectionLoss, now: Instant) {
        if self.is_over {
            return;
        }
        if self.next.as_ref().is_some_and(|next| next.id == link) {
            self.drop_next(false, down.failure().is_some(), now);
        } else if self.link.id == link && self.link.has_connection() && self.is_sideband() {
            self.handle_sideband_loss(&down, now);
        } else if self.link.id == link && self.link.has_connection() {
            match down.failure() {
                Some(failure) if self.may_succeed_on_retry(&failure) => {
                    self.handle_lost_link(&down.word(), false, now)
                }
                Some(failure) => self.fail_after(failure, false, now),
                None => self.handle_lost_link(&down.word(), false, now),
            }
        }
        self.advance(now);
    }

    /// Whether another link may succeed though this one failed for good.
    ///
    /// A key that was accepted before may have been changed, and a service that closed the connection after it refused a part may accept a
    /// configuration without it.
    pub(super) fn may_succeed_on_retry(&self, failure: &Failure) -> bool {
        let is_about_a_part = !self.refused_parts.is_empty() && failure.code == "beta_api_shape_disabled";
        is_about_a_part || (self.link.is_ready() && failure.is_about_the_key())
    }

    /// Handles timeouts: connects, times out links, responses, turns and calls, and rolls over.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.is_over || self.is_unattached() {
            return;
        }
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            if self.is_unknown() {
                return self.end_with_call(now);
            }
            return self.fail(Failure::of("unreachable"), now);
        }
        match (self.link.stage, self.link.stage_deadline()) {
            (Stage::Waiting(_), Some(then)) if then <= now => self.connect(now),
            (_, Some(then)) if then <= now => match self.link.refused.take() {
                Some(code) => self.fail(Failure::refused(&code), now),
                None => self.abandon_link("timeout", now),
            },
            _ => {}
        }
        if self.link.is_ready() {
            self.handle_response_timeouts(now);
            self.commit_overlong_turn(now);
        }
        self.expire_hosted(now);
        self.advance(now);
    }

    /// Returns when [`Session::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_over || self.is_unattached() {
            return None;
        }
        let queue = self.link.queue.poll_timeout().filter(|_| self.link.is_ready());
        let commit = self.caller_turn.commit_at().filter(|_| !self.is_sideband());
        let link = [self.link.stage_deadline(), queue, commit, self.rollover_at()];
        link.into_iter().chain([self.deadline(), self.hosted_due()]).flatten().min()
    }

    fn deadline(&self) -> Option<Instant> {
        let outage = self.outage.as_ref().filter(|_| !self.link.is_ready() && !self.is_link_held())?;
        Some(outage.since + if self.is_sideband() { self.attach_deadline() } else { DEADLINE })
    }

    /// Closes the link and reconnects.
    pub(super) fn abandon_link(&mut self, reason: &str, now: Instant) {
        self.handle_lost_link(reason, true, now);
    }

    /// Replaces a link on which responses fail, or fails the conversation when too many links in a row did.
    pub(super) fn replace_failing_link(&mut self, reason: &str, now: Instant) {
        self.failed_links += 1;
        if self.failed_links > MOST_FAILED_LINKS {
            return self.fail(Failure::of(reason), now);
        }
        self.failed_responses = 0;
        self.abandon_link(reason, now);
    }

    pub(super) fn handle_lost_link(&mut self, reason: &str, close: bool, now: Instant) {
        if self.link.is_proven(now) {
            self.outage = None;
        }
        let was_ready = self.link.is_ready();
        self.replace_link(close, now);
        if was_ready {
            self.emit(SessionEvent::SessionLost { reason: reason.to_owned() });
        }
        self.reconnect(now);
    }

    /// Drops the link in favour of the next one, which takes over the pending requests.
    pub(super) fn replace_link(&mut self, close: bool, now: Instant) {
        if self.is_sideband() {
            return self.detach(close, now);
        }
        if close && self.link.has_connection() {
            self.actions.push_back(SessionAction::Close(self.link.id));
        }
        self.forget_unstarted_hosted();
        let unfinished = self.link.unfinished();
        self.finish_items(None, false);
        for response in unfinished {
            self.emit(SessionEvent::ResponseDone { response });
        }
        if self.link.queue.is_caller_speaking() {
            self.emit(SessionEvent::SpeechStopped);
        }
        self.caller_turn.forget();
        self.idle_timer.expect_no_prompt();
        let next_link = self.next.take().unwrap_or_else(|| Link::new(LinkId(0), Stage::Waiting(now), now));
        let old = std::mem::replace(&mut self.link, next_link);
        self.carry_over(old);
        self.time_out_hosted(now);
        self.end_batches(None);
    }

    fn carry_over(&mut self, old: Link) {
        let is_cut = old.queue.ongoing().is_some_and(|(_, request)| *request == ResponseRequest::Greeting);
        self.link.caller_may_continue = old.caller_may_continue || old.queue.is_caller_speaking();
        let has_called = old.queue.ongoing().is_some_and(|(response, _)| self.tools.were_called_by(response));
        let (answer, prompt) = old.queue.into_pending(has_called);
        prompt.into_iter().for_each(|prompt| self.link.queue.request(prompt));
        if self.greeting.is_outstanding() {
            return self.link.queue.request(ResponseRequest::Greeting);
        }
        if is_cut {
            self.greeting.response_ended();
        }
        if answer || is_cut {
            self.link.queue.request(ResponseRequest::Answer);
        }
    }

    /// Connects now or after a wait, or fails after too many tries.
    pub(super) fn reconnect(&mut self, now: Instant) {
        if self.link.has_connection() {
            // The next link is already opening.
            self.outage = Some(Outage::with_first_try(now));
            return match self.link.stage {
                Stage::StandingBy => self.restore(false, now),
                Stage::Waiting(_) | Stage::Connecting | Stage::Held | Stage::Configuring | Stage::Ready => {}
            };
        }
        match self.outage.get_or_insert_with(|| Outage::new(now)).next_try(self.config.audio) {
            None => self.fail(Failure::of("unreachable"), now),
            Some(Duration::ZERO) => self.connect(now),
            Some(wait) => self.link.stage = Stage::Waiting(now + wait),
        }
    }

    fn connect(&mut self, now: Instant) {
        self.link.id = self.next_id();
        (self.link.stage, self.link.since) = (Stage::Connecting, now);
        self.actions.push_back(SessionAction::Connect(self.link.id));
    }

    pub(super) fn next_id(&mut self) -> LinkId {
        self.last_link += 1;
        LinkId(self.last_link)
    }

    /// Handles the accepted configuration of the link in use.
    pub(super) fn handle_configured(&mut self, now: Instant, session: &SessionInfo, unix_now_s: u64) {
        self.expect_end(session, now, unix_now_s);
        self.report_refused_parts();
        if self.was_ready {
            return self.restore(false, now);
        }
        self.was_ready = true;
        (self.link.stage, self.link.ready_at) = (Stage::Ready, Some(now));
        self.emit(SessionEvent::Ready { expires_at: session.expires_at });
        self.send_newer_instructions();
        if self.greeting.is_outstanding() {
            self.link.queue.request(ResponseRequest::Greeting);
        }
        self.send_pending_audio();
    }

    /// Replays the conversation history to a configured link, and uses it from then on.
    pub(super) fn restore(&mut self, planned: bool, now: Instant) {
        let since =
            if planned { Some(self.link.since) } else { self.outage.as_ref().map(|outage| outage.since) };
        (self.link.stage, self.link.ready_at) = (Stage::Ready, Some(now));
        self.send_newer_instructions();
        self.replay_history();
        let turn_taking = self.config.turn_taking(self.greeting.is_over());
        let event_id = self.new_id();
        self.send(ClientEvent::SessionUpdate {
            event_id,
            session: self.config.turn_detection_update(turn_taking),
        });
        if self.link.caller_may_continue {
            self.link.queue.wait_until(now + CONTINUES_WITHIN);
        }
        self.send_pending_audio();
        let took = since.map_or(Duration::ZERO, |since| now - since);
        self.emit(SessionEvent::SessionRestored { took, planned });
    }

    fn replay_history(&mut self) {
        // Before the greeting there is no history.
        if self.greeting.is_outstanding() {
            return;
        }
        let last_id = &mut self.last_id;
        let items = self.history.replay(self.link.queue.is_answer_pending(), || {
            *last_id += 1;
            format!("ahoy_{last_id}").into()
        });
        for item in items {
            let event_id = self.new_id();
            self.send(ClientEvent::ItemCreate { event_id, item: item.into() });
        }
    }

    /// Replays an item of an earlier link, of which less was heard than was replayed.
    pub(super) fn replay_item(&mut self, item: &ItemId) {
        let id = self.new_item_id();
        if let Some(item) = self.history.replay_item(item, || id) {
            let event_id = self.new_id();
            self.send(ClientEvent::ItemCreate { event_id, item: item.into() });
        }
    }

    fn send_pending_audio(&mut self) {
        let pending: Vec<i16> = self.pending_audio.drain(..).collect();
        if !pending.is_empty() {
            self.send_audio(&pending);
        }
    }

    /// Ends the conversation: no session can be opened any more.
    pub(super) fn fail(&mut self, failure: Failure, now: Instant) {
        self.fail_after(failure, true, now);
    }

    pub(super) fn fail_after(&mut self, failure: Failure, close: bool, now: Instant) {
        self.drop_next(true, false, now);
        self.replace_link(close, now);
        self.is_over = true;
        self.emit(SessionEvent::Failed(failure));
    }
}
