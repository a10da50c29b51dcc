//! Records what a batch tells of one call, together with what it does to the call's state.

use super::conditional_write::Written;
use super::grouping::{NoticeGroup, ReportedCall, Standing};
use super::journal_events::event_of;
use super::other_notices::keep_content;
use super::{IntakeResult, IntakeSettings};
use crate::call_store::{CallStore, Known, item};
use crate::stored_call::{HungUp, StoredCall};
use crate::unreadable_calls::UnreadableCalls;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use call::{Effect, Phase as Stage, Timestamp};
use internal_api::keys;
use internal_api::order::Order;
use journal::{EntryBuilder, EntryContext, JournalEntry, JournalPhase};
use store::items::{Item, entry_item, number, text, to_item};
use whatsapp::{Notice, NoticeKind};

impl CallStore {
    /// Records a group, each thing of it once, and says what to do about it.
    ///
    /// # Errors
    /// When it could not be recorded: Meta must send it again.
    pub async fn take_in(
        &self,
        group: &NoticeGroup,
        house: &IntakeSettings,
        now_ms: u64,
    ) -> anyhow::Result<IntakeResult> {
        match group {
            NoticeGroup::Apart(notice) => self.take_in_apart(notice, now_ms).await,
            NoticeGroup::Call { call_ref, told } => match self.record(call_ref, told, house, now_ms).await? {
                Recorded::Now(taken) => Ok(taken),
                Recorded::Not if told.len() > 1 => self.take_in_singly(call_ref, told, house, now_ms).await,
                Recorded::Not => Ok(IntakeResult::default()),
            },
        }
    }

    /// Part of a group was recorded before, or fits nowhere. The rest must not be lost for it.
    async fn take_in_singly(
        &self,
        call_ref: &str,
        told: &[ReportedCall],
        house: &IntakeSettings,
        now_ms: u64,
    ) -> anyhow::Result<IntakeResult> {
        let mut all = IntakeResult::default();
        for one in told {
            if let Recorded::Now(taken) =
                self.record(call_ref, std::slice::from_ref(one), house, now_ms).await?
            {
                all.entries.extend(taken.entries);
                all.tick = all.tick.or(taken.tick);
                all.orders.extend(taken.orders);
            }
        }
        Ok(all)
    }

    async fn record(
        &self,
        call_ref: &str,
        told: &[ReportedCall],
        house: &IntakeSettings,
        now_ms: u64,
    ) -> anyhow::Result<Recorded> {
        let entries: Vec<_> = told.iter().map(|told| entry(call_ref, told, now_ms)).collect();
        let items: Vec<_> = told.iter().zip(&entries).map(|(told, entry)| noted(told, entry)).collect();
        let state = self.change(call_ref, told, house, now_ms);
        let tick = state.is_some().then(|| call_ref.to_owned());
        let orders = orders(call_ref, told);
        let written = match (<[Item; 1]>::try_from(items), state) {
            (Ok([alone]), None) => self.put_once(alone).await?,
            (Ok([alone]), Some(state)) => self.write_all(vec![self.once(alone), state]).await?,
            (Err(items), state) => {
                self.write_all(items.into_iter().map(|item| self.once(item)).chain(state).collect()).await?
            }
        };
        match (written, told) {
            (Written::Now, _) => Ok(Recorded::Now(IntakeResult { entries, tick, orders })),
            // The order may have been lost when it was recorded: given twice, it does no harm.
            (Written::Before(_), [_]) if !orders.is_empty() => {
                Ok(Recorded::Now(IntakeResult { orders, ..IntakeResult::default() }))
            }
            (Written::Before(before), [alone]) => self.again(call_ref, alone, entries, &before).await,
            (Written::Unfit(why), [alone]) => {
                self.take_in_unfit(&alone.notice, &why, now_ms).await?;
                Ok(Recorded::Not)
            }
            (Written::Before(_) | Written::Unfit(_), _) => Ok(Recorded::Not),
        }
    }

    /// Meta sends again what it thinks we missed. A `connect` that nobody has taken up is taken up now; one whose
    /// call is over already, or whose place is taken, is only written down.
    async fn again(
        &self,
        call_ref: &str,
        told: &ReportedCall,
        entries: Vec<JournalEntry>,
        before: &[bool],
    ) -> anyhow::Result<Recorded> {
        if !matches!(told.notice.what, NoticeKind::Offer(_)) || told.standing == Standing::NotOurs {
            return Ok(Recorded::Not);
        }
        if before == [false, true] {
            let noted = entries.iter().map(|entry| noted(told, entry));
            for item in noted {
                self.put_once(item).await?;
            }
            return Ok(Recorded::Now(IntakeResult { entries, ..IntakeResult::default() }));
        }
        let known = match self.load(call_ref).await {
            // Sent again, it would be no easier to read.
            Err(error) if error.is::<UnreadableCalls>() => return Ok(Recorded::Not),
            known => known?,
        };
        Ok(match known {
            Known::Call(record) if is_untouched(&record) => {
                Recorded::Now(IntakeResult { tick: Some(call_ref.to_owned()), ..IntakeResult::default() })
            }
            Known::Call(_) | Known::Nothing | Known::OnlyItsEnd => Recorded::Not,
        })
    }

