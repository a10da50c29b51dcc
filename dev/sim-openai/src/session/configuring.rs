//! Configures the session: what an update changes, and the shape of the beta, which is refused.

use super::Session;
use crate::ObservationKind;
use crate::refusal::Refusal;
use serde_json::{Value, json};

/// Keys of the beta's flat session, which the GA service turns away.
const BETA_KEYS: [&str; 7] = [
    "modalities",
    "voice",
    "input_audio_format",
    "output_audio_format",
    "input_audio_transcription",
    "turn_detection",
    "max_response_output_tokens",
];

impl Session {
    pub(super) fn configure(&mut self, update: &Value) -> Result<(), Refusal> {
        let instructions = self.settings.instructions().to_owned();
        if self.session < self.config.failing_setups {
            return Err(Refusal::of_the_service());
        }
        self.config.forbids.iter().try_for_each(|forbidden| forbidden.check(update))?;
        let update = &self.without_formats_of_telephone(update);
        self.settings.update(update, !self.report.spoken.is_empty())?;
        if self.settings.instructions() != instructions || !update["tools"].is_null() {
            self.cache.bust();
        }
        if !update["prompt"].is_null() {
            self.note_violation("session.prompt: stored prompts end on 2026-11-30");
        }
        if let Some(detection) = self.settings.turn_detection() {
            self.input.listen(detection.hearing);
        }
        let updated = json!({"type": "session.updated", "session": self.settings.json()});
        if self.config.configuring.is_zero() {
            self.confirm(updated);
        } else {
            self.later.push((self.now + self.config.configuring, updated));
        }
        let detection = &update["audio"]["input"]["turn_detection"];
        if self.config.idles_at_once && detection["idle_timeout_ms"].is_u64() && self.played.is_some() {
            self.end_idleness();
        } else if !detection.is_null() {
            self.await_idleness();
        }
        self.list_tools();
        Ok(())
    }

    pub(super) fn confirm(&mut self, updated: Value) {
        self.configured = true;
        self.send(updated);
        self.observe(ObservationKind::Configured);
    }
}

/// A request in the shape of the beta, which was switched off in 2026.
pub(crate) fn beta_disabled() -> Refusal {
    let message = "The Realtime Beta API is no longer supported. Please use the GA API shape.";
    Refusal::new("beta_api_shape_disabled", message)
}

pub(super) fn is_beta_shape(event: &Value) -> bool {
    let session = &event["session"];
    event["type"] == "session.update"
        && session["type"].is_null()
        && BETA_KEYS.iter().any(|key| !session[key].is_null())
}
