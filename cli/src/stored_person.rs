//! Finds and deletes everything stored about one person on all numbers, and writes tombstones for notices that arrive later.

use crate::cloud::in_one_line;
use crate::figures::plural;
use crate::linked_names::{Key, LinkedNames};
use crate::person::{Person, Pseudonymizer};
use crate::table_scan::scan_table;
use anyhow::Context;
use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use journal::JournalEvent;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::items::{Item, number, text, to_item};
use store::keys;
use store::{CallListing, Store, all};

/// BatchWriteItem's limit of requests.
const BATCH: usize = 25;

/// How long to wait before unprocessed deletes are sent again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// How long after a call its media task may still write, in ms.
const WRITES_FOR_MS: u64 = 60_000;

/// Everything stored about one person.
#[derive(Debug, Default)]
pub(crate) struct StoredPerson {
    /// How many calls there are to each number; the number is empty where a call's state cannot be parsed.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Calls that are live, or whose media task may still write.
    pub(crate) unfinished: usize,
    /// Items that lead from messages to calls. Deleted first, because they are found through the calls.
    of_messages: BTreeSet<Key>,
    /// Items of the person's calls, and notices that name them.
    of_calls: BTreeSet<Key>,
    /// Items that lead to the calls. Deleted last, so that an interrupted run can be repeated.
    of_lists: BTreeSet<Key>,
    /// Items that make the webhook drop the person's names from later notices.
    tombstones: BTreeSet<Key>,
    /// Sentences that say what could not be searched or decided.
    pub(crate) unknown: Vec<String>,
}

impl StoredPerson {
    /// Finds everything under every name that the person's calls reveal.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn find(
        store: &Store,
        pseudonymizer: &Pseudonymizer,
        person: &Person,
        now_ms: u64,
    ) -> anyhow::Result<Self> {
        let mut linked = LinkedNames::of(store, pseudonymizer, person).await?;
        let mut stored = Self::default();
        stored.add_scanned(store, pseudonymizer, &mut linked).await;
        if !person.has_metas_form() {
            stored
                .unknown
                .push("Meta writes no names like this one: notices were not searched for it.".to_owned());
        }
        stored.of_lists.extend(linked.pointers);
        for call in &linked.calls {
            stored.add_call(store, call, now_ms).await?;
            stored.tombstones.insert((keys::forgotten_call(&call.call_ref), keys::OF_CALL.to_owned()));
        }
        let people = linked
            .pseudonyms
            .iter()
            .map(|pseudonym| (keys::forgotten_person(pseudonym), keys::PERSON.to_owned()));
        stored.tombstones.extend(people);
        let mut numbers: BTreeSet<_> = store.numbers().await?.into_iter().map(|it| it.number).collect();
        numbers.extend(stored.calls.keys().filter(|number| !number.is_empty()).cloned());
        for number in &numbers {
            for pseudonym in &linked.pseudonyms {
                stored.of_lists.extend(keys_in_partition(store, &keys::caller(number, pseudonym)).await?);
                stored.of_lists.extend(keys_in_partition(store, &keys::acts(number, pseudonym)).await?);
            }
        }
        Ok(stored)
    }

    /// Adds what a table scan finds. A scan that fails is reported in `unknown`, as is a call whose caller is unknown.
    async fn add_scanned(&mut self, store: &Store, pseudonymizer: &Pseudonymizer, linked: &mut LinkedNames) {
        match scan_table(store, pseudonymizer, linked).await {
            Ok(scanned) => {
                if scanned.unknown > 0 {
                    let calls = plural(scanned.unknown as u64, "call");
                    self.unknown.push(format!("The callers of {calls} are unknown: who called is stored for 30 days, and the key of the calls' pseudonyms may be lost."));
                }
                self.of_calls.extend(scanned.notices);
                self.of_lists.extend(scanned.pointers);
            }
            Err(error) => {
                let why = in_one_line(&error);
                self.unknown.push(format!("Table scan failed (dynamodb:Scan), so notices and calls outside of the person's lists were not searched: {why}"));
            }
        }
    }

    /// Returns how many items there are.
    pub(crate) fn items(&self) -> usize {
        self.of_messages.len() + self.of_calls.len() + self.of_lists.len()
    }

    /// Returns how many calls there are.
    pub(crate) fn total(&self) -> u64 {
        self.calls.values().sum()
    }

    /// Writes the tombstones, so that later notices are stored without the person's names.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn put_tombstones(&self, store: &Store, now_ms: u64) -> anyhow::Result<()> {
        for (pk, sk) in &self.tombstones {
            let keys = [("pk", text(pk)), ("sk", text(sk)), (keys::TTL, number(keys::forget_at(now_ms)))];
            store.put(keys.map(|(name, value)| (name.to_owned(), value)).into()).await?;
        }
        Ok(())
    }

    /// Writes the tombstones, deletes everything, and records with each number that a person was forgotten.
    ///
    /// # Errors
    /// When the table cannot be written; another run finds and deletes what is left.
    pub(crate) async fn erase(&self, store: &Store, now_ms: u64) -> anyhow::Result<()> {
        self.put_tombstones(store, now_ms).await?;
        delete(store, &self.of_messages).await?;
        delete(store, &self.of_calls).await?;
        for (id, calls) in self.calls.iter().filter(|(id, _)| !id.is_empty()) {
            let mut item = to_item(&JournalEvent::Forgotten { number: id.clone(), calls: *calls });
            item.insert("pk".to_owned(), text(keys::number(id)));
            item.insert("sk".to_owned(), text(keys::forgotten(now_ms)));
            item.insert("at_ms".to_owned(), number(now_ms));
            store.put(item).await?;
        }
        delete(store, &self.of_lists).await
    }

    /// Adds the counts of a later run.
    pub(crate) fn add(&mut self, later: Self) {
        for (number, calls) in later.calls {
            *self.calls.entry(number).or_default() += calls;
        }
        self.of_messages.extend(later.of_messages);
        self.of_calls.extend(later.of_calls);
        self.of_lists.extend(later.of_lists);
    }

    async fn add_call(&mut self, store: &Store, call: &CallListing, now_ms: u64) -> anyhow::Result<()> {
        let partition = keys::call(&call.call_ref);
        let state = store.items(&[(partition.clone(), keys::STATE.to_owned())]).await?.pop();
        let stored = keys_in_partition(store, &partition).await?;
        let is_summed_up = stored.iter().any(|(_, sk)| sk == keys::SUMMARY);
        let is_fresh = call.ended_at_ms.is_some_and(|ended| now_ms.saturating_sub(ended) < WRITES_FOR_MS);
        let is_being_written = call.accepted_at_ms.is_some() && is_fresh && !is_summed_up;
        if state.as_ref().is_some_and(may_change) && (call.ended_at_ms.is_none() || is_being_written) {
            self.unfinished += 1;
        }
        *self.calls.entry(call.number.clone()).or_default() += 1;
        let messages = stored.iter().filter_map(|(_, sk)| keys::message_ref(sk));
        self.of_messages.extend(messages.map(|message| (keys::message(message), keys::OF_CALL.to_owned())));
        self.of_calls.extend(stored);
        if !call.number.is_empty() {
            self.of_lists.insert((keys::calls(&call.number), call.place()));
        }
        self.of_lists.insert((keys::call_refs(&call.call_ref), call.call_ref.clone()));
        Ok(())
    }
}

