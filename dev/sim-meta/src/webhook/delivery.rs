//! Delivers a webhook: signed, with a time limit, and again until it is answered with 200 or Meta gives up.

use super::signature;
use crate::{Event, MetaConfig, ObservationKind, ProtocolViolation};
use anyhow::{Context, ensure};
use reqwest::{Client, Url};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Who brings webhooks to the business.
pub(crate) struct WebhookSender {
    client: Client,
    url: Mutex<Option<String>>,
    app_secret: Mutex<String>,
    retries: Vec<Duration>,
}

impl WebhookSender {
    /// A sender that does not know yet where to go.
    pub(crate) fn new(config: &MetaConfig) -> anyhow::Result<WebhookSender> {
        let client = Client::builder().no_proxy().timeout(config.timers.webhook_timeout).build()?;
        Ok(WebhookSender {
            client,
            url: Mutex::new(None),
            app_secret: Mutex::new(config.app_secret.clone()),
            retries: config.timers.webhook_retries.clone(),
        })
    }

    pub(crate) fn set_url(&self, url: String) {
        *self.url.lock().unwrap_or_else(PoisonError::into_inner) = Some(url);
    }

    /// What to sign with from now on.
    pub(crate) fn set_app_secret(&self, secret: String) {
        *self.app_secret.lock().unwrap_or_else(PoisonError::into_inner) = secret;
    }

    fn app_secret(&self) -> String {
        self.app_secret.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn url(&self) -> anyhow::Result<String> {
        let url = self.url.lock().unwrap_or_else(PoisonError::into_inner).clone();
        url.context("no webhook URL is set: call set_webhook_url first")
    }

    /// Brings one webhook with a wrong signature, once. A business that takes it is at fault.
    pub(crate) async fn forge(&self, body: &str, event: Event, see: impl Fn(ObservationKind)) {
        see(ObservationKind::WebhookPosted { event, attempt: 0 });
        let status = self.post(body, "the secret of another app").await;
        see(ObservationKind::WebhookAnswered { event, status });
        if status == Some(200) {
            see(ObservationKind::Violation(ProtocolViolation::ForgeryTaken));
        }
    }

    /// Brings one webhook, the same bytes each time. `false`: it was never accepted.
    pub(crate) async fn deliver(&self, body: &str, event: Event, see: impl Fn(ObservationKind)) -> bool {
        for attempt in 1..=self.retries.len() + 1 {
            see(ObservationKind::WebhookPosted { event, attempt });
            let status = self.post(body, &self.app_secret()).await;
            see(ObservationKind::WebhookAnswered { event, status });
            if status == Some(200) {
                return true;
            }
            if let Some(pause) = self.retries.get(attempt - 1) {
                tokio::time::sleep(*pause).await;
            }
        }
        false
    }

    /// The status of the reply; `None` when there was none.
    async fn post(&self, body: &str, secret: &str) -> Option<u16> {
        let request = self
            .client
            .post(self.url().ok()?)
            .header("Content-Type", "application/json")
            .header("User-Agent", "facebookexternalua")
            .header("X-Hub-Signature-256", signature::sha256(secret, body.as_bytes()))
            .header("X-Hub-Signature", signature::sha1(secret, body.as_bytes()))
            .body(body.to_owned());
        let response = request.send().await.ok()?;
        Some(response.status().as_u16())
    }

    /// The GET by which Meta makes sure that a webhook's owner knows the verify token.
    ///
    /// # Errors
    /// When the reply is not 200 with exactly the challenge.
    pub(crate) async fn verify(&self, verify_token: &str, challenge: u64) -> anyhow::Result<()> {
        self.challenge(&self.url()?, verify_token, challenge).await
    }

    /// The same for an address that webhooks do not go to yet.
    ///
    /// # Errors
    /// When the reply is not 200 with exactly the challenge.
    pub(crate) async fn challenge(
        &self,
        url: &str,
        verify_token: &str,
        challenge: u64,
    ) -> anyhow::Result<()> {
        let challenge = challenge.to_string();
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.challenge", challenge.as_str()),
            ("hub.verify_token", verify_token),
        ];
        let url = Url::parse_with_params(url, query).context("the webhook URL is none")?;
        let response = self.client.get(url).send().await;
        // The URL holds the verify token, which must not reach a log.
        let response =
            response.map_err(reqwest::Error::without_url).context("the webhook does not answer")?;
        let status = response.status().as_u16();
        ensure!(status == 200, "the webhook answered the verification with {status}");
        let body = response.text().await.map_err(reqwest::Error::without_url)?;
        ensure!(body == challenge, "the webhook did not echo the challenge, but `{body}`");
        Ok(())
    }
}
