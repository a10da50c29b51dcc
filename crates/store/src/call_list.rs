//! The list of calls: by number, by day, by user, and by the beginning of a name. Newest first, page by page, never a scan.

use crate::Store;
use crate::items::{Item, from_item, number, text, to_item};
use anyhow::Context;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use internal_api::keys;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// BatchGetItem takes no more at once.
const AT_ONCE: usize = 100;

/// A call in the list: nothing in it says who called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallListing {
    /// The call.
    pub call_ref: String,
    /// The business number that was called, as its id.
    pub number: String,
    /// When it rang, ms since 1970.
    pub rang_at_ms: u64,
    /// `warm`: a task was there; `cold`: one was started for this call; nothing as long as no task has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// When it was accepted, ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at_ms: Option<u64>,
    /// When it ended, ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at_ms: Option<u64>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
    /// Who ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Which calls are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallQuery {
    /// Those to a number.
    Of(String),
    /// Those that rang on a day, `yyyy-mm-dd` in UTC.
    On(String),
    /// Those of a user, by a mark of theirs.
    By(String),
}

/// A stretch of time, ms since 1970: from its first millisecond, up to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// Its first millisecond.
    pub from_ms: u64,
    /// The last before it is over.
    pub to_ms: u64,
}

impl CallListing {
    /// Its place among others: what a page begins after. It sorts as calls do.
    pub fn place(&self) -> String {
        keys::rang(self.rang_at_ms, &self.call_ref)
    }

    /// For how long there was talk, ms; nothing before it ends, and 0 if it was never accepted.
    pub fn lasted_ms(&self) -> Option<u64> {
        self.ended_at_ms.map(|ended| self.accepted_at_ms.map_or(0, |accepted| ended.saturating_sub(accepted)))
    }

    /// The items by which the call is found: by number and day, by each of its user's marks, and by name. They go when
    /// `forget_at` comes, seconds since 1970.
    pub fn items(&self, marks: &[String], day: &str, forget_at: u64) -> Vec<Item> {
        let place = self.place();
        let mut listed = to_item(self);
        listed.extend(keyed(keys::calls(&self.number), place.clone(), forget_at));
        listed.insert("gsi1pk".to_owned(), text(keys::calls_of_day(day)));
        listed.insert("gsi1sk".to_owned(), text(place.clone()));
        let mut named = keyed(keys::names_like(&self.call_ref), self.call_ref.clone(), forget_at);
        named.extend(self.pointer());
        let marked = marks.iter().map(|mark| {
            let mut item = keyed(keys::user(mark), place.clone(), forget_at);
            item.extend(self.pointer());
            item
        });
        [listed, named].into_iter().chain(marked).collect()
    }

    fn pointer(&self) -> Item {
        let texts = [("call_ref", &self.call_ref), ("number", &self.number)];
        let texts = texts.into_iter().map(|(name, value)| (name.to_owned(), text(value)));
        texts.chain([("rang_at_ms".to_owned(), number(self.rang_at_ms))]).collect()
    }
}

impl Store {
    /// A page of calls, newest first, of those that rang within a stretch of time and lie before a place.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked, or holds what we cannot read.
    pub async fn calls(
        &self,
        which: &CallQuery,
        within: Option<TimeRange>,
        before: Option<&str>,
        at_most: usize,
    ) -> anyhow::Result<Vec<CallListing>> {
        let from = within.map_or_else(|| keys::rang(0, ""), |within| keys::rang(within.from_ms, ""));
        // Behind every name there is: names are hexadecimal.
        let to = keys::rang(within.map_or(u64::MAX, |within| within.to_ms), "~");
        let to = before.map_or(to.clone(), |before| to.min(before.to_owned()));
        if from >= to {
            return Ok(vec![]);
        }
        let query = self.listing(which).expression_attribute_values(":from", text(from));
        let query = query.expression_attribute_values(":to", text(&to)).scan_index_forward(false);
        // BETWEEN takes its ends in: the call at the place itself comes once more, and is left out.
        let query = query.limit(i32::try_from(at_most + 1).unwrap_or(i32::MAX));
        let page = query.send().await.context("cannot ask for calls")?;
        let calls = page.items.unwrap_or_default().into_iter().map(from_item::<CallListing>);
        let calls: Vec<_> =
            calls.collect::<Result<_, _>>().context("cannot understand a call in the list")?;
        let calls = calls.into_iter().filter(|call| Some(&*call.place()) != before).take(at_most).collect();
        match which {
            CallQuery::By(_) => self.in_full(calls).await,
            CallQuery::Of(_) | CallQuery::On(_) => Ok(calls),
        }
    }

    /// The calls whose names begin like this: two at most, since one of several is none. The beginning has
    /// [`keys::SHORTEST_REF`] letters or more.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn named(&self, beginning: &str) -> anyhow::Result<Vec<CallListing>> {
        let query = self.partition(keys::names_like(beginning));
        let query = query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :beginning)")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":beginning", text(beginning))
            .limit(2);
        let found = query.send().await.context("cannot ask for a call by name")?.items.unwrap_or_default();
        let found = found.into_iter().map(from_item::<CallListing>).collect::<Result<_, _>>()?;
        self.in_full(found).await
    }

    /// Items by their keys, in no order, those that are there. A key may be asked for twice, which DynamoDB refuses: it is asked once.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn items(&self, wanted: &[(String, String)]) -> anyhow::Result<Vec<Item>> {
        let mut found = vec![];
        let wanted: Vec<_> = wanted.iter().collect::<BTreeSet<_>>().into_iter().collect();
        for some in wanted.chunks(AT_ONCE) {
            let keys = some
                .iter()
                .map(|(pk, sk)| Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))]));
            let all = KeysAndAttributes::builder().set_keys(Some(keys.collect()));
            let mut rest = Some([(self.table.clone(), all.build().expect("the keys are set"))].into());
            while let Some(asked) = rest.take() {
                let get = self.client.batch_get_item().set_request_items(Some(asked)).send().await;
                let got = get.context("cannot read items")?;
                found.extend(got.responses.unwrap_or_default().into_values().flatten());
                rest = got.unprocessed_keys.filter(|left| !left.is_empty());
            }
        }
        Ok(found)
    }

    /// The same calls as the list by number has them: a pointer knows less.
    async fn in_full(&self, pointers: Vec<CallListing>) -> anyhow::Result<Vec<CallListing>> {
        let wanted: Vec<_> = pointers.iter().map(|call| (keys::calls(&call.number), call.place())).collect();
        let found = self.items(&wanted).await?.into_iter().map(from_item::<CallListing>);
        let found: Vec<_> =
            found.collect::<Result<_, _>>().context("cannot understand a call in the list")?;
        let whole =
            |call: CallListing| found.iter().find(|it| it.call_ref == call.call_ref).cloned().unwrap_or(call);
        Ok(pointers.into_iter().map(whole).collect())
    }

    fn listing(&self, which: &CallQuery) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table);
        let (query, pk, sk, partition) = match which {
            CallQuery::Of(number) => (query, "pk", "sk", keys::calls(number)),
            CallQuery::By(mark) => (query, "pk", "sk", keys::user(mark)),
            CallQuery::On(day) => {
                (query.index_name(keys::INDEX), "gsi1pk", "gsi1sk", keys::calls_of_day(day))
            }
        };
        query
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", pk)
            .expression_attribute_names("#sk", sk)
            .expression_attribute_values(":pk", text(partition))
    }
}

fn keyed(pk: String, sk: String, forget_at: u64) -> Item {
    let keys = [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))];
    keys.into_iter().chain([(keys::TTL.to_owned(), number(forget_at))]).collect()
}
