//! The session options that an operator sets in the `[model]` table, in OpenAI's words; defaults suit a telephone line.
//!
//! Source: the session types of the `openai` Python package 3.54.0 and OpenAI's Realtime guides of 2026.

mod check;
mod switched_off;
mod turn_detection;

pub use check::OptionError;
pub(crate) use check::is_accepted_keyword;

use serde::{Deserialize, Serialize};

/// The model, unless configured otherwise.
pub const MODEL: &str = "gpt-realtime-2.1";

/// The model and its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The model's name, such as `gpt-realtime-2.1`; `None` takes the deployment's.
    pub name: Option<String>,
    /// The name of an OpenAI voice, or the id of a custom one (`voice_…`).
    pub voice: String,
    /// The speed of the speech, 0.25 to 1.5.
    pub speed: f64,
    /// How much the model reasons before it speaks; only for models that reason. `None` leaves it to the model.
    pub reasoning_effort: Option<Effort>,
    /// The most tokens of one response, 1 to 4096; `None` sets no limit.
    pub max_output_tokens: Option<u32>,
    /// How the server detects the caller's turns.
    pub turn_detection: TurnDetection,
    /// Noise reduction of the caller's audio; `None`, written `"none"`, switches it off.
    #[serde(with = "switched_off::noise_reduction")]
    pub noise_reduction: Option<NoiseReduction>,
    /// Transcription of the caller's audio; `None`, written `false`, switches it off.
    #[serde(with = "switched_off::transcription")]
    pub transcription: Option<Transcription>,
    /// The audio format to the server.
    pub input_format: Format,
    /// The audio format from the server.
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

/// How much a model reasons before it speaks.
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

/// How the server detects the caller's turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", try_from = "turn_detection::Written")]
pub enum TurnDetection {
    /// Server VAD: by the loudness of the caller's audio.
    #[serde(rename = "server_vad")]
    Server(ServerVad),
    /// Semantic VAD: by what is said, for callers who speak slowly.
    #[serde(rename = "semantic_vad")]
    Semantic(SemanticVad),
}

impl Default for TurnDetection {
    fn default() -> Self {
        Self::Server(ServerVad::default())
    }
}

/// The settings of server VAD.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerVad {
    /// The detection threshold, 0 to 1; higher needs louder speech.
    pub threshold: f64,
    /// The audio included from before detected speech, in ms.
    pub prefix_padding_ms: u32,
    /// The silence that ends a turn, in ms.
    pub silence_duration_ms: u32,
    /// The silence after which the model speaks by itself, 5,000 to 30,000 ms; `None` switches the idle timer off.
    pub idle_timeout_ms: Option<u32>,
}

impl Default for ServerVad {
    /// Suits a telephone line: OpenAI's defaults suit a close headset, where nothing echoes.
    fn default() -> Self {
        Self { threshold: 0.6, prefix_padding_ms: 300, silence_duration_ms: 500, idle_timeout_ms: None }
    }
}

/// The settings of semantic VAD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SemanticVad {
    /// How soon the model answers.
    pub eagerness: Eagerness,
}

/// How soon the model answers: after at most 8, 4 and 2 s of silence for low, medium and high; auto is medium.
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

/// Noise reduction of the caller's audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseReduction {
    /// For a microphone near the mouth, such as a handset.
    NearField,
    /// For a distant microphone, such as a speakerphone.
    FarField,
}

/// Transcription of the caller's audio by a model of its own; a guide only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transcription {
    /// The model that transcribes.
    pub model: String,
    /// The language, ISO 639-1; `None` lets the model detect it. An agent's own language is filled in.
    pub language: Option<String>,
    /// Words it should know, such as names; only for `gpt-transcribe` and `gpt-live-transcribe`.
    pub keywords: Vec<String>,
    /// What the conversation is about.
    pub prompt: Option<String>,
}

impl Default for Transcription {
    fn default() -> Self {
        Self { model: "gpt-transcribe".to_owned(), language: None, keywords: vec![], prompt: None }
    }
}

impl Transcription {
    /// Whether the model takes keywords and a list of languages; those that do refuse a single `language`.
    pub(crate) fn takes_hints(&self) -> bool {
        ["gpt-transcribe", "gpt-live-transcribe"].iter().any(|model| check::is_or_dated(&self.model, model))
    }
}

/// The encoding of audio.
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
