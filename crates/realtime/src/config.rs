//! Builds a session's configuration, all of it for the first `session.update`: the server refuses an update as a whole.

use crate::options::{Format, NoiseReduction, Transcription, TurnDetection, is_accepted_keyword};
use crate::{OptionalPart, OptionalParts, Options};
use serde_json::{Map, Value, json};
use std::fmt;
use std::time::Duration;

/// The configuration of a conversation's sessions.
#[derive(Clone, PartialEq)]
pub struct SessionConfig {
    /// The instructions: what the agent is and how it behaves.
    pub instructions: String,
    /// The model and its options. `name` should be the model of the endpoint: it decides what may be sent.
    pub options: Options,
    /// How the agent greets the caller.
    pub greeting: Greeting,
    /// Whether the caller can interrupt the greeting.
    pub greeting_interruptible: bool,
    /// Which side detects the caller's turns.
    pub turns: TurnMode,
    /// Which side carries the audio of the call.
    pub audio: AudioPath,
    /// Definitions of functions and MCP servers, as the API takes them.
    pub tools: Vec<Value>,
    /// The age at which a session is replaced in a pause; `None` replaces it only before it expires.
    pub recycle_after: Option<Duration>,
    /// How long before a session expires the rollover starts.
    pub margin: Duration,
    /// The optional parts that the service refuses, which are left out.
    pub without: OptionalParts,
}

/// The numbers of the server VAD, which the service may refuse for calls whose audio it carries.
const VAD_NUMBERS: [&str; 3] = ["threshold", "prefix_padding_ms", "silence_duration_ms"];

impl SessionConfig {
    /// The default time before a session expires at which the rollover starts.
    pub const MARGIN: Duration = Duration::from_secs(120);
}

impl fmt::Debug for SessionConfig {
    /// Shows the number of tools instead of their definitions, which may hold the tokens of MCP servers, and omits the instructions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionConfig")
            .field("options", &self.options)
            .field("greeting_interruptible", &self.greeting_interruptible)
            .field("turns", &self.turns)
            .field("audio", &self.audio)
            .field("tools", &self.tools.len())
            .field("recycle_after", &self.recycle_after)
            .field("margin", &self.margin)
            .field("without", &self.without)
            .finish_non_exhaustive()
    }
}

/// How the agent greets the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// In exactly these words.
    Exact(String),
    /// In the agent's own words, by this prompt.
    Prompt(String),
    /// Not at all: the caller was greeted before another process took the call over.
    Said,
}

/// Which side decides when the agent answers, and when it is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnMode {
    /// The server's turn detection decides.
    Server,
    /// The caller of the session decides, by [`crate::Session::interrupt`] and [`crate::Session::yield_turn`].
    Local,
}

/// Which side carries the audio of the call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AudioPath {
    /// The caller of the session, over the WebSocket.
    #[default]
    Socket,
    /// The service itself, as for calls by SIP: the WebSocket is the call's sideband, which carries events only.
    ///
    /// The session belongs to the call and outlives its WebSockets. [`crate::Session::open`] attaches the first one.
    Service,
}

/// What the server does by itself when the caller speaks or is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TurnTaking {
    pub answers: bool,
    pub interrupts: bool,
    /// Whether the idle timer runs. A caller who listens to the ringing tone has not been silent for long.
    pub prompts_when_idle: bool,
}

impl SessionConfig {
    /// Returns the `session` of the first `session.update`.
    pub(crate) fn session(&self, turn_taking: TurnTaking) -> Value {
        let options = &self.options;
        let mut session = json!({
            "type": "realtime",
            "instructions": self.instructions,
            "output_modalities": ["audio"],
            "audio": {
                "input": {
                    "format": format(options.input_format),
                    "noise_reduction": options.noise_reduction.map(noise_reduction),
                    "transcription": options.transcription.as_ref().map(transcription),
                    "turn_detection": turn_detection(&options.turn_detection, turn_taking),
                },
                "output": {
                    "format": format(options.output_format),
                    "voice": voice(&options.voice),
                    "speed": options.speed,
                },
            },
            "tools": self.tools,
            "tool_choice": "auto",
            "truncation": "auto",
            "max_output_tokens": options.max_output_tokens.map_or(json!("inf"), |most| json!(most)),
        });
        if let Some(effort) = options.reasoning_effort.filter(|_| self.reasons()) {
            session["reasoning"] = json!({"effort": effort});
        }
        if self.audio == AudioPath::Service {
            leave_format_to_the_call(&mut session);
            leave_voice_as_it_is(&mut session);
        }
        self.left_out().for_each(|part| remove_part(part, &mut session));
        session
    }

