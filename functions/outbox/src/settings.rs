//! The outbox's settings from the environment, and the secret they name.

use agents::Agent;
use openai_responses::URL;
use secrecy::SecretString;
use serde::Deserialize;
use service::env::{Env, SettingError};
use std::collections::BTreeMap;

/// Settings read from the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table.
    pub table: String,
    /// `MEDIA_SECRET`: name or ARN of the secret with the keys that sign, and OpenAI's key.
    pub media_secret: String,
    /// `OPENAI_URL`: the base URL of OpenAI's Responses API, default `https://api.openai.com`.
    pub openai_url: String,
    /// `AHOY_AGENT`: the agent file for numbers without an agent of their own, default: the built-in agent.
    pub agent: Agent,
}

/// The media tasks' secret, as far as the outbox reads it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OutboxSecret {
    /// The key of OpenAI's API.
    pub(crate) openai_api_key: SecretString,
    /// Secrets that agent files name.
    #[serde(default)]
    pub(crate) tool_secrets: BTreeMap<String, SecretString>,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or malformed; names it.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self {
            table: env.required("TABLE")?,
            media_secret: env.required("MEDIA_SECRET")?,
            openai_url: env.optional("OPENAI_URL").unwrap_or(URL).to_owned(),
            agent: env.file("AHOY_AGENT", Agent::read)?.unwrap_or_else(Agent::built_in),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_setting_is_named() {
        assert_eq!(
            Settings::from_env(&Env::of(&[("TABLE", "t")])).unwrap_err().to_string(),
            "MEDIA_SECRET is not set"
        );

        let settings = Settings::from_env(&Env::of(&[("TABLE", "t"), ("MEDIA_SECRET", "s")])).unwrap();
        assert_eq!(settings.openai_url, "https://api.openai.com");
        assert_eq!(settings.agent.after, None);
    }
}
