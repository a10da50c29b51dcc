//! The caller's turns: sound comes in, speech is found in it, a turn becomes an item and is written down.

use super::Session;
use super::pending::Transcription;
use crate::ObservationKind;
use crate::conversation::Item;
use crate::injected_fault::InjectedFault;
use crate::input::Speech;
use crate::refusal::Refusal;
use crate::transcription::transcribe;
use crate::usage::transcription_usage;
use crate::vad::Edge;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::time::Duration;

/// Writing down is done by another model, which takes its time: usually the answer has begun by then.
const TRANSCRIBING: Duration = Duration::from_millis(450);
const SHORTEST_TURN_MS: u64 = 100;
const LARGEST_APPEND: usize = 15 * 1024 * 1024;

impl Session {
    pub(super) fn append(&mut self, audio: &Value) -> Result<(), Refusal> {
        let samples = self.decode(audio.as_str().unwrap_or_default())?;
        if self.input.written_ms() == 0 {
            self.welcome_sound();
        }
        if let Some(complaint) = self.clock.handle_audio(sim_audio::duration(samples.len()), self.now) {
            self.note_violation(complaint);
        }
        self.listen(&samples);
        Ok(())
    }

    /// Hears the caller, and finds turns in it.
    pub(super) fn listen(&mut self, samples: &[i16]) {
        if self.config.keeps_everything {
            self.report.heard.extend(samples);
        }
        for edge in self.input.handle_audio(samples) {
            match edge {
                _ if self.fault == Some(InjectedFault::Deaf) => {}
                Edge::Started { audio_start_ms } => self.begin_speech(audio_start_ms),
                Edge::Stopped { audio_end_ms } => self.end_speech(audio_end_ms),
            }
        }
    }

    pub(super) fn commit_by_hand(&mut self) -> Result<(), Refusal> {
        let buffered = self.input.uncommitted_ms();
        if buffered < SHORTEST_TURN_MS {
            let message = format!(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, \
                 but buffer only has {buffered}.00ms of audio."
            );
            return Err(Refusal::new("input_audio_buffer_commit_empty", message));
        }
        let sound = self.input.take_all();
        self.commit_in_mid_speech(sound);
        Ok(())
    }

    /// The speech that goes on becomes the item that was announced. The rest of it will be another one, whose
    /// start is not announced: the detector hears no start.
    fn commit_in_mid_speech(&mut self, sound: Vec<i16>) {
        let (announced, next) = (self.input.end_speech(), self.new_id("item"));
        let audio_start_ms = self.input.written_ms();
        let item = announced.map(|speech| {
            self.input.begin_speech(Speech { item: next.clone(), audio_start_ms });
            speech.item
        });
        self.commit(item.unwrap_or(next), sound);
    }

    pub(super) fn clear(&mut self) -> Result<(), Refusal> {
        self.input.take_all();
        self.send(json!({"type": "input_audio_buffer.cleared"}));
        Ok(())
    }

    /// The caller has said nothing for as long as the session allows: the silence is a turn, too.
    pub(super) fn end_idleness(&mut self) {
        self.idle = None;
        let Some(timeout) = self.settings.turn_detection().and_then(|detection| detection.idle_timeout_ms)
        else {
            return;
        };
        let audio_end_ms = self.input.written_ms();
        let audio_start_ms = audio_end_ms.saturating_sub(timeout);
        let item = self.new_id("item");
        self.send(json!({
            "type": "input_audio_buffer.timeout_triggered", "item_id": item,
            "audio_start_ms": audio_start_ms, "audio_end_ms": audio_end_ms,
        }));
        let silence = self.input.take(audio_start_ms, audio_end_ms);
        self.commit(item.clone(), silence);
        if let Some(kept) = self.conversation.get_mut(&item) {
            kept.is_silence = true;
        }
        self.answer();
    }

    /// The idle timeout, if there is one, runs from the moment the last response has been played.
    pub(super) fn await_idleness(&mut self) {
        let timeout = self.settings.turn_detection().and_then(|detection| detection.idle_timeout_ms);
        let played = self.played.filter(|_| !self.is_answering() && !self.input.is_speaking());
        self.idle = timeout.zip(played).map(|(ms, played)| {
            let (patience, due) = (Duration::from_millis(ms), played + Duration::from_millis(ms));
            if due > self.now { due } else { self.now + patience }
        });
    }

