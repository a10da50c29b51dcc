//! Caches parsed agent files: each is read once, and shared by the calls that its agent answers.

use crate::settings::MediaSecret;
use agents::Agent;
use audio::{BargeInPolicy, CallLimits, DtmfOptions};
use call::Line;
use realtime::{AudioPath, Greeting, OptionalPart, OptionalParts, Options, SessionConfig};
use secrecy::SecretString;
use service::secrets::Secret;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tools::{ToolConfigError, Toolbox};

/// How many agents are cached; a task that serves more reads some of them again.
const MAX_CACHED: usize = 64;

/// An agent that is ready to answer calls.
#[derive(Debug)]
pub(crate) struct LoadedAgent {
    /// The parsed agent file.
    pub(crate) file: Agent,
    /// The agent's tools.
    pub(crate) toolbox: Arc<Toolbox>,
    /// The optional parts of a session that OpenAI refused in this process, so that only one call runs into each. A changed secret
    /// or file forgets them: another project may be allowed what this one is not.
    without: Arc<Mutex<OptionalParts>>,
}

/// The agents that this task has read so far.
pub(crate) struct AgentCache {
    default: Agent,
    secret: Secret<MediaSecret>,
    cached: Mutex<Cached>,
}

/// The cached agents of one version of the secret: they hold the keys that sign their tools' requests.
struct Cached {
    secret: Arc<MediaSecret>,
    read: HashMap<AgentKey, Arc<LoadedAgent>>,
}

/// Identifies an agent: the digest of its file, or `None` for the default one, and the line, which decides about some tools.
type AgentKey = (Option<[u8; 32]>, Line);

impl AgentCache {
    /// Returns a cache with only the default agent, which answers offers that name none.
    pub(crate) fn new(default: Agent, secret: Secret<MediaSecret>) -> Self {
        let cached = Mutex::new(Cached::new(secret.value()));
        Self { default, secret, cached }
    }

    /// Returns the agent of an agent file's text, or the default one, as it answers on a line.
    ///
    /// # Errors
    /// When the file cannot be parsed; one of a newer release may have keys that this task does not know.
    pub(crate) fn load(
        &self,
        file: Option<&str>,
        line: Line,
    ) -> Result<Arc<LoadedAgent>, agents::AgentFileError> {
        let secret = self.secret.value();
        let key = (file.map(|file| Sha256::digest(file).into()), line);
        if let Some(loaded) = self.cached_for(&secret).read.get(&key) {
            return Ok(loaded.clone());
        }
        let mut agent = file.map_or_else(|| Ok(self.default.clone()), Agent::read)?;
        leave_out_for(line, &mut agent.tools);
        let loaded = Arc::new(LoadedAgent::new(agent, &secret.tool_secrets));
        self.lock().insert(key, loaded.clone(), &secret);
        Ok(loaded)
    }

    fn cached_for(&self, secret: &Arc<MediaSecret>) -> MutexGuard<'_, Cached> {
        let mut cached = self.lock();
        if !Arc::ptr_eq(&cached.secret, secret) {
            *cached = Cached::new(secret.clone());
        }
        cached
    }

    fn lock(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().expect("nothing panics while it holds this lock")
    }
}

impl Cached {
    fn new(secret: Arc<MediaSecret>) -> Self {
        Self { secret, read: HashMap::new() }
    }

    /// Caches an agent, unless the secret has changed since its file was read.
    fn insert(&mut self, key: AgentKey, loaded: Arc<LoadedAgent>, secret: &Arc<MediaSecret>) {
        if !Arc::ptr_eq(&self.secret, secret) {
            return;
        }
        if self.read.len() >= MAX_CACHED {
            self.read.clear();
        }
        self.read.insert(key, loaded);
    }
}

