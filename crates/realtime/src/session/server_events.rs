//! What the server says, taken in.

use super::{HostedOutcome, Session, SessionEvent};
use crate::api_error::Remedy;
use crate::link::{LinkId, Stage};
use crate::server_event::{ErrorInfo, Item, RateLimit, SessionInfo};
use crate::{ApiError, ServerEvent, Usage};
use std::time::{Duration, Instant};

/// Sound without a sample above this is none: -60 dBFS.
const SILENCE: u16 = 32;

impl Session {
    /// Takes a server event. Those of links that are given up change nothing. `unix_now_s`: seconds since 1970.
    pub fn handle_event(&mut self, link: LinkId, event: ServerEvent, now: Instant, unix_now_s: u64) {
        if self.is_over {
            return;
        }
        let event = link.inward(event);
        self.note_listing(link, &event);
        if self.next.as_ref().is_some_and(|next| next.id == link) {
            self.hear_next(event, now, unix_now_s);
        } else if self.link.id == link {
            match self.link.stage {
                Stage::Connecting | Stage::Configuring => self.hear_configuring(event, now, unix_now_s),
                Stage::Ready => self.hear(event, now, unix_now_s),
                Stage::Waiting(_) | Stage::StandingBy => {}
            }
        }
        self.go_on(now);
    }

    fn hear_configuring(&mut self, event: ServerEvent, now: Instant, unix_now_s: u64) {
        match event {
            ServerEvent::SessionCreated { session } => {
                self.expect_end(&session, now, unix_now_s);
                self.configure();
            }
            ServerEvent::SessionUpdated { session } if self.link.stage == Stage::Configuring => {
                self.take_up(now, &session, unix_now_s);
            }
            ServerEvent::Error { error } => self.refuse(error, now),
            _ => {}
        }
    }

    fn hear(&mut self, event: ServerEvent, now: Instant, unix_now_s: u64) {
        if let Some(response) = event.response() {
            self.link.gate.alive(response, now);
        }
        match event {
            ServerEvent::SessionUpdated { session } => self.expect_end(&session, now, unix_now_s),
            ServerEvent::SpeechStarted { item_id } => {
                self.mirror.caller_speaks(&item_id);
                self.begin_turn(&item_id, now);
                self.link.has_unnamed_turn = item_id.is_empty();
                self.link.gate.caller_started();
                self.link.goes_on = false;
                self.lacks.caller_started();
                self.idling.expect_no_prompt();
                self.happen(SessionEvent::CallerStarted { item: item_id });
            }
            ServerEvent::SpeechStopped { .. } => {
                self.end_turn();
                self.link.gate.caller_stopped(now);
                self.happen(SessionEvent::CallerStopped);
            }
            ServerEvent::Committed { item_id } => self.name_turn(item_id),
            ServerEvent::SilenceTaken { item_id } => {
                self.idled(now);
                self.take_for_silence(item_id);
            }
            ServerEvent::ItemAdded { item } if item.is_hosted() => self.note_hosted(None, &item, now),
            ServerEvent::ItemAdded { item } => self.link.confirm(item.id.as_deref(), item.call_id.as_deref()),
            ServerEvent::Transcribed { item_id, transcript, usage } => {
                self.transcribed(item_id, &transcript, usage.as_ref());
            }
            ServerEvent::TranscriptionFailed { item_id, error } => {
                let code = ApiError::from(error).code;
                self.happen(SessionEvent::TranscriptionFailed { item: item_id, code });
            }
            ServerEvent::ResponseCreated { response } => {
                self.begin(&response, now);
                self.hush_idle_prompt(&response, now);
            }
            ServerEvent::OutputItemAdded { response_id, item } => {
                self.note_output(&response_id, &item, now);
                if let (Some(id), "message") = (&item.id, item.r#type.as_str()) {
                    self.mirror.agent_speaks(id);
                    self.link.item(id, &response_id, self.config.options.output_format);
                }
            }
            ServerEvent::OutputItemDone { response_id, item } => {
                self.note_output(&response_id, &item, now);
                self.call(&response_id, &item);
                self.message_done(&item);
            }
            ServerEvent::AudioDelta { response_id, item_id, delta } => {
                self.sound(response_id, item_id, &delta)
            }
            ServerEvent::AudioDone { item_id, .. } => {
                self.sound_done(&item_id);
            }
            ServerEvent::WordsDelta { item_id, delta, .. } => self.mirror.agent_adds(&item_id, &delta),
            ServerEvent::WordsDone { item_id, transcript, .. } => {
                self.mirror.agent_said(&item_id, &transcript);
                if self.link.items.get(&item_id).is_some_and(|item| item.is_finished) {
                    self.tell_words(&item_id);
                }
            }
            ServerEvent::McpStarted { item_id } => self.begin_hosted(&item_id, now),
            ServerEvent::McpCompleted { item_id } => self.end_hosted(&item_id, HostedOutcome::Done, now),
            ServerEvent::McpFailed { item_id } => self.end_hosted(&item_id, HostedOutcome::Failed, now),
            ServerEvent::RateLimits { rate_limits } => self.note_limits(resets_after(&rate_limits), now),
            ServerEvent::ResponseDone { response } => {
                self.end(&response, now);
                self.delete_idle_prompt(&response.id);
            }
            ServerEvent::Error { error } => self.err(error, now),
            ServerEvent::SessionCreated { .. } | ServerEvent::Other { .. } => {}
            ServerEvent::McpListed { .. } | ServerEvent::McpUnlisted { .. } => {}
        }
    }

