//! Who can answer on this task: each agent file is read once, and what it says is shared by the calls it answers.

use crate::settings::MediaSecret;
use agents::Agent;
use audio::{BargeInPolicy, CallLimits, DtmfOptions};
use realtime::{Greeting, OptionalPart, OptionalParts, Options, SessionConfig};
use secrecy::SecretString;
use service::secrets::Secret;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use tools::{ToolConfigError, Toolbox};

/// So many agents are kept ready; a task with more numbers than this reads some of them anew.
const KEPT: usize = 64;

/// An agent, ready to answer.
#[derive(Debug)]
pub struct LoadedAgent {
    /// What its file says.
    pub agent: Agent,
    /// What it can do besides talking.
    pub toolbox: Toolbox,
    /// The optional parts of its sessions that OpenAI refused in this process: one call pays for each. A changed secret or
    /// file forgets them, since another project may be allowed what this one is not.
    without: Mutex<OptionalParts>,
}

/// The agents that were read so far.
pub struct AgentCache {
    default: Agent,
    secret: Secret<MediaSecret>,
    ready: Mutex<Ready>,
}

/// Roles hold what their tools are signed with: they are as old as the secret they were made of.
struct Ready {
    secret: Arc<MediaSecret>,
    default: Arc<LoadedAgent>,
    read: HashMap<[u8; 32], Arc<LoadedAgent>>,
}

impl AgentCache {
    /// Nobody but the one who answers when the offer names nobody.
    pub fn new(default: Agent, secret: Secret<MediaSecret>) -> Self {
        let ready = Mutex::new(Ready::new(&default, secret.value()));
        Self { default, secret, ready }
    }

    /// Who answers: the agent of this file's text, or the default one.
    ///
    /// # Errors
    /// What is wrong with the file. One of a newer release may say what this task does not know.
    pub fn role(&self, file: Option<&str>) -> Result<Arc<LoadedAgent>, agents::AgentFileError> {
        let secret = self.secret.value();
        let Some(file) = file else { return Ok(self.ready_with(&secret).default.clone()) };
        let digest = Sha256::digest(file).into();
        if let Some(role) = self.ready_with(&secret).read.get(&digest) {
            return Ok(role.clone());
        }
        let role = Arc::new(LoadedAgent::new(Agent::read(file)?, &secret.tool_secrets));
        self.lock().keep(digest, role.clone(), &secret);
        Ok(role)
    }

    fn ready_with(&self, secret: &Arc<MediaSecret>) -> MutexGuard<'_, Ready> {
        let mut ready = self.lock();
        if !Arc::ptr_eq(&ready.secret, secret) {
            *ready = Ready::new(&self.default, secret.clone());
        }
        ready
    }

    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().expect("nothing panics while it holds this lock")
    }
}

impl Ready {
    fn new(default: &Agent, secret: Arc<MediaSecret>) -> Self {
        let default = Arc::new(LoadedAgent::new(default.clone(), &secret.tool_secrets));
        Self { secret, default, read: HashMap::new() }
    }

    /// Unless the secret was changed while the file was read.
    fn keep(&mut self, file: [u8; 32], role: Arc<LoadedAgent>, secret: &Arc<MediaSecret>) {
        if !Arc::ptr_eq(&self.secret, secret) {
            return;
        }
        if self.read.len() >= KEPT {
            self.read.clear();
        }
        self.read.insert(file, role);
    }
}

impl LoadedAgent {
    /// An agent with every tool that can be had. One that lacks its secret, say, is left out: a call is better answered
    /// without it than not at all, and it is never asked unsigned. The agent has never heard of it.
    fn new(mut agent: Agent, secrets: &BTreeMap<String, SecretString>) -> Self {
        let toolbox = loop {
            let unfit = match Toolbox::new(&agent.tools, secrets) {
                Ok(toolbox) => break toolbox,
                Err(unfit) => unfit,
            };
            tracing::error!(agent = agent.name, "A tool is left out: {unfit}");
            leave_out(&mut agent.tools, &unfit);
        };
        Self { agent, toolbox, without: Mutex::default() }
    }

    /// Leaves an optional part out of the agent's sessions from now on.
    pub fn do_without(&self, part: OptionalPart) {
        self.without.lock().expect("nothing panics while it holds this lock").add(part);
    }