impl LoadedAgent {
    /// Returns an agent without the tools that cannot be used, for want of a secret for example: a call is better answered without
    /// such a tool than not at all, and no tool is called unsigned. The instructions do not mention it.
    fn new(mut agent: Agent, secrets: &BTreeMap<String, SecretString>) -> Self {
        let toolbox = loop {
            let unfit = match Toolbox::new(&agent.tools, secrets) {
                Ok(toolbox) => break Arc::new(toolbox),
                Err(unfit) => unfit,
            };
            tracing::error!(agent = agent.name, "tool left out of the agent: {unfit}");
            remove_tool(&mut agent.tools, &unfit);
        };
        Self { file: agent, toolbox, without: Arc::default() }
    }

    /// Returns the agent with another file, of which only the words differ; its tools and refused parts stay shared.
    pub(crate) fn with_words_of(&self, file: Agent) -> Self {
        Self { file, toolbox: self.toolbox.clone(), without: self.without.clone() }
    }

    /// Leaves an optional part out of the agent's sessions from now on.
    pub(crate) fn leave_out(&self, part: OptionalPart) {
        self.without.lock().expect("nothing panics while it holds this lock").add(part);
    }

    /// Returns the optional parts that the agent's sessions leave out.
    pub(crate) fn without(&self) -> OptionalParts {
        self.without.lock().expect("nothing panics while it holds this lock").clone()
    }

    /// Returns the configuration of a session; which options may be sent depends on the model.
    pub(crate) fn session(&self, model: &str) -> SessionConfig {
        SessionConfig {
            instructions: self.file.whole_instructions(),
            options: Options { name: Some(model.to_owned()), ..self.file.model.clone() },
            greeting: match self.file.opening() {
                agents::Words::Exact(words) => Greeting::Exact(words),
                agents::Words::Prompt(prompt) => Greeting::Prompt(prompt),
            },
            greeting_interruptible: self.file.greeting.interruptible,
            turns: if self.turns().decides_locally() {
                realtime::TurnMode::Local
            } else {
                realtime::TurnMode::Server
            },
            audio: AudioPath::Socket,
            tools: self.toolbox.definitions(),
            recycle_after: None,
            margin: SessionConfig::MARGIN,
            without: self.without(),
        }
    }

    /// Returns the configuration of the sideband of a call. The server alone detects turns there.
    pub(crate) fn sideband(&self, model: &str, is_greeted: bool) -> SessionConfig {
        let session = self.session(model);
        SessionConfig {
            turns: realtime::TurnMode::Server,
            audio: AudioPath::Service,
            greeting: if is_greeted { Greeting::Said } else { session.greeting.clone() },
            ..session
        }
    }

    /// Returns when the caller may interrupt the agent.
    pub(crate) fn turns(&self) -> BargeInPolicy {
        let agents::Interruption { guard, after, echo_gate_dbfs, keys } = self.file.interruption;
        let greeting_is_interruptible = self.file.greeting.interruptible;
        BargeInPolicy { guard, after, echo_gate_dbfs, greeting_is_interruptible, keys_interrupt: keys }
    }

    /// Returns the call's time limits.
    pub(crate) fn limits(&self) -> CallLimits {
        let agents::Limits { longest, silence, nudges, .. } = self.file.limits;
        CallLimits { longest, idle_after: silence, idle_prompts: nudges, ..CallLimits::default() }
    }

    /// Returns the time limits of a call that was accepted this long ago: what is left of its longest duration.
    pub(crate) fn limits_after(&self, accepted: Duration) -> CallLimits {
        let limits = self.limits();
        CallLimits { longest: limits.longest.saturating_sub(accepted), ..limits }
    }

    /// Returns how DTMF digits are collected.
    pub(crate) fn keypad(&self) -> DtmfOptions {
        let agents::Keypad { pause, end, longest, .. } = self.file.keypad;
        DtmfOptions { pause, end, longest }
    }
}

/// Leaves out the tools that are for another line than this.
fn leave_out_for(line: Line, tools: &mut agents::Tools) {
    tools.send_whatsapp_message &= line.can_write();
    tools.transfer.take_if(|_| !line.can_transfer());
}

