//! The TOML tables of an agent file: deserialized by serde, then validated and resolved table by table.

mod after;
mod caps;
mod conversation;
mod extract;
mod http_tool;
mod lookup;
mod mcp_server;
mod parse_errors;
mod strict_schema;
mod tools;
mod transfer;
mod words;

use crate::default_phrases::{phrases, primary};
use crate::error::Fault;
use crate::key_positions::KeyPositions;
use crate::rules;
use crate::{Agent, AgentFileError, Options};
use serde::Deserialize;

/// An agent file with known keys and values of the right types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentFileToml {
    name: String,
    #[serde(default = "english")]
    language: String,
    instructions: String,
    #[serde(default)]
    disclosure: words::Disclosure,
    greeting: conversation::Greeting,
    #[serde(default)]
    model: Options,
    #[serde(default)]
    interruption: conversation::Interruption,
    #[serde(default)]
    keypad: conversation::Keypad,
    #[serde(default)]
    limits: conversation::Limits,
    #[serde(default)]
    tools: tools::Tools,
    transfer: Option<transfer::Transfer>,
    lookup: Option<lookup::Lookup>,
    after: Option<after::After>,
    hours: Option<crate::opening_hours::HoursToml>,
    #[serde(default)]
    messages: words::Messages,
    #[serde(default)]
    caps: caps::Caps,
    #[serde(default)]
    keeping: caps::Keeping,
}

impl AgentFileToml {
    pub(crate) fn read(text: &str, positions: &KeyPositions<'_>) -> Result<Self, AgentFileError> {
        toml::from_str(text).map_err(|error| parse_errors::agent_file_error(&error, text, positions))
    }

    pub(crate) fn resolve(self) -> Result<Agent, Fault> {
        check_agent_name("name", &self.name)?;
        check_language_tag(&self.language)?;
        rules::text("instructions", &self.instructions, crate::LARGEST)?;
        let phrases = phrases(&self.language);
        let tools = self.tools.resolve(self.transfer.map(transfer::Transfer::resolve).transpose()?)?;
        let keeping = self.keeping.resolve()?;
        let lookup = self.lookup.map(|lookup| lookup.resolve(&self.name, &tools.allowed_hosts));
        let after = self.after.map(|after| after.resolve(&tools.allowed_hosts, keeping));
        Ok(Agent {
            disclosure: self.disclosure.resolve(phrases)?,
            greeting: self.greeting.resolve()?,
            model: model(self.model, &self.language)?,
            interruption: self.interruption.resolve()?,
            keypad: self.keypad.resolve()?,
            limits: self.limits.resolve(phrases)?,
            tools,
            lookup: lookup.transpose()?,
            after: after.transpose()?,
            hours: self.hours.map(crate::opening_hours::HoursToml::resolve).transpose()?,
            messages: self.messages.resolve(phrases)?,
            caps: self.caps.resolve()?,
            keeping,
            name: self.name,
            language: self.language,
            instructions: self.instructions,
        })
    }
}

fn english() -> String {
    "en".to_owned()
}

fn check_agent_name(field: &str, name: &str) -> Result<(), Fault> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=64).contains(&name.len()) && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(Fault::new(field, "must be 1 to 64 lower-case letters, digits or -"))
}

fn check_language_tag(language: &str) -> Result<(), Fault> {
    if is_language_tag(language) {
        return Ok(());
    }
    Err(Fault::new("language", "must be a language tag such as \"en\", \"pt-BR\" or \"rw\""))
}

/// Whether a text has the form of a language tag (BCP 47): two or three letters, then subtags of up to eight characters.
pub fn is_language_tag(language: &str) -> bool {
    let mut parts = language.split('-');
    let first = parts.next().unwrap_or_default();
    let is_language = (2..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_language && language.len() <= 35 && parts.all(is_part)
}

/// The languages that OpenAI's transcription models are documented to take, ISO 639-1. OpenAI refuses the whole
/// session for another one.
const TRANSCRIBED: [&str; 57] = [
    "af", "ar", "az", "be", "bg", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "fa", "fi",
    "fr", "gl", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "kk", "kn", "ko", "lt", "lv", "mi",
    "mk", "mr", "ms", "ne", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "sw", "ta", "th",
    "tl", "tr", "uk", "ur", "vi", "zh",
];

/// Returns the transcription's language for an agent's, if OpenAI takes it.
pub(crate) fn transcribed(language: &str) -> Option<String> {
    Some(primary(language)).filter(|code| TRANSCRIBED.contains(&code.as_str()))
}

/// Validates the session's options. The transcription gets the agent's language if the file names none and OpenAI
/// takes it.
fn model(mut options: Options, language: &str) -> Result<Options, Fault> {
    if let Some(transcription) = &mut options.transcription
        && transcription.language.is_none()
    {
        transcription.language = transcribed(language);
    }
    options.check().map_err(|invalid| Fault::new(format!("model.{}", invalid.field), invalid.reason))?;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Agent;

    #[test]
    fn the_transcription_gets_only_supported_languages() {
        let told = |language: &str, more: &str| {
            let file = format!(
                "name = 'a'\nlanguage = '{language}'\ninstructions = 'b'\ngreeting.say = 'c'\n{more}"
            );
            Agent::read(&file).unwrap().model.transcription.unwrap().language
        };

        assert_eq!(told("pt-BR", "").as_deref(), Some("pt"));
        assert_eq!(told("rw", ""), None);
        assert_eq!(told("rw", "model.transcription = { language = 'sw' }").as_deref(), Some("sw"));
    }

    #[test]
    fn a_language_has_the_form_of_a_tag() {
        for tag in ["fr", "pt-BR", "zh-Hant-TW", "es-419", "sl-rozaj-biske"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        let long = "fr-".repeat(12);
        for tag in [
            "",
            "f",
            "-fr",
            "fr-",
            "fr_FR",
            "français",
            "1a",
            "fr-123456789",
            &long,
            "speak French",
            "english",
        ] {
            assert!(!is_language_tag(tag), "{tag}");
        }
    }
}
