//! How a session is configured: everything in the first `session.update`, since one that is refused is refused whole.

use crate::options::{Format, NoiseReduction, Transcription, TurnDetection, is_fit_keyword};
use crate::{OptionalPart, OptionalParts, Options};
use serde_json::{Map, Value, json};
use std::fmt;
use std::time::Duration;

/// A conversation's configuration.
#[derive(Clone, PartialEq)]
pub struct SessionConfig {
    /// All of what the agent is and how it behaves.
    pub instructions: String,
    /// The model and its options. `name` should be the model the endpoint asks for: it decides what may be sent.
    pub options: Options,
    /// How the agent begins.
    pub greeting: Greeting,
    /// Whether the caller can interrupt the greeting.
    pub greeting_interruptible: bool,
    /// Who decides about turns.
    pub turns: TurnMode,
    /// Ready definitions of functions and MCP servers.
    pub tools: Vec<Value>,
    /// A new session takes over after so long, in a silence; `None`: only before the old one ends.
    pub recycle_after: Option<Duration>,
    /// So long before a session ends, another one takes over.
    pub margin: Duration,
    /// Optional parts that the service does not take: they are left out.
    pub without: OptionalParts,
}

impl SessionConfig {
    /// The usual margin.
    pub const MARGIN: Duration = Duration::from_secs(120);
}

impl fmt::Debug for SessionConfig {
    /// With the number of tools in place of their definitions, which may hold the tokens of MCP servers, and without what the
    /// agent is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("options", &self.options)
            .field("greeting_interruptible", &self.greeting_interruptible)
            .field("turns", &self.turns)
            .field("tools", &self.tools.len())
            .field("recycle_after", &self.recycle_after)
            .field("margin", &self.margin)
            .field("without", &self.without)
            .finish_non_exhaustive()
    }
}

/// How the agent begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// With these words.
    Exact(String),
    /// In words of its own, told what to say.
    Prompt(String),
}

/// Who decides when the agent answers, and when it is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnMode {
    /// The model's server does.
    Server,
    /// We do: see [`crate::Session::interrupt`] and [`crate::Session::yield_turn`].
    Ours,
}

/// What the server does by itself when the caller speaks or is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TurnTaking {
    pub answers: bool,
    pub interrupts: bool,
    /// Speaks when nobody does. A caller who listens to the ringing tone has not been silent for long.
    pub idles: bool,
}

impl SessionConfig {
    /// The `session` of the first `session.update`.
    pub(crate) fn session(&self, reflexes: TurnTaking) -> Value {
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
                    "turn_detection": turn_detection(&options.turn_detection, reflexes),
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
        self.without.iter().for_each(|part| leave_out(part, &mut session));
        session
    }

    /// The `session` of an update that changes nothing but the server's reflexes. The whole of `turn_detection`, since
    /// nobody promises that it is merged.
    pub(crate) fn change(&self, reflexes: TurnTaking) -> Value {
        let turns = turn_detection(&self.options.turn_detection, reflexes);
        json!({"type": "realtime", "audio": {"input": {"turn_detection": turns}}})
    }

    /// What the server may do by itself.
    pub(crate) fn reflexes(&self, greeting_is_over: bool) -> TurnTaking {
        let is_servers = self.turns == TurnMode::Server;
        TurnTaking {
            answers: is_servers,
            interrupts: is_servers && (self.greeting_interruptible || greeting_is_over),
            idles: greeting_is_over,
        }
    }

    /// The instructions of the greeting. A response's instructions replace the session's, so they hold both.
    pub(crate) fn greeting(&self) -> String {
        match &self.greeting {
            Greeting::Exact(words) => {
                self.with(&format!("Say exactly these words now, and nothing more: \"{words}\""))
            }
            Greeting::Prompt(prompt) => self.with(prompt),
        }
    }

    /// The session's instructions, and these.
    pub(crate) fn with(&self, more: &str) -> String {
        format!("{}\n\n{more}", self.instructions)
    }

    /// Whether the model reasons. Others refuse a whole update that has `reasoning` in it.
    fn reasons(&self) -> bool {
        let Some(name) = &self.options.name else { return true };
        let Some(rest) = name.strip_prefix("gpt-realtime") else { return true };
        rest == "-2" || rest.starts_with("-2.")
    }
}