fn remove_tool(tools: &mut agents::Tools, unfit: &ToolConfigError) {
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
    fn a_tool_secret_is_the_variable_of_its_name() {
        let named = Env::of(&[("AHOY_TOOL_SECRET_SHOP", "a key")]).beginning_with("AHOY_TOOL_SECRET_");
        let secrets = named.into_iter().map(|(name, secret)| (name, secret.into())).collect();

        let loaded = LoadedAgent::new(Agent::read(SHOP).unwrap(), &secrets);

        assert!(tools(&loaded).contains(&"lookup_order".to_owned()));
    }

    #[test]
    fn instructions_do_not_mention_tools_that_are_left_out() {
        let loaded = LoadedAgent::new(Agent::read(SHOP).unwrap(), &BTreeMap::new());

        let told = loaded.session("gpt-realtime-2.1").instructions;

        assert_eq!(tools(&loaded), ["end_call", "send_whatsapp_message", "take_message", "request_callback"]);
        assert!(told.contains("`take_message`") && !told.contains("do with your tools"), "{told}");
    }

    #[test]
    fn an_agent_sends_no_messages_where_the_line_carries_none() {
        let mut agent = Agent::read(SHOP).unwrap();
        leave_out_for(Line::Sip, &mut agent.tools);
        let loaded = LoadedAgent::new(agent, &BTreeMap::new());

        let session = loaded.sideband("gpt-realtime-2.1", false);

        assert!(!tools(&loaded).contains(&"send_whatsapp_message".to_owned()));
        assert!(!session.instructions.contains("send_whatsapp_message"), "{}", session.instructions);
        assert_eq!((session.audio, session.turns), (AudioPath::Service, realtime::TurnMode::Server));
    }

    #[test]
    fn the_longest_call_counts_from_its_accept() {
        let loaded = LoadedAgent::new(Agent::read(SHOP).unwrap(), &BTreeMap::new());
        let (whole, minute) = (loaded.limits(), Duration::from_secs(60));

        let after = loaded.limits_after(minute);

        assert_eq!(after, CallLimits { longest: whole.longest - minute, ..whole });
        assert_eq!(loaded.limits_after(whole.longest + minute).longest, Duration::ZERO);
    }

    #[test]
    fn one_file_transfers_calls_by_telephone_and_none_on_whatsapp() {
        let file = format!("{SHOP}\n[transfer]\ntarget = \"tel:+35621000000\"\n");
        let instructions = [Line::WhatsApp, Line::Sip].map(|line| {
            let mut agent = Agent::read(&file).unwrap();
            leave_out_for(line, &mut agent.tools);
            let loaded = LoadedAgent::new(agent, &BTreeMap::new());
            let is_offered = tools(&loaded).contains(&"transfer_call".to_owned());
            (is_offered, loaded.session("gpt-realtime-2.1").instructions.contains("transfer_call"))
        });

        assert_eq!(instructions, [(false, false), (true, true)]);
    }

    #[test]
    fn a_refused_part_stays_out_of_the_agents_sessions() {
        let secret = BTreeMap::new();
        let [shop, other] = [SHOP, SHOP].map(|file| LoadedAgent::new(Agent::read(file).unwrap(), &secret));

        shop.leave_out(OptionalPart::Transcription);
        shop.leave_out(OptionalPart::Transcription);

        let without =
            |loaded: &LoadedAgent| loaded.session("gpt-realtime-2.1").without.iter().collect::<Vec<_>>();
        assert_eq!((without(&shop), without(&other)), (vec![OptionalPart::Transcription], vec![]));
    }

    #[test]
    fn what_one_callers_sessions_refused_is_left_out_for_all() {
        let shop = LoadedAgent::new(Agent::read(SHOP).unwrap(), &BTreeMap::new());
        let caller = agents::Variables::of_caller(Some("Amina"), None);
        let amina = shop.with_words_of(shop.file.filled_with(&caller));

        amina.leave_out(OptionalPart::Speed);

        assert_eq!(shop.without().iter().collect::<Vec<_>>(), [OptionalPart::Speed]);
        assert_eq!(tools(&amina), tools(&shop));
    }

    fn tools(loaded: &LoadedAgent) -> Vec<String> {
        let definitions = loaded.toolbox.definitions();
        definitions.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect()
    }
}
