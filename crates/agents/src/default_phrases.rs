//! The default phrases of an agent in each supported language.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The default phrases of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phrases {
    pub(crate) disclosure: String,
    pub(crate) goodbye: String,
    pub(crate) leaving: String,
    pub(crate) nudge: String,
    pub(crate) apology: String,
    pub(crate) closed: String,
    pub(crate) busy: String,
    pub(crate) lost: String,
    pub(crate) spent: String,
    pub(crate) too_many_calls: String,
}

/// Returns the apology for when the agent fails for good. English if the language (BCP 47) is not supported.
pub fn apology(language: &str) -> &'static str {
    &phrases(language).apology
}

/// Returns the goodbye for when the media task is draining, which asks the caller to call again. English if the
/// language (BCP 47) is not supported.
pub fn leaving(language: &str) -> &'static str {
    &phrases(language).leaving
}

/// Returns the languages with default phrases, as sorted two-letter codes.
pub fn languages() -> impl Iterator<Item = &'static str> {
    ALL.keys().map(String::as_str)
}

/// Whether a language (BCP 47) has default phrases of its own.
pub(crate) fn has_phrases(language: &str) -> bool {
    ALL.contains_key(&primary(language))
}

pub(crate) fn phrases(language: &str) -> &'static Phrases {
    let english = || ALL.get("en").expect("a test reads English");
    ALL.get(&primary(language)).unwrap_or_else(english)
}

/// Returns the language without its region: `pt` for `pt-BR`.
pub(crate) fn primary(language: &str) -> String {
    language.split('-').next().unwrap_or_default().to_ascii_lowercase()
}

static ALL: LazyLock<BTreeMap<String, Phrases>> =
    LazyLock::new(|| toml::from_str(include_str!("../languages.toml")).expect("a test reads it"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_phrase() {
        assert!(languages().count() >= 8);
        for phrases in ALL.values() {
            let Phrases {
                disclosure,
                goodbye,
                leaving,
                nudge,
                apology,
                closed,
                busy,
                lost,
                spent,
                too_many_calls,
            } = phrases;
            let spoken = [disclosure, goodbye, leaving, nudge, apology];
            for text in spoken.into_iter().chain([closed, busy, lost, spent, too_many_calls]) {
                assert!(text.ends_with(['.', '?', '!']) && text.len() > 10, "{text}");
            }
        }
    }

    #[test]
    fn phrases_ignore_the_region_and_default_to_english() {
        assert_eq!(apology("pt-BR"), apology("PT"));
        assert_ne!(apology("pt"), apology("en"));
        assert_eq!(apology("tlh"), apology("en"));
    }
}
