//! Records a batch's notices of one call in the transaction that changes the call's state.

use super::conditional_write::Written;
use super::grouping::{NoticeGroup, ReportedCall, Standing};
use super::journal_events::event_of;
use super::other_notices::keep_content;
use super::{IntakeResult, IntakeSettings};
use crate::call_store::{CallStore, LoadedCall, transact_put};
use crate::stored_call::{HungUp, StoredCall};
use crate::unreadable_calls::UnreadableCalls;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use call::{Effect, Phase, Stage, Timestamp};
use internal_api::order::Order;
use journal::{EntryBuilder, EntryContext, JournalEntry};
use store::items::{Item, entry_item, number, text, to_item};
use store::keys;
use whatsapp::{Notice, NoticeKind};

impl CallStore {
    /// Records each notice of a group once, and returns what to do about it.
    ///
    /// # Errors
    /// When DynamoDB fails: Meta must send the batch again.
    pub async fn record_group(
        &self,
        group: &NoticeGroup,
        settings: &IntakeSettings,
        now_ms: u64,
    ) -> anyhow::Result<IntakeResult> {
        match group {
            NoticeGroup::Other(notice) => self.record_other(notice, now_ms).await,
            NoticeGroup::Call { call_ref, reports } => {
                match self.record(call_ref, reports, settings, now_ms).await? {
                    Recorded::Now(result) => Ok(result),
                    Recorded::Nothing if reports.len() > 1 => {
                        self.record_each(call_ref, reports, settings, now_ms).await
                    }
                    Recorded::Nothing => Ok(IntakeResult::default()),
                }
            }
        }
    }

    /// Records the notices one by one when part of the group exists already or is unfit, so that the rest is not lost.
    async fn record_each(
        &self,
        call_ref: &str,
        reports: &[ReportedCall],
        settings: &IntakeSettings,
        now_ms: u64,
    ) -> anyhow::Result<IntakeResult> {
        let mut all = IntakeResult::default();
        for report in reports {
            if let Recorded::Now(result) =
                self.record(call_ref, std::slice::from_ref(report), settings, now_ms).await?
            {
                all.entries.extend(result.entries);
                all.tick = all.tick.or(result.tick);
                all.orders.extend(result.orders);
            }
        }
        Ok(all)
    }

    async fn record(
        &self,
        call_ref: &str,
        reports: &[ReportedCall],
        settings: &IntakeSettings,
        now_ms: u64,
    ) -> anyhow::Result<Recorded> {
        let entries: Vec<_> = reports.iter().map(|report| entry(call_ref, report, now_ms)).collect();
        let items: Vec<_> =
            reports.iter().zip(&entries).map(|(report, entry)| journal_item(report, entry)).collect();
        let state = self.state_write(call_ref, reports, settings, now_ms);
        let tick = state.is_some().then(|| call_ref.to_owned());
        let orders = orders(call_ref, reports);
        let written = match (<[Item; 1]>::try_from(items), state) {
            (Ok([alone]), None) => self.put_once(alone).await?,
            (Ok([alone]), Some(state)) => self.write_all(vec![self.put_if_absent(alone), state]).await?,
            (Err(items), state) => {
                self.write_all(items.into_iter().map(|item| self.put_if_absent(item)).chain(state).collect())
                    .await?
            }
        };
        match (written, reports) {
            (Written::Done, _) => Ok(Recorded::Now(IntakeResult { entries, tick, orders })),
            // The order may have been lost after the notice was recorded; a repeated one does no harm.
            (Written::Exists(_), [_]) if !orders.is_empty() => {
                Ok(Recorded::Now(IntakeResult { orders, ..IntakeResult::default() }))
            }
            (Written::Exists(before), [alone]) => {
                self.record_redelivery(call_ref, alone, entries, &before).await
            }
            (Written::Unfit(why), [alone]) => {
                self.record_unfit(&alone.notice, &why, now_ms).await?;
                Ok(Recorded::Nothing)
            }
            (Written::Exists(_) | Written::Unfit(_), _) => Ok(Recorded::Nothing),
        }
    }

