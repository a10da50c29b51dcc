//! The list of calls: by number, day, user, and prefix of the reference, newest first, page by page, never by a scan.

use crate::Store;
use crate::error::{Context, Result};
use crate::items::{Item, from_item, number, text, to_item};
use crate::keys;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use call::{CallRef, Ending, Line, NumberId, Party, Recorded};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most keys that BatchGetItem takes.
const BATCH: usize = 100;

/// A call in the list. Nothing in it says who called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallListing {
    /// The hex SHA-256 of Meta's call id.
    pub call_ref: CallRef,
    /// The line that the call came in on; not written for WhatsApp.
    #[serde(default, skip_serializing_if = "Recorded::is_default")]
    pub line: Recorded<Line>,
    /// The phone number id of the business number that was called; on the telephone line, its name.
    pub number: NumberId,
    /// When the call rang, ms since 1970.
    pub rang_at_ms: u64,
    /// `warm`: a running task had a slot; `cold`: a task was launched for this call; `None` until a task has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// When the call was accepted, ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at_ms: Option<u64>,
    /// When the call ended, ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at_ms: Option<u64>,
    /// Why the call ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Recorded<Ending>>,
    /// Who ended the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Recorded<Party>>,
}

/// A page of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallPage {
    /// The calls, newest first.
    pub calls: Vec<CallListing>,
    /// The calls whose entries do not have the shape that this release knows. In the list of a user, `calls` holds what their pointers say.
    pub unreadable: Vec<CallRef>,
    /// The position after which the next page begins; `None` on the last page.
    pub next: Option<String>,
}

/// Selects calls of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallQuery {
    /// The calls to a number.
    Of(NumberId),
    /// The calls that rang on a day, `yyyy-mm-dd` in UTC.
    On(String),
    /// The calls of a user, by one of their pseudonyms.
    By(String),
}

/// A range of time, ms since 1970, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The first millisecond.
    pub from_ms: u64,
    /// The last millisecond.
    pub to_ms: u64,
}

impl CallListing {
    /// Returns the call's position in the list, after which a page may begin. Positions sort as calls do.
    pub fn place(&self) -> String {
        keys::rang(self.rang_at_ms, &self.call_ref)
    }

    /// Whether the call was turned away by its agent's rules.
    pub fn is_turned_away(&self) -> bool {
        self.ending.as_ref().and_then(Recorded::known).is_some_and(Ending::is_turned_away)
    }

    /// Whether the call's sound passed through a media task, so that there are figures of it. Not known of a later release's line.
    pub fn carries_audio(&self) -> bool {
        self.line.known().is_some_and(Line::carries_audio)
    }

    /// Returns the duration of the talk, ms; `None` before the call ends, and 0 if it was never accepted.
    pub fn lasted_ms(&self) -> Option<u64> {
        self.ended_at_ms.map(|ended| self.accepted_at_ms.map_or(0, |accepted| ended.saturating_sub(accepted)))
    }

    /// Returns the items by which the call is found: by number and day, by each of its user's pseudonyms, and by reference. They expire at
    /// `forget_at`, seconds since 1970.
    pub fn items(&self, pseudonyms: &[String], day: &str, forget_at: u64) -> Vec<Item> {
        let place = self.place();
        let mut by_number = to_item(self);
        by_number.extend(keyed(keys::calls(&self.number), place.clone(), forget_at));
        by_number.insert("gsi1pk".to_owned(), text(keys::calls_of_day(day)));
        by_number.insert("gsi1sk".to_owned(), text(place.clone()));
        let mut by_reference =
            keyed(keys::call_refs(self.call_ref.as_str()), self.call_ref.to_string(), forget_at);
        by_reference.extend(self.pointer());
        let by_user = pseudonyms.iter().map(|pseudonym| {
            let mut item = keyed(keys::user(pseudonym), place.clone(), forget_at);
            item.extend(self.pointer());
            item
        });
        [by_number, by_reference].into_iter().chain(by_user).collect()
    }

    fn pointer(&self) -> Item {
        let line = (!self.line.is_default()).then(|| ("line", self.line.to_string()));
        let texts = [("call_ref", self.call_ref.to_string()), ("number", self.number.to_string())];
        let texts = texts.into_iter().chain(line).map(|(name, value)| (name.to_owned(), text(value)));
        texts.chain([("rang_at_ms".to_owned(), number(self.rang_at_ms))]).collect()
    }
}

