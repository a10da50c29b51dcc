//! The keys that marks of people are made with: a secret of its own, which stays when the doors' key changes.

use crate::secrets::age::Age;
use anyhow::{Context, ensure};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How long a later look for the secret may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The content of the secret. `make secrets` makes it out of the doors' key of that day.
#[derive(Debug, Clone, Deserialize)]
pub struct PseudonymKeys {
    /// Makes marks.
    pub mark_key: SecretString,
    /// Made them before: marks under these are read, and none is made.
    #[serde(default)]
    pub earlier: Vec<SecretString>,
    /// When the secret was made, ms since 1970. Marks from before may be under a key that is lost.
    #[serde(default)]
    pub made_at_ms: u64,
}

impl PseudonymKeys {
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

    /// Every key that a mark may have been made with, the one that makes them first.
    pub fn all(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.mark_key).chain(&self.earlier)
    }
}

/// The key of marks as a function has it. A stack of an older release has none, until `make secrets` makes it.
#[derive(Debug)]
pub struct Pseudonyms {
    config: SdkConfig,
    id: Option<String>,
    keys: OnceLock<PseudonymKeys>,
    age: Mutex<Age>,
}

impl Pseudonyms {
    /// Fetches the secret `id` (name or ARN); without an `id` there is none.
    ///
    /// # Errors
    /// When it cannot be read: without it callers would get other marks, and who was forgotten would be stored again. That there is
    /// no such secret is no error.
    pub async fn fetch(config: &SdkConfig, id: Option<&str>) -> anyhow::Result<Self> {
        let age = Mutex::new(Age::new(Instant::now()));
        let marks = Self { config: config.clone(), id: id.map(str::to_owned), keys: OnceLock::new(), age };
        if let Some(id) = id {
            match PseudonymKeys::fetch(config, id).await? {
                Some(keys) => marks.keep(keys),
                None => tracing::warn!(secret = id, "There is no secret {id}: make secrets makes it"),
            }
        }
        Ok(marks)
    }

    /// The keys, as far as they are known.
    pub fn known(&self) -> Option<&PseudonymKeys> {
        self.keys.get()
    }

    /// The keys; where there were none, they are looked for again, at most once a minute.
    pub async fn current(&self) -> Option<&PseudonymKeys> {
        let wanted = self.id.as_deref().filter(|_| self.known().is_none());
        if let Some(id) = wanted.filter(|_| self.may_look()) {
            let fetched = tokio::time::timeout(PATIENCE, PseudonymKeys::fetch(&self.config, id)).await;
            let fetched = fetched.with_context(|| format!("the secret {id} took too long"));
            match fetched.and_then(|fetched| fetched) {
                Ok(keys) => keys.into_iter().for_each(|keys| self.keep(keys)),
                Err(error) => tracing::error!(secret = id, "Cannot look for the key of marks: {error:#}"),
            }
        }
        self.known()
    }

    fn may_look(&self) -> bool {
        self.age.lock().expect("nothing panics while it holds this lock").handle_look(Instant::now())
    }

    /// The first keys stay: the secret is never changed.
    fn keep(&self, keys: PseudonymKeys) {
        let _ = self.keys.set(keys);
    }
}
