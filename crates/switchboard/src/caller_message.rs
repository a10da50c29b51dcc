//! Sends the caller a text message during a live call, once per order, and only for the task that holds the call.

use crate::Switchboard;
use crate::control_api::ControlApiReply;
use crate::graph_actions::may_be_done;
use crate::perform::meta_trouble;
use backon::Retryable;
use call::{Fence, Phase};
use internal_api::control_api::Undelivered;
use internal_api::order::{LONGEST_MESSAGE, Reply};
use std::time::Duration;
use store::MessageClaim;
use store::StoredCall;
use whatsapp::{Caller, Graph, GraphError};

/// The pause before the one retry when Meta is busy; the caller is waiting on the phone.
const PAUSE: Duration = Duration::from_millis(500);

impl Switchboard {
    /// Sends a message, or replies with the reason in plain words why it was not sent. A repeated order sends nothing.
    pub(crate) async fn send_message(
        &self,
        record: Box<StoredCall>,
        fence: Fence,
        id: &str,
        text: &str,
    ) -> anyhow::Result<Reply> {
        if !record.call.is_held_by(fence) || record.call.phase != Phase::Live {
            return Ok(not_sent_call_gone());
        }
        if !record.call.line.can_write() {
            return Ok(not_sent("no message can be sent to a caller on the telephone line"));
        }
        if let Some(reason) = invalid_text(text) {
            return Ok(not_sent(reason));
        }
        match self.claim_message(&record, id).await? {
            MessageClaim::Yours => {}
            MessageClaim::Sent => return Ok(Reply::Sent),
            MessageClaim::Begun => {
                return Ok(in_doubt("it was asked for before, and may or may not have been sent"));
            }
        }
        let sent = self.send_with_retry(&record, text).await;
        // First of all, because Meta may report a failure at once.
        if let Ok(message) = &sent {
            self.keep_message_ref(&record, message.as_deref(), id).await;
        }
        self.settle_claim(&record, id, &sent).await;
        let Err(error) = sent else { return Ok(Reply::Sent) };
        // A failing journal must not keep the agent from learning the result.
        if let Err(unwritten) = self.append_to_journal(record, &meta_trouble("send_message", &error)).await {
            tracing::warn!("cannot write the journal entry that a message was not sent: {unwritten:#}");
        }
        let reply = if may_be_done(&error) { in_doubt } else { not_sent };
        Ok(reply(reason_for_model(&error)))
    }

    async fn claim_message(&self, record: &StoredCall, id: &str) -> anyhow::Result<MessageClaim> {
        if id.is_empty() {
            return Ok(MessageClaim::Yours);
        }
        Ok(self.store.claim_message(&record.call_ref(), id, self.now().0).await?)
    }

    /// Stores the outcome of a claimed message. One in doubt stays claimed, so no process sends it again.
    async fn settle_claim(&self, record: &StoredCall, id: &str, sent: &Result<Option<String>, GraphError>) {
        let settled = match sent {
            _ if id.is_empty() => Ok(()),
            Ok(_) => self.store.note_message_sent(&record.call_ref(), id).await,
            Err(error) if may_be_done(error) => Ok(()),
            Err(_) => self.store.release_message_claim(&record.call_ref(), id).await,
        };
        // A repeated order then gets "in doubt", which does no harm.
        if let Err(error) = settled {
            tracing::warn!("cannot store the outcome of a message, it stays in doubt: {error:#}");
        }
    }

    /// Stores the reference under which Meta may later report that the message failed. Without it only that report is lost.
    pub(crate) async fn keep_message_ref(&self, record: &StoredCall, message: Option<&str>, id: &str) {
        let Some(message) = message else { return };
        let call_ref = &record.call_ref();
        let keep = || self.store.note_message_ref(call_ref, message, id, self.now().0);
        let mut kept = keep().await;
        if kept.is_err() {
            kept = keep().await;
        }
        if let Err(error) = kept {
            tracing::warn!(
                %call_ref,
                "cannot store the message's reference, a failure of it will go unreported: {error:#}"
            );
        }
    }

