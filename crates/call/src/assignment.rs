//! The assignment of a call to a media task, with its fencing token.

use crate::{Fence, TaskId};
use serde::{Deserialize, Serialize};

/// A slot in a media task. The fence tells it from an earlier assignment: a task that lost the call has a lower one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The media task's id.
    pub task: TaskId,
    /// The fencing token: it grows with every assignment of the call.
    pub fence: Fence,
}
