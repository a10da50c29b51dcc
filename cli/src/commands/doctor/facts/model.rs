//! What OpenAI says about our key and the models our agents name.

use super::Deployment;
use crate::seen::{Seen, Unseen};
use crate::site::{Keys, Site};
use reqwest::{Client, StatusCode, Url};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(8);

/// What was asked of OpenAI.
#[derive(Debug, Clone)]
pub struct ModelFacts {
    /// Each model, and what was answered.
    pub models: Vec<(String, Seen<Answer>)>,
}

/// What OpenAI answers about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There is one, until this date if it is to end.
    Known(Option<String>),
    /// The key is none.
    BadKey,
    /// There is none, for us.
    NoModel,
}

impl ModelFacts {
    /// Asks about the deployment's model and those that its agents name.
    pub async fn look(site: &Site, keys: &Keys, deployment: &Deployment) -> Self {
        let named = deployment.models.iter().flatten().cloned();
        let names: BTreeSet<String> = named.chain([site.model.clone()]).collect();
        let mut models = vec![];
        for name in names {
            let answer = ask(&site.realtime_url, keys, &name).await;
            models.push((name, answer));
        }
        Self { models }
    }
}

async fn ask(realtime_url: &str, keys: &Keys, model: &str) -> Seen<Answer> {
    let key = keys.openai_api_key.clone()?;
    let url = url(realtime_url, model).ok_or_else(|| Unseen::because("REALTIME_URL is no address"))?;
    let client = Client::builder().timeout(TIMEOUT).build();
    let client = client.map_err(|error| Unseen::because(format!("no TLS here: {error}")))?;
    let reply = client.get(url).bearer_auth(key.expose_secret()).send().await;
    let unanswered = |error: reqwest::Error| Unseen::because(format!("OpenAI does not answer: {error}"));
    let reply = reply.map_err(unanswered)?;
    match reply.status() {
        StatusCode::UNAUTHORIZED => Ok(Answer::BadKey),
        StatusCode::NOT_FOUND => Ok(Answer::NoModel),
        status if status.is_success() => {
            let known: Value = reply.json().await.map_err(unanswered)?;
            Ok(Answer::Known(known["shutdown_date"].as_str().map(str::to_owned)))
        }
        status => Err(Unseen::because(format!("OpenAI answers with {status}"))),
    }
}

/// Where the API's models are, by where its Realtime is: `wss://…/v1/realtime` and `https://…/v1/models/…`.
fn url(realtime_url: &str, model: &str) -> Option<Url> {
    let web = realtime_url.replacen("ws", "http", 1);
    let base = web.split('?').next()?.trim_end_matches('/').strip_suffix("/realtime")?;
    let mut url = Url::parse(base).ok()?;
    url.path_segments_mut().ok()?.extend(["models", model]);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_are_beside_the_realtime_api() {
        let at = |realtime: &str| url(realtime, "a/b").map(|url| url.to_string());

        assert_eq!(
            at("wss://api.openai.com/v1/realtime").as_deref(),
            Some("https://api.openai.com/v1/models/a%2Fb")
        );
        assert_eq!(
            at("ws://127.0.0.1:9/v1/realtime/").as_deref(),
            Some("http://127.0.0.1:9/v1/models/a%2Fb")
        );
        assert_eq!(at("wss://example.com"), None);
    }
}
