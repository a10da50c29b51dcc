//! Asks OpenAI about the key and the agents' models, and opens a Realtime session for each kind of agent.

use super::Deployment;
use crate::deployment_args::{DeploymentArgs, Keys};
use crate::fetched::{FetchError, Fetched};
use agents::{Agent, Tools};
use realtime::connection::{Auth, Endpoint};
use realtime::probe::probe;
use realtime::tls_roots::TrustedRoots;
use realtime::{AudioPath, Failure, Greeting, OptionalPart, OptionalParts, Options, SessionConfig, TurnMode};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tools::{ToolConfigError, Toolbox};

/// The most sessions that are opened, so that the command ends within seconds.
const MAX_SESSIONS: usize = 8;

const TIMEOUT: Duration = Duration::from_secs(8);

/// The optional parts that OpenAI refused a session, each with its error code; or why there is no session.
pub(crate) type Probed = Result<Vec<(OptionalPart, String)>, Failure>;

/// What OpenAI answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelFacts {
    /// Each model with OpenAI's answer.
    pub(crate) models: Vec<(String, Fetched<Answer>)>,
    /// Agents with the result of opening their session; of agents with equal sessions, the first.
    pub(crate) sessions: Vec<(String, Probed)>,
}

/// OpenAI's answer about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The model exists; with its shutdown date, if it has one.
    Known(Option<String>),
    /// OpenAI rejects the key.
    BadKey,
    /// The model does not exist, or the key has no access to it.
    NoModel,
}

impl ModelFacts {
    /// Asks about the deployment's model and its agents' models, and opens the sessions.
    pub(crate) async fn probe(args: &DeploymentArgs, keys: &Keys, deployment: &Deployment) -> Self {
        let agents = deployment.agents.as_deref().unwrap_or_default();
        let named = agents.iter().filter_map(|agent| agent.model.name.clone());
        let names: BTreeSet<String> = named.chain([args.model.clone()]).collect();
        let mut models = vec![];
        for name in names {
            let answer = ask(&args.realtime_url, keys, &name).await;
            models.push((name, answer));
        }
        let sessions = match &keys.openai_api_key {
            Ok(key) => sessions(args, key, agents).await,
            Err(_) => vec![],
        };
        Self { models, sessions }
    }
}

/// Opens a session for each agent, as a call does, and closes it before the first response.
async fn sessions(args: &DeploymentArgs, key: &SecretString, agents: &[Agent]) -> Vec<(String, Probed)> {
    let built_in = [Agent::built_in()];
    let agents = if agents.is_empty() { &built_in } else { agents };
    let mut tried: Vec<(Options, Vec<Value>)> = vec![];
    let mut probes = vec![];
    for agent in agents {
        let name = agent.model.name.clone().unwrap_or_else(|| args.model.clone());
        let options = Options { name: Some(name.clone()), ..agent.model.clone() };
        let session = (options, functions(&agent.tools));
        if tried.len() == MAX_SESSIONS || tried.contains(&session) {
            continue;
        }
        tried.push(session.clone());
        let endpoint = Endpoint {
            url: args.realtime_url.clone(),
            model: name,
            key: key.clone(),
            auth: Auth::default(),
            safety_identifier: None,
            call: None,
            headers: vec![],
            trust: TrustedRoots::default(),
        };
        let config = config(agent, session);
        // Concurrently: a session that is never answered times out after twelve seconds.
        probes.push((agent.name.clone(), tokio::spawn(async move { probe(&endpoint, config).await })));
    }
    let mut sessions = vec![];
    for (agent, probe) in probes {
        sessions.push((agent, probe.await.expect("a probe does not panic")));
    }
    sessions
}

/// Returns the definitions of an agent's functions, without MCP servers: OpenAI would connect to those.
fn functions(tools: &Tools) -> Vec<Value> {
    let mut tools = Tools { mcp: vec![], ..tools.clone() };
    let mut secrets = BTreeMap::new();
    loop {
        match Toolbox::new(&tools, &secrets) {
            Ok(toolbox) => return toolbox.definitions(),
            // Nothing is signed here, so any value works.
            Err(ToolConfigError::Secret { secret, .. }) if !secrets.contains_key(&secret) => {
                secrets.insert(secret, SecretString::from("unused"));
            }
            // A call leaves out such a tool, too.
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

/// Returns the session configuration of a call, without MCP servers.
fn config(agent: &Agent, (options, tools): (Options, Vec<Value>)) -> SessionConfig {
    SessionConfig {
        instructions: agent.whole_instructions(),
        options,
        greeting: Greeting::Prompt(String::new()),
        greeting_interruptible: true,
        turns: TurnMode::Server,
        audio: AudioPath::Socket,
        tools,
        recycle_after: None,
        margin: SessionConfig::MARGIN,
        without: OptionalParts::default(),
    }
}

async fn ask(realtime_url: &str, keys: &Keys, model: &str) -> Fetched<Answer> {
    let key = keys.openai_api_key.clone()?;
    let url =
        model_url(realtime_url, model).ok_or_else(|| FetchError::because("REALTIME_URL is not a URL"))?;
    let client = Client::builder().timeout(TIMEOUT).build();
    let client =
        client.map_err(|error| FetchError::because(format!("TLS client cannot be built: {error}")))?;
    let reply = client.get(url).bearer_auth(key.expose_secret()).send().await;
    let request_failed =
        |error: reqwest::Error| FetchError::because(format!("request to OpenAI failed: {error}"));
    let reply = reply.map_err(request_failed)?;
    match reply.status() {
        StatusCode::UNAUTHORIZED => Ok(Answer::BadKey),
        StatusCode::NOT_FOUND => Ok(Answer::NoModel),
        status if status.is_success() => {
            let known: Value = reply.json().await.map_err(request_failed)?;
            Ok(Answer::Known(known["shutdown_date"].as_str().map(str::to_owned)))
        }
        status => Err(FetchError::because(format!("OpenAI answers with status {status}"))),
    }
}

/// Derives a model's URL, `https://…/v1/models/…`, from the Realtime API's, `wss://…/v1/realtime`.
fn model_url(realtime_url: &str, model: &str) -> Option<Url> {
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
    fn a_session_is_opened_with_the_agents_functions() {
        let shop = Agent::read(include_str!("../../../../../agents/bike-shop.toml")).unwrap();

        let config = config(&shop, (shop.model.clone(), functions(&shop.tools)));

        let names: Vec<_> = config.tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        assert!(names.contains(&"lookup_order") && names.contains(&"end_call"), "{names:?}");
        assert!(config.tools.iter().all(|tool| tool["type"] == "function"), "{:?}", config.tools);
    }

    #[test]
    fn the_models_url_follows_from_the_realtime_url() {
        let at = |realtime: &str| model_url(realtime, "a/b").map(|url| url.to_string());

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
