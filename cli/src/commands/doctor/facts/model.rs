//! What OpenAI says about our key and the models our agents name.

use super::Deployment;
use crate::seen::{Seen, Unseen};
use crate::site::{Keys, Site};
use agents::Agent;
use realtime::connection::{Auth, Endpoint};
use realtime::probe::probe;
use realtime::trust::Trust;
use realtime::{Config, Failure, Greeting, Options, Part, Parts, Turns};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// So many kinds of sessions are tried; a doctor is not waited for much longer.
const MOST_SESSIONS: usize = 8;

const TIMEOUT: Duration = Duration::from_secs(8);

/// The optional parts that a session does without, each with OpenAI's code; or why there is no session.
pub type Probed = Result<Vec<(Part, String)>, Failure>;

/// What was asked of OpenAI.
#[derive(Debug, Clone, Default)]
pub struct ModelFacts {
    /// Each model, and what was answered.
    pub models: Vec<(String, Seen<Answer>)>,
    /// Agents, and what a session of theirs came to. Of agents whose sessions are the same, the first.
    pub sessions: Vec<(String, Probed)>,
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
        let agents = deployment.agents.as_deref().unwrap_or_default();
        let named = agents.iter().filter_map(|agent| agent.model.name.clone());
        let names: BTreeSet<String> = named.chain([site.model.clone()]).collect();
        let mut models = vec![];
        for name in names {
            let answer = ask(&site.realtime_url, keys, &name).await;
            models.push((name, answer));
        }
        let sessions = match &keys.openai_api_key {
            Ok(key) => sessions(site, key, agents).await,
            Err(_) => vec![],
        };
        Self { models, sessions }
    }
}

/// Opens a session for each agent, as a call does, and closes it before anything is said.
async fn sessions(site: &Site, key: &SecretString, agents: &[Agent]) -> Vec<(String, Probed)> {
    let built_in = [Agent::built_in()];
    let agents = if agents.is_empty() { &built_in } else { agents };
    let mut tried: Vec<Options> = vec![];
    let mut sessions = vec![];
    for agent in agents {
        let name = agent.model.name.clone().unwrap_or_else(|| site.model.clone());
        let options = Options { name: Some(name.clone()), ..agent.model.clone() };
        if tried.len() == MOST_SESSIONS || tried.contains(&options) {
            continue;
        }
        tried.push(options.clone());
        let endpoint = Endpoint {
            url: site.realtime_url.clone(),
            model: name,
            key: key.clone(),
            auth: Auth::default(),
            safety_identifier: None,
            headers: vec![],
            trust: Trust::default(),
        };
        sessions.push((agent.name.clone(), probe(&endpoint, config(agent, options)).await));
    }
    sessions
}

/// As a call configures it, but for the tools: those of MCP servers would have OpenAI ask them.
fn config(agent: &Agent, options: Options) -> Config {
    Config {
        instructions: agent.whole_instructions(),
        options,
        greeting: Greeting::Prompt(String::new()),
        greeting_interruptible: true,
        turns: Turns::Server,
        tools: vec![],
        recycle_after: None,
        margin: Config::MARGIN,
        without: Parts::default(),
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
