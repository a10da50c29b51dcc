//! The webhook's half: records what Meta tells us about calls, each thing once.

use crate::record::{HungUp, Record, call_ref};
use crate::store::{Known, Store, item};
use anyhow::Context;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use call::{Effect, Phase, Timestamp};
use journal::{Entry, Event, Journal};
use ledger::items::{Item, entry_item, number, text, to_item};
use protocol::keys;
use std::time::Duration;
use whatsapp::{Notice, What};

/// What to do about a notice once it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Have call-control look at the call now.
    Tick {
        /// The call.
        call_ref: String,
    },
    /// Nothing.
    Nothing,
}

/// Which calls are answered, and for how long they may ring.
#[derive(Debug, Clone)]
pub struct House {
    /// The ids of the business numbers that are ours. Meta tells every app of an account about all of its numbers.
    pub numbers: Vec<String>,
    /// How long a call may ring before it is refused.
    pub ring_budget: Duration,
}

impl Store {
    /// Records a notice, once, and says what to do about it. With it goes the line for the log.
    ///
    /// # Errors
    /// When it could not be recorded: Meta must send it again.
    pub async fn take_in(
        &self,
        notice: &Notice,
        house: &House,
        now_ms: u64,
    ) -> anyhow::Result<(Next, Option<Entry>)> {
        let call_ref = call_ref(&notice.call_id);
        let is_ours = house.numbers.contains(&notice.number);
        let entry =
            Journal::new(&call_ref, &writer(notice), now_ms, 0).enter(event_of(notice, is_ours), now_ms);
        let mut writes = vec![self.once(&call_ref, notice, now_ms), item(self.put(entry_item(&entry)))];
        if is_ours {
            writes.extend(self.change(notice, house, now_ms));
        }
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok((next_for(notice, is_ours, call_ref), Some(entry))),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_transaction_canceled_exception()) => {
                Ok((self.next_for_repeat(notice, is_ours, call_ref).await?, None))
            }
            Err(error) => Err(error).context("cannot record a notice"),
        }
    }

    fn once(&self, call_ref: &str, notice: &Notice, now_ms: u64) -> TransactWriteItem {
        let fields = [
            ("pk", text(keys::call(call_ref))),
            ("sk", text(keys::notice(&notice.event, &notice.status))),
            ("at_ms", number(now_ms)),
            ("number", text(&notice.number)),
        ];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
        let put = self.put(fields.collect::<Item>()).condition_expression("attribute_not_exists(#pk)");
        item(put.expression_attribute_names("#pk", "pk"))
    }

    /// What a notice does to the call's state.
    fn change(&self, notice: &Notice, house: &House, now_ms: u64) -> Option<TransactWriteItem> {
        match &notice.what {
            What::Offer(offer) => {
                let (wacid, number) = (&notice.call_id, &notice.number);
                let now = Timestamp(now_ms);
                let record = Record::ringing(wacid, number, offer, &notice.caller, now, house.ring_budget);
                let put = self.put(to_item(&record)).condition_expression("attribute_not_exists(#pk)");
                Some(item(put.expression_attribute_names("#pk", "pk")))
            }
            What::Over { errors } => Some(self.note_end(notice, errors, now_ms)),
            What::Other => None,
        }
    }

    /// Lays Meta's word beside the state, where whoever saves the call next must take it up. Where there is no state
    /// yet, this is all there will be: a late `connect` finds the place taken.
    fn note_end(&self, notice: &Notice, errors: &[u64], now_ms: u64) -> TransactWriteItem {
        let hung_up = AttributeValue::M(to_item(&HungUp { errors: errors.to_vec() }));
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(keys::call(&call_ref(&notice.call_id))))
            .key("sk", text(keys::STATE))
            .update_expression("SET #over = :over, #due = :due, #when = :now ADD #version :one")
            .expression_attribute_names("#over", "hung_up")
            .expression_attribute_names("#due", "gsi1pk")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":over", hung_up)
            .expression_attribute_values(":due", text(keys::DUE))
            .expression_attribute_values(":now", text(keys::sortable(now_ms)))
            .expression_attribute_values(":one", number(1));
        let update = update.build().expect("key and expression are set");
        TransactWriteItem::builder().update(update).build()
    }

    /// Meta sends again what it thinks we missed. A `connect` that nobody has taken up is taken up now.
    async fn next_for_repeat(
        &self,
        notice: &Notice,
        is_ours: bool,
        call_ref: String,
    ) -> anyhow::Result<Next> {
        if !is_ours || !matches!(notice.what, What::Offer(_)) {
            return Ok(Next::Nothing);
        }
        Ok(match self.load(&call_ref).await? {
            Known::Call(record) if is_untouched(&record) => Next::Tick { call_ref },
            Known::Call(_) | Known::Nothing | Known::OnlyItsEnd => Next::Nothing,
        })
    }
}

fn is_untouched(record: &Record) -> bool {
    let call = &record.call;
    call.phase == Phase::Ringing && call.attempts == 0 && call.pending == [Effect::FindSeat]
}

fn next_for(notice: &Notice, is_ours: bool, call_ref: String) -> Next {
    match notice.what {
        What::Offer(_) | What::Over { .. } if is_ours => Next::Tick { call_ref },
        What::Offer(_) | What::Over { .. } | What::Other => Next::Nothing,
    }
}

fn event_of(notice: &Notice, is_ours: bool) -> Event {
    match &notice.what {
        _ if !is_ours => Event::NotOurs { number: notice.number.clone() },
        What::Offer(_) => Event::Connect { number: notice.number.clone() },
        What::Over { .. } | What::Other => {
            Event::Notice { notice: notice.event.clone(), status: notice.status.clone() }
        }
    }
}

/// Each notice of a call is written by a writer of its own name, so that their entries do not collide.
fn writer(notice: &Notice) -> String {
    format!("webhook-{}{}", notice.event, notice.status)
}
