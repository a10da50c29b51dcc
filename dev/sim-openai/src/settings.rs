//! The session's settings: what it starts with, what an update may change, and what it may not.

use crate::format::Format;
use crate::limits::{
    check_modalities, check_ranges, check_reasoning, check_tools, check_transcription, reasons,
};
use crate::refusal::Refusal;
use crate::vad::Hearing;
use serde_json::{Value, json};

const PERSONA: &str = "You are a helpful, witty and friendly AI. Talk quickly.";

/// A session as the API shows it.
#[derive(Debug, Clone)]
pub(crate) struct Settings(Value);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TurnDetection {
    pub hearing: Hearing,
    pub create_response: bool,
    pub interrupt_response: bool,
    pub idle_timeout_ms: Option<u64>,
}

impl Settings {
    /// What a session starts with. `silence_duration_ms` is 200, as real sessions show, though the docs say 500.
    pub(crate) fn new(id: &str, model: &str, expires_at: u64) -> Self {
        let pcm = Format::Pcm.json();
        let mut session = json!({
            "type": "realtime", "object": "realtime.session", "id": id, "model": model, "expires_at": expires_at,
            "output_modalities": ["audio"], "instructions": PERSONA,
            "tools": [], "tool_choice": "auto", "max_output_tokens": "inf",
            "truncation": "auto", "tracing": null, "prompt": null, "include": null,
            "audio": {
                "input": {
                    "format": pcm, "transcription": null, "noise_reduction": null,
                    "turn_detection": default_turn_detection("server_vad"),
                },
                "output": {"format": pcm, "voice": "marin", "speed": 1.0},
            },
        });
        if reasons(model) {
            session["reasoning"] = json!({"effort": "low"});
        }
        Self(session)
    }

    pub(crate) fn json(&self) -> &Value {
        &self.0
    }

    /// Speaks G.711, as trunks do.
    pub(crate) fn use_telephone_formats(&mut self) {
        for side in ["input", "output"] {
            self.0["audio"][side]["format"] = Format::Mulaw.json();
        }
    }

    /// Changes what the update names, or nothing at all.
    pub(crate) fn update(&mut self, update: &Value, has_spoken: bool) -> Result<(), Refusal> {
        self.check(update, has_spoken)?;
        for (key, value) in update.as_object().into_iter().flatten() {
            match key.as_str() {
                "audio" => self.update_audio(value),
                _ => self.0[key] = value.clone(),
            }
        }
        Ok(())
    }

    pub(crate) fn model(&self) -> &str {
        self.0["model"].as_str().unwrap_or_default()
    }

    pub(crate) fn instructions(&self) -> &str {
        self.0["instructions"].as_str().unwrap_or_default()
    }

    pub(crate) fn input_format(&self) -> Format {
        Format::of(&self.0["audio"]["input"]["format"])
    }

    pub(crate) fn transcribes(&self) -> bool {
        self.0["audio"]["input"]["transcription"].is_object()
    }

    /// The model that writes down what the caller says.
    pub(crate) fn transcriber(&self) -> &str {
        self.0["audio"]["input"]["transcription"]["model"].as_str().unwrap_or_default()
    }

    pub(crate) fn has_tool(&self, name: &str) -> bool {
        self.0["tools"].as_array().is_some_and(|tools| tools.iter().any(|tool| tool["name"] == name))
    }

    /// `None` when the client takes turns itself.
    pub(crate) fn turn_detection(&self) -> Option<TurnDetection> {
        let settings = &self.0["audio"]["input"]["turn_detection"];
        let kind = settings["type"].as_str()?;
        Some(TurnDetection {
            hearing: Hearing {
                threshold: settings["threshold"].as_f64().unwrap_or(0.5),
                prefix_padding_ms: settings["prefix_padding_ms"].as_u64().unwrap_or(300),
                silence_duration_ms: match kind {
                    "semantic_vad" => patience_ms(settings["eagerness"].as_str()),
                    _ => settings["silence_duration_ms"].as_u64().unwrap_or(200),
                },
            },
            create_response: settings["create_response"].as_bool().unwrap_or(true),
            interrupt_response: settings["interrupt_response"].as_bool().unwrap_or(true),
            idle_timeout_ms: settings["idle_timeout_ms"].as_u64(),
        })
    }

