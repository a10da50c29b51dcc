//! What calls cost: counted while they last, once for each owner of a call, and summed up by number and day.

use crate::items::{Item, number, text};
use crate::{Store, WriteError};
use anyhow::{Context, bail};
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, TransactWriteItem, Update};
use internal_api::keys;
use std::fmt;
use std::time::Duration;

/// How long to wait before each further try to count what a call cost, ms. Calls that end at the same time count at the same item.
const PAUSES_MS: [u64; 6] = [20, 50, 100, 200, 400, 800];

/// An owner of a call: a call that is taken from one task and given to another has two, and each spends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOwner {
    /// The call.
    pub call_ref: String,
    /// The business number that was called, as its id.
    pub number: String,
    /// The fence of the owner's assignment.
    pub fence: u64,
    /// When DynamoDB may forget what is kept of the call, seconds since 1970.
    pub forget_at: u64,
}

/// What an owner leaves of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallOutcome {
    /// Who leaves it.
    pub by: CallOwner,
    /// The day to which what was not counted yet is counted, `yyyy-mm-dd`.
    pub day: String,
    /// How much is counted already: more than one figure where the reply to the last count was lost.
    pub counted: Vec<u64>,
    /// What the call cost in all, in millionths of a dollar.
    pub micro_dollars: u64,
    /// The call in short, without keys.
    pub summary: Item,
    /// Whether the owner's line opened: then its summary is the one that readers want. There is one such owner at most.
    pub has_opened: bool,
}

/// What is counted of a call is not what its owner has counted: the same conclusion never succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendingConflict;

impl fmt::Display for SpendingConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what is counted of a call is not what its owner has counted")
    }
}

impl std::error::Error for SpendingConflict {}

/// What the calls to a number have cost on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySpent {
    /// In millionths of a dollar.
    pub micro_dollars: u64,
    /// Whether it was told that the cap is near.
    pub is_told: bool,
}

impl DaySpent {
    /// Whether four fifths of a cap are spent, in millionths of a dollar.
    pub fn is_near(&self, cap: u64) -> bool {
        self.micro_dollars >= cap / 5 * 4
    }
}

impl Store {
    /// Counts what a call has cost its owner by now, `to`, of which `from` is counted already: for the owner, and for the
    /// number's day, `yyyy-mm-dd`. Asked again, it counts nothing twice.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked: ask for the same again before anything else is counted.
    pub async fn count_spent(&self, by: &CallOwner, day: &str, from: u64, to: u64) -> anyhow::Result<()> {
        let writes = [self.spend(by, from, to), self.add_spent(&by.number, day, to.saturating_sub(from))];
        // The owner alone counts what it spends: what is not as it was, an earlier try has changed.
        self.write_if(&writes).await.context("cannot count what a call has cost by now")?;
        Ok(())
    }

    /// Keeps an owner's summary, and counts what the call cost: together, and once, however often it is asked for. Whether this
    /// was the first time.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked; [`Miscounted`] when more is counted than the owner knows of.
    pub async fn conclude(&self, conclusion: &CallOutcome) -> anyhow::Result<bool> {
        let CallOutcome { by, day, counted, micro_dollars, summary, has_opened } = conclusion;
        let own = self.summary_of(&by.call_ref, &keys::summary(by.fence), summary.clone(), true);
        let for_readers = self.summary_of(&by.call_ref, keys::SUMMARY, summary.clone(), false);
        for from in counted {
            let to = *micro_dollars.max(from);
            let more = self.add_spent(&by.number, day, to - from);
            let writes = [own.clone(), self.spend(by, *from, to), more, for_readers.clone()];
            let writes = &writes[..if *has_opened { 4 } else { 3 }];
            match self.write_if(writes).await.context("cannot count what a call cost")? {
                None => return Ok(true),
                Some(0) => return Ok(false),
                Some(_) => {}
            }
        }
        Err(SpendingConflict.into())
    }

