//! Finds all that is stored of one person, on all numbers, and deletes it.

use crate::known::{Key, Known};
use crate::person::{Marker, Person};
use anyhow::Context;
use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use journal::Event;
use ledger::items::{Item, number, text, to_item};
use ledger::{Ledger, Listed, all};
use protocol::keys;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// BatchWriteItem takes no more at once.
const AT_ONCE: usize = 25;

/// How long to wait before what DynamoDB had no time for is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// So long after a call its media task may still write, ms.
const WRITES_FOR_MS: u64 = 60_000;

/// All that is stored of one person.
#[derive(Debug, Default)]
pub struct Traces {
    /// Their calls, and how many to each number.
    pub calls: BTreeMap<String, u64>,
    /// Calls of which something may still be written.
    pub unfinished: usize,
    /// Items by which the messages to them are found. They go first: what finds them is of their calls.
    of_messages: BTreeSet<Key>,
    /// Items of their calls, and of what was told of them.
    of_calls: BTreeSet<Key>,
    /// Items by which those are found. They go last: whoever is stopped half-way can begin again.
    of_lists: BTreeSet<Key>,
}

impl Traces {
    /// Looks for them: by every name of theirs that their calls tell.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn find(
        ledger: &Ledger,
        marker: &Marker,
        person: &Person,
        now_ms: u64,
    ) -> anyhow::Result<Self> {
        let known = Known::of(ledger, marker, person).await?;
        let mut traces = Self { of_lists: known.pointers, ..Self::default() };
        for call in &known.calls {
            traces.trace(ledger, call, now_ms).await?;
        }
        let mut numbers: BTreeSet<_> = ledger.numbers().await?.into_iter().map(|it| it.number).collect();
        numbers.extend(traces.calls.keys().cloned());
        for number in &numbers {
            for mark in &known.marks {
                traces.of_lists.extend(keys_in(ledger, &keys::caller(number, mark)).await?);
                traces.of_lists.extend(keys_in(ledger, &keys::acts(number, mark)).await?);
            }
            traces.of_calls.extend(notices_with(ledger, number, &known.names).await?);
        }
        Ok(traces)
    }

    /// How many items there are.
    pub fn items(&self) -> usize {
        self.of_messages.len() + self.of_calls.len() + self.of_lists.len()
    }

    /// How many calls there are.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }

    /// Deletes them, and notes with each number that somebody was forgotten.
    ///
    /// # Errors
    /// When the table cannot be written: what is left is found again.
    pub async fn erase(&self, ledger: &Ledger, now_ms: u64) -> anyhow::Result<()> {
        delete(ledger, &self.of_messages).await?;
        delete(ledger, &self.of_calls).await?;
        for (id, calls) in &self.calls {
            let mut item = to_item(&Event::Forgotten { number: id.clone(), calls: *calls });
            item.insert("pk".to_owned(), text(keys::number(id)));
            item.insert("sk".to_owned(), text(keys::forgotten(now_ms)));
            item.insert("at_ms".to_owned(), number(now_ms));
            ledger.put(item).await?;
        }
        delete(ledger, &self.of_lists).await
    }

    /// Takes a call in.
    async fn trace(&mut self, ledger: &Ledger, call: &Listed, now_ms: u64) -> anyhow::Result<()> {
        let partition = keys::call(&call.call_ref);
        let state = ledger.items(&[(partition.clone(), keys::STATE.to_owned())]).await?.pop();
        let stored = keys_in(ledger, &partition).await?;
        let is_summed_up = stored.iter().any(|(_, sk)| sk == keys::SUMMARY);
        let is_fresh = call.ended_at_ms.is_some_and(|ended| now_ms.saturating_sub(ended) < WRITES_FOR_MS);
        let is_being_written = call.accepted_at_ms.is_some() && is_fresh && !is_summed_up;
        if state.is_some() && (call.ended_at_ms.is_none() || is_being_written) {
            self.unfinished += 1;
        }
        *self.calls.entry(call.number.clone()).or_default() += 1;
        let messages = stored.iter().filter_map(|(_, sk)| keys::message_ref(sk));
        self.of_messages.extend(messages.map(|message| (keys::message(message), keys::OF_CALL.to_owned())));
        self.of_calls.extend(stored);
        self.of_lists.insert((keys::calls(&call.number), call.place()));
        self.of_lists.insert((keys::names_like(&call.call_ref), call.call_ref.clone()));
        Ok(())
    }
}

/// What Meta told of a number and not of a call may name people as well.
async fn notices_with(ledger: &Ledger, number: &str, names: &[Person]) -> anyhow::Result<Vec<Key>> {
    let query = ledger.partition(keys::number(number)).consistent_read(true);
    let query = query
        .key_condition_expression("#pk = :pk AND begins_with(#sk, :notices)")
        .expression_attribute_names("#sk", "sk")
        .expression_attribute_values(":notices", text(keys::NOTICES));
    let items = all(query).await.context("cannot look for what is stored")?.into_iter();
    let is_theirs = |item: &Item| {
        let text = format!("{item:?}");
        names.iter().any(|name| text.contains(name.name()))
    };
    Ok(items.filter(is_theirs).filter_map(|item| key_of(&item)).collect())
}

async fn keys_in(ledger: &Ledger, pk: &str) -> anyhow::Result<Vec<Key>> {
    let query = ledger.partition(pk).consistent_read(true).key_condition_expression("#pk = :pk");
    let query = query.projection_expression("#pk, #sk").expression_attribute_names("#sk", "sk");
    let found = all(query).await.context("cannot look for what is stored")?;
    Ok(found.iter().filter_map(key_of).collect())
}

fn key_of(item: &Item) -> Option<Key> {
    let part = |name| Some(item.get(name)?.as_s().ok()?.clone());
    Some((part("pk")?, part("sk")?))
}

async fn delete(ledger: &Ledger, keys: &BTreeSet<Key>) -> anyhow::Result<()> {
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