    pub(super) fn transcribe_next(&mut self) {
        let Some(Transcription { item, sound, .. }) = self.transcriptions.pop_front() else { return };
        if self.fault == Some(InjectedFault::TranscriptionFails) {
            return self.fail_transcription(&item);
        }
        let text = transcribe(&sound, &self.config.understands);
        if let Some(kept) = self.conversation.get_mut(&item) {
            kept.json["content"][0]["transcript"] = json!(text);
        }
        let kind = "conversation.item.input_audio_transcription";
        self.send(
            json!({"type": format!("{kind}.delta"), "item_id": item, "content_index": 0, "delta": text}),
        );
        let usage = transcription_usage(self.settings.transcriber(), sim_audio::duration(sound.len()), &text);
        self.send(json!({
            "type": format!("{kind}.completed"), "item_id": item, "content_index": 0, "transcript": text,
            "usage": usage,
        }));
        self.observe(ObservationKind::Transcribed { item, text });
    }

    fn decode(&mut self, audio: &str) -> Result<Vec<i16>, Refusal> {
        let bytes = BASE64
            .decode(audio)
            .map_err(|error| Refusal::value("audio", format!("Invalid 'audio': {error}.")))?;
        if bytes.len() > LARGEST_APPEND {
            return Err(Refusal::value("audio", "An append holds at most 15 MiB."));
        }
        if bytes.is_empty() {
            self.note_violation("an append without audio");
        }
        let samples = self.settings.input_format().decode(&bytes);
        samples.ok_or_else(|| Refusal::value("audio", "Invalid 'audio': it ends in the middle of a sample."))
    }

    fn welcome_sound(&mut self) {
        if !self.configured {
            self.note_violation("audio before session.updated");
        }
        self.observe(ObservationKind::FirstAudioReceived);
    }

    fn begin_speech(&mut self, audio_start_ms: u64) {
        let Some(detection) = self.settings.turn_detection() else { return };
        let item = self.new_id("item");
        (self.idle, self.played, self.rest) = (None, None, None);
        self.input.begin_speech(Speech { item: item.clone(), audio_start_ms });
        let kind = "input_audio_buffer.speech_started";
        self.send(json!({"type": kind, "item_id": item, "audio_start_ms": audio_start_ms}));
        self.observe(ObservationKind::SpeechStarted { item, audio_start_ms });
        if detection.interrupt_response {
            self.interrupt();
        }
    }

    fn end_speech(&mut self, audio_end_ms: u64) {
        let Some(Speech { item, audio_start_ms }) = self.input.end_speech() else { return };
        let kind = "input_audio_buffer.speech_stopped";
        self.send(json!({"type": kind, "item_id": item, "audio_end_ms": audio_end_ms}));
        self.observe(ObservationKind::SpeechStopped { item: item.clone(), audio_end_ms });
        let sound = self.input.take(audio_start_ms, audio_end_ms);
        self.commit(item, sound);
        if self.settings.turn_detection().is_some_and(|detection| detection.create_response) {
            self.answer();
        }
    }

    fn commit(&mut self, item: String, sound: Vec<i16>) {
        let previous = self.conversation.last_id().map(str::to_owned);
        let audio_ms = sim_audio::duration(sound.len()).as_millis() as u64;
        let said = Item::user_speech(&item, audio_ms);
        self.send(
            json!({"type": "input_audio_buffer.committed", "item_id": item, "previous_item_id": previous}),
        );
        self.send(
            json!({"type": "conversation.item.added", "previous_item_id": previous, "item": said.json}),
        );
        self.send(json!({"type": "conversation.item.done", "previous_item_id": previous, "item": said.json}));
        self.conversation.push(said);
        self.is_fresh = false;
        self.observe(ObservationKind::Committed { item: item.clone(), audio_ms });
        if self.settings.transcribes() {
            self.transcriptions.push_back(Transcription { due: self.now + TRANSCRIBING, item, sound });
        }
    }

    fn fail_transcription(&mut self, item: &str) {
        let message = format!("Project does not have access to model {}", self.settings.transcriber());
        let error = json!({
            "type": "invalid_request_error", "code": "model_not_found", "message": message, "param": null,
        });
        let kind = "conversation.item.input_audio_transcription.failed";
        self.send(json!({"type": kind, "item_id": item, "content_index": 0, "error": error}));
    }
}
