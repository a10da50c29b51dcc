//! Resolves the agent for a number: the one assigned to it in the table, else the deployment's own, else the built-in one.

use crate::Switchboard;
use agents::{Agent, AgentFileError};
use std::fmt;
use std::sync::Arc;
use store::NumberSettings;

/// A parsed agent with the text of its file.
#[derive(Clone)]
pub struct ResolvedAgent {
    pub(crate) agent: Agent,
    /// The file's text for the media task; `None` for the built-in agent, which the task has.
    pub(crate) text: Option<String>,
}

impl ResolvedAgent {
    /// Returns the agent used without a file.
    pub fn built_in() -> Self {
        Self { agent: Agent::built_in(), text: None }
    }

    /// Parses an agent file.
    ///
    /// # Errors
    /// When the file is not valid; says line and field.
    pub fn read(text: &str) -> Result<Self, AgentFileError> {
        Ok(Self { agent: Agent::read(text)?, text: Some(text.to_owned()) })
    }
}

impl fmt::Debug for ResolvedAgent {
    /// Shows only the length of the file: its text is the operator's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.text.as_ref().map(String::len);
        f.debug_struct("ResolvedAgent").field("agent", &self.agent).field("text", &length).finish()
    }
}

impl Switchboard {
    /// Returns the agent that takes the calls of a number with these settings. An assigned agent that is missing or cannot be parsed, by an
    /// older release for instance, falls back to the default one instead of costing the call.
    pub(crate) async fn resolve_agent(
        &self,
        settings: &NumberSettings,
    ) -> anyhow::Result<Arc<ResolvedAgent>> {
        let Some(name) = &settings.agent else { return Ok(self.agent.clone()) };
        Ok(self.stored_agent(name).await?.unwrap_or_else(|| self.agent.clone()))
    }

    /// Returns the agent that was pushed under this name; `None` when it is missing or cannot be parsed, which is logged.
    pub(crate) async fn stored_agent(&self, name: &str) -> anyhow::Result<Option<Arc<ResolvedAgent>>> {
        let Some(stored) = self.store.agent(name).await? else {
            tracing::error!(
                agent = name,
                "agent {name} not found in the table; another agent takes its calls"
            );
            return Ok(None);
        };
        match ResolvedAgent::read(&stored.text) {
            Ok(resolved) => Ok(Some(Arc::new(resolved))),
            Err(wrong) => {
                tracing::error!(
                    agent = name,
                    "cannot parse agent {name}, another agent takes its calls: {wrong}"
                );
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_leaves_out_the_agent_files_text() {
        let text = "name = 'shop'\ninstructions = 'Planted.'\ngreeting.say = 'Hello.'\n";

        let shown = format!("{:?}", ResolvedAgent::read(text).expect("it is right"));

        assert!(shown.contains("shop") && !shown.contains("Planted"), "{shown}");
    }
}
