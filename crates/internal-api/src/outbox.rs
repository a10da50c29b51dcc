//! What the outbox function is invoked with: by a schedule, with whatever AWS sends, or for one call.

use call::CallRef;
use serde::{Deserialize, Serialize};

/// A request to deliver what is due of one call's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverCall {
    /// The call.
    pub call_ref: CallRef,
}
