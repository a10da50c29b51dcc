//! Handles the events of the Realtime server.

use super::{HostedOutcome, Session, SessionEvent};
use crate::api_error::Remedy;
use crate::link::{LinkId, Stage};
use crate::server_event::{ErrorInfo, Item, RateLimit, SessionInfo};
use crate::{ApiError, ItemId, ResponseId, ServerEvent, Usage};
use std::time::{Duration, Instant};

/// The peak below which audio counts as silence: -60 dBFS.
const SILENCE: u16 = 32;

impl Session {
    /// Handles a server event; events of abandoned links are ignored. `unix_now_s` is in seconds since 1970.
    pub fn handle_event(&mut self, link: LinkId, event: ServerEvent, now: Instant, unix_now_s: u64) {
        if self.is_over {
            return;
        }
        let event = if self.is_sideband() { event } else { link.with_own_ids(event) };
        self.note_listing(link, &event);
        if self.next.as_ref().is_some_and(|next| next.id == link) {
            self.handle_next_event(event, now, unix_now_s);
        } else if self.link.id == link {
            match self.link.stage {
                Stage::Connecting | Stage::Held | Stage::Configuring => {
                    self.handle_configuring_event(event, now, unix_now_s)
                }
                Stage::Ready => self.handle_ready_event(event, now, unix_now_s),
                Stage::Waiting(_) | Stage::StandingBy => {}
            }
        }
        self.advance(now);
    }

    fn handle_configuring_event(&mut self, event: ServerEvent, now: Instant, unix_now_s: u64) {
        match event {
            ServerEvent::SessionCreated { session } => {
                self.expect_end(&session, now, unix_now_s);
                if self.is_sideband() && self.note_attached(now) {
                    self.resume(now);
                } else {
                    self.configure();
                }
            }
            ServerEvent::SessionUpdated { session } if self.link.stage == Stage::Configuring => {
                self.handle_configured(now, &session, unix_now_s);
            }
            ServerEvent::Error { error } => self.handle_configuration_error(error, now),
            _ => {}
        }
    }

    fn handle_ready_event(&mut self, event: ServerEvent, now: Instant, unix_now_s: u64) {
        if self.is_sideband() {
            self.catch_up(&event, now);
        }
        if let Some(response) = event.response() {
            self.link.queue.note_progress(response, now);
        }
        match event {
            ServerEvent::SessionUpdated { session } => self.expect_end(&session, now, unix_now_s),
            ServerEvent::SpeechStarted { item_id } => {
                self.history.add_caller_item(&item_id);
                self.begin_turn(&item_id, now);
                self.link.has_unnamed_turn = item_id.is_empty();
                self.link.queue.caller_started();
                self.link.continues = false;
                self.empty_responses.caller_started();
                self.idle_timer.expect_no_prompt();
                self.emit(SessionEvent::SpeechStarted { item: item_id });
            }
            ServerEvent::SpeechStopped { .. } => {
                self.end_turn();
                self.link.queue.caller_stopped(now);
                self.emit(SessionEvent::SpeechStopped);
            }
            ServerEvent::Committed { item_id } => self.name_turn(item_id),
            ServerEvent::IdleTimeout { item_id } => {
                self.note_idle_timeout(now);
                self.mark_silent_turn(item_id);
            }
            ServerEvent::ItemAdded { item } if item.is_hosted() => self.note_hosted(None, &item, now),
            ServerEvent::ItemAdded { item } => self.link.confirm(item.id.as_ref(), item.call_id.as_ref()),
            ServerEvent::TranscriptionCompleted { item_id, transcript, usage } => {
                self.handle_caller_transcript(item_id, &transcript, usage.as_ref());
            }
            ServerEvent::TranscriptionFailed { item_id, error } => {
                let code = ApiError::from(error).code;
                self.emit(SessionEvent::TranscriptionFailed { item: item_id, code });
            }
            ServerEvent::ResponseCreated { response } => {
                self.start_response(&response, now);
                self.cancel_early_idle_prompt(&response, now);
            }
            ServerEvent::OutputItemAdded { response_id, item } => {
                self.note_output(&response_id, &item, now);
                if let (Some(id), "message") = (&item.id, item.r#type.as_str()) {
                    self.history.add_agent_item(id);
                    self.link.item(id, &response_id, self.config.options.output_format);
                }
            }
            ServerEvent::OutputItemDone { response_id, item } => {
                self.note_output(&response_id, &item, now);
                self.call_tool(&response_id, &item);
                self.finish_message(&item);
            }
            ServerEvent::AudioDelta { response_id, item_id, delta } => {
                self.handle_audio(response_id, item_id, &delta)
            }
            ServerEvent::AudioDone { item_id, .. } => {
                self.finish_item(&item_id);
            }
            ServerEvent::TranscriptDelta { response_id, item_id, delta } => {
                self.history.append_agent_transcript(&item_id, &delta);
                self.note_audible(&response_id, &item_id);
            }
            ServerEvent::TranscriptDone { response_id, item_id, transcript } => {
                self.note_audible(&response_id, &item_id);
                self.history.set_agent_transcript(&item_id, &transcript);
                if self.link.items.get(&item_id).is_some_and(|item| item.is_finished) {
                    self.report_transcript(&item_id);
                }
            }
            ServerEvent::PlaybackStarted { response_id } => self.start_playback(response_id, now),
            ServerEvent::PlaybackStopped { response_id } => self.stop_playback(&response_id, false, now),
            ServerEvent::PlaybackCleared { response_id } => self.stop_playback(&response_id, true, now),
            ServerEvent::ItemTruncated { item_id, audio_end_ms } => {
                self.note_truncated(item_id, Duration::from_millis(audio_end_ms));
            }
            ServerEvent::KeyPressed { event: key } => self.emit(SessionEvent::KeyPressed { key }),
            ServerEvent::McpStarted { item_id } => self.begin_hosted(&item_id, now),
            ServerEvent::McpCompleted { item_id } => self.end_hosted(&item_id, HostedOutcome::Done, now),
            ServerEvent::McpFailed { item_id } => self.end_hosted(&item_id, HostedOutcome::Failed, now),
            ServerEvent::RateLimits { rate_limits } => self.note_limits(resets_after(&rate_limits), now),
            ServerEvent::ResponseDone { response } => {
                self.end_response(&response, now);
                self.delete_idle_prompt(&response.id);
            }
            ServerEvent::Error { error } => self.handle_error(error, now),
            ServerEvent::SessionCreated { .. } | ServerEvent::Other { .. } => {}
            ServerEvent::McpToolsListed { .. } | ServerEvent::McpToolListingFailed { .. } => {}
        }
    }

