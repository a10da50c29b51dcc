//! Finds all that is stored of one person, on all numbers, deletes it, and leaves tombstones for what comes later.

use crate::cloud::in_one_line;
use crate::figures::plural;
use crate::linked_names::{Key, Known};
use crate::person::{Marker, Person};
use crate::table_scan::sweep;
use anyhow::Context;
use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use internal_api::keys;
use journal::JournalEvent;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::items::{Item, number, text, to_item};
use store::{CallListing, Store, all};

/// BatchWriteItem takes no more at once.
const AT_ONCE: usize = 25;

/// How long to wait before what DynamoDB had no time for is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// So long after a call its media task may still write, ms.
const WRITES_FOR_MS: u64 = 60_000;

/// All that is stored of one person.
#[derive(Debug, Default)]
pub struct StoredPerson {
    /// Their calls, and how many to each number; an empty one, where a state tells none that can be read.
    pub calls: BTreeMap<String, u64>,
    /// Calls of which something may still be written.
    pub unfinished: usize,
    /// Items by which the messages to them are found. They go first: what finds them is of their calls.
    of_messages: BTreeSet<Key>,
    /// Items of their calls, and of what was told of them.
    of_calls: BTreeSet<Key>,
    /// Items by which those are found. They go last: whoever is stopped half-way can begin again.
    of_lists: BTreeSet<Key>,
    /// Items that tell the webhook to keep nothing of them that comes later.
    tombstones: BTreeSet<Key>,
    /// In words, what cannot be known.
    pub unknown: Vec<String>,
}

