//! Orders to call-control, the payloads of its invocations, and its replies.

use call::{CallRef, Ending, Fence, NumberId, Recorded};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest message to a caller, in characters: WhatsApp's limit for a text message.
pub const LONGEST_MESSAGE: usize = 4_096;

/// The payload of an invocation of call-control.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Performs what is due for a call. From the webhook, from heartbeats and from the reaper.
    Tick {
        /// The reference of the call.
        call_ref: CallRef,
    },
    /// Accepts a call whose media is connected and whose agent is ready to speak. From the task, which waits for the reply.
    MediaConnected {
        /// The reference of the call.
        call_ref: CallRef,
        /// The fence of the task's assignment.
        fence: Fence,
        /// Whether the process that had the task's previous request has died, and so will not accept the call.
        #[serde(default, skip_serializing_if = "is_false")]
        was_lost: bool,
        /// The number of this request within the assignment; `None` from an older release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question: Option<u64>,
        /// The number of the request that process had; `None` from an older release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lost: Option<u64>,
        /// The token of the assignment, from the offer; `None` where the offer had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// Ends a call. From the task, which waits for the reply.
    TaskEnded {
        /// The reference of the call.
        call_ref: CallRef,
        /// The fence of the task's assignment.
        fence: Fence,
        /// The token of the assignment, from the offer; `None` where the offer had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// The ending: one that the previous release knows.
        ending: Recorded<Ending>,
        /// The ending, where the previous release does not know it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        newer: Option<Recorded<Ending>>,
    },
    /// Sends the caller a message during the call. From the task, which waits for the reply. A repeated order with the same id sends
    /// nothing more.
    SendMessage {
        /// The reference of the call.
        call_ref: CallRef,
        /// The fence of the task's assignment.
        fence: Fence,
        /// The token of the assignment, from the offer; `None` where the offer had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Identifies the message within the call; empty from an older release, where every order is a new message.
        #[serde(default)]
        id: String,
        /// The text, at most [`LONGEST_MESSAGE`] characters.
        text: String,
    },
    /// Transfers a call to the target of its agent's file. From the task, which waits for the reply. A repeated order with the same id asks
    /// for nothing more. Only where the line can transfer; an older release does not know it, and fails.
    TransferCall {
        /// The reference of the call.
        call_ref: CallRef,
        /// The fence of the task's assignment.
        fence: Fence,
        /// The token of the assignment, from the offer; `None` where the offer had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Identifies the transfer within the call.
        id: String,
    },
    /// Reports what the business's lookup decided about a call that is not accepted yet. From the task, which waits for the reply. A repeated
    /// order gets the same reply. Only where the lookup decided something; an older release does not know it, and fails.
    CallerLookedUp {
        /// The reference of the call.
        call_ref: CallRef,
        /// The fence of the task's assignment.
        fence: Fence,
        /// The token of the assignment, from the offer; `None` where the offer had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// The name of the agent that is to take the call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<String>,
        /// The language of the call, as a BCP 47 tag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// The refusal of the call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reject: Option<Rejection>,
    },
    /// Reports that a message failed after Meta accepted it. From the webhook, which does not wait.
    MessageFailed {
        /// The reference of the call.
        call_ref: CallRef,
        /// The message: hex SHA-256 of its id at Meta.
        message: String,
    },
    /// Links a person's old and new user id at Meta. From the webhook, which does not wait.
    UserChanged {
        /// The partition of Meta's notice: the id of the business number.
        number: NumberId,
        /// The sort key of the notice.
        notice: String,
    },
}

/// The refusal of a call by the business's lookup.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The message to the caller, at most [`LONGEST_MESSAGE`] characters; `None` for the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl fmt::Debug for Rejection {
    /// Leaves out the message, which may name the caller.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection").finish_non_exhaustive()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl fmt::Debug for Order {
    /// Writes neither tokens nor message text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, fence) = match self {
            Self::Tick { .. } => ("Tick", None),
            Self::MediaConnected { fence, .. } => ("MediaConnected", Some(fence)),
            Self::TaskEnded { fence, .. } => ("TaskEnded", Some(fence)),
            Self::SendMessage { fence, .. } => ("SendMessage", Some(fence)),
            Self::TransferCall { fence, .. } => ("TransferCall", Some(fence)),
            Self::CallerLookedUp { fence, .. } => ("CallerLookedUp", Some(fence)),
            Self::MessageFailed { .. } => ("MessageFailed", None),
            Self::UserChanged { .. } => ("UserChanged", None),
        };
        f.debug_struct(name)
            .field("call_ref", &self.call_ref())
            .field("fence", &fence)
            .finish_non_exhaustive()
    }
}

