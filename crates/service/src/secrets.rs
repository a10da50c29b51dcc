//! Secrets of the product, from AWS Secrets Manager: fetched while starting, fetched again at most once a minute.

use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use serde::de::DeserializeOwned;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How soon a secret may be fetched again. So bad signatures cannot cause a storm of fetches.
const AT_MOST_EVERY: Duration = Duration::from_secs(60);

/// A secret that is a JSON object, kept in memory.
#[derive(Debug)]
pub struct Secret<T> {
    client: Client,
    id: String,
    kept: Mutex<Kept<T>>,
}

#[derive(Debug)]
struct Kept<T> {
    value: T,
    fetched_at: Instant,
}

impl<T: DeserializeOwned + Clone> Secret<T> {
    /// Fetches the secret `id` (name or ARN).
    ///
    /// # Errors
    /// When it cannot be had, or is not the JSON object that `T` is.
    pub async fn fetch(config: &SdkConfig, id: &str) -> anyhow::Result<Self> {
        let client = Client::new(config);
        let value = get(&client, id).await?;
        let kept = Mutex::new(Kept { value, fetched_at: Instant::now() });
        Ok(Self { client, id: id.to_owned(), kept })
    }

    /// The secret, as it was last fetched.
    pub fn value(&self) -> T {
        self.lock().value.clone()
    }

    /// Fetches it again, unless that was done within the last minute. Whether it was fetched.
    ///
    /// # Errors
    /// When it cannot be had. The value stays what it was.
    pub async fn refresh(&self) -> anyhow::Result<bool> {
        {
            let mut kept = self.lock();
            if kept.fetched_at.elapsed() < AT_MOST_EVERY {
                return Ok(false);
            }
            kept.fetched_at = Instant::now();
        }
        let value = get(&self.client, &self.id).await?;
        self.lock().value = value;
        Ok(true)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept<T>> {
        self.kept.lock().expect("nothing panics while it holds this lock")
    }
}

async fn get<T: DeserializeOwned>(client: &Client, id: &str) -> anyhow::Result<T> {
    let secret = client.get_secret_value().secret_id(id).send().await;
    let secret = secret.with_context(|| format!("cannot fetch the secret {id}"))?;
    let text = secret.secret_string().with_context(|| format!("the secret {id} holds no text"))?;
    // The error of serde_json could quote the secret: say where it is wrong, not what it holds.
    serde_json::from_str(text).map_err(|error| {
        anyhow::anyhow!(
            "the secret {id} is not as expected: line {}, column {}",
            error.line(),
            error.column()
        )
    })
}