    /// Returns the `session` of an update that changes only what the server does by itself.
    ///
    /// Holds the whole `turn_detection`: the API does not promise to merge it.
    pub(crate) fn turn_detection_update(&self, turn_taking: TurnTaking) -> Value {
        let turns = turn_detection(&self.options.turn_detection, turn_taking);
        let mut session = json!({"type": "realtime", "audio": {"input": {"turn_detection": turns}}});
        self.left_out().for_each(|part| remove_part(part, &mut session));
        session
    }

    /// Returns the `session` of an update that changes only the instructions.
    pub(crate) fn instructions_update(&self) -> Value {
        json!({"type": "realtime", "instructions": self.instructions})
    }

    /// Returns the parts that are left out.
    fn left_out(&self) -> impl Iterator<Item = OptionalPart> {
        self.without.iter().filter(|part| part.is_optional_with(self.audio))
    }

    /// Returns what the server may do by itself.
    pub(crate) fn turn_taking(&self, greeting_is_over: bool) -> TurnTaking {
        let is_servers = self.turns == TurnMode::Server;
        TurnTaking {
            answers: is_servers,
            interrupts: is_servers && (self.greeting_interruptible || greeting_is_over),
            prompts_when_idle: greeting_is_over,
        }
    }

    /// Returns the instructions of the greeting's response. They replace the session's, so they hold both.
    pub(crate) fn greeting(&self) -> String {
        match &self.greeting {
            Greeting::Exact(words) => {
                self.with_instructions(&format!("Say exactly these words now, and nothing more: \"{words}\""))
            }
            Greeting::Prompt(prompt) => self.with_instructions(prompt),
            Greeting::Said => self.instructions.clone(),
        }
    }

    /// Returns the session's instructions, followed by others.
    pub(crate) fn with_instructions(&self, more: &str) -> String {
        format!("{}\n\n{more}", self.instructions)
    }

    /// Whether the model reasons. Models that do not refuse a whole update that holds `reasoning`.
    fn reasons(&self) -> bool {
        let Some(name) = &self.options.name else { return true };
        let Some(rest) = name.strip_prefix("gpt-realtime") else { return true };
        rest == "-2" || rest.starts_with("-2.")
    }
}

/// Removes an optional part and its key: the service then uses its default.
fn remove_part(part: OptionalPart, session: &mut Value) {
    let (place, keys): (_, &[&str]) = match part {
        OptionalPart::Transcription => ("/audio/input", &["transcription"]),
        OptionalPart::NoiseReduction => ("/audio/input", &["noise_reduction"]),
        OptionalPart::Reasoning => ("", &["reasoning"]),
        OptionalPart::Speed => ("/audio/output", &["speed"]),
        OptionalPart::VadNumbers => ("/audio/input/turn_detection", &VAD_NUMBERS),
    };
    let place = session.pointer_mut(place).and_then(Value::as_object_mut);
    place.into_iter().for_each(|place| keys.iter().for_each(|key| drop(place.remove(*key))));
}

/// Removes the audio formats: what the call's own signalling agreed on applies.
fn leave_format_to_the_call(session: &mut Value) {
    for side in ["/audio/input", "/audio/output"] {
        session.pointer_mut(side).and_then(Value::as_object_mut).and_then(|side| side.remove("format"));
    }
}

