//! Finds out which of a batch's failed messages are ours: the table knows them by a hash of their ids.

use crate::store::Store;
use futures_util::{StreamExt, TryStreamExt};
use ledger::Ledger;
use std::collections::{HashMap, HashSet};
use whatsapp::{Notice, What};

/// So many messages are looked up at the same time.
const AT_ONCE: usize = 16;

/// The messages of a batch that are ours, and their calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent(HashMap<String, String>);

impl Sent {
    /// The call of a message of ours.
    pub(super) fn call_of(&self, message: &str) -> Option<&str> {
        self.0.get(message).map(String::as_str)
    }
}

impl Store {
    /// Asks the table for the calls of messages that failed: one read for each message, and none where none did.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked: Meta must send it again.
    pub async fn sent(&self, notices: &[Notice]) -> anyhow::Result<Sent> {
        let failed: HashSet<String> = notices.iter().filter_map(failed).map(str::to_owned).collect();
        let ledger = &Ledger::new(self.client.clone(), &self.table);
        let asked = futures_util::stream::iter(failed).map(|message| async move {
            let call_ref = ledger.call_of_message(&message).await?;
            anyhow::Ok(call_ref.map(|call_ref| (message, call_ref)))
        });
        let found: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(Sent(found.into_iter().flatten().collect()))
    }
}

fn failed(notice: &Notice) -> Option<&str> {
    match &notice.what {
        What::MessageFailed { message, .. } => Some(message),
        _ => None,
    }
}
