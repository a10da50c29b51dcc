//! The webhook's settings from the environment, and the secret they name.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service::env::{Env, SettingError};
use std::time::Duration;
use switchboard::intake::{IntakeSettings, KnownNumbers};

/// Settings read from the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table.
    pub table: String,
    /// `META_SECRET`: name or ARN of the secret with Meta's keys.
    pub meta_secret: String,
    /// `MARK_SECRET`: name or ARN of the secret with the pseudonym key; without it, a notice that arrives after its person was forgotten is
    /// kept with them.
    pub mark_secret: Option<String>,
    /// The SIP line; `None` without `LINE_SECRET`.
    pub sip: Option<SipSettings>,
    /// `CALL_CONTROL`: name or ARN of the call-control function.
    pub call_control: String,
    /// `AHOY_NUMBERS`: the ids of our numbers, comma separated, default: every number with an agent (one read of the table for each ringing
    /// call). `AHOY_RING_SECONDS`: how long a call may ring, default 25.
    pub intake: IntakeSettings,
}

/// Settings of the SIP line.
#[derive(Debug, Clone)]
pub struct SipSettings {
    /// `LINE_SECRET`: name or ARN of the secret with OpenAI's webhook secret and the trunk's key.
    pub secret: String,
    /// `AHOY_SIP_OPEN`: `yes` accepts calls by any trunk while no key of a trunk is configured, default `no`.
    pub is_open: bool,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or malformed; names it.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self {
            table: env.required("TABLE")?,
            meta_secret: env.required("META_SECRET")?,
            mark_secret: env.optional("MARK_SECRET").map(str::to_owned),
            sip: sip(env)?,
            call_control: env.required("CALL_CONTROL")?,
            intake: IntakeSettings {
                numbers: numbers(env.list("AHOY_NUMBERS")),
                ring_budget: Duration::from_secs(env.parsed("AHOY_RING_SECONDS", 25)?),
            },
        })
    }
}

fn sip(env: &Env) -> Result<Option<SipSettings>, SettingError> {
    let Some(secret) = env.optional("LINE_SECRET") else { return Ok(None) };
    let is_open = match env.optional("AHOY_SIP_OPEN").unwrap_or("no") {
        "yes" => true,
        "no" => false,
        other => {
            let (value, reason) = (other.to_owned(), "it is yes or no".to_owned());
            return Err(SettingError::Malformed { name: "AHOY_SIP_OPEN", value, reason });
        }
    };
    Ok(Some(SipSettings { secret: secret.to_owned(), is_open }))
}

fn numbers(listed: Vec<String>) -> KnownNumbers {
    if listed.is_empty() {
        KnownNumbers::WithAgents
    } else {
        KnownNumbers::Listed(listed.into_iter().map(Into::into).collect())
    }
}

/// The part of Meta's secret that the webhook reads.
#[derive(Debug, Clone, Deserialize)]
pub struct WebhookSecret {
    /// The app secret that signs webhooks.
    pub app_secret: SecretString,
    /// The previous app secret, which Meta may still sign with.
    #[serde(default)]
    pub previous_app_secret: Option<SecretString>,
    /// The token that Meta's challenge must present.
    pub verify_token: SecretString,
}

impl WebhookSecret {
    /// Returns the app secrets that may sign.
    pub fn app_secrets(&self) -> Vec<&str> {
        let both = [Some(&self.app_secret), self.previous_app_secret.as_ref()];
        // An empty secret, most likely a placeholder, would let anyone sign.
        let secrets = both.into_iter().flatten().map(ExposeSecret::expose_secret);
        secrets.filter(|secret| !secret.is_empty()).collect()
    }
}
