//! The keys of callers' pseudonyms: a secret of their own, which stays when the key of the control API is rotated.

use crate::secrets::age::Age;
use anyhow::{Context, ensure};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The timeout of a later fetch of the secret.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);

/// The content of the secret, which `make secrets` creates from the control API's key of that day.
#[derive(Debug, Clone, Deserialize)]
pub struct PseudonymKeys {
    /// The key of new pseudonyms.
    pub mark_key: SecretString,
    /// Earlier keys: pseudonyms under these are recognized, and none is created.
    #[serde(default)]
    pub earlier: Vec<SecretString>,
    /// When the secret was created, ms since 1970. Pseudonyms from before may be under a key that is lost.
    #[serde(default)]
    pub made_at_ms: u64,
}

impl PseudonymKeys {
    /// Fetches the secret `id` (name or ARN); returns `None` when it does not exist.
    ///
    /// # Errors
    /// Returns an error when the secret cannot be fetched or parsed, or its key is empty.
    pub async fn fetch(config: &SdkConfig, id: &str) -> anyhow::Result<Option<Self>> {
        let asked = Client::new(config).get_secret_value().secret_id(id).send().await;
        let secret = match asked {
            Ok(secret) => secret,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
                return Ok(None);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot fetch the secret {id}")),
        };
        let text = secret.secret_string().with_context(|| format!("the secret {id} is not text"))?;
        // serde_json's error could quote the secret.
        let keys: Self =
            serde_json::from_str(text).map_err(|_| anyhow::anyhow!("the secret {id} has no mark_key"))?;
        ensure!(!keys.mark_key.expose_secret().is_empty(), "the mark_key of the secret {id} is empty");
        Ok(Some(keys))
    }

    /// Returns every key that a pseudonym may be under, the key of new ones first.
    pub fn all(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.mark_key).chain(&self.earlier)
    }
}

/// The keys of pseudonyms, cached in a function. A stack of an older release has none until `make secrets` creates them.
#[derive(Debug)]
pub struct Pseudonyms {
    config: SdkConfig,
    id: Option<String>,
    keys: OnceLock<PseudonymKeys>,
    age: Mutex<Age>,
}

impl Pseudonyms {
    /// Fetches the secret `id` (name or ARN); without an `id` there are no keys.
    ///
    /// # Errors
    /// Returns an error when the secret exists and cannot be read: without its keys callers would get other pseudonyms, and people whose
    /// data was deleted would be stored again. A missing secret is not an error.
    pub async fn fetch(config: &SdkConfig, id: Option<&str>) -> anyhow::Result<Self> {
        let age = Mutex::new(Age::new(Instant::now()));
        let pseudonyms =
            Self { config: config.clone(), id: id.map(str::to_owned), keys: OnceLock::new(), age };
        if let Some(id) = id {
            match PseudonymKeys::fetch(config, id).await? {
                Some(keys) => pseudonyms.keep(keys),
                None => tracing::warn!(secret = id, "secret {id} does not exist: `make secrets` creates it"),
            }
        }
        Ok(pseudonyms)
    }

    /// Returns the keys, if they are known.
    pub fn known(&self) -> Option<&PseudonymKeys> {
        self.keys.get()
    }

    /// Returns the keys; where there are none they are fetched again, at most once a minute.
    pub async fn current(&self) -> Option<&PseudonymKeys> {
        let wanted = self.id.as_deref().filter(|_| self.known().is_none());
        if let Some(id) = wanted.filter(|_| self.may_fetch()) {
            let fetched = tokio::time::timeout(FETCH_TIMEOUT, PseudonymKeys::fetch(&self.config, id)).await;
            let fetched = fetched.with_context(|| format!("timeout while fetching the secret {id}"));
            match fetched.and_then(|fetched| fetched) {
                Ok(keys) => keys.into_iter().for_each(|keys| self.keep(keys)),
                Err(error) => tracing::error!(secret = id, "fetch of the pseudonym keys failed: {error:#}"),
            }
        }
        self.known()
    }

    fn may_fetch(&self) -> bool {
        self.age.lock().expect("nothing panics while it holds this lock").handle_fetch_request(Instant::now())
    }

    /// Keeps the first keys: the secret never changes.
    fn keep(&self, keys: PseudonymKeys) {
        let _ = self.keys.set(keys);
    }
}
