//! OpenAI's webhook: verifies the signature, records an incoming call, and orders call-control to act on it.

use crate::settings::SipSettings;
use crate::{Webhook, locked, plain};
use aws_config::SdkConfig;
use lambda_http::{Body, Request, Response};
use openai_calls::signature::{self, Delivery};
use openai_calls::{IncomingCall, WebhookEvent, trunk_key};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service::secrets::Secret;
use std::sync::Arc;
use switchboard::intake::TrunkCheck;
use tokio::sync::OnceCell;

/// The secret of the SIP line. What is missing in it or empty opens nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LineSecret {
    /// The secret of the webhook at OpenAI, `whsec_…`.
    pub openai_webhook_secret: Option<SecretString>,
    /// The previous one, which OpenAI may still sign with.
    pub openai_webhook_secret_old: Option<SecretString>,
    /// The key that the trunk's edge adds to each call.
    pub sip_trunk_key: Option<SecretString>,
    /// The previous one, which the edge may still add.
    pub sip_trunk_key_old: Option<SecretString>,
}

impl LineSecret {
    fn webhook_secrets(&self) -> Vec<&str> {
        filled([&self.openai_webhook_secret, &self.openai_webhook_secret_old])
    }

    fn trunk_keys(&self) -> Vec<&str> {
        filled([&self.sip_trunk_key, &self.sip_trunk_key_old])
    }
}

fn filled(secrets: [&Option<SecretString>; 2]) -> Vec<&str> {
    let secrets = secrets.into_iter().flatten().map(ExposeSecret::expose_secret);
    secrets.map(str::trim).filter(|secret| !secret.is_empty()).collect()
}

/// The SIP line. A secret that cannot be fetched at the start is fetched with the first event: it must not cost WhatsApp calls.
#[derive(Debug)]
pub(crate) struct SipLine {
    config: SdkConfig,
    settings: SipSettings,
    secret: OnceCell<Secret<LineSecret>>,
}

impl SipLine {
    pub(crate) async fn start(config: &SdkConfig, settings: SipSettings) -> Self {
        let line = Self { config: config.clone(), settings, secret: OnceCell::new() };
        if let Err(error) = line.secret().await {
            tracing::error!(
                "cannot fetch the secret of the SIP line, the first event tries again: {error:#}"
            );
        }
        line
    }

    async fn secret(&self) -> anyhow::Result<&Secret<LineSecret>> {
        self.secret.get_or_try_init(|| Secret::fetch(&self.config, &self.settings.secret)).await
    }

    /// Returns the secret under which the delivery is signed. A signature under an unknown one may be under a new one, so the secret is read
    /// once more before refusing.
    async fn signed_under(
        &self,
        delivery: &Delivery<'_>,
        body: &[u8],
    ) -> anyhow::Result<Option<Arc<LineSecret>>> {
        let secret = self.secret().await?;
        let used = secret.current().await;
        if delivery.is_signed(body, used.webhook_secrets()) {
            return Ok(Some(used));
        }
        let newer = secret.instead_of(&used).await;
        Ok(newer.filter(|newer| delivery.is_signed(body, newer.webhook_secrets())))
    }

    /// Returns the secret by which the call's key is judged. An unknown key may be a new one, and an open line may have got its first, so the
    /// secret is read once more before such a call is rejected or let in.
    async fn judging(&self, call: &IncomingCall, used: Arc<LineSecret>) -> anyhow::Result<Arc<LineSecret>> {
        let lets_anyone_in = self.settings.is_open && used.trunk_keys().is_empty();
        if !lets_anyone_in && !trunk_key::is_unknown(&call.parties, used.trunk_keys()) {
            return Ok(used);
        }
        Ok(self.secret().await?.instead_of(&used).await.unwrap_or(used))
    }
}

impl Webhook {
    pub(crate) async fn receive_from_openai(&self, request: &Request, body: &[u8]) -> Response<Body> {
        let now_ms = service::time::now_ms();
        let delivery = delivery(request).filter(|delivery| delivery.is_recent(now_ms / 1_000));
        let (Some(line), Some(delivery)) = (&self.sip, delivery) else { return self.refuse_event() };
        let secret = match line.signed_under(&delivery, body).await {
            Ok(Some(secret)) => secret,
            Ok(None) => return self.refuse_event(),
            Err(error) => return failed(&error),
        };
        let recorded = match WebhookEvent::read(body) {
            WebhookEvent::Incoming(call) => {
                self.record_sip_call(line, secret, &call, delivery.id, now_ms).await
            }
            WebhookEvent::Test => {
                tracing::info!(
                    "OpenAI sent a test event, or one of a call without a usable id: nothing to do"
                );
                Ok(())
            }
            WebhookEvent::Other => Ok(()),
        };
        match recorded {
            Ok(()) => plain(200, "ok"),
            Err(error) => failed(&error),
        }
    }

    async fn record_sip_call(
        &self,
        line: &SipLine,
        secret: Arc<LineSecret>,
        call: &IncomingCall,
        delivery: &str,
        now_ms: u64,
    ) -> anyhow::Result<()> {
        let secret = line.judging(call, secret).await?;
        let trunk = TrunkCheck { keys: &secret.trunk_keys(), is_open: line.settings.is_open };
        self.act_on(self.intake.record_sip_call(call, delivery, trunk, now_ms).await?).await
    }

    fn refuse_event(&self) -> Response<Body> {
        locked(&self.refusals_of_openai).count();
        plain(401, "not signed by OpenAI")
    }
}

fn failed(error: &anyhow::Error) -> Response<Body> {
    tracing::error!("cannot record an event of OpenAI's, OpenAI will send it again: {error:#}");
    plain(500, "send it again")
}

/// Returns the headers of the delivery; `None` when one is missing, or there more than once.
fn delivery(request: &Request) -> Option<Delivery<'_>> {
    let header = |name: &str| {
        let mut values = request.headers().get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    };
    Some(Delivery {
        id: header(signature::ID)?,
        timestamp: header(signature::TIMESTAMP)?,
        signature: header(signature::SIGNATURE)?,
    })
}