    /// The optional parts that the agent's sessions do without.
    pub fn without(&self) -> OptionalParts {
        self.without.lock().expect("nothing panics while it holds this lock").clone()
    }

    /// How a session with this model is configured: it decides what may be sent.
    pub fn session(&self, model: &str) -> SessionConfig {
        SessionConfig {
            instructions: self.agent.whole_instructions(),
            options: Options { name: Some(model.to_owned()), ..self.agent.model.clone() },
            greeting: match self.agent.opening() {
                agents::Words::Exact(words) => Greeting::Exact(words),
                agents::Words::Prompt(prompt) => Greeting::Prompt(prompt),
            },
            greeting_interruptible: self.agent.greeting.interruptible,
            turns: if self.turns().decides_locally() {
                realtime::TurnMode::Local
            } else {
                realtime::TurnMode::Server
            },
            tools: self.toolbox.definitions(),
            recycle_after: None,
            margin: SessionConfig::MARGIN,
            without: self.without(),
        }
    }

    /// When the caller may interrupt.
    pub fn turns(&self) -> BargeInPolicy {
        let agents::Interruption { guard, after, echo_gate_dbfs, keys } = self.agent.interruption;
        let greeting_is_interruptible = self.agent.greeting.interruptible;
        BargeInPolicy { guard, after, echo_gate_dbfs, greeting_is_interruptible, keys_interrupt: keys }
    }

    /// How long things may last.
    pub fn limits(&self) -> CallLimits {
        let agents::Limits { longest, silence, nudges, .. } = self.agent.limits;
        CallLimits { longest, idle_after: silence, idle_prompts: nudges, ..CallLimits::default() }
    }

    /// How keys are collected.
    pub fn keypad(&self) -> DtmfOptions {
        let agents::Keypad { pause, end, longest, .. } = self.agent.keypad;
        DtmfOptions { pause, end, longest }
    }
}

fn leave_out(tools: &mut agents::Tools, unfit: &ToolConfigError) {
    match unfit {
        ToolConfigError::Secret { tool, .. }
        | ToolConfigError::Parameters { tool }
        | ToolConfigError::Url { tool }
        | ToolConfigError::Header { tool, .. } => {
            tools.http.retain(|http| http.name != *tool);
            tools.mcp.retain(|server| server.label != *tool);
        }
        ToolConfigError::Https { .. } => tools.http.clear(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::env::Env;

    const SHOP: &str = include_str!("../../agents/bike-shop.toml");

    #[test]
    fn a_secret_that_an_agent_file_names_is_the_variable_of_that_name() {
        let named = Env::of(&[("AHOY_TOOL_SECRET_SHOP", "a key")]).beginning_with("AHOY_TOOL_SECRET_");
        let secrets = named.into_iter().map(|(name, secret)| (name, secret.into())).collect();

        let role = LoadedAgent::new(Agent::read(SHOP).unwrap(), &secrets);

        assert!(tools(&role).contains(&"lookup_order".to_owned()));
    }

    #[test]
    fn an_agent_is_told_of_no_tool_that_it_lacks() {
        let role = LoadedAgent::new(Agent::read(SHOP).unwrap(), &BTreeMap::new());

        let told = role.session("gpt-realtime-2.1").instructions;

        assert_eq!(tools(&role), ["end_call", "send_whatsapp_message", "take_message", "request_callback"]);
        assert!(told.contains("`take_message`") && !told.contains("do with your tools"), "{told}");
    }

    #[test]
    fn a_part_that_was_refused_stays_out_of_the_agents_sessions() {
        let secret = BTreeMap::new();
        let [shop, other] = [SHOP, SHOP].map(|file| LoadedAgent::new(Agent::read(file).unwrap(), &secret));

        shop.do_without(OptionalPart::Transcription);
        shop.do_without(OptionalPart::Transcription);

        let without =
            |role: &LoadedAgent| role.session("gpt-realtime-2.1").without.iter().collect::<Vec<_>>();
        assert_eq!((without(&shop), without(&other)), (vec![OptionalPart::Transcription], vec![]));
    }

    fn tools(role: &LoadedAgent) -> Vec<String> {
        let definitions = role.toolbox.definitions();
        definitions.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect()
    }
}
