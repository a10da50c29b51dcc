//! The disclosure line, the `[messages]` table, and words that are exact or a prompt.

use crate::Words;
use crate::default_phrases::Phrases;
use crate::error::Fault;
use crate::rules::text;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// The maximum length of a WhatsApp message, in characters.
const MAX_MESSAGE: usize = 4096;
/// The maximum length of the disclosure line, in characters.
const MAX_DISCLOSURE: usize = 300;

/// `true`, `false`, or the operator's own line.
#[derive(Default)]
pub(super) enum Disclosure {
    #[default]
    Default,
    Off,
    Own(String),
}

impl Disclosure {
    pub(super) fn resolve(self, phrases: &Phrases) -> Result<Option<String>, Fault> {
        match self {
            Self::Default => Ok(Some(phrases.disclosure.clone())),
            Self::Off => Ok(None),
            Self::Own(line) => text("disclosure", &line, MAX_DISCLOSURE).map(|()| Some(line)),
        }
    }
}

impl<'de> Deserialize<'de> for Disclosure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl Visitor<'_> for Visit {
            type Value = Disclosure;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a line in quotes")
            }

            fn visit_bool<E>(self, is_on: bool) -> Result<Disclosure, E> {
                Ok(if is_on { Disclosure::Default } else { Disclosure::Off })
            }

            fn visit_str<E>(self, line: &str) -> Result<Disclosure, E> {
                Ok(Disclosure::Own(line.to_owned()))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

/// Exact words in quotes, or `{ prompt = "…" }`.
pub(super) struct Spoken(Words);

impl Spoken {
    pub(super) fn resolve(self, field: &str, longest: usize) -> Result<Words, Fault> {
        match &self.0 {
            Words::Exact(words) => text(field, words, longest)?,
            Words::Prompt(prompt) => text(&format!("{field}.prompt"), prompt, longest)?,
        }
        Ok(self.0)
    }
}

impl<'de> Deserialize<'de> for Spoken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Prompted {
            prompt: String,
        }
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Spoken;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("words in quotes or { prompt = \"…\" }")
            }

            fn visit_str<E>(self, words: &str) -> Result<Spoken, E> {
                Ok(Spoken(Words::Exact(words.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Spoken, A::Error> {
                let Prompted { prompt } = Prompted::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Spoken(Words::Prompt(prompt)))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Messages {
    closed: Option<String>,
    busy: Option<String>,
    lost: Option<String>,
    spent: Option<String>,
    too_many_calls: Option<String>,
}

impl Messages {
    pub(super) fn resolve(self, phrases: &Phrases) -> Result<crate::Messages, Fault> {
        let own = |field: &str, own: Option<String>, default: &str| match own {
            Some(own) => text(&format!("messages.{field}"), &own, MAX_MESSAGE).map(|()| own),
            None => Ok(default.to_owned()),
        };
        Ok(crate::Messages {
            closed: own("closed", self.closed, &phrases.closed)?,
            busy: own("busy", self.busy, &phrases.busy)?,
            lost: own("lost", self.lost, &phrases.lost)?,
            spent: own("spent", self.spent, &phrases.spent)?,
            too_many_calls: own("too_many_calls", self.too_many_calls, &phrases.too_many_calls)?,
        })
    }
}
