//! Probes the deployment's webhook with Meta's challenge, an empty signed notice and a forged one.

use crate::deployment_args::Keys;
use crate::fetched::{FetchError, Fetched};
use crate::meta;
use reqwest::{Client, Url};
use secrecy::ExposeSecret;
use std::time::Duration;
use whatsapp::signature;

/// Half of the 20 s that Meta waits for a webhook: a slower answer is a fault already.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A valid notice without entries.
const EMPTY_NOTICE: &str = r#"{"object":"whatsapp_business_account","entry":[]}"#;

/// The webhook's answers.
#[derive(Debug, Clone)]
pub(crate) struct WebhookFacts {
    /// To the challenge: the status, and whether the body repeats the challenge.
    pub(crate) challenge: Fetched<(u16, bool)>,
    /// To a notice signed with the app secret: the status.
    pub(crate) signed: Fetched<u16>,
    /// To a notice signed with another secret: the status.
    pub(crate) forged: Fetched<u16>,
}

impl WebhookFacts {
    /// Probes the configured webhook, else the callback URL of the app's subscription.
    pub(crate) async fn probe(meta: &meta::Facts, keys: &Keys) -> Self {
        let (challenge, signed, forged) = tokio::join!(
            challenge(meta, keys),
            async { post(meta, keys.app_secret.clone()?.expose_secret()).await },
            post(meta, "not the app secret"),
        );
        Self { challenge, signed, forged }
    }
}

async fn challenge(meta: &meta::Facts, keys: &Keys) -> Fetched<(u16, bool)> {
    let token = keys.verify_token.clone()?;
    let challenge = service::time::now_ms().to_string();
    let query = [
        ("hub.mode", "subscribe"),
        ("hub.challenge", challenge.as_str()),
        ("hub.verify_token", token.expose_secret()),
    ];
    let url = Url::parse_with_params(&address(meta)?, query).map_err(invalid_url)?;
    let reply = client()?.get(url).send().await.map_err(request_failed)?;
    let status = reply.status().as_u16();
    let body = reply.text().await.map_err(request_failed)?;
    Ok((status, body == challenge))
}

async fn post(meta: &meta::Facts, secret: &str) -> Fetched<u16> {
    let url = Url::parse(&address(meta)?).map_err(invalid_url)?;
    let request = client()?.post(url).header("content-type", "application/json");
    let request = request.header(signature::HEADER, signature::sign(EMPTY_NOTICE.as_bytes(), secret));
    let reply = request.body(EMPTY_NOTICE).send().await.map_err(request_failed)?;
    Ok(reply.status().as_u16())
}

fn address(meta: &meta::Facts) -> Fetched<String> {
    let subscribed = meta.subscription.iter().flatten().map(|it| it.callback_url.clone()).next();
    let address = meta.webhook_url.clone().or(subscribed);
    address.ok_or_else(|| FetchError::because("the webhook's address cannot be read from the stack: name the stack with --stack, or set WEBHOOK_URL"))
}

fn client() -> Fetched<Client> {
    let client = Client::builder().timeout(TIMEOUT).build();
    client.map_err(|error| FetchError::because(format!("TLS client cannot be built: {error}")))
}

fn invalid_url(_: impl std::error::Error) -> FetchError {
    FetchError::missing("WEBHOOK_URL is not a URL")
}

/// Leaves the URL out of the error's text: it holds the verify token.
fn request_failed(error: reqwest::Error) -> FetchError {
    FetchError::missing(format!("request to the webhook failed: {}", error.without_url()))
}
