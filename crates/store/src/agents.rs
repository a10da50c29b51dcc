//! The agent files that operators pushed, and the assignment of agents to numbers.

use crate::NumberSettings;
use crate::error::{Context, Result};
use crate::items::{Item, from_item, text, to_item};
use crate::keys;
use crate::number_settings::Assigned;
use crate::table::{Store, all};
use call::NumberId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A stored agent file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAgent {
    /// The agent's name, unique.
    pub name: String,
    /// The agent file as TOML text.
    pub text: String,
    /// Hex SHA-256 of the text.
    pub digest: String,
    /// When the file was pushed, ms since 1970.
    pub pushed_at_ms: u64,
}

impl StoredAgent {
    /// Returns an agent file that is pushed at `now_ms`.
    pub fn new(name: &str, text: &str, now_ms: u64) -> Self {
        let digest = hex::encode(Sha256::digest(text));
        Self { name: name.to_owned(), text: text.to_owned(), digest, pushed_at_ms: now_ms }
    }
}

impl Store {
    /// Stores an agent file, replacing the one with the same name.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn put_agent(&self, agent: &StoredAgent) -> Result<()> {
        let mut item = to_item(agent);
        let keys = [("pk", keys::agent(&agent.name)), ("sk", keys::FILE.to_owned())];
        let index = [("gsi1pk", keys::AGENTS.to_owned()), ("gsi1sk", agent.name.clone())];
        item.extend(keys.into_iter().chain(index).map(|(name, value)| (name.to_owned(), text(value))));
        self.put(item).await.context("cannot store the agent")
    }

    /// Returns all agents, sorted by name.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn agents(&self) -> Result<Vec<StoredAgent>> {
        let query = self.index(keys::AGENTS).key_condition_expression("#pk = :pk");
        let listed = all(query).await.context("cannot list the agents")?;
        let name = |item: &Item| item.get("gsi1sk").and_then(|name| name.as_s().ok()).cloned();
        let keys = listed.iter().filter_map(name).map(|name| (keys::agent(&name), keys::FILE.to_owned()));
        // The index has only their names.
        let items = self.items(&keys.collect::<Vec<_>>()).await?.into_iter();
        let agents = items.map(|item| from_item(item).context("cannot parse an agent's item"));
        let mut agents = agents.collect::<Result<Vec<StoredAgent>>>()?;
        agents.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(agents)
    }

    /// Returns the agent with this name, if there is one.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn agent(&self, name: &str) -> Result<Option<StoredAgent>> {
        let item = self.item(&keys::agent(name), keys::FILE).await.context("cannot read an agent")?;
        item.map(|item| from_item(item).context("cannot parse an agent's item")).transpose()
    }

    /// Assigns an agent to a number. Other settings of the number stay.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn assign(&self, number: &NumberId, agent: &str) -> Result<()> {
        let update = self.update_of(keys::number(number), keys::SETTINGS);
        let update = update
            .update_expression("SET #agent = :agent, #pk = :numbers, #sk = :number")
            .expression_attribute_names("#agent", "agent")
            .expression_attribute_names("#pk", "gsi1pk")
            .expression_attribute_names("#sk", "gsi1sk")
            .expression_attribute_values(":agent", text(agent))
            .expression_attribute_values(":numbers", text(keys::NUMBERS))
            .expression_attribute_values(":number", text(number.as_str()));
        update.send().await.context("cannot assign the agent to the number")?;
        Ok(())
    }

    /// Returns the numbers that have an agent, sorted by id.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn numbers(&self) -> Result<Vec<Assigned>> {
        let query = self.index(keys::NUMBERS).key_condition_expression("#pk = :pk");
        let items = all(query).await.context("cannot list the numbers that have an agent")?;
        items.into_iter().map(|item| from_item(item).context("cannot parse a number's item")).collect()
    }

    /// Returns the settings of a number; the default where there are none.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached, refuses the request, or holds an item that cannot be read.
    pub async fn number(&self, number: &NumberId) -> Result<NumberSettings> {
        let item = self.item(&keys::number(number), keys::SETTINGS).await;
        let item = item.context("cannot read a number's settings")?;
        let settings = item.map(from_item).transpose().context("cannot parse a number's settings")?;
        Ok(settings.unwrap_or_default())
    }

    /// Returns the TOML text of the agent file of a number; `None` when the number has no agent, or one that does not exist.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn agent_of(&self, number: &NumberId) -> Result<Option<String>> {
        let Some(name) = self.number(number).await?.agent else { return Ok(None) };
        Ok(self.agent(&name).await?.map(|agent| agent.text))
    }
}
