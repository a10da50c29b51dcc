//! Executes one tool call beside the call: against the hour's budget, then by HTTP, call-control or the table.

use super::action_budget::HourlyBudget;
use crate::agent_side::business::Business;
use crate::agent_side::call_identity::CallIdentity;
use crate::asking::ask_twice;
use crate::journal_writer::CallerRequest;
use agents::AfterEvent;
use anyhow::Context;
use internal_api::client::CallControl;
use internal_api::order::{Order, Reply};
use service::time::now_ms;
use std::sync::Arc;
use std::time::Duration;
use tools::{CallContext, Refused, ToolError, ToolOutcome, ToolOutcomeKind, ToolUse};

/// How long call-control may take to send a message: as long as it waits for Meta at most.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long call-control may take to transfer a call: the caller hears nothing meanwhile.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(10);

/// Executes one tool call.
pub(super) struct ToolExecutor {
    pub(super) hourly: Option<HourlyBudget>,
    pub(super) context: Arc<CallContext>,
    pub(super) control: CallControl,
    /// The model's id of the tool call.
    pub(super) id: String,
    /// The call, for which call-control sends messages.
    pub(super) call: CallIdentity,
    pub(super) caller_note: CallerRequest,
    /// Gets to know what the caller left.
    pub(super) business: Business,
}

impl ToolExecutor {
    /// Runs the tool in a task of its own, so that the model gets an output even if the tool panics.
    pub(super) async fn run_isolated(self, tool_use: ToolUse) -> ToolOutcome {
        isolated(self.run(tool_use)).await
    }

    async fn run(self, tool_use: ToolUse) -> ToolOutcome {
        if let Some(hourly) = &self.hourly
            && let Err(refused) = hourly.take().await
        {
            return refused;
        }
        let tool_use = match tool_use {
            ToolUse::Http(call) => return call.run(&self.context, &self.id).await,
            ToolUse::TransferCall => return self.transfer().await,
            built_in => built_in,
        };
        let kind = match &tool_use {
            ToolUse::EndCall | ToolUse::TransferCall | ToolUse::Http(_) => ToolOutcomeKind::Done,
            ToolUse::SendMessage { text } => self.send(text.clone()).await,
            ToolUse::TakeMessage(message) => self.store("message", AfterEvent::MessageTaken, message).await,
            ToolUse::RequestCallback(callback) => {
                self.store("callback", AfterEvent::CallbackRequested, callback).await
            }
        };
        built_in_outcome(&tool_use, kind)
    }

    /// Sends a WhatsApp message; [`ToolOutcomeKind::TimedOut`] if it is unknown whether it was sent.
    async fn send(&self, text: String) -> ToolOutcomeKind {
        let (call_ref, id) = (self.context.call_ref.clone(), self.id.clone());
        let (fence, token) = (self.call.fence, self.call.token.clone());
        let order = Order::SendMessage { call_ref, fence, token, id, text };
        match tokio::time::timeout(MESSAGE_TIMEOUT, ask_twice(&self.control, &order)).await {
            Ok(Ok(reply)) => message_outcome(&reply),
            Ok(Err(error)) => {
                let call_ref = &self.context.call_ref;
                tracing::warn!(%call_ref, "message in doubt: call-control did not reply: {error:#}");
                ToolOutcomeKind::TimedOut
            }
            Err(_) => ToolOutcomeKind::TimedOut,
        }
    }

    /// Has call-control transfer the call; [`ToolOutcomeKind::Done`] if the line's service took it, or may have, which does not mean that it
    /// happens.
    async fn transfer(&self) -> ToolOutcome {
        let (call_ref, id) = (self.context.call_ref.clone(), self.id.clone());
        let (fence, token) = (self.call.fence, self.call.token.clone());
        let order = Order::TransferCall { call_ref, fence, token, id };
        let asked = tokio::time::timeout(TRANSFER_TIMEOUT, ask_twice(&self.control, &order)).await;
        let reply = asked.context("timeout").flatten();
        if let Err(error) = &reply {
            let call_ref = &self.context.call_ref;
            tracing::warn!(%call_ref, "transfer in doubt: call-control did not reply: {error:#}");
        }
        transfer_outcome(reply.ok())
    }

    async fn store(&self, kind: &str, event: AfterEvent, what: &impl serde::Serialize) -> ToolOutcomeKind {
        let told = self.business.left(event, self.caller_note.n(), now_ms());
        let Err(error) = self.caller_note.store(kind, what, told.as_ref()).await else {
            if told.is_some() {
                let business = self.business.clone();
                // The agent does not wait for it.
                tokio::spawn(async move { business.deliver().await });
            }
            return ToolOutcomeKind::Done;
        };
        let call_ref = &self.context.call_ref;
        tracing::error!(%call_ref, kind, "PutItem failed: what the caller left is lost: {error:#}");
        ToolOutcomeKind::Failed
    }
}