/// Removes the voice: the accept has set it, and it cannot change once the caller has heard it.
fn leave_voice_as_it_is(session: &mut Value) {
    let output = session.pointer_mut("/audio/output").and_then(Value::as_object_mut);
    output.into_iter().for_each(|output| drop(output.remove("voice")));
}

fn format(format: Format) -> Value {
    match format {
        Format::Pcm => json!({"type": "audio/pcm", "rate": 24_000}),
        Format::Ulaw => json!({"type": "audio/pcmu"}),
        Format::Alaw => json!({"type": "audio/pcma"}),
    }
}

fn noise_reduction(kind: NoiseReduction) -> Value {
    json!({"type": kind})
}

fn transcription(wanted: &Transcription) -> Value {
    let mut value = Map::new();
    value.insert("model".to_owned(), json!(wanted.model));
    value.extend(wanted.language.iter().map(|language| {
        if wanted.takes_hints() {
            ("languages".to_owned(), json!([language]))
        } else {
            ("language".to_owned(), json!(language))
        }
    }));
    value.extend(wanted.prompt.iter().map(|prompt| ("prompt".to_owned(), json!(prompt))));
    // One refused keyword would cost all of them, and a file that was pushed earlier may hold some.
    let keywords: Vec<&String> =
        wanted.keywords.iter().filter(|keyword| is_accepted_keyword(keyword)).collect();
    if !keywords.is_empty() {
        value.insert("keywords".to_owned(), json!(keywords));
    }
    Value::Object(value)
}

fn turn_detection(detection: &TurnDetection, turn_taking: TurnTaking) -> Value {
    let mut value = match detection {
        TurnDetection::Server(vad) => json!({
            "type": "server_vad",
            "threshold": vad.threshold,
            "prefix_padding_ms": vad.prefix_padding_ms,
            "silence_duration_ms": vad.silence_duration_ms,
            "idle_timeout_ms": vad.idle_timeout_ms.filter(|_| turn_taking.prompts_when_idle),
        }),
        TurnDetection::Semantic(vad) => json!({"type": "semantic_vad", "eagerness": vad.eagerness}),
    };
    value["create_response"] = json!(turn_taking.answers);
    value["interrupt_response"] = json!(turn_taking.interrupts);
    value
}

