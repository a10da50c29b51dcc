//! Records a batch's notices of one call in the transaction that changes the call's state.

use super::grouping::{NoticeGroup, ReportedCall, Standing};
use super::journal_events::event_of;
use super::other_notices::kept_content;
use super::{Intake, IntakeResult};
use call::{CallRef, CallerDetails, Effect, NumberId, Phase, Stage, Timestamp};
use internal_api::order::Order;
use journal::{EntryBuilder, EntryContext, JournalEntry};
use store::{CallReport, CallerNames, HungUp, LoadedCall, ReportedChange, StoredCall, Written};
use whatsapp::{Caller, ConnectDetails, Notice, NoticeKind};

impl Intake {
    /// Records each notice of a group once, and returns what to do about it.
    ///
    /// # Errors
    /// When DynamoDB fails: Meta must send the batch again.
    pub async fn record_group(&self, group: &NoticeGroup, now_ms: u64) -> anyhow::Result<IntakeResult> {
        match group {
            NoticeGroup::Other(notice) => self.record_other(notice, now_ms).await,
            NoticeGroup::Call { call_ref, reports } => match self.record(call_ref, reports, now_ms).await? {
                Recorded::Now(result) => Ok(result),
                Recorded::Nothing if reports.len() > 1 => self.record_each(call_ref, reports, now_ms).await,
                Recorded::Nothing => Ok(IntakeResult::default()),
            },
        }
    }

