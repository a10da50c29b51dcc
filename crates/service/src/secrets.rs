//! Secrets of the product, from AWS Secrets Manager: fetched while starting, and again when they may have been changed.

pub(crate) mod age;

use age::Age;
use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// So long a fetch may take while there is a value that may well do.
const PATIENCE: Duration = Duration::from_secs(2);

/// A secret that is a JSON object, kept in memory. Clones share it.
#[derive(Debug)]
pub struct Secret<T> {
    inner: Arc<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    client: Client,
    id: String,
    kept: Mutex<Kept<T>>,
    /// Whoever comes while it is being fetched waits, and takes what was fetched.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Kept<T> {
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
    /// The secret, as it was last fetched.
    pub fn value(&self) -> Arc<T> {
        self.lock().value.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept<T>> {
        self.inner.kept.lock().expect("nothing panics while it holds this lock")
    }
}

impl<T: DeserializeOwned> Secret<T> {
    /// Fetches the secret `id` (name or ARN).
    ///
    /// # Errors
    /// When it cannot be had, or is not the JSON object that `T` is.
    pub async fn fetch(config: &SdkConfig, id: &str) -> anyhow::Result<Self> {
        let client = Client::new(config);
        let Fetched { value, version } = get(&client, id).await?;
        let kept = Kept { value: Arc::new(value), version, age: Age::new(Instant::now()) };
        let inner = Inner {
            client,
            id: id.to_owned(),
            kept: Mutex::new(kept),
            fetching: tokio::sync::Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The secret; fetched again first, if that was last done five minutes ago. If that fails, it is what it was.
    pub async fn current(&self) -> Arc<T> {
        let used = self.value();
        if !self.lock().age.is_old(Instant::now()) {
            return used;
        }
        self.instead_of(&used).await.unwrap_or(used)
    }

    /// What the secret is now that `used` has failed, if it is anything else: fetched again for that, unless it was within the
    /// last minute.
    pub async fn instead_of(&self, used: &Arc<T>) -> Option<Arc<T>> {
        let _alone = self.inner.fetching.lock().await;
        let is_other = |value: &Arc<T>| !Arc::ptr_eq(value, used);
        if is_other(&self.value()) || !self.lock().age.handle_look(Instant::now()) {
            return Some(self.value()).filter(is_other);
        }
        let fetched = tokio::time::timeout(PATIENCE, get(&self.inner.client, &self.inner.id)).await;
        let fetched = fetched.with_context(|| format!("the secret {} took too long", self.inner.id));
        match fetched.and_then(|fetched| fetched) {
            Ok(fetched) => self.keep(fetched),
            Err(error) => tracing::warn!("Cannot look whether a secret was changed: {error:#}"),
        }
        Some(self.value()).filter(is_other)
    }

    /// The same version is the same secret.
    fn keep(&self, Fetched { value, version }: Fetched<T>) {
        let mut kept = self.lock();
        kept.age.handle_fetched(Instant::now());
        if kept.version != version || version.is_empty() {
            tracing::info!(secret = self.inner.id, "A secret was changed: the new one is used from now on");
            (kept.value, kept.version) = (Arc::new(value), version);
        }
    }
}

async fn get<T: DeserializeOwned>(client: &Client, id: &str) -> anyhow::Result<Fetched<T>> {
    let secret = client.get_secret_value().secret_id(id).send().await;
    let secret = secret.with_context(|| format!("cannot fetch the secret {id}"))?;
    let text = secret.secret_string().with_context(|| format!("the secret {id} holds no text"))?;
    // The error of serde_json could quote the secret: say where it is wrong, not what it holds.
    let value = serde_json::from_str(text).map_err(|error| {
        anyhow::anyhow!(
            "the secret {id} is not as expected: line {}, column {}",
            error.line(),
            error.column()
        )
    })?;
    Ok(Fetched { value, version: secret.version_id().unwrap_or_default().to_owned() })
}