impl Order {
    /// Returns the fence and the token of the assignment that the order comes from, if it comes from one.
    pub fn assignment(&self) -> Option<(Fence, Option<&str>)> {
        match self {
            Self::MediaConnected { fence, token, .. }
            | Self::TaskEnded { fence, token, .. }
            | Self::SendMessage { fence, token, .. }
            | Self::TransferCall { fence, token, .. }
            | Self::CallerLookedUp { fence, token, .. } => Some((*fence, token.as_deref())),
            Self::Tick { .. } | Self::MessageFailed { .. } | Self::UserChanged { .. } => None,
        }
    }

    /// Returns the call of the order, if it has one.
    pub fn call_ref(&self) -> Option<&CallRef> {
        match self {
            Self::Tick { call_ref }
            | Self::MediaConnected { call_ref, .. }
            | Self::TaskEnded { call_ref, .. }
            | Self::SendMessage { call_ref, .. }
            | Self::TransferCall { call_ref, .. }
            | Self::CallerLookedUp { call_ref, .. }
            | Self::MessageFailed { call_ref, .. } => Some(call_ref),
            Self::UserChanged { .. } => None,
        }
    }
}

/// A reply of call-control.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The call is accepted: the line is open.
    Open {
        /// The version of the call's state.
        version: u64,
    },
    /// Not accepted yet: the task asks again.
    Wait,
    /// The call is over, or no longer assigned to the task that asked.
    Over,
    /// The message was sent to the caller.
    Sent,
    /// The message was not sent, or its outcome is unknown.
    NotSent {
        /// The reason, in words that may be passed to the model. Never personal.
        reason: String,
        /// Whether the message may have been sent all the same, and must not be sent again.
        #[serde(default)]
        in_doubt: bool,
    },
    /// The line's service took the transfer: the call will be over there soon, or the transfer has failed.
    Transferring,
    /// The call was not transferred.
    NotTransferred {
        /// The reason, in words that may be passed to the model. Never personal.
        reason: String,
        /// Whether the day's budget of transfers is used up.
        #[serde(default, skip_serializing_if = "is_false")]
        is_budget_spent: bool,
    },
    /// What came of the lookup's decision. A task without this reply, as with an older release, keeps what it has.
    Agent {
        /// The file of the agent that takes the call, as TOML text; `None` to keep the one of the offer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The language of the call, as a BCP 47 tag; `None` for the agent's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
}

impl fmt::Debug for Reply {
    /// Writes the length in place of an agent file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { version } => f.debug_struct("Open").field("version", version).finish(),
            Self::Wait => f.write_str("Wait"),
            Self::Over => f.write_str("Over"),
            Self::Sent => f.write_str("Sent"),
            Self::NotSent { reason, in_doubt } => {
                f.debug_struct("NotSent").field("reason", reason).field("in_doubt", in_doubt).finish()
            }
            Self::Transferring => f.write_str("Transferring"),
            Self::NotTransferred { reason, is_budget_spent } => f
                .debug_struct("NotTransferred")
                .field("reason", reason)
                .field("is_budget_spent", is_budget_spent)
                .finish(),
            Self::Agent { text, language } => f
                .debug_struct("Agent")
                .field("text", &text.as_ref().map(String::len))
                .field("language", language)
                .finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_text_of_a_message() {
        let text = "Your code is 4711.".into();
        let token = Some("a token".into());
        let order =
            Order::SendMessage { call_ref: "ab12".into(), fence: Fence(3), token, id: "call_1".into(), text };

        let shown = format!("{order:?}");

        assert!(
            shown.contains("ab12")
                && shown.contains('3')
                && !shown.contains("4711")
                && !shown.contains("token"),
            "{shown}"
        );
    }

    #[test]
    fn an_older_releases_orders_and_replies_are_read() {
        let ended = r#"{"order": "task_ended", "call_ref": "ab12", "fence": 3, "ending": "drained"}"#;
        let order = r#"{"order": "send_message", "call_ref": "ab12", "fence": 3, "text": "Hello."}"#;
        let reply = r#"{"reply": "not_sent", "reason": "it is empty"}"#;

        let order: Order = serde_json::from_str(order).unwrap();
        let reply: Reply = serde_json::from_str(reply).unwrap();

        let ended: Order = serde_json::from_str(ended).unwrap();
        let drained = Recorded::Known(Ending::Drained);
        assert!(matches!(ended, Order::TaskEnded { ending, newer: None, .. } if ending == drained));
        assert!(matches!(order, Order::SendMessage { id, token: None, .. } if id.is_empty()));
        assert_eq!(reply, Reply::NotSent { reason: "it is empty".into(), in_doubt: false });
    }
}