fn voice(voice: &str) -> Value {
    if voice.starts_with("voice_") { json!({"id": voice}) } else { json!(voice) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reasoning_models_get_reasoning_effort() {
        for (name, reasons) in [
            ("gpt-realtime-2.1", true),
            ("gpt-realtime-2.1-mini", true),
            ("gpt-realtime-2", true),
            ("gpt-realtime-1.5", false),
            ("gpt-realtime", false),
            ("gpt-realtime-2025-08-28", false),
            ("gpt-realtime-mini-2025-12-15", false),
        ] {
            let options = Options {
                name: Some(name.to_owned()),
                reasoning_effort: Some(crate::options::Effort::Low),
                ..Options::default()
            };
            let config = config(options);

            let session = config.session(config.turn_taking(true));

            assert_eq!(session.get("reasoning").is_some(), reasons, "{name}");
        }
    }

    #[test]
    fn the_idle_timer_runs_only_after_the_greeting() {
        let vad = crate::options::ServerVad { idle_timeout_ms: Some(9_000), ..Default::default() };
        let config = config(Options { turn_detection: TurnDetection::Server(vad), ..Options::default() });
        let idle = |over| {
            config.turn_detection_update(config.turn_taking(over))["audio"]["input"]["turn_detection"]["idle_timeout_ms"]
                .clone()
        };

        assert_eq!((idle(false), idle(true)), (Value::Null, json!(9_000)));
    }

    #[test]
    fn each_transcription_model_gets_the_language_in_its_own_field() {
        for (model, is_list) in [
            ("gpt-transcribe", true),
            ("gpt-live-transcribe", true),
            ("gpt-live-transcribe-2026-09-01", true),
            ("gpt-realtime-whisper", false),
            ("whisper-1", false),
            ("our-transcriber", false),
        ] {
            let (model, language) = (model.to_owned(), Some("pt".to_owned()));
            let wanted = Transcription { model: model.clone(), language, ..Transcription::default() };

            let sent = transcription(&wanted);

            let (list, single) = (sent.get("languages").cloned(), sent.get("language").cloned());
            let right = if is_list { (Some(json!(["pt"])), None) } else { (None, Some(json!("pt"))) };
            assert_eq!((list, single), right, "{model}");
        }
    }

    #[test]
    fn a_refused_keyword_does_not_cost_the_others() {
        let keywords = ["Mirsk", "<b>", "two\nlines", "Rwanda"].map(str::to_owned).to_vec();
        let sent = transcription(&Transcription { keywords, ..Transcription::default() });

        assert_eq!(sent["keywords"], json!(["Mirsk", "Rwanda"]));
    }

    #[test]
    fn a_part_that_is_left_out_leaves_no_key_behind() {
        let mut config =
            config(Options { reasoning_effort: Some(crate::options::Effort::Low), ..Options::default() });
        OptionalPart::ALL.into_iter().for_each(|part| assert!(config.without.add(part)));

        let session = config.session(config.turn_taking(true));

        let text = session.to_string();
        for part in OptionalPart::ALL {
            assert!(!text.contains(&format!("\"{part}\"")), "{part}: {text}");
        }
        assert_eq!(session["audio"]["output"]["voice"], "marin");
        assert!(session["audio"]["input"]["turn_detection"].is_object());
    }

    #[test]
    fn audio_of_the_service_has_no_format() {
        let config = SessionConfig { audio: AudioPath::Service, ..config(Options::default()) };

        let session = config.session(config.turn_taking(true));

        assert_eq!(
            (&session["audio"]["input"]["format"], &session["audio"]["output"]["format"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(session["type"], "realtime");
        assert_eq!(session["audio"]["input"]["turn_detection"]["threshold"], 0.6);
    }

    #[test]
    fn a_call_keeps_the_voice_that_it_was_accepted_with() {
        let voice = |audio| {
            let config = SessionConfig { audio, ..config(Options::default()) };
            config.session(config.turn_taking(true))["audio"]["output"]["voice"].clone()
        };

        assert_eq!((voice(AudioPath::Service), voice(AudioPath::Socket)), (Value::Null, json!("marin")));
    }

    #[test]
    fn vad_numbers_are_optional_only_where_the_service_has_the_audio() {
        let threshold = |audio| {
            let mut config = SessionConfig { audio, ..config(Options::default()) };
            config.without.add(OptionalPart::VadNumbers);
            let turn_taking = config.turn_taking(true);
            let both = [config.session(turn_taking), config.turn_detection_update(turn_taking)];
            both.map(|session| session["audio"]["input"]["turn_detection"]["threshold"].clone())
        };

        assert_eq!(threshold(AudioPath::Service), [Value::Null, Value::Null]);
        assert_eq!(threshold(AudioPath::Socket), [json!(0.6), json!(0.6)]);
    }

    #[test]
    fn an_mcp_token_is_sent_and_never_shown_by_debug() {
        let tool = json!({"type": "mcp", "server_label": "stock", "authorization": "planted"});
        let config = SessionConfig { tools: vec![tool], ..config(Options::default()) };

        let session = config.session(config.turn_taking(true));
        let update = crate::ClientEvent::SessionUpdate { event_id: "e1".into(), session };

        assert!(update.to_json().contains("planted"));
        let shown = format!("{config:?} {update:?}");
        assert!(shown.contains("tools: 1") && shown.contains("e1") && !shown.contains("planted"), "{shown}");
    }

    fn config(options: Options) -> SessionConfig {
        SessionConfig {
            instructions: "You answer calls.".into(),
            options,
            greeting: Greeting::Prompt("Greet.".into()),
            greeting_interruptible: true,
            turns: TurnMode::Server,
            audio: AudioPath::Socket,
            tools: vec![],
            recycle_after: None,
            margin: SessionConfig::MARGIN,
            without: OptionalParts::default(),
        }
    }
}