    /// Records an item that a response has produced or updated.
    pub(super) fn note_output(&mut self, response: &ResponseId, item: &Item, now: Instant) {
        self.link.note_produced(response, item);
        self.note_hosted(Some(response), item, now);
    }

    fn handle_audio(&mut self, response: ResponseId, item: ItemId, delta: &str) {
        if self.link.queue.is_cancelled(&response) {
            return;
        }
        let spoken = self.link.item(&item, &response, self.config.options.output_format);
        let samples = spoken.decoder.decode(delta);
        spoken.is_audible |= samples.iter().any(|sample| sample.unsigned_abs() > SILENCE);
        spoken.held_back.extend(samples);
        if !spoken.is_audible {
            // An item that stays silent is never reported as speech.
            return;
        }
        let samples = std::mem::take(&mut spoken.held_back);
        let received = spoken.decoder.received();
        self.history.set_received(&item, received, false);
        self.greeting.audio_received(&response, &item);
        if !samples.is_empty() {
            self.emit(SessionEvent::Audio { response, item, samples: samples.into() });
        }
    }

    /// Marks an item's audio as complete.
    pub(super) fn finish_item(&mut self, id: &ItemId) {
        let Some(item) = self.link.items.get_mut(id) else { return };
        // The last audio of a cancelled response was ignored.
        let is_complete = !self.link.queue.is_cancelled(&item.response);
        let is_first_report = !std::mem::replace(&mut item.is_finished, true);
        if !item.is_audible {
            return;
        }
        self.history.set_received(id, item.decoder.received(), is_complete);
        if is_first_report {
            self.emit(SessionEvent::ItemDone { item: id.clone() });
        }
    }

    fn finish_message(&mut self, item: &Item) {
        let (Some(id), "message") = (&item.id, item.r#type.as_str()) else { return };
        self.history.set_missing_agent_transcript(id, &item.words());
        // An item that is cut short ends with its response.
        if item.is_complete() {
            self.finish_item(id);
        }
        self.report_transcript(id);
    }

    fn handle_caller_transcript(&mut self, item: ItemId, text: &str, usage: Option<&serde_json::Value>) {
        if let Some(usage) = usage.map(Usage::of_transcript) {
            self.add_usage(usage);
        }
        let text = text.trim().to_owned();
        if !text.is_empty() {
            self.history.set_caller_transcript(&item, &text);
            self.emit(SessionEvent::CallerTranscript { item, text: text.into() });
        }
    }

    fn handle_error(&mut self, error: ErrorInfo, now: Instant) {
        let (event_id, names_response_create) = (error.event_id.clone(), error.names_response_create());
        let error = ApiError::from(error);
        if error.is_about_the_key() {
            // The key was accepted before, so the secret may hold a newer one by now.
            return self.abandon_link(&error.code, now);
        }
        let was_requested = self.link.queue.is_requested();
        match error.remedy() {
            Remedy::None if error.code == "conversation_already_has_active_response" => {
                self.link.queue.refused_as_active(event_id.as_deref(), now);
            }
            Remedy::None => {}
            Remedy::Fail | Remedy::Reconnect | Remedy::Wait | Remedy::Again | Remedy::Tell => {
                let is_for_want_of_capacity = matches!(error.remedy(), Remedy::Wait | Remedy::Again);
                let request = match event_id {
                    Some(_) => self.link.queue.refused(event_id.as_deref()),
                    None if is_for_want_of_capacity || names_response_create => {
                        self.link.queue.refused_without_id()
                    }
                    None => None,
                };
                self.remove_unrequested_prompt(was_requested);
                return self.handle_failed_response(error, request, now);
            }
        }
        self.remove_unrequested_prompt(was_requested);
    }

    /// Records when the server says that its session expires.
    pub(super) fn expect_end(&mut self, session: &SessionInfo, now: Instant, unix_now_s: u64) {
        self.link.expect_end(remaining_time(session, unix_now_s), now);
    }
}

/// Returns how long a session will last.
pub(super) fn remaining_time(session: &SessionInfo, unix_now_s: u64) -> Option<Duration> {
    let remaining = session.expires_at?.saturating_sub(unix_now_s);
    // No session lasts a day, so a time beyond that is not an expiry time.
    (1..86_400).contains(&remaining).then(|| Duration::from_secs(remaining))
}

/// Returns how long it takes until all exhausted limits reset.
fn resets_after(limits: &[RateLimit]) -> Option<Duration> {
    let used_up = limits.iter().filter(|limit| limit.remaining.is_none_or(|left| left < 1.0));
    let seconds = used_up
        .filter_map(|limit| limit.reset_seconds)
        .fold(None, |most: Option<f64>, seconds| Some(most.map_or(seconds, |most| most.max(seconds))))?;
    Duration::try_from_secs_f64(seconds).ok()
}
