//! Finds out which of a batch's failed messages are ours: the table knows them by a hash of their ids.

use super::grouping::is_ours;
use super::{IntakeSettings, UnknownNumbers};
use crate::call_store::CallStore;
use futures_util::{StreamExt, TryStreamExt};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use store::Store;
use whatsapp::{Notice, NoticeKind};

/// So many messages are looked up at the same time.
const AT_ONCE: usize = 16;

/// A failure told sooner after its stamp may come before we have kept the message's name, ms.
const FRESH_MS: u64 = 60_000;

/// How long to wait before a fresh failure is looked up once more.
const PAUSE: Duration = Duration::from_secs(1);

/// The messages of a batch that are ours, and their calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentMessages(HashMap<String, String>);

impl SentMessages {
    /// The call of a message of ours.
    pub(super) fn call_of(&self, message: &str) -> Option<&str> {
        self.0.get(message).map(String::as_str)
    }
}

impl CallStore {
    /// Asks the table for the calls of messages that failed: one read for each message, and none where none did.
    ///
    /// A message that has just failed may be one whose name is about to be kept: after a second, those of our numbers are looked
    /// up once more. Another app's messages can cost a batch that second, and no more.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked: Meta must send it again.
    pub async fn sent(
        &self,
        notices: &[Notice],
        house: &IntakeSettings,
        strangers: &UnknownNumbers,
        now_ms: u64,
    ) -> anyhow::Result<SentMessages> {
        let mut sent = self.calls_of(notices.iter().filter_map(failed)).await?;
        let may_be_kept_soon =
            |notice: &&Notice| is_ours(notice, house, strangers) && is_fresh(notice, now_ms);
        let fresh = notices.iter().filter(may_be_kept_soon).filter_map(failed);
        let fresh: Vec<_> = fresh.filter(|message| !sent.contains_key(*message)).collect();
        if !fresh.is_empty() {
            tokio::time::sleep(PAUSE).await;
            sent.extend(self.calls_of(fresh.into_iter()).await?);
        }
        Ok(SentMessages(sent))
    }

    async fn calls_of(
        &self,
        messages: impl Iterator<Item = &str>,
    ) -> anyhow::Result<HashMap<String, String>> {
        let failed: HashSet<String> = messages.map(str::to_owned).collect();
        let ledger = &Store::new(self.client.clone(), &self.table);
        let asked = futures_util::stream::iter(failed).map(|message| async move {
            let call_ref = ledger.call_of_message(&message).await?;
            anyhow::Ok(call_ref.map(|call_ref| (message, call_ref)))
        });
        let found: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// No stamp says nothing.
fn is_fresh(notice: &Notice, now_ms: u64) -> bool {
    notice.stamped_at.is_some_and(|seconds| seconds.saturating_mul(1_000).abs_diff(now_ms) < FRESH_MS)
}

fn failed(notice: &Notice) -> Option<&str> {
    match &notice.what {
        NoticeKind::MessageFailed { message, .. } => Some(message),
        _ => None,
    }
}
