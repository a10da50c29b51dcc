//! The agent of one call: its file as it talks to this caller, and the model that speaks for it.

use crate::agent_cache::{AgentCache, LoadedAgent};
use crate::model::ModelPort;
use crate::settings::{MediaSecret, ModelSettings};
use agents::{AgentFileError, Variables};
use call::{CallerDetails, Line};
use realtime::connection::{Auth, Endpoint};
use realtime::{Session, SessionConfig};
use secrecy::SecretString;
use serde_json::{Map, Value};
use service::secrets::Secret;
use std::sync::Arc;
use std::time::Instant;

/// The agents that a task knows, and the models that speak for them.
pub(crate) struct Agents {
    pub(crate) cache: AgentCache,
    /// The endpoint and default name of the model.
    pub(crate) model: ModelSettings,
    pub(crate) secret: Secret<MediaSecret>,
}

/// What the agent of a call depends on, beside its file.
pub(crate) struct CallAgentContext {
    pub(crate) line: Line,
    /// What the line's service says about the caller, where the agent asks for it.
    pub(crate) details: Option<CallerDetails>,
    /// The caller's pseudonym, by which OpenAI can tell an abusive caller from the others.
    pub(crate) pseudonym: Option<String>,
    /// OpenAI's id of a call whose sound it carries.
    pub(crate) realtime_call: Option<SecretString>,
    /// The language that an earlier lookup of this call has chosen.
    pub(crate) language: Option<String>,
    /// Whether the caller was greeted before this task took the call over.
    pub(crate) is_greeted: bool,
}

/// The agent of one call.
pub(crate) struct CallAgent {
    agents: Arc<Agents>,
    context: CallAgentContext,
    /// The agent as its file describes it for every caller.
    file: Arc<LoadedAgent>,
    /// The agent as it talks to this caller.
    loaded: Arc<LoadedAgent>,
}

impl CallAgent {
    /// Reads the agent of a file's text, or the task's own, with what is known about the caller before any lookup.
    ///
    /// # Errors
    /// When the file cannot be parsed; one of a newer release may have keys that this task does not know.
    pub(crate) fn load(
        agents: &Arc<Agents>,
        text: Option<&str>,
        context: CallAgentContext,
    ) -> Result<Self, AgentFileError> {
        let file = agents.cache.load(text, context.line)?;
        let mut agent = Self { agents: agents.clone(), context, loaded: file.clone(), file };
        agent.tell(Map::new());
        Ok(agent)
    }

    /// Returns the agent as its file describes it for every caller.
    pub(crate) fn file(&self) -> &agents::Agent {
        &self.file.file
    }

    /// Returns the agent as it talks to this caller.
    pub(crate) fn loaded(&self) -> &Arc<LoadedAgent> {
        &self.loaded
    }

    /// Has the agent speak another language than its file's.
    pub(crate) fn speak(&mut self, language: String) {
        self.context.language = Some(language);
    }

    /// Has the agent know what a lookup returned.
    pub(crate) fn tell(&mut self, variables: Map<String, Value>) {
        let file = &self.file.file;
        let spoken = self.context.language.as_ref().map(|language| file.in_language(language));
        let details = self.context.details.as_ref();
        let name = details.and_then(CallerDetails::spoken_name);
        let number = details.and_then(|details| details.number.as_deref());
        let variables = Variables::of_caller(name.as_deref(), number).with_lookup(variables);
        let filled = spoken.as_ref().unwrap_or(file).filled_with(&variables);
        self.loaded = Arc::new(self.file.with_words_of(filled));
    }

    /// Replaces the agent by that of another file, which is then [told](CallAgent::tell) what is known.
    ///
    /// # Errors
    /// When the file cannot be parsed.
    pub(crate) fn replace(&mut self, text: &str) -> Result<(), AgentFileError> {
        self.file = self.agents.cache.load(Some(text), self.context.line)?;
        Ok(())
    }

    /// Returns the name of the model that the agent uses.
    pub(crate) fn model_name(&self) -> String {
        self.file.file.model.name.clone().unwrap_or_else(|| self.agents.model.name.clone())
    }

    /// Returns the configuration of the agent's session.
    pub(crate) fn config(&self) -> SessionConfig {
        let model = self.model_name();
        match self.context.line {
            Line::WhatsApp => self.loaded.session(&model),
            Line::Sip => self.loaded.sideband(&model, self.context.is_greeted),
        }
    }

    /// Starts to connect the model; with `is_held` its session is configured later.
    pub(crate) fn connect(&self, is_held: bool, now: Instant) -> ModelPort {
        let config = self.config();
        let session = if is_held { Session::held(config, now) } else { Session::new(config, now) };
        ModelPort::connect(self.endpoint(), self.agents.secret.clone(), session)
    }

    fn endpoint(&self) -> Endpoint {
        let Agents { model, secret, .. } = &*self.agents;
        Endpoint {
            url: model.url.clone(),
            model: self.model_name(),
            call: self.context.realtime_call.clone(),
            key: secret.value().openai_api_key.clone(),
            safety_identifier: self.context.pseudonym.clone(),
            auth: Auth::Bearer,
            headers: vec![],
            trust: model.trust.clone(),
        }
    }
}
