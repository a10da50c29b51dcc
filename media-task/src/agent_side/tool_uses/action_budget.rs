//! Caps the messages and tool calls of an agent, per call and per caller and hour.

use agents::Caps;
use call::NumberId;
use service::time::now_ms;
use std::time::Duration;
use store::{BudgetedAction, Store};
use tools::{Refused, ToolError, ToolOutcome, ToolUse};

/// How long counting an action in the table may take: the caller waits for it.
const COUNT_TIMEOUT: Duration = Duration::from_secs(1);

/// What one call has used of its caps.
#[derive(Debug)]
pub(super) struct ActionBudget {
    caps: Caps,
    messages: u32,
    tools: u32,
}

/// The cap of one action for one caller within the hour, counted in the table.
pub(super) struct HourlyBudget {
    pub(super) store: Store,
    pub(super) number: NumberId,
    /// The caller's pseudonym; without one nothing is counted.
    pub(super) caller: Option<String>,
    pub(super) action: BudgetedAction,
    pub(super) most: u32,
}

impl ActionBudget {
    pub(super) fn new(caps: Caps) -> Self {
        Self { caps, messages: 0, tools: 0 }
    }

    /// Counts one use against the call's cap.
    ///
    /// # Errors
    /// [`ToolError::CallBudget`] when the cap is reached.
    pub(super) fn take(&mut self, tool_use: &ToolUse) -> Result<(), Refused> {
        let Some(action) = action(tool_use) else { return Ok(()) };
        let (used, most) = match action {
            BudgetedAction::Message => (&mut self.messages, self.caps.messages_a_call),
            BudgetedAction::Tool | BudgetedAction::Notice | BudgetedAction::Transfer => {
                (&mut self.tools, self.caps.tools_a_call)
            }
        };
        if *used >= most {
            return Err(refused(action, ToolError::CallBudget));
        }
        *used += 1;
        Ok(())
    }

    /// Counts an MCP tool, which the model's provider has already called.
    pub(super) fn take_hosted(&mut self) {
        self.tools += 1;
    }

    /// Returns as which action a use counts, and the cap of that action for one caller within the hour.
    pub(super) fn hourly(&self, tool_use: &ToolUse) -> Option<(BudgetedAction, u32)> {
        let action = action(tool_use)?;
        Some(match action {
            BudgetedAction::Message => (action, self.caps.messages_an_hour),
            BudgetedAction::Tool | BudgetedAction::Notice | BudgetedAction::Transfer => {
                (action, self.caps.tools_an_hour)
            }
        })
    }
}

impl HourlyBudget {
    /// Counts one use against the hour's cap. If the table does not answer, the use is allowed.
    ///
    /// # Errors
    /// [`ToolError::HourBudget`] when the cap is reached.
    pub(super) async fn take(&self) -> Result<(), ToolOutcome> {
        let Some(pseudonym) = &self.caller else { return Ok(()) };
        let counting = self.store.may_act(&self.number, pseudonym, self.action, self.most, now_ms());
        let action = self.action.name();
        match tokio::time::timeout(COUNT_TIMEOUT, counting).await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => return Err(refused(self.action, ToolError::HourBudget).into()),
            Ok(Err(error)) => tracing::error!(action, "hourly cap not checked, action allowed: {error:#}"),
            Err(_) => tracing::error!(
                action,
                "hourly cap not checked, action allowed: no answer within {COUNT_TIMEOUT:?}"
            ),
        }
        Ok(())
    }
}

/// Returns as which action a tool counts: hanging up is free.
fn action(tool_use: &ToolUse) -> Option<BudgetedAction> {
    match tool_use {
        ToolUse::EndCall => None,
        ToolUse::SendMessage { .. } => Some(BudgetedAction::Message),
        // Call-control limits transfers, by day.
        ToolUse::TransferCall | ToolUse::TakeMessage(_) | ToolUse::RequestCallback(_) | ToolUse::Http(_) => {
            Some(BudgetedAction::Tool)
        }
    }
}

fn refused(action: BudgetedAction, error: ToolError) -> Refused {
    let of = if error == ToolError::CallBudget { "in this call" } else { "for this caller within the hour" };
    let for_the_model = match action {
        BudgetedAction::Message => format!(
            "Not sent: as many messages as are allowed were sent {of}. Do not try again. Say the important part slowly instead."
        ),
        BudgetedAction::Tool | BudgetedAction::Notice | BudgetedAction::Transfer => format!(
            "Not done: tools were used as often as is allowed {of}. Do not try again, make up no answer, and tell the caller in plain \
             words that you cannot do it now."
        ),
    };
    Refused { trouble: error, for_the_model }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_sends_no_more_messages_than_its_cap() {
        let mut budget = ActionBudget::new(Caps { messages_a_call: 2, tools_a_call: 0, ..Caps::default() });
        let message = ToolUse::SendMessage { text: "Hello".into() };

        let taken = [(); 3].map(|()| budget.take(&message));

        assert!(taken[0].is_ok() && taken[1].is_ok());
        let refused = taken[2].as_ref().expect_err("there were two");
        assert_eq!(refused.trouble, ToolError::CallBudget);
        assert!(refused.for_the_model.contains("in this call"), "{}", refused.for_the_model);
        assert!(budget.take(&ToolUse::EndCall).is_ok(), "hanging up is free");
        assert_eq!(budget.hourly(&message), Some((BudgetedAction::Message, 10)));
    }
}
