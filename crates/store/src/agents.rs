//! The agents that operators have pushed, and which number has which.

use crate::NumberSettings;
use crate::items::{Item, from_item, text, to_item};
use crate::number_settings::Assigned;
use crate::table::{Store, all};
use anyhow::Context;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use internal_api::keys;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An agent as it is stored: its file, and when it was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAgent {
    /// Its name: one file a name.
    pub name: String,
    /// The file's TOML text.
    pub text: String,
    /// Hex SHA-256 of the text.
    pub digest: String,
    /// When it was pushed, ms since 1970.
    pub pushed_at_ms: u64,
}

impl StoredAgent {
    /// An agent that is pushed now.
    pub fn new(name: &str, text: &str, now_ms: u64) -> Self {
        let digest = hex::encode(Sha256::digest(text));
        Self { name: name.to_owned(), text: text.to_owned(), digest, pushed_at_ms: now_ms }
    }
}

impl Store {
    /// Stores an agent, in place of the one of the same name.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn put_agent(&self, agent: &StoredAgent) -> anyhow::Result<()> {
        let mut item = to_item(agent);
        let keys = [("pk", keys::agent(&agent.name)), ("sk", keys::FILE.to_owned())];
        let index = [("gsi1pk", keys::AGENTS.to_owned()), ("gsi1sk", agent.name.clone())];
        item.extend(keys.into_iter().chain(index).map(|(name, value)| (name.to_owned(), text(value))));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.context("cannot store the agent")?;
        Ok(())
    }

    /// All agents, by name.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn agents(&self) -> anyhow::Result<Vec<StoredAgent>> {
        let query = self.index(keys::AGENTS).key_condition_expression("#pk = :pk");
        let listed = all(query).await.context("cannot ask which agents there are")?;
        let name = |item: &Item| item.get("gsi1sk").and_then(|name| name.as_s().ok()).cloned();
        let keys = listed.iter().filter_map(name).map(|name| (keys::agent(&name), keys::FILE.to_owned()));
        // The index tells their names alone.
        let items = self.items(&keys.collect::<Vec<_>>()).await?.into_iter();
        let agents = items.map(|item| from_item(item).context("cannot understand an agent's item"));
        let mut agents = agents.collect::<anyhow::Result<Vec<StoredAgent>>>()?;
        agents.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(agents)
    }

    /// The agent of this name, if there is one.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn agent(&self, name: &str) -> anyhow::Result<Option<StoredAgent>> {
        let get = self.get(keys::agent(name), keys::FILE).consistent_read(true);
        let item = get.send().await.context("cannot read an agent")?.item;
        item.map(|item| from_item(item).context("cannot understand an agent's item")).transpose()
    }

    /// Has an agent take a number's calls from now on. What else is set for the number stays.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
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
        update.send().await.context("cannot give the number an agent")?;
        Ok(())
    }

    /// The numbers that have an agent, by id.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn numbers(&self) -> anyhow::Result<Vec<Assigned>> {
        let query = self.index(keys::NUMBERS).key_condition_expression("#pk = :pk");
        let items = all(query).await.context("cannot ask which numbers have an agent")?;
        items.into_iter().map(|item| from_item(item).context("cannot understand a number's item")).collect()
    }

    /// What is set for a number.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked, or holds what we cannot read.
    pub async fn number(&self, number: &str) -> anyhow::Result<NumberSettings> {
        let get = self.get(keys::number(number), keys::SETTINGS).consistent_read(true);
        let item: Option<Item> = get.send().await.context("cannot read a number's settings")?.item;
        item.map_or_else(|| Ok(NumberSettings::default()), from_item)
    }

    /// The file of the agent that takes a number's calls: its TOML text. `None` when the number has none, or one that is not
    /// there.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn agent_of(&self, number: &str) -> anyhow::Result<Option<String>> {
        let Some(name) = self.number(number).await?.agent else { return Ok(None) };
        Ok(self.agent(&name).await?.map(|agent| agent.text))
    }

    fn get(&self, pk: String, sk: &str) -> GetItemFluentBuilder {
        self.client.get_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk))
    }
}