/// Returns the outcome of a message by call-control's reply. The cause of a failure is in call-control's journal entry.
fn message_outcome(reply: &Reply) -> ToolOutcomeKind {
    match reply {
        Reply::Sent => ToolOutcomeKind::Done,
        Reply::NotSent { in_doubt: true, .. } => ToolOutcomeKind::TimedOut,
        Reply::NotSent { in_doubt: false, .. }
        | Reply::Open { .. }
        | Reply::Wait
        | Reply::Over
        | Reply::Transferring
        | Reply::NotTransferred { .. }
        | Reply::Agent { .. } => ToolOutcomeKind::Failed,
    }
}

/// Returns the outcome of a transfer by call-control's reply. Without one it may happen.
fn transfer_outcome(reply: Option<Reply>) -> ToolOutcome {
    let outcome = |kind| built_in_outcome(&ToolUse::TransferCall, kind);
    match reply {
        None | Some(Reply::Transferring) => outcome(ToolOutcomeKind::Done),
        Some(Reply::NotTransferred { reason, is_budget_spent }) => {
            let for_the_model = format!(
                "Not connected: {reason}. The caller is still on the line with you. Tell them so now, and offer another way, such as \
                 taking a message."
            );
            match is_budget_spent {
                true => Refused { trouble: ToolError::DayBudget, for_the_model }.into(),
                false => ToolOutcome { kind: ToolOutcomeKind::Failed, trouble: None, for_the_model },
            }
        }
        Some(
            Reply::Open { .. }
            | Reply::Wait
            | Reply::Over
            | Reply::Sent
            | Reply::NotSent { .. }
            | Reply::Agent { .. },
        ) => outcome(ToolOutcomeKind::Failed),
    }
}

/// Returns the outcome of a built-in tool, with the output for the model.
pub(crate) fn built_in_outcome(tool_use: &ToolUse, kind: ToolOutcomeKind) -> ToolOutcome {
    ToolOutcome { kind, trouble: None, for_the_model: tool_use.reply(kind).unwrap_or_default().to_owned() }
}

/// Runs a tool in a task of its own, so that the model gets an output even if the tool panics.
async fn isolated(work: impl Future<Output = ToolOutcome> + Send + 'static) -> ToolOutcome {
    tokio::spawn(work).await.unwrap_or_else(|_| unknown_outcome())
}

/// Returns the outcome of a tool that panicked: it may have been done.
fn unknown_outcome() -> ToolOutcome {
    let for_the_model = "This did not work, and it is not known whether it was done: do not simply do it again. Tell the \
                         caller so in plain words, and make up no answer.";
    ToolOutcome { kind: ToolOutcomeKind::Failed, trouble: None, for_the_model: for_the_model.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_doubt_is_neither_done_nor_failed() {
        let not_sent = |in_doubt| Reply::NotSent { reason: "it broke".into(), in_doubt };

        assert_eq!(message_outcome(&Reply::Sent), ToolOutcomeKind::Done);
        assert_eq!(message_outcome(&not_sent(false)), ToolOutcomeKind::Failed);
        assert_eq!(message_outcome(&not_sent(true)), ToolOutcomeKind::TimedOut);
    }

    #[test]
    fn a_spent_budget_of_transfers_is_a_refusal_with_its_reason() {
        let reason = "the day is over".to_owned();
        let outcome = |is_budget_spent| {
            transfer_outcome(Some(Reply::NotTransferred { reason: reason.clone(), is_budget_spent }))
        };

        let (spent, failed) = (outcome(true), outcome(false));

        assert_eq!((spent.kind, spent.trouble), (ToolOutcomeKind::Refused, Some(ToolError::DayBudget)));
        assert_eq!((failed.kind, failed.trouble), (ToolOutcomeKind::Failed, None));
        assert!(spent.for_the_model.contains("Not connected: the day is over."), "{}", spent.for_the_model);
    }

    #[test]
    fn a_transfer_that_call_control_did_not_answer_may_happen() {
        assert_eq!(transfer_outcome(Some(Reply::Transferring)).kind, ToolOutcomeKind::Done);
        assert_eq!(transfer_outcome(None).kind, ToolOutcomeKind::Done);
        assert_eq!(transfer_outcome(Some(Reply::Over)).kind, ToolOutcomeKind::Failed);
    }

    #[tokio::test]
    async fn the_model_gets_an_output_when_a_tool_panics() {
        let outcome = isolated(async { panic!("planted") }).await;

        assert_eq!(outcome.kind, ToolOutcomeKind::Failed);
        assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
    }
}