    fn once(&self, of: Item) -> TransactWriteItem {
        let put = self.put(of).condition_expression("attribute_not_exists(#pk)");
        item(put.expression_attribute_names("#pk", "pk"))
    }

    /// What the notices do to the call's state: one change, since a transaction touches an item once.
    fn change(
        &self,
        call_ref: &str,
        told: &[ReportedCall],
        house: &IntakeSettings,
        now_ms: u64,
    ) -> Option<TransactWriteItem> {
        let ours = || told.iter().filter(|told| told.standing == Standing::Ours).map(|told| &told.notice);
        let over = ours().find_map(hung_up);
        let Some((notice, offer)) = ours().find_map(|notice| Some((notice, offer(notice)?))) else {
            return over.map(|over| self.note_end(call_ref, &over, now_ms));
        };
        let (wacid, number) = (notice.call_id()?, notice.number()?);
        let now = Timestamp(now_ms);
        let ringing = StoredCall::ringing(wacid, number, offer, &notice.caller, now, house.ring_budget);
        Some(self.once(to_item(&StoredCall { hung_up: over, ..ringing })))
    }

    /// Lays Meta's word beside the state, where whoever saves the call next must take it up. Where there is no state
    /// yet, this is all there will be: a late `connect` finds the place taken.
    fn note_end(&self, call_ref: &str, over: &HungUp, now_ms: u64) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(keys::call(call_ref)))
            .key("sk", text(keys::STATE))
            .update_expression("SET #over = :over, #due = :due, #when = :now, #ttl = if_not_exists(#ttl, :ttl) ADD #version :one")
            .expression_attribute_names("#over", "hung_up")
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_names("#due", "gsi1pk")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":over", AttributeValue::M(to_item(over)))
            .expression_attribute_values(":due", text(keys::DUE))
            .expression_attribute_values(":now", text(keys::sortable(now_ms)))
            .expression_attribute_values(":ttl", number(keys::forget_at(now_ms)))
            .expression_attribute_values(":one", number(1));
        let update = update.build().expect("key and expression are set");
        TransactWriteItem::builder().update(update).build()
    }
}

enum Recorded {
    Now(IntakeResult),
    Not,
}

/// What call-control has to hear of it, besides that the call wants a look.
fn orders(call_ref: &str, told: &[ReportedCall]) -> Vec<Order> {
    let order = |told: &ReportedCall| match &told.notice.what {
        NoticeKind::MessageFailed { message, .. } => {
            Some(Order::MessageFailed { call_ref: call_ref.to_owned(), message: message.clone() })
        }
        _ => None,
    };
    told.iter().filter_map(order).collect()
}

fn offer(notice: &Notice) -> Option<&str> {
    match &notice.what {
        NoticeKind::Offer(offer) => Some(offer),
        _ => None,
    }
}

fn hung_up(notice: &Notice) -> Option<HungUp> {
    match &notice.what {
        NoticeKind::Over { errors, .. } => Some(HungUp { errors: errors.clone() }),
        _ => None,
    }
}

fn is_untouched(record: &StoredCall) -> bool {
    let call = &record.call;
    call.phase == Stage::Ringing && call.attempts == 0 && call.pending == [Effect::AssignTask]
}

/// Each notice of a call is written by a writer of its own name, at the same place whenever it comes: that it is there
/// already is how a repeat is known.
fn entry(call_ref: &str, told: &ReportedCall, now_ms: u64) -> JournalEntry {
    let Notice { event, status, digest, .. } = &told.notice;
    let writer = [event, status, digest].into_iter().filter(|part| !part.is_empty());
    let writer = writer.fold("webhook".to_owned(), |writer, part| writer + "-" + part);
    // Of a call that it does not look up, the webhook knows what it is told just now.
    let (rang_at_ms, phase) = match &told.notice.what {
        NoticeKind::Offer(_) => (Some(now_ms), Some(JournalPhase::Ringing)),
        NoticeKind::Over { .. } => (None, Some(JournalPhase::Over)),
        _ => (None, None),
    };
    let place = EntryContext { number: told.notice.number().map(str::to_owned), task: None, phase };
    EntryBuilder::new(call_ref, &writer, rang_at_ms, 0).at(place).enter(event_of(told), now_ms)
}

fn noted(told: &ReportedCall, entry: &JournalEntry) -> Item {
    let mut item = entry_item(entry);
    if let Some(seconds) = told.notice.stamped_at {
        item.insert("stamped_at".to_owned(), number(seconds));
    }
    keep_content(&mut item, &told.notice);
    item
}