    /// Handles a redelivered notice: a `connect` that call-control has not picked up is ticked again; one whose call is over, or whose
    /// state item exists, is only recorded.
    async fn record_redelivery(
        &self,
        call_ref: &str,
        report: &ReportedCall,
        entries: Vec<JournalEntry>,
        before: &[bool],
    ) -> anyhow::Result<Recorded> {
        if !matches!(report.notice.what, NoticeKind::Offer(_)) || report.standing == Standing::NotOurs {
            return Ok(Recorded::Nothing);
        }
        if before == [false, true] {
            let items = entries.iter().map(|entry| journal_item(report, entry));
            for item in items {
                self.put_once(item).await?;
            }
            return Ok(Recorded::Now(IntakeResult { entries, ..IntakeResult::default() }));
        }
        let known = match self.load(call_ref).await {
            // A redelivery would be no easier to read.
            Err(error) if error.is::<UnreadableCalls>() => return Ok(Recorded::Nothing),
            known => known?,
        };
        Ok(match known {
            LoadedCall::Found(record) if is_untouched(&record) => {
                Recorded::Now(IntakeResult { tick: Some(call_ref.to_owned()), ..IntakeResult::default() })
            }
            LoadedCall::Found(_) | LoadedCall::Missing | LoadedCall::EndOnly => Recorded::Nothing,
        })
    }

    fn put_if_absent(&self, item: Item) -> TransactWriteItem {
        let put = self.put(item).condition_expression("attribute_not_exists(#pk)");
        transact_put(put.expression_attribute_names("#pk", "pk"))
    }

    /// Returns the write to the call's state, if the notices change it: a single one, because a transaction may touch an item only once.
    fn state_write(
        &self,
        call_ref: &str,
        reports: &[ReportedCall],
        settings: &IntakeSettings,
        now_ms: u64,
    ) -> Option<TransactWriteItem> {
        let ours =
            || reports.iter().filter(|report| report.standing == Standing::Ours).map(|report| &report.notice);
        let over = ours().find_map(hung_up);
        let Some((notice, offer)) = ours().find_map(|notice| Some((notice, offer(notice)?))) else {
            return over.map(|over| self.terminate_write(call_ref, &over, now_ms));
        };
        let (wacid, number) = (notice.call_id()?, notice.number()?);
        let now = Timestamp(now_ms);
        let ringing = StoredCall::ringing(wacid, number, offer, &notice.caller, now, settings.ring_budget);
        Some(self.put_if_absent(to_item(&StoredCall { hung_up: over, ..ringing })))
    }

    /// Returns the write that stores Meta's `terminate` beside the state and increments the version, so that the next save must take it in.
    ///
    /// Where there is no state yet, the item stays without one: a late `connect` finds the key taken.
    fn terminate_write(&self, call_ref: &str, over: &HungUp, now_ms: u64) -> TransactWriteItem {
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
    Nothing,
}

/// Returns the orders for call-control that a group leads to, besides the tick.
fn orders(call_ref: &str, reports: &[ReportedCall]) -> Vec<Order> {
    let order = |report: &ReportedCall| match &report.notice.what {
        NoticeKind::MessageFailed { message, .. } => {
            Some(Order::MessageFailed { call_ref: call_ref.to_owned(), message: message.clone() })
        }
        _ => None,
    };
    reports.iter().filter_map(order).collect()
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
    call.phase == Phase::Ringing && call.attempts == 0 && call.pending == [Effect::AssignTask]
}

/// Returns the journal entry of a notice, under a writer name made of the notice's event, status and digest: a redelivery gets the same key
/// and is recognized by it.
fn entry(call_ref: &str, report: &ReportedCall, now_ms: u64) -> JournalEntry {
    let Notice { event, status, digest, .. } = &report.notice;
    let writer = [event, status, digest].into_iter().filter(|part| !part.is_empty());
    let writer = writer.fold("webhook".to_owned(), |writer, part| writer + "-" + part);
    // The webhook does not load the call, so the entry's context is what this notice says.
    let (rang_at_ms, phase) = match &report.notice.what {
        NoticeKind::Offer(_) => (Some(now_ms), Some(Stage::Ringing)),
        NoticeKind::Over { .. } => (None, Some(Stage::Over)),
        _ => (None, None),
    };
    let (number, phase) = (report.notice.number().map(str::to_owned), phase.map(Into::into));
    let context = EntryContext { number, task: None, phase };
    EntryBuilder::new(call_ref, &writer, rang_at_ms, 0).at(context).enter(event_of(report), now_ms)
}

fn journal_item(report: &ReportedCall, entry: &JournalEntry) -> Item {
    let mut item = entry_item(entry);
    if let Some(seconds) = report.notice.stamped_at {
        item.insert("stamped_at".to_owned(), number(seconds));
    }
    keep_content(&mut item, &report.notice);
    item
}