/// Whether a call may still change; one that call-control set aside because its state cannot be parsed does not.
fn may_change(state: &Item) -> bool {
    !state.contains_key("is_set_aside")
}

async fn keys_in_partition(store: &Store, pk: &str) -> anyhow::Result<Vec<Key>> {
    let query = store.partition(pk).consistent_read(true).key_condition_expression("#pk = :pk");
    let query = query.projection_expression("#pk, #sk").expression_attribute_names("#sk", "sk");
    let found = all(query).await.context("cannot query stored items")?;
    Ok(found.iter().filter_map(key_of).collect())
}

fn key_of(item: &Item) -> Option<Key> {
    let part = |name| Some(item.get(name)?.as_s().ok()?.clone());
    Some((part("pk")?, part("sk")?))
}

async fn delete(store: &Store, keys: &BTreeSet<Key>) -> anyhow::Result<()> {
    let keys: Vec<_> = keys.iter().collect();
    for some in keys.chunks(BATCH) {
        let requests = some.iter().map(|(pk, sk)| {
            let delete = DeleteRequest::builder().key("pk", text(pk)).key("sk", text(sk));
            let delete = delete.build().expect("the key is set");
            WriteRequest::builder().delete_request(delete).build()
        });
        let mut rest = Some([(store.table.clone(), requests.collect())].into());
        while let Some(asked) = rest.take() {
            let write = store.client.batch_write_item().set_request_items(Some(asked)).send().await;
            rest = write.context("cannot delete items")?.unprocessed_items.filter(|left| !left.is_empty());
            if rest.is_some() {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }
    Ok(())
}
