//! What is counted so that it can be capped: what calls cost in a day, and how often one caller rings.

use crate::items::{Item, number, text};
use crate::table::all;
use crate::{Ledger, Refusal};
use anyhow::{Context, bail};
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use protocol::keys;
use std::time::Duration;

/// So long a caller's calls count.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// How long to wait before each further try to count what a call cost, ms. Calls that end at the same time count at the same item.
const PAUSES_MS: [u64; 6] = [20, 50, 100, 200, 400, 800];

impl Ledger {
    /// Counts what a call cost, and keeps its summary: together, and once, however often it is asked for. `day` is
    /// `yyyy-mm-dd`. Whether this was the first time.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn add_spent_once(
        &self,
        call_ref: &str,
        number: &str,
        day: &str,
        micro_dollars: u64,
        summary: Item,
    ) -> anyhow::Result<bool> {
        let writes = [self.summary(call_ref, summary), self.add_spent(number, day, micro_dollars)];
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            let write = self.client.transact_write_items().set_transact_items(Some(writes.to_vec()));
            let Err(error) = write.send().await else { return Ok(true) };
            let is_contended = match Refusal::of_transaction(&error) {
                Refusal::Condition(_) => return Ok(false),
                Refusal::Conflict(_) | Refusal::Busy(_) => true,
                Refusal::Unfit(_) | Refusal::Denied(_) | Refusal::Unanswered => false,
            };
            match pauses.next().filter(|_| is_contended) {
                Some(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                None => return Err(error).context("cannot count what a call cost"),
            }
        }
    }

    /// What a number's calls have cost on a day, `yyyy-mm-dd`, in millionths of a dollar.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn spent(&self, number: &str, day: &str) -> anyhow::Result<u64> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(keys::spent(number))).key("sk", text(keys::day(day)));
        let item = get.send().await.context("cannot read what was spent")?.item.unwrap_or_default();
        let Some(spent) = item.get(MICRO_DOLLARS) else { return Ok(0) };
        match spent.as_n().map(|spent| spent.parse()) {
            Ok(Ok(spent)) => Ok(spent),
            Ok(Err(_)) | Err(_) => bail!("what was spent is not a number"),
        }
    }

    /// Counts a caller's call, once however often it is asked for. How many others they made within the hour before it.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn count_call(&self, of: &CallerCall<'_>) -> anyhow::Result<usize> {
        let until_s = (of.rang_at_ms + 2 * WINDOW.as_millis() as u64) / 1_000;
        let put = self.client.put_item().table_name(&self.table);
        let put = put.item("pk", text(of.partition())).item("sk", text(of.place()));
        put.item(keys::TTL, number(until_s)).send().await.context("cannot count a caller's call")?;
        let since = keys::rang(of.rang_at_ms.saturating_sub(WINDOW.as_millis() as u64), "");
        let query = self.partition(of.partition()).consistent_read(true);
        let query = query
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :since AND :now")
            .projection_expression("#sk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":since", text(since))
            .expression_attribute_values(":now", text(of.place()));
        let counted = all(query).await.context("cannot count a caller's calls")?;
        // Its own may be gone again: it was turned away meanwhile, on another order.
        let own = text(of.place());
        Ok(counted.iter().filter(|call| call.get("sk") != Some(&own)).count())
    }

    /// Does not count a caller's call any more: it was turned away.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn uncount_call(&self, of: &CallerCall<'_>) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("pk", text(of.partition())).key("sk", text(of.place()));
        delete.send().await.context("cannot uncount a caller's call")?;
        Ok(())
    }

    fn summary(&self, call_ref: &str, mut item: Item) -> TransactWriteItem {
        item.insert("pk".to_owned(), text(keys::call(call_ref)));
        item.insert("sk".to_owned(), text(keys::SUMMARY));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put =
            put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk");
        TransactWriteItem::builder().put(put.build().expect("the table's name and the item are set")).build()
    }

    fn add_spent(&self, of: &str, day: &str, micro_dollars: u64) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(keys::spent(of)))
            .key("sk", text(keys::day(day)))
            .update_expression("ADD #spent :more")
            .expression_attribute_names("#spent", MICRO_DOLLARS)
            .expression_attribute_values(":more", number(micro_dollars));
        TransactWriteItem::builder().update(update.build().expect("key and expression are set")).build()
    }
}

/// A caller's call to a number.
#[derive(Debug, Clone, Copy)]
pub struct CallerCall<'a> {
    /// The number's id.
    pub number: &'a str,
    /// The caller's mark.
    pub mark: &'a str,
    /// The call.
    pub call_ref: &'a str,
    /// When it rang, ms since 1970: always the same for the same call.
    pub rang_at_ms: u64,
}

impl CallerCall<'_> {
    fn partition(&self) -> String {
        keys::caller(self.number, self.mark)
    }

    fn place(&self) -> String {
        keys::rang(self.rang_at_ms, self.call_ref)
    }
}

const MICRO_DOLLARS: &str = "micro_dollars";