    /// Tells the task that holds a live call that a message of its agent has failed. Best effort: the journal has the failure already.
    pub(crate) async fn report_failed_message(
        &self,
        record: &StoredCall,
        message: &str,
    ) -> anyhow::Result<()> {
        let Some(assignment) = record.call.assignment.as_ref().filter(|_| record.call.phase == Phase::Live)
        else {
            return Ok(());
        };
        let order = self.store.order_of_message(&record.call_ref(), message).await?;
        let Some(id) = order.filter(|id| !id.is_empty()) else { return Ok(()) };
        let Some(lease) = self.store.lease(&assignment.task).await? else { return Ok(()) };
        let failed = Undelivered { fence: assignment.fence, id };
        match self.control_api.undelivered(&lease, &record.call_ref(), &failed).await? {
            // A task of an older release replies 404.
            ControlApiReply::Done(()) | ControlApiReply::UnknownCall => {}
            ControlApiReply::Full(reason)
            | ControlApiReply::Unanswerable(reason)
            | ControlApiReply::Unexpected(reason)
            | ControlApiReply::NoAnswer(reason) => {
                let (call_ref, task) = (record.call_ref(), &assignment.task);
                tracing::warn!(%call_ref, %task, "cannot tell the agent that its message failed: {reason}");
            }
            ControlApiReply::Unauthorized => {
                let (call_ref, task) = (record.call_ref(), &assignment.task);
                tracing::warn!(
                    %call_ref,
                    %task,
                    "cannot tell the agent that its message failed: the task accepts none of our keys"
                );
            }
        }
        Ok(())
    }

    /// Sends a text message, and retries only one that was certainly not sent: a second copy would confuse the caller.
    pub(crate) async fn send_with_retry(
        &self,
        record: &StoredCall,
        text: &str,
    ) -> Result<Option<String>, GraphError> {
        let store::CallerNames { number: phone, user_id } = record.caller();
        let (number, caller) = (record.number.as_str(), Caller { number: phone, user_id });
        let send = async |graph: &Graph| {
            let send = || graph.send_text(number, &caller, text);
            send.retry([PAUSE].into_iter()).when(may_be_sent_soon).await
        };
        self.send_to_meta(send, |sent| sent.as_ref().err()).await
    }
}

/// Returns the reply to a sender that no longer holds the call.
pub(crate) fn not_sent_call_gone() -> Reply {
    not_sent("the call is over, or another process has it now")
}

fn not_sent(reason: &str) -> Reply {
    Reply::NotSent { reason: reason.to_owned(), in_doubt: false }
}

fn in_doubt(reason: &str) -> Reply {
    Reply::NotSent { reason: reason.to_owned(), in_doubt: true }
}

/// Whether the message was certainly not sent, and an immediate retry may succeed.
fn may_be_sent_soon(error: &GraphError) -> bool {
    error.is_worth_another_try() && !may_be_done(error) && !error.is_about_the_pair()
}

fn invalid_text(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("the message is empty");
    }
    (text.chars().count() > LONGEST_MESSAGE)
        .then_some("the message is longer than the 4096 characters that WhatsApp takes")
}

/// Returns the reason for the model, which may read it to the caller. Meta's own words go to the journal.
fn reason_for_model(error: &GraphError) -> &'static str {
    match error {
        GraphError::Busy { .. } if error.is_about_the_pair() => {
            "this caller was sent too many messages within a short time; a later one may be sent"
        }
        GraphError::Busy { .. } | GraphError::Undone { .. } => "WhatsApp is too busy to send it now",
        GraphError::Unreached { .. } => "WhatsApp cannot be reached now, so it was not sent",
        GraphError::Unanswered { .. } => "WhatsApp did not answer, so it may or may not have been sent",
        GraphError::Misconfigured { .. } => {
            "the business's WhatsApp account does not let us send messages now"
        }
        GraphError::Refused { .. } => "WhatsApp does not take this message for this caller",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_text_up_to_whatsapps_limit_and_rejects_empty_text() {
        assert_eq!(invalid_text(&"é".repeat(LONGEST_MESSAGE)), None);
        assert!(invalid_text(&"é".repeat(LONGEST_MESSAGE + 1)).is_some());
        assert!(invalid_text(" \n").is_some());
    }
}