    /// What a number's calls have cost on a day, `yyyy-mm-dd`, in millionths of a dollar.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn spent(&self, number: &str, day: &str) -> anyhow::Result<u64> {
        Ok(self.spent_on(number, day).await?.micro_dollars)
    }

    /// The same, and whether it was told that the cap is near.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn spent_on(&self, number: &str, day: &str) -> anyhow::Result<DaySpent> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(keys::spent(number))).key("sk", text(keys::day(day)));
        let item = get.send().await.context("cannot read what was spent")?.item.unwrap_or_default();
        day_spent(&item)
    }

    /// The same for media tasks, which may write what was spent and read nothing: adds nothing to it.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn spent_by_now(&self, of: &str, day: &str) -> anyhow::Result<DaySpent> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update.key("pk", text(keys::spent(of))).key("sk", text(keys::day(day)));
        let update = update
            .update_expression("ADD #spent :nothing")
            .expression_attribute_names("#spent", MICRO_DOLLARS)
            .expression_attribute_values(":nothing", number(0))
            .return_values(ReturnValue::AllNew);
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            let error = match update.clone().send().await {
                Ok(now) => return day_spent(&now.attributes.unwrap_or_default()),
                Err(error) => error,
            };
            match pauses.next().filter(|_| is_contended(&WriteError::of(&error))) {
                Some(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                None => return Err(error).context("cannot ask what was spent"),
            }
        }
    }

    /// The same under a cap, and whether it is for the asker to tell that the cap is near: once a day, when four fifths of it
    /// are spent.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn spent_under(&self, number: &str, day: &str, cap: u64) -> anyhow::Result<(DaySpent, bool)> {
        let spent = self.spent_by_now(number, day).await?;
        let tells = spent.is_near(cap) && !spent.is_told && self.tell_once_of_cap(number, day).await?;
        Ok((spent, tells))
    }

    /// Notes that it is told that a day's cap is near. Whether it was not told before.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn tell_once_of_cap(&self, number: &str, day: &str) -> anyhow::Result<bool> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update.key("pk", text(keys::spent(number))).key("sk", text(keys::day(day)));
        let update = update
            .update_expression("SET #told = :yes")
            .condition_expression("attribute_not_exists(#told)")
            .expression_attribute_names("#told", TOLD)
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if matches!(WriteError::of(&error), WriteError::Condition(_)) => Ok(false),
            Err(error) => Err(error).context("cannot note that a cap is near"),
        }
    }

    /// Writes all of it or nothing. The place of the first whose condition does not hold, if there is one.
    async fn write_if(&self, writes: &[TransactWriteItem]) -> anyhow::Result<Option<usize>> {
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            let write = self.client.transact_write_items().set_transact_items(Some(writes.to_vec()));
            let Err(error) = write.send().await else { return Ok(None) };
            let refusal = WriteError::of_transaction(&error);
            if let WriteError::Condition(failed) = refusal {
                return Ok(failed.iter().position(|failed| *failed));
            }
            match pauses.next().filter(|_| is_contended(&refusal)) {
                Some(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                None => return Err(error.into()),
            }
        }
    }

    fn summary_of(&self, call_ref: &str, sk: &str, mut item: Item, is_once: bool) -> TransactWriteItem {
        item.insert("pk".to_owned(), text(keys::call(call_ref)));
        item.insert("sk".to_owned(), text(sk));
        let mut put = Put::builder().table_name(&self.table).set_item(Some(item));
        if is_once {
            put =
                put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk");
        }
        TransactWriteItem::builder().put(put.build().expect("the table's name and the item are set")).build()
    }

    /// From what is counted of an owner to what it has spent.
    fn spend(&self, by: &CallOwner, from: u64, to: u64) -> TransactWriteItem {
        let as_it_was =
            if from == 0 { "attribute_not_exists(#spent) OR #spent = :from" } else { "#spent = :from" };
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(keys::call(&by.call_ref)))
            .key("sk", text(keys::spent_by(by.fence)))
            .update_expression("SET #spent = :to, #ttl = :ttl")
            .condition_expression(as_it_was)
            .expression_attribute_names("#spent", MICRO_DOLLARS)
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":from", number(from))
            .expression_attribute_values(":to", number(to))
            .expression_attribute_values(":ttl", number(by.forget_at));
        TransactWriteItem::builder().update(update.build().expect("key and expression are set")).build()
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

/// Whether the same write may succeed a moment later.
fn is_contended(refusal: &WriteError) -> bool {
    match refusal {
        WriteError::Conflict(_) | WriteError::Busy(_) => true,
        WriteError::Condition(_) | WriteError::Unfit(_) | WriteError::Denied(_) | WriteError::Unanswered => {
            false
        }
    }
}

const MICRO_DOLLARS: &str = "micro_dollars";

/// The attribute of a day by which it is told once that its cap is near.
const TOLD: &str = "told_of_cap";

fn day_spent(item: &Item) -> anyhow::Result<DaySpent> {
    let is_told = item.contains_key(TOLD);
    let Some(spent) = item.get(MICRO_DOLLARS) else { return Ok(DaySpent { micro_dollars: 0, is_told }) };
    match spent.as_n().map(|spent| spent.parse()) {
        Ok(Ok(micro_dollars)) => Ok(DaySpent { micro_dollars, is_told }),
        Ok(Err(_)) | Err(_) => bail!("what was spent is not a number"),
    }
}
