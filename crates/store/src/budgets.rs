//! The hourly limits of actions for one caller: messages, tools and notices. Transfers are limited by day: see `transfers`.

use crate::Store;
use crate::error::{Context, Result};
use crate::items::number;
use crate::keys;
use call::NumberId;

/// An action for a caller, in their call or because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetedAction {
    /// The agent sends the caller a message.
    Message,
    /// The agent calls a tool.
    Tool,
    /// A message explains why their call was not taken, or broke off.
    Notice,
    /// The agent transfers the call.
    Transfer,
}

impl BudgetedAction {
    /// Returns the action's name in events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Tool => "tool",
            Self::Notice => "notice",
            Self::Transfer => "transfer",
        }
    }
}

impl Store {
    /// Counts an action for a caller, by pseudonym, and returns whether it is allowed: not if there were `most` within the hour of the
    /// clock.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn may_act(
        &self,
        to: &NumberId,
        pseudonym: &str,
        action: BudgetedAction,
        most: u32,
        now_ms: u64,
    ) -> Result<bool> {
        if most == 0 {
            return Ok(false);
        }
        let update = self.update_of(keys::acts(to, pseudonym), keys::hour(now_ms));
        let update = update
            .update_expression("SET #ttl = :ttl ADD #action :one")
            .condition_expression("attribute_not_exists(#action) OR #action < :most")
            .expression_attribute_names("#action", action.name())
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(most.into()))
            .expression_attribute_values(":ttl", number(now_ms / 1_000 + 2 * 60 * 60));
        let counted = update.send().await.if_condition_holds("cannot count an action for a caller")?;
        Ok(counted.is_some())
    }
}
