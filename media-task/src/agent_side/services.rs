//! What the sessions of a task share to reach others: the secret, the table, call-control and ECS.

use crate::journal_writer::JournalWriter;
use crate::lifecycle::task_protection::TaskProtection;
use crate::settings::MediaSecret;
use internal_api::client::{CallControl, Outbox};
use operator_http::OperatorHttp;
use service::secrets::Secret;
use std::sync::Arc;
use store::Store;

/// What the sessions of a task share.
#[derive(Clone)]
pub(crate) struct Services {
    /// The model's API key, and the keys that sign tools' requests; they may be rotated during a call.
    pub(crate) secret: Secret<MediaSecret>,
    /// Writes journals, transcripts and summaries to the table.
    pub(crate) journal: JournalWriter,
    /// The table, in which spending is counted.
    pub(crate) store: Store,
    /// Asks call-control, which alone talks to Meta.
    pub(crate) control: CallControl,
    /// Delivers to businesses what the table has for them; `None` where only its schedule does.
    pub(crate) outbox: Option<Outbox>,
    /// Sends requests to the systems of businesses; `None` where TLS cannot be configured.
    pub(crate) http: Option<OperatorHttp>,
    /// ECS task protection; `None` where the task belongs to no service, and ECS never stops it.
    pub(crate) protection: Option<Arc<TaskProtection>>,
}
