//! The session of a telephone call: the service hears the caller and plays to the caller itself, and clients only watch and
//! ask.

use super::{Connection, Session};
use crate::playback::{Cleared, Playback, PlaybackEvent};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::{Config, ObservationKind};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// What only a client that owns the sound may send.
const OF_SOUND: [&str; 3] =
    ["input_audio_buffer.append", "input_audio_buffer.commit", "conversation.item.truncate"];

impl Session {
    /// The session of a call that was accepted with this configuration.
    ///
    /// # Errors
    /// When the service would refuse the configuration.
    pub(crate) fn of_call(
        config: Arc<Config>,
        connection: &Connection,
        wanted: &Value,
        now: Instant,
    ) -> Result<Self, Refusal> {
        let mut session = Self::new(config, connection, now);
        session.playback = Some(Playback::default());
        session.settings.use_telephone_formats();
        let wanted = session.without_formats_of_telephone(wanted);
        session.settings.update(&wanted, false)?;
        session.configured = true;
        if let Some(detection) = session.settings.turn_detection() {
            session.input.listen(detection.hearing);
        }
        session.observe(ObservationKind::Connected { model: connection.model.clone() });
        Ok(session)
    }

    /// Whether a call may be accepted with this configuration.
    pub(crate) fn check_call(wanted: &Value, model: &str) -> Result<(), Refusal> {
        Settings::new("sess_none", model, 0).update(wanted, false)
    }

    /// The first events of a socket that attaches to the call, for it alone.
    pub(crate) fn welcome(&mut self, now: Instant) -> Vec<Value> {
        self.now = now;
        let created = json!({
            "type": "session.created", "event_id": self.new_id("event"), "session": self.settings.json(),
        });
        let conversation = json!({"id": self.conversation_id, "object": "realtime.conversation"});
        let conversation = json!({
            "type": "conversation.created", "event_id": self.new_id("event"), "conversation": conversation,
        });
        for event in [&created, &conversation] {
            self.record(crate::report::Side::Server, &Arc::new(event.clone()));
        }
        vec![created, conversation]
    }

    /// Hears the caller.
    pub(crate) fn hear(&mut self, samples: &[i16], now: Instant) {
        self.now = now;
        if !self.over && !self.is_dead {
            self.listen(samples);
        }
    }

    /// The caller presses a key. Not every server gives this event an id.
    pub(crate) fn hear_key(&mut self, key: char, with_event_id: bool, now: Instant) {
        self.now = now;
        if self.over || self.is_dead {
            return;
        }
        let until_expiry = self.expires.saturating_duration_since(now).as_secs();
        let received_at =
            self.settings.json()["expires_at"].as_u64().map(|at| at.saturating_sub(until_expiry));
        let event = json!({
            "type": "input_audio_buffer.dtmf_event_received", "event": key.to_string(), "received_at": received_at,
        });
        if with_event_id {
            self.send(event)
        } else {
            self.send_as_it_is(event)
        }
        self.observe(ObservationKind::KeyPressed { key });
    }

    /// What the caller has heard since then.
    pub(crate) fn played_since(&self, since: Instant, now: Instant) -> Vec<i16> {
        self.playback.as_ref().map(|playback| playback.recording(since, now)).unwrap_or_default()
    }

    pub(super) fn is_telephone(&self) -> bool {
        self.playback.is_some()
    }

    /// Whether a client, perhaps at another socket, has asked for a greeting in this call.
    pub(super) fn has_greeted_by_telephone(&self) -> bool {
        let mut seen = self.report.observations.iter();
        self.is_telephone() && seen.any(|observation| observation.kind == ObservationKind::GreetingRequested)
    }

    pub(super) fn is_playing(&self) -> bool {
        self.playback.as_ref().is_some_and(|playback| !playback.is_empty())
    }

    /// Refuses what a client may not do where the service owns the sound.
    pub(super) fn check_for_telephone(&mut self, kind: &str) -> Result<(), Refusal> {
        if OF_SOUND.contains(&kind) {
            let message = format!("'{kind}' is not supported for SIP calls: the server owns the audio.");
            return Err(Refusal::value("type", message));
        }
        if kind == "input_audio_buffer.clear" || kind == crate::schema::CLOSE {
            self.note_violation(format!("{kind} on a call: what it does is not known"));
        }
        Ok(())
    }

