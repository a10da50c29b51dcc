//! Work of a session that is not done yet: transcriptions, function calls and remote calls.

use crate::Reply;
use serde_json::Value;
use std::time::Instant;

/// A turn that is still to be written down.
#[derive(Debug)]
pub(super) struct Transcription {
    pub(super) due: Instant,
    pub(super) item: String,
    pub(super) sound: Vec<i16>,
}

/// A function that was called and whose result is awaited.
#[derive(Debug)]
pub(super) struct OpenCall {
    pub(super) call_id: String,
    pub(super) follow_up: Option<FollowUp>,
}

/// What is said once a function has answered. The lowest rank of several is said.
#[derive(Debug, Clone)]
pub(super) struct FollowUp {
    pub(super) rank: usize,
    pub(super) reply: Reply,
}

impl FollowUp {
    pub(super) fn of(reply: &Reply, tool: &str) -> Option<Self> {
        reply.after(tool).map(|after| Self { rank: reply.rank(tool), reply: after.clone() })
    }
}

/// A call of a remote tool that has not answered.
#[derive(Debug)]
pub(super) struct RemoteCall {
    pub(super) due: Instant,
    /// As it will be then.
    pub(super) item: Value,
    pub(super) output_index: usize,
    pub(super) fails: bool,
    pub(super) follow_up: Option<FollowUp>,
}
