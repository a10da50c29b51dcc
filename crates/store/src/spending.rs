//! Counts what calls cost, while they last, for each owner of a call and for each number and day (spending caps).

use crate::Store;
use crate::error::{Context, ErrorKind, Result, StoreError};
use crate::items::{Item, number, text};
use crate::keys;
use crate::retry;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, TransactWriteItem, Update};
use call::{CallRef, Fence, NumberId};

/// An owner of a call: a task with an assignment. A reassigned call has two owners, and each spends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOwner {
    /// The hex SHA-256 of Meta's call id.
    pub call_ref: CallRef,
    /// The phone number id of the business number that was called.
    pub number: NumberId,
    /// The fence of the owner's assignment.
    pub fence: Fence,
    /// When DynamoDB may delete the call's items (TTL), seconds since 1970.
    pub forget_at: u64,
}

/// The outcome of a call for one owner: its total cost and its summary.
#[derive(Debug, Clone, PartialEq)]
pub struct CallOutcome {
    /// The owner.
    pub by: CallOwner,
    /// The day to which the uncounted cost is added, `yyyy-mm-dd`.
    pub day: String,
    /// What is counted already, in millionths of a dollar: more than one candidate where the reply to the last count was lost.
    pub counted: Vec<u64>,
    /// The total cost of the call, in millionths of a dollar.
    pub micro_dollars: u64,
    /// The item of the summary, without keys.
    pub summary: Item,
    /// Whether the owner's line opened: then its summary is the one that readers get. At most one owner's line opens.
    pub has_opened: bool,
}

/// The spending of a number's calls on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySpent {
    /// The spending in millionths of a dollar.
    pub micro_dollars: u64,
    /// Whether the event that the cap is near was recorded.
    pub is_recorded: bool,
}

impl DaySpent {
    /// Whether four fifths of `cap`, in millionths of a dollar, are spent.
    pub fn is_near(&self, cap: u64) -> bool {
        self.micro_dollars >= cap / 5 * 4
    }
}

impl Store {
    /// Counts what a call has cost its owner so far, `to`, of which `from` is counted already: for the owner, and for the number's day,
    /// `yyyy-mm-dd`. A repeated request counts nothing twice.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request: repeat it before anything else is counted.
    pub async fn count_spent(&self, by: &CallOwner, day: &str, from: u64, to: u64) -> Result<()> {
        let writes =
            [self.set_spending(by, from, to), self.add_spent(&by.number, day, to.saturating_sub(from))];
        // A failed condition means that an earlier attempt succeeded: only the owner counts its spending.
        self.write_if(&writes).await.context("cannot count the spending of a call")?;
        Ok(())
    }

    /// Writes an owner's summary and counts the call's cost, in one transaction and once, even if repeated. Returns whether this was the
    /// first time.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request, and [`ErrorKind::SpendingConflict`](crate::ErrorKind::SpendingConflict) when more is counted than the owner
    /// knows.
    pub async fn conclude(&self, conclusion: &CallOutcome) -> Result<bool> {
        let CallOutcome { by, day, counted, micro_dollars, summary, has_opened } = conclusion;
        let own = self.summary_of(&by.call_ref, &keys::summary(by.fence), summary.clone(), true);
        let for_readers = self.summary_of(&by.call_ref, keys::SUMMARY, summary.clone(), false);
        for from in counted {
            let to = *micro_dollars.max(from);
            let more = self.add_spent(&by.number, day, to - from);
            let writes = [own.clone(), self.set_spending(by, *from, to), more, for_readers.clone()];
            let writes = &writes[..if *has_opened { 4 } else { 3 }];
            match self.write_if(writes).await.context("cannot write the outcome of a call")? {
                None => return Ok(true),
                Some(0) => return Ok(false),
                Some(_) => {}
            }
        }
        Err(StoreError::spending_conflict())
    }

