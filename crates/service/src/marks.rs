//! The keys that marks of people are made with: a secret of its own, which stays when the doors' key changes.

use anyhow::{Context, ensure};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The content of the secret. `make put-secrets` makes it out of the doors' key of that day.
#[derive(Debug, Clone, Deserialize)]
pub struct MarkKeys {
    /// Makes marks.
    pub mark_key: SecretString,
    /// Made them before: marks under these are read, and none is made.
    #[serde(default)]
    pub earlier: Vec<SecretString>,
    /// When the secret was made, ms since 1970. Marks from before may be under a key that is lost.
    #[serde(default)]
    pub made_at_ms: u64,
}

impl MarkKeys {
    /// Fetches the secret `id` (name or ARN); `None` when there is no such secret.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn fetch(config: &SdkConfig, id: &str) -> anyhow::Result<Option<Self>> {
        let asked = Client::new(config).get_secret_value().secret_id(id).send().await;
        let secret = match asked {
            Ok(secret) => secret,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
                return Ok(None);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot fetch the secret {id}")),
        };
        let text = secret.secret_string().with_context(|| format!("the secret {id} holds no text"))?;
        // The error of serde_json could quote the secret.
        let keys: Self =
            serde_json::from_str(text).map_err(|_| anyhow::anyhow!("the secret {id} holds no mark_key"))?;
        ensure!(!keys.mark_key.expose_secret().is_empty(), "the mark_key of the secret {id} is empty");
        Ok(Some(keys))
    }

    /// Fetches the secret for a function, which goes on without it: a stack of an older release has none.
    pub async fn fetch_if_any(config: &SdkConfig, id: Option<&str>) -> Option<Self> {
        let id = id?;
        let fetched = Self::fetch(config, id).await;
        match &fetched {
            Ok(Some(_)) => {}
            Ok(None) => tracing::warn!(secret = id, "There is no secret {id}: make put-secrets makes it"),
            Err(error) => tracing::error!(secret = id, "Goes on without the key of marks: {error:#}"),
        }
        fetched.ok().flatten()
    }

    /// Every key that a mark may have been made with, the one that makes them first.
    pub fn all(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.mark_key).chain(&self.earlier)
    }
}
