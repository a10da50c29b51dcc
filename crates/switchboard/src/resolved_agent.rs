//! Which agent takes a number's calls: the one that was pushed for it, else the house's own, else the one that is built in.

use crate::Switchboard;
use agents::{Agent, AgentFileError};
use std::fmt;
use std::sync::Arc;
use store::NumberSettings;

/// An agent that takes calls, and its file.
#[derive(Clone)]
pub struct ResolvedAgent {
    pub(crate) agent: Agent,
    /// What the media task is told; `None`: it knows.
    pub(crate) text: Option<String>,
}

impl ResolvedAgent {
    /// The agent that is there without a file.
    pub fn built_in() -> Self {
        Self { agent: Agent::built_in(), text: None }
    }

    /// The agent of this file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, AgentFileError> {
        Ok(Self { agent: Agent::read(text)?, text: Some(text.to_owned()) })
    }
}

impl fmt::Debug for ResolvedAgent {
    /// Which agent it is, and how long its file: what it says is the operator's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.text.as_ref().map(String::len);
        f.debug_struct("Appointed").field("agent", &self.agent).field("text", &length).finish()
    }
}

impl Switchboard {
    /// Who takes the calls of a number.
    pub(crate) async fn appointed_for(&self, number: &str) -> anyhow::Result<Arc<ResolvedAgent>> {
        self.appointed(&self.ledger.number(number).await?).await
    }

    /// Who takes the calls of a number with these settings. Whoever was pushed and cannot be read, by an older release say, must
    /// not cost the call.
    pub(crate) async fn appointed(&self, settings: &NumberSettings) -> anyhow::Result<Arc<ResolvedAgent>> {
        let Some(name) = &settings.agent else { return Ok(self.agent.clone()) };
        let Some(stored) = self.ledger.agent(name).await? else {
            tracing::error!(agent = name, "The agent {name} takes calls and was never pushed: another does");
            return Ok(self.agent.clone());
        };
        match ResolvedAgent::read(&stored.text) {
            Ok(appointed) => Ok(Arc::new(appointed)),
            Err(wrong) => {
                tracing::error!(
                    agent = name,
                    "The agent {name} cannot be read, so another takes its calls: {wrong}"
                );
                Ok(self.agent.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_file_says_is_not_shown() {
        let text = "name = 'shop'\ninstructions = 'Planted.'\ngreeting.say = 'Hello.'\n";

        let shown = format!("{:?}", ResolvedAgent::read(text).expect("it is right"));

        assert!(shown.contains("shop") && !shown.contains("Planted"), "{shown}");
    }
}
