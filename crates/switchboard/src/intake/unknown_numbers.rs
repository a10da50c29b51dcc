//! Finds out which numbers of a batch are not ours, where the table must be asked for that.

use super::{IntakeSettings, KnownNumbers};
use crate::call_store::CallStore;
use std::collections::HashSet;
use store::Store;
use whatsapp::{Notice, NoticeKind};

/// The numbers in a batch that are not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownNumbers(HashSet<String>);

impl CallStore {
    /// Asks the table about the numbers that are called, or written to: one read for each, and none where our numbers are listed.
    ///
    /// What Meta tells of a call that has begun is taken for ours: if it is not, there is no state that it could change.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked: Meta must send it again.
    pub async fn strangers(
        &self,
        notices: &[Notice],
        house: &IntakeSettings,
    ) -> anyhow::Result<UnknownNumbers> {
        if house.numbers != KnownNumbers::WithAgents {
            return Ok(UnknownNumbers::default());
        }
        let called = notices.iter().filter(|notice| asks(&notice.what));
        let called: HashSet<&str> = called.filter_map(Notice::number).collect();
        let ledger = Store::new(self.client.clone(), &self.table);
        let settings = called.into_iter().map(async |number| {
            let is_strange = ledger.number(number).await?.agent.is_none();
            anyhow::Ok(is_strange.then(|| number.to_owned()))
        });
        let asked = futures_util::future::try_join_all(settings).await?;
        Ok(UnknownNumbers(asked.into_iter().flatten().collect()))
    }
}

/// Whether what it says counts only for a number of ours.
fn asks(what: &NoticeKind) -> bool {
    matches!(what, NoticeKind::Offer(_) | NoticeKind::UserChanged { .. } | NoticeKind::MessageFailed { .. })
}

impl IntakeSettings {
    /// Whether a number is ours, given what was found out about those in its batch.
    pub(super) fn has(&self, number: &str, strangers: &UnknownNumbers) -> bool {
        match &self.numbers {
            KnownNumbers::Listed(ours) => ours.iter().any(|ours| ours == number),
            KnownNumbers::WithAgents => !strangers.0.contains(number),
        }
    }
}