/// Takes a part out, its key with it: the service then does as it does by default.
fn leave_out(part: OptionalPart, session: &mut Value) {
    let (place, key) = match part {
        OptionalPart::Transcription => ("/audio/input", "transcription"),
        OptionalPart::NoiseReduction => ("/audio/input", "noise_reduction"),
        OptionalPart::Reasoning => ("", "reasoning"),
        OptionalPart::Speed => ("/audio/output", "speed"),
    };
    session.pointer_mut(place).and_then(Value::as_object_mut).and_then(|at| at.remove(key));
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
    // One that the service does not take would cost all of them: a file that was pushed earlier may hold some.
    let keywords: Vec<&String> = wanted.keywords.iter().filter(|keyword| is_fit_keyword(keyword)).collect();
    if !keywords.is_empty() {
        value.insert("keywords".to_owned(), json!(keywords));
    }
    Value::Object(value)
}

fn turn_detection(detection: &TurnDetection, reflexes: TurnTaking) -> Value {
    let mut value = match detection {
        TurnDetection::Server(vad) => json!({
            "type": "server_vad",
            "threshold": vad.threshold,
            "prefix_padding_ms": vad.prefix_padding_ms,
            "silence_duration_ms": vad.silence_duration_ms,
            "idle_timeout_ms": vad.idle_timeout_ms.filter(|_| reflexes.idles),
        }),
        TurnDetection::Semantic(vad) => json!({"type": "semantic_vad", "eagerness": vad.eagerness}),
    };
    value["create_response"] = json!(reflexes.answers);
    value["interrupt_response"] = json!(reflexes.interrupts);
    value
}

fn voice(voice: &str) -> Value {
    if voice.starts_with("voice_") { json!({"id": voice}) } else { json!(voice) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_models_that_reason_are_asked_to() {
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

            let session = config.session(config.reflexes(true));

            assert_eq!(session.get("reasoning").is_some(), reasons, "{name}");
        }
    }

    #[test]
    fn the_model_speaks_by_itself_only_once_the_greeting_is_over() {
        let vad = crate::options::ServerVad { idle_timeout_ms: Some(9_000), ..Default::default() };
        let config = config(Options { turn_detection: TurnDetection::Server(vad), ..Options::default() });
        let idle = |over| {
            config.change(config.reflexes(over))["audio"]["input"]["turn_detection"]["idle_timeout_ms"]
                .clone()
        };

        assert_eq!((idle(false), idle(true)), (Value::Null, json!(9_000)));
    }

    #[test]
    fn each_transcriber_is_told_the_language_in_its_own_way() {
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

            let told = transcription(&wanted);

            let (list, single) = (told.get("languages").cloned(), told.get("language").cloned());
            let right = if is_list { (Some(json!(["pt"])), None) } else { (None, Some(json!("pt"))) };
            assert_eq!((list, single), right, "{model}");
        }
    }

    #[test]
    fn a_keyword_that_is_not_taken_costs_no_other() {
        let keywords = ["Mirsk", "<b>", "two\nlines", "Rwanda"].map(str::to_owned).to_vec();
        let told = transcription(&Transcription { keywords, ..Transcription::default() });

        assert_eq!(told["keywords"], json!(["Mirsk", "Rwanda"]));
    }

    #[test]
    fn a_part_that_is_left_out_leaves_no_key_behind() {
        let mut config =
            config(Options { reasoning_effort: Some(crate::options::Effort::Low), ..Options::default() });
        OptionalPart::ALL.into_iter().for_each(|part| assert!(config.without.add(part)));

        let session = config.session(config.reflexes(true));

        let text = session.to_string();
        for part in OptionalPart::ALL {
            assert!(!text.contains(&format!("\"{part}\"")), "{part}: {text}");
        }
        assert_eq!(session["audio"]["output"]["voice"], "marin");
        assert!(session["audio"]["input"]["turn_detection"].is_object());
    }

    #[test]
    fn the_token_of_an_mcp_server_is_sent_and_never_shown() {
        let tool = json!({"type": "mcp", "server_label": "stock", "authorization": "planted"});
        let config = SessionConfig { tools: vec![tool], ..config(Options::default()) };

        let session = config.session(config.reflexes(true));
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
            tools: vec![],
            recycle_after: None,
            margin: SessionConfig::MARGIN,
            without: OptionalParts::default(),
        }
    }
}
