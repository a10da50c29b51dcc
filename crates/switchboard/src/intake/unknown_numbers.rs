//! Looks up which of a batch's numbers are not ours, when our numbers are those with an agent.

use super::{Intake, IntakeSettings, KnownNumbers};
use call::NumberId;
use std::collections::HashSet;
use whatsapp::{Notice, NoticeKind};

/// The numbers in a batch that are not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownNumbers(HashSet<NumberId>);

impl Intake {
    /// Looks up the settings of the numbers that are called or written to: one read for each, none where our numbers are listed.
    ///
    /// Later notices of a call count as ours without a read: if they are not, there is no state for them to change.
    ///
    /// # Errors
    /// When DynamoDB fails: Meta must send the batch again.
    pub async fn unknown_numbers(&self, notices: &[Notice]) -> anyhow::Result<UnknownNumbers> {
        if self.settings.numbers != KnownNumbers::WithAgents {
            return Ok(UnknownNumbers::default());
        }
        let called = notices.iter().filter(|notice| needs_our_number(&notice.what));
        let called: HashSet<_> = called.filter_map(Notice::number).map(NumberId::from).collect();
        let unknown = called.into_iter().map(async |number| {
            let is_unknown = self.store.number(&number).await?.agent.is_none();
            anyhow::Ok(is_unknown.then_some(number))
        });
        let asked = futures_util::future::try_join_all(unknown).await?;
        Ok(UnknownNumbers(asked.into_iter().flatten().collect()))
    }
}

/// Whether a notice of this kind counts only for a number of ours.
fn needs_our_number(what: &NoticeKind) -> bool {
    matches!(what, NoticeKind::Offer(_) | NoticeKind::UserChanged { .. } | NoticeKind::MessageFailed { .. })
}

impl IntakeSettings {
    /// Whether a number is ours, given the batch's unknown numbers.
    pub(super) fn includes(&self, number: &NumberId, unknown_numbers: &UnknownNumbers) -> bool {
        match &self.numbers {
            KnownNumbers::Listed(ours) => ours.iter().any(|ours| ours == number),
            KnownNumbers::WithAgents => !unknown_numbers.0.contains(number),
        }
    }
}
