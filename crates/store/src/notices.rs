//! Notices as the webhook records them, each once: about a call, in the transaction that changes the call's state; about a number or an
//! account; and a hash of those that DynamoDB does not accept.

use crate::error::{Context, Result};
use crate::items::{Item, number, text, to_item};
use crate::journal_entries::entry_item;
use crate::table::Written;
use crate::{HungUp, Store, StoredCall, keys};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use call::{CallRef, NumberId};
use journal::JournalEntry;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What a failed write of a notice says.
const CANNOT_RECORD: &str = "cannot record a notice";

/// How much of an unacceptable notice is kept, bytes.
const HEAD: usize = 16 * 1024;

/// A notice about a call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallReport {
    /// Its journal entry, under a key made of the notice's content: a redelivery gets the same key and is recognized by it.
    pub entry: JournalEntry,
    /// Meta's stamp, seconds since 1970.
    pub stamped_at: Option<u64>,
    /// The notice's JSON, where it is kept. It may name people.
    pub content: Option<String>,
}

/// The change of a call's state that its reports lead to: a single one, because a transaction may touch an item only once.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportedChange {
    /// The call begins to ring.
    Rings(Box<StoredCall>),
    /// Meta has ended the call.
    HungUp(HungUp),
}

/// Whom a notice without a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeOwner<'a> {
    /// The business number with this id.
    Number(NumberId),
    /// The WhatsApp business account with this id.
    Account(&'a str),
}

/// A notice about a number or an account. `caller` and `what` are stored as they serialize.
#[derive(Debug)]
pub struct OtherNotice<'a, C, W> {
    /// The number or account.
    pub about: NoticeOwner<'a>,
    /// Meta's name of the event.
    pub event: &'a str,
    /// Meta's status, empty without one.
    pub status: &'a str,
    /// A hash of the notice's content.
    pub digest: &'a str,
    /// Meta's stamp, seconds since 1970.
    pub stamped_at: Option<u64>,
    /// The person in it.
    pub caller: &'a C,
    /// What it says.
    pub what: &'a W,
    /// The notice's JSON, where it is kept. It may name people.
    pub content: Option<&'a str>,
}

#[derive(Serialize)]
struct OtherNoticeItem<'a, C, W> {
    pk: String,
    sk: String,
    at_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stamped_at: Option<u64>,
    caller: &'a C,
    what: &'a W,
}

impl Store {
    /// Records the reports of one call, all or none, with the change of the call's state.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request for a cause outside the reports.
    pub async fn record_reports(
        &self,
        call_ref: &CallRef,
        reports: &[CallReport],
        change: Option<&ReportedChange>,
        now_ms: u64,
    ) -> Result<Written> {
        let items: Vec<_> = reports.iter().map(report_item).collect();
        let state = change.map(|change| match change {
            ReportedChange::Rings(call) => self.put_if_absent(to_item(call)),
            ReportedChange::HungUp(over) => self.terminate_write(call_ref, over, now_ms),
        });
        match (<[Item; 1]>::try_from(items), state) {
            (Ok([alone]), None) => self.put_once(alone, CANNOT_RECORD).await,
            (Ok([alone]), Some(state)) => {
                self.write_all(vec![self.put_if_absent(alone), state], CANNOT_RECORD).await
            }
            (Err(items), state) => {
                let items = items.into_iter().map(|item| self.put_if_absent(item));
                self.write_all(items.chain(state).collect(), CANNOT_RECORD).await
            }
        }
    }

    /// Records a notice about a number or an account.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request for a cause outside the notice.
    pub async fn record_notice<C: Serialize, W: Serialize>(
        &self,
        notice: &OtherNotice<'_, C, W>,
        now_ms: u64,
    ) -> Result<Written> {
        let pk = match &notice.about {
            NoticeOwner::Number(id) => keys::number(id),
            NoticeOwner::Account(id) => keys::account(id),
        };
        let sk = keys::notice(notice.event, notice.status, notice.digest);
        let OtherNotice { stamped_at, caller, what, .. } = *notice;
        let mut item = to_item(&OtherNoticeItem { pk, sk, at_ms: now_ms, stamped_at, caller, what });
        item.insert(keys::TTL.to_owned(), number(keys::forget_at(now_ms)));
        keep_content(&mut item, notice.content);
        self.put_once(item, CANNOT_RECORD).await
    }

    /// Keeps the SHA-256 and the first 16 KiB of a notice that DynamoDB will never accept, and the reason: a redelivery would not help.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn record_unfit_notice(&self, content: &str, why: &str, now_ms: u64) -> Result<Written> {
        let bytes = content.as_bytes();
        let head = Blob::new(&bytes[..bytes.len().min(HEAD)]);
        let item = Item::from([
            ("pk".to_owned(), text(keys::unfit(&hex::encode(Sha256::digest(bytes))))),
            ("sk".to_owned(), text(keys::UNFIT)),
            ("at_ms".to_owned(), number(now_ms)),
            ("ttl".to_owned(), number(keys::forget_at(now_ms))),
            ("why".to_owned(), text(why)),
            ("bytes".to_owned(), number(bytes.len() as u64)),
            ("head".to_owned(), AttributeValue::B(head)),
        ]);
        self.put_once(item, CANNOT_RECORD).await
    }

    /// Returns the names of people in a notice about a number: its caller's, and the changed ones; `None` when there is no such notice.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn names_in_notice(&self, number: &NumberId, notice: &str) -> Result<Option<Vec<String>>> {
        Ok(self.item(&keys::number(number), notice).await?.as_ref().map(names))
    }

    /// Deletes a notice about a number, once its content is stored otherwise.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn drop_notice(&self, number: &NumberId, notice: &str) -> Result<()> {
        let delete = self.delete_of(keys::number(number), notice);
        delete.send().await.context("cannot delete a notice")?;
        Ok(())
    }

    /// Returns the write that stores Meta's `terminate` beside the state and increments the version, so that the next save must take it in.
    ///
    /// Where there is no state yet, the item stays without one: a late `connect` finds the key taken.
    fn terminate_write(&self, call_ref: &CallRef, over: &HungUp, now_ms: u64) -> TransactWriteItem {
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

fn report_item(report: &CallReport) -> Item {
    let mut item = entry_item(&report.entry);
    if let Some(seconds) = report.stamped_at {
        item.insert("stamped_at".to_owned(), number(seconds));
    }
    keep_content(&mut item, report.content.as_deref());
    item
}

fn keep_content(item: &mut Item, content: Option<&str>) {
    if let Some(content) = content {
        item.insert("item".to_owned(), text(content));
    }
}

/// Returns the notice's caller's names, and the changed ones.
fn names(notice: &Item) -> Vec<String> {
    let map = |name: &str| notice.get(name).and_then(|value| value.as_m().ok());
    let caller = map("caller").into_iter().flat_map(|caller| caller.values());
    let changed =
        map("what").and_then(|what| what.get("user_changed")?.as_m().ok()?.get("names")?.as_l().ok());
    let names = caller.chain(changed.into_iter().flatten());
    names.filter_map(|name| name.as_s().ok().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_the_callers_names_and_the_changed_ones() {
        let notice = to_item(&json!({
            "caller": { "number": "919900000001" },
            "what": { "user_changed": { "names": ["IN.99990000000000000001"] } },
        }));

        assert_eq!(names(&notice), ["919900000001", "IN.99990000000000000001"]);
        assert_eq!(names(&Item::new()), [""; 0]);
    }
}
