//! Transfers a live call, once, to the one target that its agent's file names: the task that asks has no say in where to.

use crate::Switchboard;
use crate::handled_call::HandledCall;
use crate::openai_actions::line_trouble;
use call::{Fence, Phase};
use internal_api::order::Reply;
use openai_calls::{CallId, CallsError};
use std::time::Duration;
use store::TransferClaim;
use tokio::time::Instant;

/// How long OpenAI may take to answer: the caller hears nothing meanwhile.
const REFERRED_WITHIN: Duration = Duration::from_secs(6);

/// The name of a transfer in the journal.
const REFER: &str = "refer";

impl Switchboard {
    /// Asks the line's service for the transfer, or replies with the reason in plain words why it certainly does not happen. A repeated order
    /// asks for nothing.
    pub(crate) async fn transfer(
        &self,
        handled: HandledCall,
        fence: Fence,
        id: &str,
    ) -> anyhow::Result<Reply> {
        let record = &handled.record;
        if !record.call.is_held_by(fence) || record.call.phase != Phase::Live {
            return Ok(not_transferred_call_gone());
        }
        let call = record.realtime_call.as_deref().filter(|_| record.call.line.can_transfer());
        let Some(call) = call.and_then(CallId::parse) else {
            return Ok(not_transferred("calls on this line cannot be transferred"));
        };
        let agent = &self.agent_of(&handled).await?.agent;
        let Some(transfer) = agent.tools.transfer.clone() else {
            return Ok(not_transferred("there is no one to transfer calls to"));
        };
        let now = self.now().0;
        match self.store.claim_transfer(&record.call_ref(), id, now).await? {
            TransferClaim::Yours => {}
            TransferClaim::Repeated => return Ok(Reply::Transferring),
            TransferClaim::Used => return Ok(not_transferred("it was tried once in this call already")),
        }
        if !self.store.may_transfer(&record.number, &agent.day(now), transfer.a_day).await? {
            let reason = "as many calls as are allowed in a day were transferred today".to_owned();
            return Ok(Reply::NotTransferred { reason, is_budget_spent: true });
        }
        let until = Instant::now() + REFERRED_WITHIN;
        let Err(error) = self.openai.refer(&call, transfer.target.as_str(), until).await else {
            return Ok(Reply::Transferring);
        };
        // A failing journal must not keep the agent from learning the result.
        let trouble = line_trouble(REFER, &error);
        if let Err(unwritten) = self.append_to_journal(handled.record, &trouble).await {
            tracing::warn!("cannot write the journal entry that a call was not transferred: {unwritten:#}");
        }
        if error.may_be_done() {
            // The task sees whether the call ends.
            return Ok(Reply::Transferring);
        }
        Ok(not_transferred(reason_for_model(&error)))
    }
}

/// Returns the reply to a sender that no longer holds the call.
pub(crate) fn not_transferred_call_gone() -> Reply {
    not_transferred("the call is over, or another process has it now")
}

fn not_transferred(reason: &str) -> Reply {
    Reply::NotTransferred { reason: reason.to_owned(), is_budget_spent: false }
}

/// Returns the reason for the model. OpenAI's own words go to the journal.
fn reason_for_model(error: &CallsError) -> &'static str {
    match error {
        CallsError::Gone => "the call is over",
        CallsError::Busy { .. } => "the telephone service is too busy for it now",
        CallsError::Unreached { .. } | CallsError::Unanswered { .. } => {
            "the telephone service could not do it now"
        }
        CallsError::AlreadyDecided | CallsError::Misconfigured { .. } | CallsError::Refused { .. } => {
            "the telephone service refused it"
        }
    }
}