    /// The formats of a call are settled by its SDP.
    pub(super) fn without_formats_of_telephone(&mut self, update: &Value) -> Value {
        let mut update = update.clone();
        if !self.is_telephone() {
            return update;
        }
        for side in ["input", "output"] {
            let fields = update.pointer_mut(&format!("/audio/{side}")).and_then(Value::as_object_mut);
            if fields.and_then(|fields| fields.remove("format")).is_some() {
                self.note_violation(format!("session.audio.{side}.format on a call: its SDP decides"));
            }
        }
        update
    }

    pub(super) fn playback_due(&self) -> Option<Instant> {
        self.playback.as_ref()?.next_due()
    }

    /// What the model has just made will be played in its time.
    pub(super) fn play(&mut self, index: usize, sound: &[u8]) {
        let response = &self.responses[index];
        let samples = response.terms.format.decode(sound).unwrap_or_default();
        if let (Some(playback), Some(item)) = (&mut self.playback, response.open_item()) {
            playback.push(&response.id, &item.id, samples, self.now);
            if !self.config.keeps_everything {
                playback.forget_heard();
            }
        }
        self.play_on();
    }

    pub(super) fn play_on(&mut self) {
        let event = self.playback.as_mut().and_then(|playback| playback.poll_event(self.now));
        match event {
            Some(PlaybackEvent::Started { response }) => {
                self.send(json!({"type": "output_audio_buffer.started", "response_id": response}));
                self.observe(ObservationKind::PlaybackStarted { response });
            }
            Some(PlaybackEvent::Stopped { response }) => {
                self.send(json!({"type": "output_audio_buffer.stopped", "response_id": response}));
                self.observe(ObservationKind::PlaybackStopped { response });
                self.has_played();
            }
            None => {}
        }
    }

    pub(super) fn complete_playback(&mut self, response: &str) {
        if let Some(playback) = &mut self.playback {
            playback.complete(response);
        }
    }

    /// The client throws away what was not played yet.
    pub(super) fn clear_playback(&mut self) {
        if self.is_answering() && self.is_playing() {
            self.note_violation(
                "output_audio_buffer.clear while a response is active: it goes on; cancel it first",
            );
        }
        let unheard = self.stop_playing();
        self.send_cleared(unheard);
        if !self.is_answering() && !self.input.is_speaking() {
            self.has_played();
        }
    }

    /// Stops the sound, and truncates what was not heard to its end. Returns the response that was being played.
    pub(super) fn stop_playing(&mut self) -> Option<String> {
        let Cleared { response, cut } = self.playback.as_mut()?.clear(self.now);
        for (item, heard_ms) in cut {
            self.truncate_unheard(item, heard_ms);
        }
        response
    }

    pub(super) fn send_cleared(&mut self, response: Option<String>) {
        if let Some(response) = response {
            self.send(json!({"type": "output_audio_buffer.cleared", "response_id": response}));
            self.observe(ObservationKind::PlaybackCleared { response });
        }
    }

    fn truncate_unheard(&mut self, item: String, audio_end_ms: u64) {
        if let Some(kept) = self.conversation.get_mut(&item) {
            kept.truncate(audio_end_ms);
        }
        let spoken = self.report.spoken.iter_mut().find(|spoken| spoken.item_id == item);
        let of_ms = spoken.map_or(0, |spoken| {
            spoken.truncated_at_ms = Some(audio_end_ms);
            spoken.sent_ms
        });
        self.cache.bust();
        self.send(json!({
            "type": "conversation.item.truncated", "item_id": item, "content_index": 0, "audio_end_ms": audio_end_ms,
        }));
        self.observe(ObservationKind::Truncated { item, audio_end_ms, of_ms });
    }

    /// From now on the caller's silence counts.
    fn has_played(&mut self) {
        if !self.is_playing() && !self.is_answering() {
            self.played = Some(self.now);
            self.await_idleness();
        }
    }
}