impl Store {
    /// Returns a page of calls: those within a range of time and before a position.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn calls(
        &self,
        which: &CallQuery,
        within: Option<TimeRange>,
        before: Option<&str>,
        at_most: usize,
    ) -> Result<CallPage> {
        let from = keys::rang_bound(within.map_or(0, |within| within.from_ms), "");
        let to = keys::rang_bound(within.map_or(u64::MAX, |within| within.to_ms), "~");
        let to = before.map_or(to.clone(), |before| to.min(before.to_owned()));
        if from >= to {
            return Ok(CallPage::default());
        }
        let query = self.listing(which).expression_attribute_values(":from", text(from));
        let query = query.expression_attribute_values(":to", text(&to)).scan_index_forward(false);
        // BETWEEN includes its ends: the call at the position itself is read once more, and left out.
        let query = query.limit(i32::try_from(at_most + 1).unwrap_or(i32::MAX));
        let page = query.send().await.context("cannot query the list of calls")?;
        let page = CallPage::read(page.items.unwrap_or_default(), which.sort_key(), before, at_most);
        match which {
            CallQuery::By(_) => self.with_whole_listings(page).await,
            CallQuery::Of(_) | CallQuery::On(_) => Ok(page),
        }
    }

    async fn with_whole_listings(&self, page: CallPage) -> Result<CallPage> {
        let (calls, partly_known) = self.read_listings(page.calls).await?;
        let unreadable = [page.unreadable, partly_known].concat();
        Ok(CallPage { calls, unreadable, next: page.next })
    }

    /// Returns the calls whose references begin with this prefix, of [`keys::SHORTEST_REF`] digits or more. Reads two items at most: more
    /// than one match is ambiguous.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn named(&self, beginning: &str) -> Result<Vec<CallListing>> {
        let query = self.partition(keys::call_refs(beginning));
        let query = query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :beginning)")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":beginning", text(beginning))
            .limit(2);
        let found =
            query.send().await.context("cannot look up a call by reference")?.items.unwrap_or_default();
        let found = found.into_iter().map(from_item::<CallListing>).collect::<Result<_, _>>()?;
        Ok(self.read_listings(found).await?.0)
    }

    /// Returns the existing items with these keys, in no order. Duplicate keys, which DynamoDB refuses, are read once.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn items(&self, wanted: &[(String, String)]) -> Result<Vec<Item>> {
        let mut found = vec![];
        let wanted: Vec<_> = wanted.iter().collect::<BTreeSet<_>>().into_iter().collect();
        for some in wanted.chunks(BATCH) {
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

    /// Reads the calls from the list by number: a pointer has fewer fields. Returns the pointer where there is no entry or an unreadable one,
    /// and the references of the unreadable ones.
    async fn read_listings(&self, pointers: Vec<CallListing>) -> Result<(Vec<CallListing>, Vec<CallRef>)> {
        let wanted: Vec<_> = pointers.iter().map(|call| (keys::calls(&call.number), call.place())).collect();
        let (found, unreadable) = readable(self.items(&wanted).await?, "sk");
        let whole =
            |call: CallListing| found.iter().find(|it| it.call_ref == call.call_ref).cloned().unwrap_or(call);
        Ok((pointers.into_iter().map(whole).collect(), unreadable))
    }

    fn listing(&self, which: &CallQuery) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table);
        let (query, pk, sk, partition) = match which {
            CallQuery::Of(number) => (query, "pk", "sk", keys::calls(number)),
            CallQuery::By(pseudonym) => (query, "pk", "sk", keys::user(pseudonym)),
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

impl CallPage {
    /// Reads at most `at_most` entries, without the one at the position `before`.
    fn read(items: Vec<Item>, sort_key: &str, before: Option<&str>, at_most: usize) -> Self {
        let items = items.into_iter().filter(|item| text_of(item, sort_key) != before);
        let items: Vec<_> = items.take(at_most).collect();
        let last = items.last().filter(|_| items.len() == at_most);
        let next = last.and_then(|last| text_of(last, sort_key)).map(str::to_owned);
        let (calls, unreadable) = readable(items, sort_key);
        Self { calls, unreadable, next }
    }
}

impl CallQuery {
    /// Returns the attribute that holds a call's position.
    fn sort_key(&self) -> &'static str {
        match self {
            Self::Of(_) | Self::By(_) => "sk",
            Self::On(_) => "gsi1sk",
        }
    }
}

/// Returns the calls that can be read, and the references of the others, which end their positions.
fn readable(items: Vec<Item>, sort_key: &str) -> (Vec<CallListing>, Vec<CallRef>) {
    let (mut calls, mut unreadable) = (vec![], vec![]);
    for item in items {
        let place = text_of(&item, sort_key).unwrap_or_default();
        let call_ref = place.rsplit('#').next().unwrap_or_default().into();
        match from_item::<CallListing>(item) {
            Ok(call) => calls.push(call),
            Err(_) => unreadable.push(call_ref),
        }
    }
    (calls, unreadable)
}

fn text_of<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

fn keyed(pk: String, sk: String, forget_at: u64) -> Item {
    let keys = [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))];
    keys.into_iter().chain([(keys::TTL.to_owned(), number(forget_at))]).collect()
}
