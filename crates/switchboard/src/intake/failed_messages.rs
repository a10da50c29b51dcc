//! Looks up the calls of a batch's failed messages, which the table knows by the hash of their ids.

use super::grouping::is_ours;
use super::{Intake, UnknownNumbers};
use call::CallRef;
use futures_util::{StreamExt, TryStreamExt};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use whatsapp::{Notice, NoticeKind};

/// How many messages are looked up concurrently.
const AT_ONCE: usize = 16;

/// A failure reported within this time of its stamp may arrive before the message's reference is stored, ms.
const FRESH_MS: u64 = 60_000;

/// The pause before a fresh failure is looked up again.
const PAUSE: Duration = Duration::from_secs(1);

/// The messages of a batch that we sent, with their calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentMessages(HashMap<String, CallRef>);

impl SentMessages {
    /// Returns the call of a message that we sent.
    pub(super) fn call_of(&self, message: &str) -> Option<&CallRef> {
        self.0.get(message)
    }
}

impl Intake {
    /// Looks up the calls of failed messages: one read per message, none for a batch without failures.
    ///
    /// The reference of a message that has just failed may not be stored yet, so fresh failures of our numbers are looked up again after a
    /// second. Another app's messages cost a batch that second at most.
    ///
    /// # Errors
    /// When DynamoDB fails: Meta must send the batch again.
    pub async fn sent_messages(
        &self,
        notices: &[Notice],
        unknown_numbers: &UnknownNumbers,
        now_ms: u64,
    ) -> anyhow::Result<SentMessages> {
        let mut sent = self.calls_of(notices.iter().filter_map(failed)).await?;
        let may_be_stored_soon =
            |notice: &&Notice| is_ours(notice, &self.settings, unknown_numbers) && is_fresh(notice, now_ms);
        let fresh = notices.iter().filter(may_be_stored_soon).filter_map(failed);
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
    ) -> anyhow::Result<HashMap<String, CallRef>> {
        let failed: HashSet<String> = messages.map(str::to_owned).collect();
        let asked = futures_util::stream::iter(failed).map(|message| async move {
            let call_ref = self.store.call_of_message(&message).await?;
            anyhow::Ok(call_ref.map(|call_ref| (message, call_ref)))
        });
        let found: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// Whether a failure may precede the message's reference; a notice without a stamp counts as old.
fn is_fresh(notice: &Notice, now_ms: u64) -> bool {
    notice.stamped_at.is_some_and(|seconds| seconds.saturating_mul(1_000).abs_diff(now_ms) < FRESH_MS)
}

fn failed(notice: &Notice) -> Option<&str> {
    match &notice.what {
        NoticeKind::MessageFailed { message, .. } => Some(message),
        _ => None,
    }
}
