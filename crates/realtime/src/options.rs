//! What of a session an operator may choose, in OpenAI's words. Defaults suit a telephone line.
//!
//! Source: the session types of the `openai` Python package 3.54.0 and OpenAI's Realtime guides of 2026.

mod check;
mod switched_off;
mod turn_detection;

pub use check::OptionError;
pub(crate) use check::is_fit_keyword;

use serde::{Deserialize, Serialize};

/// A session's options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The model's name, such as `gpt-realtime-2.1`; without it, the one the deployment names.
    pub name: Option<String>,
    /// OpenAI's name of the voice, or the id of a custom one (`voice_…`).
    pub voice: String,
    /// How fast it speaks, 0.25 to 1.5.
    pub speed: f64,
    /// How much it thinks before it speaks; only for models that reason. `None` leaves it to the model.
    pub reasoning_effort: Option<Effort>,
    /// The most tokens of one response, 1 to 4096; `None` is no limit.
    pub max_output_tokens: Option<u32>,
    /// When a turn of the caller begins and ends.
    pub turn_detection: TurnDetection,
    /// What is done against noise before anything else; `None`, written `"none"`, is nothing.
    #[serde(with = "switched_off::noise_reduction")]
    pub noise_reduction: Option<NoiseReduction>,
    /// Whether and how the caller's words are written down; `None`, written `false`, is not at all.
    #[serde(with = "switched_off::transcription")]
    pub transcription: Option<Transcription>,
    /// How the caller's sound is sent.
    pub input_format: Format,
    /// How the agent's sound comes.
    pub output_format: Format,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: None,
            voice: "marin".to_owned(),
            speed: 1.0,
            reasoning_effort: None,
            max_output_tokens: None,
            turn_detection: TurnDetection::default(),
            noise_reduction: Some(NoiseReduction::NearField),
            transcription: Some(Transcription::default()),
            input_format: Format::Pcm,
            output_format: Format::Pcm,
        }
    }
}

/// How much a model thinks before it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the words are OpenAI's")]
pub enum Effort {
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
}

/// When a turn of the caller begins and ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", try_from = "turn_detection::Written")]
pub enum TurnDetection {
    /// By the loudness of what is heard.
    #[serde(rename = "server_vad")]
    Server(ServerVad),
    /// By what is said: for callers who speak slowly.
    #[serde(rename = "semantic_vad")]
    Semantic(SemanticVad),
}

impl Default for TurnDetection {
    fn default() -> Self {
        Self::Server(ServerVad::default())
    }
}

/// Turns by loudness.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerVad {
    /// 0 to 1; higher needs louder speech.
    pub threshold: f64,
    /// Sound kept from before detected speech, ms.
    pub prefix_padding_ms: u32,
    /// Silence that ends a turn, ms.
    pub silence_duration_ms: u32,
    /// After so much silence the model speaks by itself, 5,000 to 30,000 ms; `None` is never.
    pub idle_timeout_ms: Option<u32>,
}

impl Default for ServerVad {
    /// For a telephone line: OpenAI's defaults suit a close headset, where nothing echoes.
    fn default() -> Self {
        Self { threshold: 0.6, prefix_padding_ms: 300, silence_duration_ms: 500, idle_timeout_ms: None }
    }
}

/// Turns by meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SemanticVad {
    /// How soon it answers.
    pub eagerness: Eagerness,
}

/// How soon the model answers: at most 8, 4, 2 s of silence for low, medium, high; auto is medium.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the words are OpenAI's")]
pub enum Eagerness {
    Low,
    Medium,
    High,
    #[default]
    Auto,
}

/// What is done against noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseReduction {
    /// For handsets.
    NearField,
    /// For speakerphones.
    FarField,
}

/// How the caller's words are written down, by a model of its own, as a guide only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transcription {
    /// The model that writes them down.
    pub model: String,
    /// ISO 639-1; `None` lets it guess. An agent's own language is filled in.
    pub language: Option<String>,
    /// Words it should know, such as names; only for `gpt-transcribe` and `gpt-live-transcribe`.
    pub keywords: Vec<String>,
    /// What the talk is about.
    pub prompt: Option<String>,
}

impl Default for Transcription {
    fn default() -> Self {
        Self { model: "gpt-transcribe".to_owned(), language: None, keywords: vec![], prompt: None }
    }
}

impl Transcription {
    /// Whether its model takes a list of languages, and keywords: those that do refuse a single `language`.
    pub(crate) fn takes_hints(&self) -> bool {
        ["gpt-transcribe", "gpt-live-transcribe"].iter().any(|model| check::is_or_dated(&self.model, model))
    }
}

/// How sound is carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// 24 kHz, 16 bit, little-endian: wideband.
    #[default]
    #[serde(rename = "pcm")]
    Pcm,
    /// G.711 µ-law, 8 kHz: a fifth of the traffic.
    #[serde(rename = "pcmu")]
    Ulaw,
    /// G.711 A-law, 8 kHz.
    #[serde(rename = "pcma")]
    Alaw,
}
