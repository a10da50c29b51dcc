//! The optional parts of a session's configuration, and which of them an error refuses.

use crate::api_error::is_about_the_account;
use crate::server_event::ErrorInfo;
use crate::{AudioPath, Options};
use std::collections::BTreeSet;
use std::fmt;

/// An optional part of a session's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptionalPart {
    /// Transcription of the caller's audio.
    Transcription,
    /// Noise reduction of the caller's audio.
    NoiseReduction,
    /// The model's reasoning effort.
    Reasoning,
    /// The speed of the agent's speech.
    Speed,
    /// The numbers of the server VAD, which are optional only where the service carries the audio.
    VadNumbers,
}

/// A set of optional parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionalParts(BTreeSet<OptionalPart>);

impl OptionalPart {
    /// All optional parts, in order.
    pub(crate) const ALL: [Self; 5] =
        [Self::Transcription, Self::NoiseReduction, Self::Reasoning, Self::Speed, Self::VadNumbers];

    /// Returns the part's name, as OpenAI and agent files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transcription => "transcription",
            Self::NoiseReduction => "noise_reduction",
            Self::Reasoning => "reasoning",
            Self::Speed => "speed",
            Self::VadNumbers => "vad_numbers",
        }
    }

    /// Whether a session can do without the part.
    pub(crate) fn is_optional_with(self, audio: AudioPath) -> bool {
        self != Self::VadNumbers || audio == AudioPath::Service
    }

    /// Returns the part that an error refuses.
    ///
    /// `param` names it, or else the code or the message does: by a path, by the transcription model's name, or by being the only part
    /// named. An error whose type says that the request was valid refuses none.
    pub(crate) fn refused_by(error: &ErrorInfo, options: &Options) -> Option<Self> {
        let message = error.message.as_ref().map_or("", |message| message.as_str());
        if let Some(step) = error.param.as_deref().and_then(first_step) {
            let is_some_model = step == "model";
            return Self::called(step)
                .or_else(|| Self::transcribing(message, options).filter(|_| is_some_model));
        }
        let code = error.code.as_deref().unwrap_or_default();
        if !error.is_about_the_request() || is_about_the_account(code) {
            return None;
        }
        let mut paths = message.split(|letter: char| !is_of_path(letter)).filter(|word| is_path(word));
        if let Some(step) = paths.find_map(first_step) {
            return Self::called(step);
        }
        Self::transcribing(message, options).or_else(|| Self::only_in(code, message))
    }

    /// Returns the part of this name, as the API or its beta writes it.
    fn called(step: &str) -> Option<Self> {
        match step {
            "transcription" | "input_audio_transcription" => Some(Self::Transcription),
            "noise_reduction" | "input_audio_noise_reduction" => Some(Self::NoiseReduction),
            "reasoning" | "reasoning_effort" => Some(Self::Reasoning),
            "speed" => Some(Self::Speed),
            "turn_detection" => Some(Self::VadNumbers),
            _ => None,
        }
    }

    /// Returns the transcription if a message names its model: "Project does not have access to model gpt-transcribe".
    fn transcribing(message: &str, options: &Options) -> Option<Self> {
        let transcriber = &options.transcription.as_ref()?.model;
        let words =
            || message.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_".contains(letter)));
        let is_named = words().any(|word| word == transcriber);
        (is_named && options.name.as_ref() != Some(transcriber)).then_some(Self::Transcription)
    }

    /// Returns the part that a code or a message names, if it names only one.
    fn only_in(code: &str, message: &str) -> Option<Self> {
        let said = format!("{code} {message}").to_ascii_lowercase().replace(['_', '-'], " ");
        let words: Vec<&str> = said.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
        let is_there = |name: &[&str]| words.windows(name.len()).any(|some| some == name);
        let mut named = Self::ALL.into_iter().filter(|part| match part {
            Self::Transcription => is_there(&["transcription"]) || is_there(&["transcribe"]),
            Self::NoiseReduction => is_there(&["noise", "reduction"]),
            Self::Reasoning => is_there(&["reasoning"]),
            Self::Speed => is_there(&["speed"]),
            // Too general a name: only a path refuses the numbers.
            Self::VadNumbers => false,
        });
        named.next().filter(|_| named.next().is_none())
    }
}

impl fmt::Display for OptionalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl OptionalParts {
    /// Adds a part, and returns whether it is new.
    pub fn add(&mut self, part: OptionalPart) -> bool {
        self.0.insert(part)
    }

    /// Whether the set holds a part.
    pub fn contain(&self, part: OptionalPart) -> bool {
        self.0.contains(&part)
    }

    /// Returns the parts in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = OptionalPart> {
        self.0.iter().copied()
    }
}

/// Returns the first step of a path that tells the parts of the configuration apart: `transcription` of
/// `session.audio.input.transcription.language`, of `session["audio"]["input"]["transcription"]` and of
/// `/session/audio/input/transcription`.
fn first_step(path: &str) -> Option<&str> {
    let steps = path.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    steps.into_iter().find(|step| !["", "session", "audio", "input", "output"].contains(step))
}

fn is_of_path(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_.[]/".contains(letter)
}

/// Whether a word of a message is the path of a parameter.
fn is_path(word: &str) -> bool {
    let begins = |with: &str| word.trim_start_matches('/').starts_with(with);
    let is_deep = word.trim_end_matches('.').contains(['.', '[', '/']);
    is_deep && (begins("session") || begins("audio.") || begins("reasoning") || begins("input_audio"))
}

#[cfg(test)]
#[path = "optional_parts_tests.rs"]
mod tests;
