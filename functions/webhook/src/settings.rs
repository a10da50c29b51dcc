//! What the webhook is told by its environment, and by the secret named there.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service::env::{Env, SettingError};
use std::time::Duration;
use switchboard::intake::{IntakeSettings, KnownNumbers};

/// The webhook's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table.
    pub table: String,
    /// `META_SECRET`: name or ARN of the secret with Meta's keys.
    pub meta_secret: String,
    /// `MARK_SECRET`: name or ARN of the secret with the key of marks; without such a secret a notice that comes after its person was
    /// forgotten is kept with them.
    pub mark_secret: Option<String>,
    /// `CALL_CONTROL`: name or ARN of the function that acts on calls.
    pub call_control: String,
    /// `AHOY_NUMBERS`: the ids of our numbers, comma separated, default: every number to which an agent was pushed (the table is
    /// asked at each ring). `AHOY_RING_SECONDS`: how long a call may ring, default 25.
    pub house: IntakeSettings,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Which one is missing or malformed.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self {
            table: env.required("TABLE")?,
            meta_secret: env.required("META_SECRET")?,
            mark_secret: env.optional("MARK_SECRET").map(str::to_owned),
            call_control: env.required("CALL_CONTROL")?,
            house: IntakeSettings {
                numbers: numbers(env.list("AHOY_NUMBERS")),
                ring_budget: Duration::from_secs(env.parsed("AHOY_RING_SECONDS", 25)?),
            },
        })
    }
}

fn numbers(listed: Vec<String>) -> KnownNumbers {
    if listed.is_empty() { KnownNumbers::WithAgents } else { KnownNumbers::Listed(listed) }
}

/// The part of Meta's secret that the webhook reads.
#[derive(Debug, Clone, Deserialize)]
pub struct WebhookSecret {
    /// The app secret that signs webhooks.
    pub app_secret: SecretString,
    /// The one before it, while Meta may still sign with it.
    #[serde(default)]
    pub previous_app_secret: Option<SecretString>,
    /// What Meta's challenge must know.
    pub verify_token: SecretString,
}

impl WebhookSecret {
    /// The app secrets that may sign.
    pub fn live(&self) -> Vec<&str> {
        let both = [Some(&self.app_secret), self.previous_app_secret.as_ref()];
        // An empty one, a placeholder most likely, would make everybody Meta.
        let secrets = both.into_iter().flatten().map(ExposeSecret::expose_secret);
        secrets.filter(|secret| !secret.is_empty()).collect()
    }
}