    /// A response has produced an item, or more of one.
    pub(super) fn note_output(&mut self, response: &str, item: &Item, now: Instant) {
        self.link.note_produced(response, item);
        self.note_hosted(Some(response), item, now);
    }

    fn sound(&mut self, response: String, item: String, delta: &str) {
        if self.link.gate.is_cancelled(&response) {
            return;
        }
        let spoken = self.link.item(&item, &response, self.config.options.output_format);
        let samples = spoken.reader.read(delta);
        spoken.is_audible |= samples.iter().any(|sample| sample.unsigned_abs() > SILENCE);
        spoken.held.extend(samples);
        if !spoken.is_audible {
            // An item that stays silent is never said.
            return;
        }
        let samples = std::mem::take(&mut spoken.held);
        let received = spoken.reader.so_far();
        self.mirror.received(&item, received, false);
        self.greeted.said(&response, &item);
        if !samples.is_empty() {
            self.happen(SessionEvent::Said { response, item, samples: samples.into() });
        }
    }

    /// No more sound of an item comes.
    pub(super) fn sound_done(&mut self, id: &str) {
        let Some(item) = self.link.items.get_mut(id) else { return };
        // Of what we cancelled, the last was not listened to.
        let is_whole = !self.link.gate.is_cancelled(&item.response);
        let is_news = !std::mem::replace(&mut item.is_finished, true);
        if !item.is_audible {
            return;
        }
        self.mirror.received(id, item.reader.so_far(), is_whole);
        if is_news {
            self.happen(SessionEvent::Finished { item: id.to_owned() });
        }
    }

    fn message_done(&mut self, item: &Item) {
        let (Some(id), "message") = (&item.id, item.r#type.as_str()) else { return };
        self.mirror.agent_had_said(id, &item.words());
        // One that is cut short ends with its response.
        if item.is_whole() {
            self.sound_done(id);
        }
        self.tell_words(id);
    }

    fn transcribed(&mut self, item: String, text: &str, usage: Option<&serde_json::Value>) {
        if let Some(usage) = usage.map(Usage::of_transcript) {
            self.use_up(usage);
        }
        let text = text.trim().to_owned();
        if !text.is_empty() {
            self.mirror.caller_said(&item, &text);
            self.happen(SessionEvent::CallerSaid { item, text: text.into() });
        }
    }

    fn err(&mut self, error: ErrorInfo, now: Instant) {
        let (event_id, names_asking) = (error.event_id.clone(), error.names_asking());
        let trouble = ApiError::from(error);
        if trouble.is_about_the_key() {
            // It was good before: another one may be in its place by now.
            return self.lose(&trouble.code, now);
        }
        let was_asked = self.link.gate.is_asked();
        match trouble.remedy() {
            Remedy::None if trouble.code == "conversation_already_has_active_response" => {
                self.link.gate.crossed(event_id.as_deref(), now);
            }
            Remedy::None => {}
            Remedy::Fail | Remedy::Reconnect | Remedy::Wait | Remedy::Again | Remedy::Tell => {
                let is_for_want = matches!(trouble.remedy(), Remedy::Wait | Remedy::Again);
                let wish = match event_id {
                    Some(_) => self.link.gate.refused(event_id.as_deref()),
                    None if is_for_want || names_asking => self.link.gate.refused_unnamed(),
                    None => None,
                };
                self.take_back_unasked_prompt(was_asked);
                return self.failed(trouble, wish, now);
            }
        }
        self.take_back_unasked_prompt(was_asked);
    }

    /// A session's end, as the server announces it.
    pub(super) fn expect_end(&mut self, session: &SessionInfo, now: Instant, unix_now_s: u64) {
        self.link.expect_end(left(session, unix_now_s), now);
    }
}

/// How long a session will last.
pub(super) fn left(session: &SessionInfo, unix_now_s: u64) -> Option<Duration> {
    let left = session.expires_at?.saturating_sub(unix_now_s);
    // Nobody's session lasts for a day: a time beyond that is no time.
    (1..86_400).contains(&left).then(|| Duration::from_secs(left))
}

/// When the limit that is used up is reset.
fn resets_after(limits: &[RateLimit]) -> Option<Duration> {
    let used_up = limits.iter().filter(|limit| limit.remaining.is_none_or(|left| left < 1.0));
    let seconds = used_up
        .filter_map(|limit| limit.reset_seconds)
        .fold(None, |most: Option<f64>, seconds| Some(most.map_or(seconds, |most| most.max(seconds))))?;
    Duration::try_from_secs_f64(seconds).ok()
}
