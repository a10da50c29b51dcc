//! What our webhook answers to Meta's challenge, to a signed notice of nothing, and to a forged one.

use crate::fetched::{FetchError, Fetched};
use crate::meta;
use crate::site::Keys;
use reqwest::{Client, Url};
use secrecy::ExposeSecret;
use std::time::Duration;
use whatsapp::signature;

/// Meta waits 20 s; whoever takes longer than this is too slow all the same.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A notice that tells of nothing.
const NOTHING: &str = r#"{"object":"whatsapp_business_account","entry":[]}"#;

/// What the webhook answers.
#[derive(Debug, Clone)]
pub struct WebhookFacts {
    /// To the challenge: the status, and whether the challenge came back.
    pub challenge: Fetched<(u16, bool)>,
    /// To a notice signed with our app secret: the status.
    pub signed: Fetched<u16>,
    /// To a notice signed with another: the status.
    pub forged: Fetched<u16>,
}

impl WebhookFacts {
    /// Asks the webhook where we say it is, else where the app's webhooks go.
    pub async fn look(meta: &meta::Facts, keys: &Keys) -> Self {
        let (challenge, signed, forged) = tokio::join!(
            challenge(meta, keys),
            async { post(meta, keys.app_secret.clone()?.expose_secret()).await },
            post(meta, "a secret that nobody has"),
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
    let url = Url::parse_with_params(&address(meta)?, query).map_err(no_address)?;
    let reply = client()?.get(url).send().await.map_err(unanswered)?;
    let status = reply.status().as_u16();
    let body = reply.text().await.map_err(unanswered)?;
    Ok((status, body == challenge))
}

async fn post(meta: &meta::Facts, secret: &str) -> Fetched<u16> {
    let url = Url::parse(&address(meta)?).map_err(no_address)?;
    let request = client()?.post(url).header("content-type", "application/json");
    let request = request.header(signature::HEADER, signature::sign(NOTHING.as_bytes(), secret));
    let reply = request.body(NOTHING).send().await.map_err(unanswered)?;
    Ok(reply.status().as_u16())
}

fn address(meta: &meta::Facts) -> Fetched<String> {
    let subscribed = meta.subscription.iter().flatten().map(|it| it.callback_url.clone()).next();
    let address = meta.webhook_url.clone().or(subscribed);
    address.ok_or_else(|| FetchError::because("the webhook's address cannot be read from the stack: name the stack with --stack, or set WEBHOOK_URL"))
}

fn client() -> Fetched<Client> {
    let client = Client::builder().timeout(TIMEOUT).build();
    client.map_err(|error| FetchError::because(format!("no TLS here: {error}")))
}

fn no_address(_: impl std::error::Error) -> FetchError {
    FetchError::missing("WEBHOOK_URL is no address")
}

/// The address holds the verify token.
fn unanswered(error: reqwest::Error) -> FetchError {
    FetchError::missing(format!("the webhook does not answer: {}", error.without_url()))
}
