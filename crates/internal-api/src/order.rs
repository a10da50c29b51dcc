//! What the webhook, the media tasks and the reaper ask of call-control.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest message to a caller, in characters: more is no text message at WhatsApp.
pub const LONGEST_MESSAGE: usize = 4_096;

/// The payload of an invocation of call-control.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Do what is due for this call. From the webhook, from heartbeats and from the reaper.
    Tick {
        /// The call.
        call_ref: String,
    },
    /// Media is connected and the agent is ready to speak: accept the call. From the task, which waits for the reply.
    MediaConnected {
        /// The call.
        call_ref: String,
        /// The fence of the task's assignment.
        fence: u64,
        /// Whether the process died that the task had asked before: it accepts nothing any more.
        #[serde(default, skip_serializing_if = "is_not")]
        was_lost: bool,
        /// Which question of its assignment this is; none from an older release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question: Option<u64>,
        /// Which question that process had; none from an older release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lost: Option<u64>,
        /// The token of the assignment, as the offer had it; none where the offer had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// The call is over. From the task, which waits for the reply.
    TaskEnded {
        /// The call.
        call_ref: String,
        /// The fence of the task's assignment.
        fence: u64,
        /// The token of the assignment, as the offer had it; none where the offer had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Why, as the `call` crate writes an ending: a word that the release before knows.
        ending: String,
        /// Why, in a word that the release before does not know, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        newer: Option<String>,
    },
    /// The caller is to get a message while they talk. From the task, which waits for the reply. Asked twice under one id, it
    /// is sent once.
    SendMessage {
        /// The call.
        call_ref: String,
        /// The fence of the task's assignment.
        fence: u64,
        /// The token of the assignment, as the offer had it; none where the offer had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Tells this message from the call's others; empty from an older release, whose every order is a message.
        #[serde(default)]
        id: String,
        /// What the message says, at most [`LONGEST_MESSAGE`] characters.
        text: String,
    },
    /// A message to the caller has failed after Meta took it. From the webhook, which does not wait.
    MessageFailed {
        /// The call.
        call_ref: String,
        /// The message: hex SHA-256 of its id at Meta.
        message: String,
    },
    /// A person goes by another name at Meta. From the webhook, which does not wait.
    UserChanged {
        /// Where it wrote Meta's notice of it: the id of the business number.
        number: String,
        /// And its sort key there.
        notice: String,
    },
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_not(flag: &bool) -> bool {
    !flag
}

impl fmt::Debug for Order {
    /// Without tokens, and without what a message says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, fence) = match self {
            Self::Tick { .. } => ("Tick", None),
            Self::MediaConnected { fence, .. } => ("MediaConnected", Some(fence)),
            Self::TaskEnded { fence, .. } => ("TaskEnded", Some(fence)),
            Self::SendMessage { fence, .. } => ("SendMessage", Some(fence)),
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
    /// The fence and the token of the assignment that it speaks for, if it speaks for one.
    pub fn assignment(&self) -> Option<(u64, Option<&str>)> {
        match self {
            Self::MediaConnected { fence, token, .. }
            | Self::TaskEnded { fence, token, .. }
            | Self::SendMessage { fence, token, .. } => Some((*fence, token.as_deref())),
            Self::Tick { .. } | Self::MessageFailed { .. } | Self::UserChanged { .. } => None,
        }
    }

    /// The call it is about, if it is about one.
    pub fn call_ref(&self) -> Option<&str> {
        match self {
            Self::Tick { call_ref }
            | Self::MediaConnected { call_ref, .. }
            | Self::TaskEnded { call_ref, .. }
            | Self::SendMessage { call_ref, .. }
            | Self::MessageFailed { call_ref, .. } => Some(call_ref),
            Self::UserChanged { .. } => None,
        }
    }
}

/// What call-control replies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The call is accepted: the line is open.
    Open {
        /// The version of the call's state.
        version: u64,
    },
    /// Not yet; ask again.
    Wait,
    /// The call is over, or not the asker's any more.
    Over,
    /// The message was sent to the caller.
    Sent,
    /// The message was not sent, or nobody knows.
    NotSent {
        /// Why, in plain words that the model may be told. Nothing personal.
        reason: String,
        /// Whether it may have been sent all the same: it must not be sent anew.
        #[serde(default)]
        in_doubt: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_says_is_not_shown_with_its_order() {
        let text = "Your code is 4711.".into();
        let token = Some("a token".into());
        let order =
            Order::SendMessage { call_ref: "ab12".into(), fence: 3, token, id: "call_1".into(), text };

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
    fn what_an_older_release_asks_and_replies_is_understood() {
        let ended = r#"{"order": "task_ended", "call_ref": "ab12", "fence": 3, "ending": "drained"}"#;
        let order = r#"{"order": "send_message", "call_ref": "ab12", "fence": 3, "text": "Hello."}"#;
        let reply = r#"{"reply": "not_sent", "reason": "it is empty"}"#;

        let order: Order = serde_json::from_str(order).unwrap();
        let reply: Reply = serde_json::from_str(reply).unwrap();

        let ended: Order = serde_json::from_str(ended).unwrap();
        assert!(matches!(ended, Order::TaskEnded { newer: None, .. }));
        assert!(matches!(order, Order::SendMessage { id, token: None, .. } if id.is_empty()));
        assert_eq!(reply, Reply::NotSent { reason: "it is empty".into(), in_doubt: false });
    }
}