    /// Returns the spending of a number's calls on a day, `yyyy-mm-dd`, in millionths of a dollar.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn spent(&self, number: &NumberId, day: &str) -> Result<u64> {
        Ok(self.spent_on(number, day).await?.micro_dollars)
    }

    /// Returns the spending of a number's calls on a day, and whether the event that the cap is near was recorded.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn spent_on(&self, number: &NumberId, day: &str) -> Result<DaySpent> {
        let item = self.item(&keys::spent(number), &keys::day(day)).await;
        day_spent(&item.context("cannot read a day's spending")?.unwrap_or_default())
    }

    /// Returns the spending of a number's calls on a day without reading it: media tasks have only the permission to write it, so this
    /// adds 0 to it.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn spent_without_reading(&self, of: &NumberId, day: &str) -> Result<DaySpent> {
        let update = self.update_of(keys::spent(of), keys::day(day));
        let update = update
            .update_expression("ADD #spent :nothing")
            .expression_attribute_names("#spent", MICRO_DOLLARS)
            .expression_attribute_values(":nothing", number(0))
            .return_values(ReturnValue::AllNew);
        let now = retry::while_contended(retry::SHARED, || {
            let update = update.clone();
            async { update.send().await.context("cannot read a day's spending") }
        });
        day_spent(&now.await?.attributes.unwrap_or_default())
    }

    /// Returns the spending under a cap, and whether the caller is to record the event that the cap is near: once a day, when four fifths
    /// of it are spent.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn spent_under(&self, number: &NumberId, day: &str, cap: u64) -> Result<(DaySpent, bool)> {
        let spent = self.spent_without_reading(number, day).await?;
        let is_to_record =
            spent.is_near(cap) && !spent.is_recorded && self.claim_cap_event(number, day).await?;
        Ok((spent, is_to_record))
    }

    /// Claims the event that a day's cap is near, and returns whether it was not recorded before.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn claim_cap_event(&self, number: &NumberId, day: &str) -> Result<bool> {
        let update = self.update_of(keys::spent(number), keys::day(day));
        let update = update
            .update_expression("SET #told = :yes")
            .condition_expression("attribute_not_exists(#told)")
            .expression_attribute_names("#told", TOLD)
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        let claimed = update.send().await.if_condition_holds("cannot record that a spending cap is near")?;
        Ok(claimed.is_some())
    }

    /// Writes all items or none, and returns the position of the first whose condition does not hold, if there is one.
    async fn write_if(&self, writes: &[TransactWriteItem]) -> Result<Option<usize>> {
        match retry::while_contended(retry::SHARED, || self.transact(writes.to_vec())).await {
            Ok(()) => Ok(None),
            Err(error) => match error.kind() {
                ErrorKind::Condition(failed) => Ok(failed.iter().position(|failed| *failed)),
                _ => Err(error),
            },
        }
    }

    fn summary_of(&self, call_ref: &CallRef, sk: &str, mut item: Item, is_once: bool) -> TransactWriteItem {
        item.insert("pk".to_owned(), text(keys::call(call_ref)));
        item.insert("sk".to_owned(), text(sk));
        let mut put = Put::builder().table_name(&self.table).set_item(Some(item));
        if is_once {
            put =
                put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk");
        }
        TransactWriteItem::builder().put(put.build().expect("the table's name and the item are set")).build()
    }

    /// Returns the update of an owner's spending, on the condition that `from` is counted.
    fn set_spending(&self, by: &CallOwner, from: u64, to: u64) -> TransactWriteItem {
        let unchanged =
            if from == 0 { "attribute_not_exists(#spent) OR #spent = :from" } else { "#spent = :from" };
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(keys::call(&by.call_ref)))
            .key("sk", text(keys::spent_by(by.fence)))
            .update_expression("SET #spent = :to, #ttl = :ttl")
            .condition_expression(unchanged)
            .expression_attribute_names("#spent", MICRO_DOLLARS)
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":from", number(from))
            .expression_attribute_values(":to", number(to))
            .expression_attribute_values(":ttl", number(by.forget_at));
        TransactWriteItem::builder().update(update.build().expect("key and expression are set")).build()
    }

    pub(crate) fn add_spent(&self, of: &NumberId, day: &str, micro_dollars: u64) -> TransactWriteItem {
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

const MICRO_DOLLARS: &str = "micro_dollars";

/// The attribute of a day whose cap event was recorded.
const TOLD: &str = "told_of_cap";

fn day_spent(item: &Item) -> Result<DaySpent> {
    let is_recorded = item.contains_key(TOLD);
    let Some(spent) = item.get(MICRO_DOLLARS) else { return Ok(DaySpent { micro_dollars: 0, is_recorded }) };
    match spent.as_n().map(|spent| spent.parse()) {
        Ok(Ok(micro_dollars)) => Ok(DaySpent { micro_dollars, is_recorded }),
        Ok(Err(_)) | Err(_) => Err(StoreError::unreadable("a day's spending is not a number")),
    }
}
