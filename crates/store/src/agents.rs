//! The agent files that operators pushed, and the assignment of agents to numbers.

use crate::NumberSettings;
use crate::items::{Item, from_item, text, to_item};
use crate::keys;
use crate::number_settings::Assigned;
use crate::table::{Store, all};
use anyhow::Context;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
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
    pub async fn put_agent(&self, agent: &StoredAgent) -> anyhow::Result<()> {
        let mut item = to_item(agent);
        let keys = [("pk", keys::agent(&agent.name)), ("sk", keys::FILE.to_owned())];
        let index = [("gsi1pk", keys::AGENTS.to_owned()), ("gsi1sk", agent.name.clone())];
        item.extend(keys.into_iter().chain(index).map(|(name, value)| (name.to_owned(), text(value))));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.context("cannot store the agent")?;
        Ok(())
    }

    /// Returns all agents, sorted by name.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn agents(&self) -> anyhow::Result<Vec<StoredAgent>> {
        let query = self.index(keys::AGENTS).key_condition_expression("#pk = :pk");
        let listed = all(query).await.context("cannot list the agents")?;
        let name = |item: &Item| item.get("gsi1sk").and_then(|name| name.as_s().ok()).cloned();
        let keys = listed.iter().filter_map(name).map(|name| (keys::agent(&name), keys::FILE.to_owned()));
        // The index has only their names.
        let items = self.items(&keys.collect::<Vec<_>>()).await?.into_iter();
        let agents = items.map(|item| from_item(item).context("cannot parse an agent's item"));
        let mut agents = agents.collect::<anyhow::Result<Vec<StoredAgent>>>()?;
        agents.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(agents)
    }

    /// Returns the agent with this name, if there is one.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn agent(&self, name: &str) -> anyhow::Result<Option<StoredAgent>> {
        let get = self.get(keys::agent(name), keys::FILE).consistent_read(true);
        let item = get.send().await.context("cannot read an agent")?.item;
        item.map(|item| from_item(item).context("cannot parse an agent's item")).transpose()
    }

    /// Assigns an agent to a number. Other settings of the number stay.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn assign(&self, number: &str, agent: &str) -> anyhow::Result<()> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update.key("pk", text(keys::number(number))).key("sk", text(keys::SETTINGS));
        let update = update
            .update_expression("SET #agent = :agent, #pk = :numbers, #sk = :number")
            .expression_attribute_names("#agent", "agent")
            .expression_attribute_names("#pk", "gsi1pk")
            .expression_attribute_names("#sk", "gsi1sk")
            .expression_attribute_values(":agent", text(agent))
            .expression_attribute_values(":numbers", text(keys::NUMBERS))
            .expression_attribute_values(":number", text(number));
        update.send().await.context("cannot assign the agent to the number")?;
        Ok(())
    }

    /// Returns the numbers that have an agent, sorted by id.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn numbers(&self) -> anyhow::Result<Vec<Assigned>> {
        let query = self.index(keys::NUMBERS).key_condition_expression("#pk = :pk");
        let items = all(query).await.context("cannot list the numbers that have an agent")?;
        items.into_iter().map(|item| from_item(item).context("cannot parse a number's item")).collect()
    }

    /// Returns the settings of a number; the default where there are none.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached, refuses the request, or holds an item that cannot be read.
    pub async fn number(&self, number: &str) -> anyhow::Result<NumberSettings> {
        let get = self.get(keys::number(number), keys::SETTINGS).consistent_read(true);
        let item: Option<Item> = get.send().await.context("cannot read a number's settings")?.item;
        item.map_or_else(|| Ok(NumberSettings::default()), from_item)
    }

    /// Returns the TOML text of the agent file of a number; `None` when the number has no agent, or one that does not exist.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn agent_of(&self, number: &str) -> anyhow::Result<Option<String>> {
        let Some(name) = self.number(number).await?.agent else { return Ok(None) };
        Ok(self.agent(&name).await?.map(|agent| agent.text))
    }

    fn get(&self, pk: String, sk: &str) -> GetItemFluentBuilder {
        self.client.get_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk))
    }
}
