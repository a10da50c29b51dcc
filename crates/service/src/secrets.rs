//! Secrets from AWS Secrets Manager: fetched at the start, and again after a rotation.

pub(crate) mod age;

use age::Age;
use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The timeout of a fetch while the cached value may still be valid.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);

/// A secret that is a JSON object, cached in memory. Clones share the cache.
#[derive(Debug)]
pub struct Secret<T> {
    inner: Arc<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    client: Client,
    id: String,
    cached: Mutex<Cached<T>>,
    /// Held during a fetch: others wait for it and take its result.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Cached<T> {
    value: Arc<T>,
    version: String,
    age: Age,
}

struct Fetched<T> {
    value: T,
    version: String,
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T> Secret<T> {
    /// Returns the cached secret.
    pub fn value(&self) -> Arc<T> {
        self.lock().value.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cached<T>> {
        self.inner.cached.lock().expect("nothing panics while it holds this lock")
    }
}

impl<T: DeserializeOwned> Secret<T> {
    /// Fetches the secret `id` (name or ARN).
    ///
    /// # Errors
    /// Returns an error when the secret cannot be fetched, or is not a JSON object of the shape of `T`.
    pub async fn fetch(config: &SdkConfig, id: &str) -> anyhow::Result<Self> {
        let client = Client::new(config);
        let Fetched { value, version } = get(&client, id).await?;
        let cached = Cached { value: Arc::new(value), version, age: Age::new(Instant::now()) };
        let inner = Inner {
            client,
            id: id.to_owned(),
            cached: Mutex::new(cached),
            fetching: tokio::sync::Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns the secret, fetched again if it is older than five minutes. If that fails, the cached one is returned.
    pub async fn current(&self) -> Arc<T> {
        let used = self.value();
        if !self.lock().age.is_old(Instant::now()) {
            return used;
        }
        self.instead_of(&used).await.unwrap_or(used)
    }

    /// Returns the secret that replaced `used`, which has failed, if it has changed. Fetches it for that, at most once a minute.
    pub async fn instead_of(&self, used: &Arc<T>) -> Option<Arc<T>> {
        let _alone = self.inner.fetching.lock().await;
        let is_other = |value: &Arc<T>| !Arc::ptr_eq(value, used);
        if is_other(&self.value()) || !self.lock().age.handle_fetch_request(Instant::now()) {
            return Some(self.value()).filter(is_other);
        }
        let fetched = tokio::time::timeout(FETCH_TIMEOUT, get(&self.inner.client, &self.inner.id)).await;
        let fetched = fetched.with_context(|| format!("timeout while fetching the secret {}", self.inner.id));
        match fetched.and_then(|fetched| fetched) {
            Ok(fetched) => self.keep(fetched),
            Err(error) => tracing::warn!("secret refresh failed: {error:#}"),
        }
        Some(self.value()).filter(is_other)
    }

    /// Caches a fetched secret. The same version is the same secret.
    fn keep(&self, Fetched { value, version }: Fetched<T>) {
        let mut cached = self.lock();
        cached.age.handle_fetched(Instant::now());
        if cached.version != version || version.is_empty() {
            tracing::info!(secret = self.inner.id, "secret rotated, using the new version");
            (cached.value, cached.version) = (Arc::new(value), version);
        }
    }
}

async fn get<T: DeserializeOwned>(client: &Client, id: &str) -> anyhow::Result<Fetched<T>> {
    let secret = client.get_secret_value().secret_id(id).send().await;
    let secret = secret.with_context(|| format!("cannot fetch the secret {id}"))?;
    let text = secret.secret_string().with_context(|| format!("the secret {id} is not text"))?;
    // serde_json's error could quote the secret: report where it is wrong, not what it holds.
    let value = serde_json::from_str(text).map_err(|error| {
        anyhow::anyhow!("the secret {id} cannot be parsed: line {}, column {}", error.line(), error.column())
    })?;
    Ok(Fetched { value, version: secret.version_id().unwrap_or_default().to_owned() })
}