    /// Records the notices one by one when part of the group exists already or is unfit, so that the rest is not lost.
    async fn record_each(
        &self,
        call_ref: &CallRef,
        reports: &[ReportedCall],
        now_ms: u64,
    ) -> anyhow::Result<IntakeResult> {
        let mut all = IntakeResult::default();
        for report in reports {
            if let Recorded::Now(result) = self.record(call_ref, std::slice::from_ref(report), now_ms).await?
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
        call_ref: &CallRef,
        reports: &[ReportedCall],
        now_ms: u64,
    ) -> anyhow::Result<Recorded> {
        let records: Vec<_> = reports.iter().map(|report| record_of(call_ref, report, now_ms)).collect();
        let change = self.reported_change(reports, now_ms);
        let tick = change.is_some().then(|| call_ref.clone());
        let orders = orders(call_ref, reports);
        let written = self.store.record_reports(call_ref, &records, change.as_ref(), now_ms).await?;
        match (written, reports) {
            (Written::Done, _) => {
                let entries = records.into_iter().map(|record| record.entry).collect();
                Ok(Recorded::Now(IntakeResult { entries, tick, orders }))
            }
            // The order may have been lost after the notice was recorded; a repeated one does no harm.
            (Written::Exists(_), [_]) if !orders.is_empty() => {
                Ok(Recorded::Now(IntakeResult { orders, ..IntakeResult::default() }))
            }
            (Written::Exists(before), [alone]) => {
                self.record_redelivery(call_ref, alone, records, &before, now_ms).await
            }
            (Written::Permanent(why), [alone]) => {
                self.record_unfit(&alone.notice, &why, now_ms).await?;
                Ok(Recorded::Nothing)
            }
            (Written::Exists(_) | Written::Permanent(_), _) => Ok(Recorded::Nothing),
        }
    }

    /// Handles a redelivered notice: a `connect` that call-control has not picked up is ticked again; one whose call is over, or whose
    /// state item exists, is only recorded.
    async fn record_redelivery(
        &self,
        call_ref: &CallRef,
        report: &ReportedCall,
        records: Vec<CallReport>,
        before: &[bool],
        now_ms: u64,
    ) -> anyhow::Result<Recorded> {
        if !matches!(report.notice.what, NoticeKind::Offer(_)) || report.standing == Standing::NotOurs {
            return Ok(Recorded::Nothing);
        }
        if before == [false, true] {
            for record in &records {
                self.store.record_reports(call_ref, std::slice::from_ref(record), None, now_ms).await?;
            }
            let entries = records.into_iter().map(|record| record.entry).collect();
            return Ok(Recorded::Now(IntakeResult { entries, ..IntakeResult::default() }));
        }
        Ok(match self.store.load_call(call_ref).await? {
            LoadedCall::Found(record) if is_untouched(&record) => {
                Recorded::Now(IntakeResult { tick: Some(call_ref.clone()), ..IntakeResult::default() })
            }
            // A redelivery of an unreadable call would be no easier to read.
            LoadedCall::Found(_) | LoadedCall::Missing | LoadedCall::EndOnly | LoadedCall::Unreadable(_) => {
                Recorded::Nothing
            }
        })
    }

    /// Returns the change of the call's state, if the notices change it.
    fn reported_change(&self, reports: &[ReportedCall], now_ms: u64) -> Option<ReportedChange> {
        let ours =
            || reports.iter().filter(|report| report.standing == Standing::Ours).map(|report| &report.notice);
        let over = ours().find_map(hung_up);
        let Some((notice, offer)) = ours().find_map(|notice| Some((notice, offer(notice)?))) else {
            return over.map(ReportedChange::HungUp);
        };
        let (wacid, number) = (notice.call_id()?, notice.number()?);
        let Caller { number: phone, user_id } = notice.caller.clone();
        let (caller, now) = (CallerNames { number: phone, user_id }, Timestamp(now_ms));
        let mut call =
            StoredCall::ringing(wacid, &number.into(), offer, caller, now, self.settings.ring_budget);
        call.details = details(notice);
        call.hung_up = over;
        Some(ReportedChange::Rings(Box::new(call)))
    }
}

enum Recorded {
    Now(IntakeResult),
    Nothing,
}

/// Returns the orders for call-control that a group leads to, besides the tick.
fn orders(call_ref: &CallRef, reports: &[ReportedCall]) -> Vec<Order> {
    let order = |report: &ReportedCall| match &report.notice.what {
        NoticeKind::MessageFailed { message, .. } => {
            Some(Order::MessageFailed { call_ref: call_ref.clone(), message: message.clone() })
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

/// Returns what a `connect` says of the caller; number and user id are elsewhere.
fn details(notice: &Notice) -> Option<CallerDetails> {
    let ConnectDetails { name, username, deeplink_payload, cta_payload, called_number } =
        notice.details.clone();
    let details = CallerDetails {
        name,
        username,
        deeplink_payload,
        cta_payload,
        called_number,
        ..CallerDetails::default()
    };
    (!details.is_empty()).then_some(details)
}

fn hung_up(notice: &Notice) -> Option<HungUp> {
    match &notice.what {
        NoticeKind::Over { errors, .. } => Some(HungUp { errors: errors.clone() }),
        _ => None,
    }
}

/// Whether call-control has done nothing about the call yet.
pub(super) fn is_untouched(record: &StoredCall) -> bool {
    let call = &record.call;
    call.phase == Phase::Ringing && call.attempts == 0 && call.pending == [Effect::AssignTask]
}

/// Returns the journal entry of a notice, under a writer name made of the notice's event, status and digest: a redelivery gets the same key
/// and is recognized by it.
fn entry(call_ref: &CallRef, report: &ReportedCall, now_ms: u64) -> JournalEntry {
    let Notice { event, status, digest, .. } = &report.notice;
    let writer = [event, status, digest].into_iter().filter(|part| !part.is_empty());
    let writer = writer.fold("webhook".to_owned(), |writer, part| writer + "-" + part);
    // The webhook does not load the call, so the entry's context is what this notice says.
    let (rang_at_ms, phase) = match &report.notice.what {
        NoticeKind::Offer(_) => (Some(now_ms), Some(Stage::Ringing)),
        NoticeKind::Over { .. } => (None, Some(Stage::Over)),
        _ => (None, None),
    };
    let (number, phase) = (report.notice.number().map(NumberId::from), phase.map(Into::into));
    let context = EntryContext { number, phase, ..EntryContext::default() };
    EntryBuilder::new(call_ref, &writer, rang_at_ms, 0).at(context).enter(event_of(report), now_ms)
}

fn record_of(call_ref: &CallRef, report: &ReportedCall, now_ms: u64) -> CallReport {
    let notice = &report.notice;
    CallReport {
        entry: entry(call_ref, report, now_ms),
        stamped_at: notice.stamped_at,
        content: kept_content(notice).map(str::to_owned),
    }
}