impl StoredPerson {
    /// Looks for them: by every name of theirs that their calls tell.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn find(ledger: &Store, marker: &Marker, person: &Person, now_ms: u64) -> anyhow::Result<Self> {
        let mut known = Known::of(ledger, marker, person).await?;
        let mut traces = Self::default();
        traces.look_everywhere(ledger, marker, &mut known).await;
        if !person.is_metas() {
            traces.unknown.push(
                "Meta writes no names like this one: notices that name them were not looked for.".to_owned(),
            );
        }
        traces.of_lists.extend(known.pointers);
        for call in &known.calls {
            traces.trace(ledger, call, now_ms).await?;
            traces.tombstones.insert((keys::forgotten_call(&call.call_ref), keys::OF_CALL.to_owned()));
        }
        let people = known.marks.iter().map(|mark| (keys::forgotten_person(mark), keys::PERSON.to_owned()));
        traces.tombstones.extend(people);
        let mut numbers: BTreeSet<_> = ledger.numbers().await?.into_iter().map(|it| it.number).collect();
        numbers.extend(traces.calls.keys().filter(|number| !number.is_empty()).cloned());
        for number in &numbers {
            for mark in &known.marks {
                traces.of_lists.extend(keys_in(ledger, &keys::caller(number, mark)).await?);
                traces.of_lists.extend(keys_in(ledger, &keys::acts(number, mark)).await?);
            }
        }
        Ok(traces)
    }

    /// Looks at each item of the table. What keeps it from that is something it cannot know.
    async fn look_everywhere(&mut self, ledger: &Store, marker: &Marker, known: &mut Known) {
        match sweep(ledger, marker, known).await {
            Ok(swept) => {
                if swept.unknown > 0 {
                    let calls = plural(swept.unknown as u64, "call");
                    self.unknown.push(format!("Whose {calls} were is not known: who called is kept for 30 days, and the key of their marks may be lost."));
                }
                self.of_calls.extend(swept.notices);
                self.of_lists.extend(swept.pointers);
            }
            Err(error) => {
                let why = in_one_line(&error);
                self.unknown.push(format!("Notices that name them were not looked for, nor calls that stand in no list of theirs (dynamodb:Scan): {why}"));
            }
        }
    }

    /// How many items there are.
    pub fn items(&self) -> usize {
        self.of_messages.len() + self.of_calls.len() + self.of_lists.len()
    }

    /// How many calls there are.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }

    /// Leaves the tombstones: what comes later is recorded without the person.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn bury(&self, ledger: &Store, now_ms: u64) -> anyhow::Result<()> {
        for (pk, sk) in &self.tombstones {
            let keys = [("pk", text(pk)), ("sk", text(sk)), (keys::TTL, number(keys::forget_at(now_ms)))];
            ledger.put(keys.map(|(name, value)| (name.to_owned(), value)).into()).await?;
        }
        Ok(())
    }

    /// Leaves the tombstones, deletes what there is, and notes with each number that a person was forgotten.
    ///
    /// # Errors
    /// When the table cannot be written: what is left is found again.
    pub async fn erase(&self, ledger: &Store, now_ms: u64) -> anyhow::Result<()> {
        self.bury(ledger, now_ms).await?;
        delete(ledger, &self.of_messages).await?;
        delete(ledger, &self.of_calls).await?;
        for (id, calls) in self.calls.iter().filter(|(id, _)| !id.is_empty()) {
            let mut item = to_item(&JournalEvent::Forgotten { number: id.clone(), calls: *calls });
            item.insert("pk".to_owned(), text(keys::number(id)));
            item.insert("sk".to_owned(), text(keys::forgotten(now_ms)));
            item.insert("at_ms".to_owned(), number(now_ms));
            ledger.put(item).await?;
        }
        delete(ledger, &self.of_lists).await
    }

    /// Adds what was found and erased after this.
    pub fn add(&mut self, later: Self) {
        for (number, calls) in later.calls {
            *self.calls.entry(number).or_default() += calls;
        }
        self.of_messages.extend(later.of_messages);
        self.of_calls.extend(later.of_calls);
        self.of_lists.extend(later.of_lists);
    }

    /// Takes a call in.
    async fn trace(&mut self, ledger: &Store, call: &CallListing, now_ms: u64) -> anyhow::Result<()> {
        let partition = keys::call(&call.call_ref);
        let state = ledger.items(&[(partition.clone(), keys::STATE.to_owned())]).await?.pop();
        let stored = keys_in(ledger, &partition).await?;
        let is_summed_up = stored.iter().any(|(_, sk)| sk == keys::SUMMARY);
        let is_fresh = call.ended_at_ms.is_some_and(|ended| now_ms.saturating_sub(ended) < WRITES_FOR_MS);
        let is_being_written = call.accepted_at_ms.is_some() && is_fresh && !is_summed_up;
        if state.as_ref().is_some_and(goes_on) && (call.ended_at_ms.is_none() || is_being_written) {
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

/// Whether a call may still change: one whose state cannot be read was set aside by call-control, and does not.
fn goes_on(state: &Item) -> bool {
    !state.contains_key("is_set_aside")
}

async fn keys_in(ledger: &Store, pk: &str) -> anyhow::Result<Vec<Key>> {
    let query = ledger.partition(pk).consistent_read(true).key_condition_expression("#pk = :pk");
    let query = query.projection_expression("#pk, #sk").expression_attribute_names("#sk", "sk");
    let found = all(query).await.context("cannot look for what is stored")?;
    Ok(found.iter().filter_map(key_of).collect())
}

fn key_of(item: &Item) -> Option<Key> {
    let part = |name| Some(item.get(name)?.as_s().ok()?.clone());
    Some((part("pk")?, part("sk")?))
}

async fn delete(ledger: &Store, keys: &BTreeSet<Key>) -> anyhow::Result<()> {
    let keys: Vec<_> = keys.iter().collect();
    for some in keys.chunks(AT_ONCE) {
        let requests = some.iter().map(|(pk, sk)| {
            let delete = DeleteRequest::builder().key("pk", text(pk)).key("sk", text(sk));
            let delete = delete.build().expect("the key is set");
            WriteRequest::builder().delete_request(delete).build()
        });
        let mut rest = Some([(ledger.table.clone(), requests.collect())].into());
        while let Some(asked) = rest.take() {
            let write = ledger.client.batch_write_item().set_request_items(Some(asked)).send().await;
            rest = write.context("cannot delete")?.unprocessed_items.filter(|left| !left.is_empty());
            if rest.is_some() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Ok(())
}
