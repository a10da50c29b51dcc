//! Delivers webhooks: signed anew for each attempt, again and again until one is taken, never following a redirect.

use super::shared_call::SharedCall;
use super::{Delivery, SipFault, WebhookEndpoint, signature};
use crate::session_registry::unix_now;
use crate::{Config, random};
use anyhow::Context;
use reqwest::{Client, redirect};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const USER_AGENT: &str = "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)";

/// Brings webhooks to endpoints.
#[derive(Debug)]
pub(crate) struct Postman {
    client: Client,
    first_retry: Duration,
    retries_for: Duration,
    seed: u64,
    letters: AtomicUsize,
}

/// An event on its way to an endpoint.
#[derive(Debug)]
pub(crate) struct Letter {
    endpoint: WebhookEndpoint,
    body: String,
    /// The call it is about, if any.
    call: Option<Arc<SharedCall>>,
}

impl Letter {
    pub(crate) fn new(endpoint: WebhookEndpoint, event: &Value, call: Option<Arc<SharedCall>>) -> Self {
        Self { endpoint, body: event.to_string(), call }
    }

    fn fault(&self) -> Option<SipFault> {
        self.call.as_ref().and_then(|call| call.look(|call| call.fault()))
    }
}

impl Postman {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(config.sip.webhook_patience)
            .build()
            .context("no client for webhooks")?;
        let (first_retry, retries_for) = (config.sip.first_retry, config.sip.retries_for);
        Ok(Self { client, first_retry, retries_for, seed: config.seed, letters: AtomicUsize::new(0) })
    }

    /// Delivers until it is taken, or for as long as events are kept.
    pub(crate) async fn deliver(self: Arc<Self>, letter: Letter) {
        let number = self.letters.fetch_add(1, Ordering::Relaxed);
        let id = random::id(&mut random::of_call(!self.seed, number), "wh");
        let (fault, since) = (letter.fault(), Instant::now());
        let mut pause = self.first_retry;
        for attempt in 1.. {
            let is_taken = match fault {
                Some(SipFault::WebhookLost) if attempt == 1 => false,
                Some(SipFault::WebhookTwice) => {
                    let both = tokio::join!(
                        self.attempt(&letter, &id, attempt),
                        self.attempt(&letter, &id, attempt)
                    );
                    both.0 && both.1
                }
                _ => self.attempt(&letter, &id, attempt).await,
            };
            let comes_again = fault == Some(SipFault::WebhookAgain) && attempt == 1;
            if is_taken && !comes_again || since.elapsed() + pause > self.retries_for {
                return;
            }
            sleep(pause).await;
            pause *= 2;
        }
    }

    /// Sends it once. Returns whether it was taken.
    async fn attempt(&self, letter: &Letter, id: &str, attempt: usize) -> bool {
        let (at, timestamp) = (Instant::now(), unix_now());
        let signatures = signature::signatures(&letter.endpoint.secrets, id, timestamp, &letter.body);
        let request = self
            .client
            .post(&letter.endpoint.url)
            .header("content-type", "application/json")
            .header("user-agent", USER_AGENT)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures)
            .body(letter.body.clone());
        let status = request.send().await.ok().map(|answer| answer.status().as_u16());
        if let Some(call) = &letter.call {
            let webhook_id = id.to_owned();
            let delivery = Delivery { at, webhook_id, attempt, status, answered_at: Instant::now() };
            call.step(|call| call.report_mut().deliveries.push(delivery));
        }
        status.is_some_and(|status| (200..300).contains(&status))
    }
}