    fn check(&self, update: &Value, has_spoken: bool) -> Result<(), Refusal> {
        if update["type"] != "realtime" {
            return Err(Refusal::value(
                "session.type",
                "This is a realtime session, not a transcription session.",
            ));
        }
        if !update["model"].is_null() && update["model"] != self.0["model"] {
            return Err(Refusal::value("session.model", "The model of a session cannot be changed."));
        }
        if has_spoken && !update["audio"]["output"]["voice"].is_null() {
            let message = "Cannot update a conversation's voice if assistant audio is present.";
            return Err(Refusal::new("cannot_update_voice", message).about("session.audio.output.voice"));
        }
        if !self.0["tracing"].is_null() && !update["tracing"].is_null() {
            return Err(Refusal::value("session.tracing", "Tracing cannot be changed once it is on."));
        }
        check_ranges(update)?;
        check_modalities(&update["output_modalities"], "session.output_modalities")?;
        check_reasoning(self.model(), update, "session")?;
        check_tools(&update["tools"], "session")?;
        check_transcription(&update["audio"]["input"]["transcription"])
    }

    fn update_audio(&mut self, audio: &Value) {
        for side in ["input", "output"] {
            for (key, value) in audio[side].as_object().into_iter().flatten() {
                let current = &mut self.0["audio"][side][key];
                match key.as_str() {
                    "turn_detection" => *current = turn_detection(current, value),
                    "noise_reduction" => overlay(current, value),
                    _ => *current = value.clone(),
                }
            }
        }
    }
}

/// An update of the same kind changes what it names; another kind starts from its defaults; null turns it off.
fn turn_detection(current: &Value, update: &Value) -> Value {
    let Some(kind) = update["type"].as_str() else { return Value::Null };
    let mut next = if current["type"] == kind { current.clone() } else { default_turn_detection(kind) };
    overlay(&mut next, update);
    next
}

fn default_turn_detection(kind: &str) -> Value {
    match kind {
        "semantic_vad" => json!({
            "type": "semantic_vad", "eagerness": "auto", "create_response": true, "interrupt_response": true,
        }),
        _ => json!({
            "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
            "idle_timeout_ms": null, "create_response": true, "interrupt_response": true,
        }),
    }
}

fn overlay(current: &mut Value, update: &Value) {
    match (current.as_object_mut(), update.as_object()) {
        (Some(current), Some(update)) => current.extend(update.clone()),
        _ => *current = update.clone(),
    }
}

