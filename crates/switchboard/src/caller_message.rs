//! Sends the caller a message while they talk, for the task that has their call and for nobody else, and once.

use crate::Switchboard;
use crate::control_api::ControlApiReply;
use crate::graph_actions::may_be_done;
use crate::perform::trouble;
use crate::stored_call::StoredCall;
use call::Phase;
use internal_api::control_api::Undelivered;
use internal_api::order::{LONGEST_MESSAGE, Reply};
use std::time::Duration;
use store::MessageClaim;
use whatsapp::{Graph, GraphError};

/// How long to wait before the one more try that a busy Meta gets: somebody waits on the telephone.
const PAUSE: Duration = Duration::from_millis(500);

impl Switchboard {
    /// Sends it, and says in plain words why not when it is not sent. The same order again sends nothing.
    pub(crate) async fn send_message(
        &self,
        record: Box<StoredCall>,
        fence: u64,
        id: &str,
        text: &str,
    ) -> anyhow::Result<Reply> {
        if !record.call.is_held_by(fence) || record.call.phase != Phase::Live {
            return Ok(refused_for_its_call());
        }
        if let Some(reason) = unfit(text) {
            return Ok(not_sent(reason));
        }
        match self.claim(&record, id).await? {
            MessageClaim::Yours => {}
            MessageClaim::Sent => return Ok(Reply::Sent),
            MessageClaim::Begun => {
                return Ok(in_doubt("it was asked for before, and may or may not have been sent"));
            }
        }
        let sent = self.try_to_send(&record, text).await;
        // First of all: a failure may be told at once.
        if let Ok(message) = &sent {
            self.keep_name_of(&record, message.as_deref(), id).await;
        }
        self.settle(&record, id, &sent).await;
        let Err(error) = sent else { return Ok(Reply::Sent) };
        // What the journal misses must not keep the agent from saying what is so.
        if let Err(unwritten) = self.note(record, &trouble("send_message", &error)).await {
            tracing::warn!("Cannot write down that a message was not sent: {unwritten:#}");
        }
        let reply = if may_be_done(&error) { in_doubt } else { not_sent };
        Ok(reply(plainly(&error)))
    }

    async fn claim(&self, record: &StoredCall, id: &str) -> anyhow::Result<MessageClaim> {
        if id.is_empty() {
            return Ok(MessageClaim::Yours);
        }
        self.ledger.claim_message(record.call_ref(), id, self.now().0).await
    }

    /// What is in doubt stays claimed: nobody sends it again.
    async fn settle(&self, record: &StoredCall, id: &str, sent: &Result<Option<String>, GraphError>) {
        let settled = match sent {
            _ if id.is_empty() => Ok(()),
            Ok(_) => self.ledger.note_message_sent(record.call_ref(), id).await,
            Err(error) if may_be_done(error) => Ok(()),
            Err(_) => self.ledger.release_message_claim(record.call_ref(), id).await,
        };
        // Whoever asks again is told that nobody knows, which does no harm.
        if let Err(error) = settled {
            tracing::warn!("Cannot write down what came of a message: {error:#}");
        }
    }

    /// Keeps the name by which Meta may say later that a message failed. Without it only that news is lost.
    pub(crate) async fn keep_name_of(&self, record: &StoredCall, message: Option<&str>, id: &str) {
        let Some(message) = message else { return };
        let call_ref = record.call_ref();
        let keep = || self.ledger.note_message_ref(call_ref, message, id, self.now().0);
        let mut kept = keep().await;
        if kept.is_err() {
            kept = keep().await;
        }
        if let Err(error) = kept {
            tracing::warn!(call_ref, "A failure of this call's message would not be noticed: {error:#}");
        }
    }

    /// Tells the task that holds a live call that a message of its agent has failed. Nothing else depends on it: the journal
    /// has the failure already.
    pub(crate) async fn tell_of_failed(&self, record: &StoredCall, message: &str) -> anyhow::Result<()> {
        let Some(assignment) = record.call.assignment.as_ref().filter(|_| record.call.phase == Phase::Live)
        else {
            return Ok(());
        };
        let order = self.ledger.order_of_message(record.call_ref(), message).await?;
        let Some(id) = order.filter(|id| !id.is_empty()) else { return Ok(()) };
        let Some(lease) = self.ledger.lease(&assignment.task).await? else { return Ok(()) };
        let failed = Undelivered { fence: assignment.fence, id };
        match self.knocker.undelivered(&lease, record.call_ref(), &failed).await? {
            // A task of an older release says 404.
            ControlApiReply::Opened(()) | ControlApiReply::Unknown => {}
            ControlApiReply::Full(reason)
            | ControlApiReply::Impossible(reason)
            | ControlApiReply::Odd(reason)
            | ControlApiReply::Silent(reason) => {
                let (call_ref, task) = (record.call_ref(), &assignment.task);
                tracing::warn!(call_ref, task, "The agent does not hear that its message failed: {reason}");
            }
            ControlApiReply::Stranger => {
                let (call_ref, task) = (record.call_ref(), &assignment.task);
                tracing::warn!(
                    call_ref,
                    task,
                    "The agent does not hear that its message failed: no key fits"
                );
            }
        }
        Ok(())
    }

    /// Only what was certainly not sent is tried again: the caller would wonder about two.
    pub(crate) async fn try_to_send(
        &self,
        record: &StoredCall,
        text: &str,
    ) -> Result<Option<String>, GraphError> {
        let (number, caller) = (&record.number, record.caller());
        let send = async |graph: &Graph| match graph.send_text(number, &caller, text).await {
            Err(error) if may_be_sent_soon(&error) => {
                tokio::time::sleep(PAUSE).await;
                graph.send_text(number, &caller, text).await
            }
            sent => sent,
        };
        self.at_meta(send, |sent| sent.as_ref().err()).await
    }
}

/// What is replied to whom the call is none of their business any more.
pub(crate) fn refused_for_its_call() -> Reply {
    not_sent("the call is over, or another process has it now")
}

fn not_sent(reason: &str) -> Reply {
    Reply::NotSent { reason: reason.to_owned(), in_doubt: false }
}

fn in_doubt(reason: &str) -> Reply {
    Reply::NotSent { reason: reason.to_owned(), in_doubt: true }
}

/// Whether it was certainly not sent, and another try at once may send it.
fn may_be_sent_soon(error: &GraphError) -> bool {
    error.is_worth_another_try() && !may_be_done(error) && !error.is_about_the_pair()
}

fn unfit(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("the message is empty");
    }
    (text.chars().count() > LONGEST_MESSAGE)
        .then_some("the message is longer than the 4096 characters that WhatsApp takes")
}

/// For the model, and so for the caller's ear. Meta's own words are for the journal.
fn plainly(error: &GraphError) -> &'static str {
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
    fn whatsapps_longest_message_is_fit_and_a_longer_or_an_empty_one_is_not() {
        assert_eq!(unfit(&"é".repeat(LONGEST_MESSAGE)), None);
        assert!(unfit(&"é".repeat(LONGEST_MESSAGE + 1)).is_some());
        assert!(unfit(" \n").is_some());
    }
}
