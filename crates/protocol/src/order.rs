//! What the webhook, the media tasks and the reaper ask of call-control.

use serde::{Deserialize, Serialize};

/// The payload of an invocation of call-control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        /// The fence of the task's seat.
        fence: u64,
    },
    /// The call is over. From the task, which waits for the reply.
    TaskEnded {
        /// The call.
        call_ref: String,
        /// The fence of the task's seat.
        fence: u64,
        /// Why, as the `call` crate writes an ending.
        ending: String,
    },
}

impl Order {
    /// The call it is about.
    pub fn call_ref(&self) -> &str {
        match self {
            Self::Tick { call_ref }
            | Self::MediaConnected { call_ref, .. }
            | Self::TaskEnded { call_ref, .. } => call_ref,
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
}