/// An energy detector cannot tell a finished sentence from a pause: it waits a quarter of the real one's longest.
fn patience_ms(eagerness: Option<&str>) -> u64 {
    match eagerness {
        Some("low") => 2_000,
        Some("high") => 500,
        _ => 1_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_changes_only_what_it_names() {
        let mut settings = settings("gpt-realtime-2.1");
        let before = settings.json().clone();

        settings
            .update(&server_vad(json!({"silence_duration_ms": 600})), false)
            .expect("it is a right update");

        let detection = &settings.json()["audio"]["input"]["turn_detection"];
        assert_eq!((&detection["silence_duration_ms"], &detection["threshold"]), (&json!(600), &json!(0.5)));
        assert_eq!(settings.json()["audio"]["output"], before["audio"]["output"]);
        assert_eq!(settings.instructions(), PERSONA);
    }

    #[test]
    fn null_lets_the_client_take_turns() {
        let mut settings = settings("gpt-realtime-2.1");
        let manual = json!({"type": "realtime", "audio": {"input": {"turn_detection": null}}});

        settings.update(&manual, false).expect("it is a right update");

        assert_eq!(settings.turn_detection(), None);
    }

    #[test]
    fn a_voice_after_sound_refuses_the_whole_update() {
        let mut settings = settings("gpt-realtime-2.1");
        let update =
            json!({"type": "realtime", "instructions": "New.", "audio": {"output": {"voice": "cedar"}}});

        let refusal = settings.update(&update, true).expect_err("the voice is fixed");

        assert_eq!(refusal.code, Some("cannot_update_voice"));
        assert_eq!(settings.instructions(), PERSONA);
        assert_eq!(settings.update(&update, false), Ok(()));
    }

    #[test]
    fn reasoning_is_for_models_that_reason() {
        let update = json!({"type": "realtime", "reasoning": {"effort": "low"}});

        assert!(settings("gpt-realtime-1.5").update(&update, false).is_err());
        assert_eq!(settings("gpt-realtime-2.1-mini").update(&update, false), Ok(()));
    }

    #[test]
    fn refuses_what_the_types_allow_and_the_docs_do_not() {
        let refused = |update: Value| settings("gpt-realtime-2.1").update(&update, false).is_err();

        assert!(refused(server_vad(json!({"idle_timeout_ms": 4_000}))));
        assert!(refused(server_vad(json!({"threshold": 1.2}))));
        assert!(refused(json!({"type": "realtime", "output_modalities": ["audio", "text"]})));
        assert!(refused(json!({"type": "realtime", "model": "gpt-realtime-1.5"})));
        assert!(refused(json!({"type": "transcription"})));
        let keywords = json!({"model": "whisper-1", "keywords": ["Mirsk"]});
        assert!(refused(json!({"type": "realtime", "audio": {"input": {"transcription": keywords}}})));
    }

    #[test]
    fn refuses_what_a_transcriber_does_not_take_by_its_place() {
        let refused = |mut transcription: Value| {
            let kind = transcription["model"].take();
            transcription["model"] = if kind.is_null() { json!("gpt-transcribe") } else { kind };
            let update = json!({"type": "realtime", "audio": {"input": {"transcription": transcription}}});
            let refusal = settings("gpt-realtime-2.1").update(&update, false).err()?;
            refusal.event(None)["error"]["param"].as_str().map(str::to_owned)
        };
        let at = |key: &str| Some(format!("session.audio.input.transcription.{key}"));

        assert_eq!(refused(json!({"languages": ["pt"], "keywords": ["Mirsk"], "prompt": "Bikes."})), None);
        assert_eq!(refused(json!({"language": "pt"})), at("language"));
        assert_eq!(refused(json!({"language": "pt", "model": "gpt-live-transcribe"})), at("language"));
        assert_eq!(refused(json!({"language": "pt", "model": "gpt-realtime-whisper"})), None);
        assert_eq!(refused(json!({"languages": ["pt"], "model": "gpt-realtime-whisper"})), at("languages"));
        for keyword in ["<b>", "a > b", "two\nlines", "two\rlines"] {
            assert_eq!(refused(json!({"keywords": ["Mirsk", keyword]})), at("keywords[1]"), "{keyword:?}");
        }
        assert_eq!(refused(json!({"prompt": "a".repeat(4_097)})), at("prompt"));
    }

    #[test]
    fn a_function_takes_an_object_and_nothing_else_at_the_top() {
        let refused = |more: Value| {
            let mut schema = json!({"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}]}}});
            schema.as_object_mut().expect("it is one").extend(more.as_object().expect("it is one").clone());
            let tool = json!({"type": "function", "name": "find", "parameters": schema});
            let update = json!({"type": "realtime", "tools": [{"type": "function", "name": "look"}, tool]});
            settings("gpt-realtime-2.1").update(&update, false).err()
        };

        assert_eq!(refused(json!({})), None);
        for more in [
            json!({"anyOf": [{"required": ["a"]}]}),
            json!({"oneOf": []}),
            json!({"allOf": []}),
            json!({"enum": [{}]}),
            json!({"not": {"required": ["a"]}}),
            json!({"type": "array"}),
            json!({"type": ["object", "null"]}),
        ] {
            let refusal = refused(more.clone()).unwrap_or_else(|| panic!("{more} is taken"));
            assert_eq!(refusal.code, Some("invalid_function_parameters"));
            assert_eq!(refusal.event(None)["error"]["param"], "session.tools[1].parameters");
        }
    }

    fn settings(model: &str) -> Settings {
        Settings::new("sess_1", model, 1_795_330_800)
    }

    fn server_vad(mut fields: Value) -> Value {
        fields["type"] = json!("server_vad");
        json!({"type": "realtime", "audio": {"input": {"turn_detection": fields}}})
    }
}
