//! What OpenAI says about our key and the models our agents name.

use super::Deployment;
use crate::fetched::{FetchError, Fetched};
use crate::site::{Keys, Site};
use agents::{Agent, Tools};
use realtime::connection::{Auth, Endpoint};
use realtime::probe::probe;
use realtime::tls_roots::TrustedRoots;
use realtime::{Failure, Greeting, OptionalPart, OptionalParts, Options, SessionConfig, TurnMode};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tools::{ToolConfigError, Toolbox};

/// So many kinds of sessions are tried; a doctor is not waited for much longer.
const MOST_SESSIONS: usize = 8;

const TIMEOUT: Duration = Duration::from_secs(8);

/// The optional parts that a session does without, each with OpenAI's code; or why there is no session.
pub type Probed = Result<Vec<(OptionalPart, String)>, Failure>;

/// What was asked of OpenAI.
#[derive(Debug, Clone, Default)]
pub struct ModelFacts {
    /// Each model, and what was answered.
    pub models: Vec<(String, Fetched<Answer>)>,
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
    let mut tried: Vec<(Options, Vec<Value>)> = vec![];
    let mut probes = vec![];
    for agent in agents {
        let name = agent.model.name.clone().unwrap_or_else(|| site.model.clone());
        let options = Options { name: Some(name.clone()), ..agent.model.clone() };
        let session = (options, functions(&agent.tools));
        if tried.len() == MOST_SESSIONS || tried.contains(&session) {
            continue;
        }
        tried.push(session.clone());
        let endpoint = Endpoint {
            url: site.realtime_url.clone(),
            model: name,
            key: key.clone(),
            auth: Auth::default(),
            safety_identifier: None,
            headers: vec![],
            trust: TrustedRoots::default(),
        };
        let config = config(agent, session);
        // At once: one that is never answered takes twelve seconds.
        probes.push((agent.name.clone(), tokio::spawn(async move { probe(&endpoint, config).await })));
    }
    let mut sessions = vec![];
    for (agent, probe) in probes {
        sessions.push((agent, probe.await.expect("a probe does not panic")));
    }
    sessions
}

/// The definitions of an agent's functions. None of MCP servers: OpenAI would ask those for their tools.
fn functions(tools: &Tools) -> Vec<Value> {
    let mut tools = Tools { mcp: vec![], ..tools.clone() };
    let mut secrets = BTreeMap::new();
    loop {
        match Toolbox::new(&tools, &secrets) {
            Ok(toolbox) => return toolbox.definitions(),
            // Nothing is signed here: any value does.
            Err(ToolConfigError::Secret { secret, .. }) if !secrets.contains_key(&secret) => {
                secrets.insert(secret, SecretString::from("unused"));
            }
            // A call leaves such a tool out, too.
            Err(
                ToolConfigError::Secret { tool, .. }
                | ToolConfigError::Parameters { tool }
                | ToolConfigError::Url { tool }
                | ToolConfigError::Header { tool, .. },
            ) => tools.http.retain(|http| http.name != tool),
            Err(ToolConfigError::Https { .. }) => tools.http.clear(),
        }
    }
}

/// As a call configures it, but for the tools of MCP servers.
fn config(agent: &Agent, (options, tools): (Options, Vec<Value>)) -> SessionConfig {
    SessionConfig {
        instructions: agent.whole_instructions(),
        options,
        greeting: Greeting::Prompt(String::new()),
        greeting_interruptible: true,
        turns: TurnMode::Server,
        tools,
        recycle_after: None,
        margin: SessionConfig::MARGIN,
        without: OptionalParts::default(),
    }
}

async fn ask(realtime_url: &str, keys: &Keys, model: &str) -> Fetched<Answer> {
    let key = keys.openai_api_key.clone()?;
    let url = url(realtime_url, model).ok_or_else(|| FetchError::because("REALTIME_URL is no address"))?;
    let client = Client::builder().timeout(TIMEOUT).build();
    let client = client.map_err(|error| FetchError::because(format!("no TLS here: {error}")))?;
    let reply = client.get(url).bearer_auth(key.expose_secret()).send().await;
    let unanswered = |error: reqwest::Error| FetchError::because(format!("OpenAI does not answer: {error}"));
    let reply = reply.map_err(unanswered)?;
    match reply.status() {
        StatusCode::UNAUTHORIZED => Ok(Answer::BadKey),
        StatusCode::NOT_FOUND => Ok(Answer::NoModel),
        status if status.is_success() => {
            let known: Value = reply.json().await.map_err(unanswered)?;
            Ok(Answer::Known(known["shutdown_date"].as_str().map(str::to_owned)))
        }
        status => Err(FetchError::because(format!("OpenAI answers with {status}"))),
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
    fn a_session_is_tried_with_the_functions_of_its_agent() {
        let shop = Agent::read(include_str!("../../../../../agents/bike-shop.toml")).unwrap();

        let config = config(&shop, (shop.model.clone(), functions(&shop.tools)));

        let names: Vec<_> = config.tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        assert!(names.contains(&"lookup_order") && names.contains(&"end_call"), "{names:?}");
        assert!(config.tools.iter().all(|tool| tool["type"] == "function"), "{:?}", config.tools);
    }

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
