//! Finds and deletes everything stored about one person on all numbers, and writes tombstones for notices that arrive later.

use crate::cloud::in_one_line;
use crate::figures::plural;
use crate::linked_names::LinkedNames;
use crate::person::{Person, Pseudonymizer};
use crate::table_scan::scan_table;
use call::NumberId;
use std::collections::{BTreeMap, BTreeSet};
use store::items::Item;
use store::keys;
use store::{CallListing, Key, Store, tombstone_of_call, tombstone_of_person};

/// How long after a call its media task may still write, in ms.
const WRITES_FOR_MS: u64 = 60_000;

/// Everything stored about one person.
#[derive(Debug, Default)]
pub(crate) struct StoredPerson {
    /// How many calls there are to each number; the number is empty where a call's state cannot be parsed.
    pub(crate) calls: BTreeMap<NumberId, u64>,
    /// Calls that are live, or whose media task may still write.
    pub(crate) unfinished: usize,
    /// Items that lead from messages to calls. Deleted first, because they are found through the calls.
    of_messages: BTreeSet<Key>,
    /// Items of the person's calls, and notices that name them.
    of_calls: BTreeSet<Key>,
    /// The partitions of the person's calls.
    partitions: BTreeSet<String>,
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
        if !person.has_metas_form() && !person.is_unknown_to_meta() {
            stored
                .unknown
                .push("Meta writes no names like this one: notices were not searched for it.".to_owned());
        }
        stored.of_lists.extend(linked.pointers);
        for call in &linked.calls {
            stored.add_call(store, call, now_ms).await?;
            stored.tombstones.insert(tombstone_of_call(&call.call_ref));
        }
        stored.tombstones.extend(linked.pseudonyms.iter().map(|pseudonym| tombstone_of_person(pseudonym)));
        let mut numbers: BTreeSet<_> = store.numbers().await?.into_iter().map(|it| it.number).collect();
        numbers.extend(stored.calls.keys().filter(|number| !is_unreadable(number)).cloned());
        for number in &numbers {
            for pseudonym in &linked.pseudonyms {
                stored.of_lists.extend(store.keys_in_partition(&keys::caller(number, pseudonym)).await?);
                stored.of_lists.extend(store.keys_in_partition(&keys::acts(number, pseudonym)).await?);
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
        Ok(store.put_tombstones(&self.tombstones, now_ms).await?)
    }

    /// Writes the tombstones, deletes everything, and records with each number that a person was forgotten.
    ///
    /// # Errors
    /// When the table cannot be written; another run finds and deletes what is left.
    pub(crate) async fn erase(&self, store: &Store, now_ms: u64) -> anyhow::Result<()> {
        self.put_tombstones(store, now_ms).await?;
        store.delete_items(&self.of_messages).await?;
        store.delete_items(&self.of_calls).await?;
        // What was written into them meanwhile, such as what a model extracted.
        for partition in &self.partitions {
            store.delete_items(&store.keys_in_partition(partition).await?).await?;
        }
        for (id, calls) in self.calls.iter().filter(|(id, _)| !is_unreadable(id)) {
            store.record_forgotten(id, *calls, now_ms).await?;
        }
        Ok(store.delete_items(&self.of_lists).await?)
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
        let stored = store.keys_in_partition(&partition).await?;
        let is_summed_up = stored.iter().any(|(_, sk)| sk == keys::SUMMARY);
        let is_fresh = call.ended_at_ms.is_some_and(|ended| now_ms.saturating_sub(ended) < WRITES_FOR_MS);
        let has_late_writes = call.accepted_at_ms.is_some() && is_fresh && !is_summed_up;
        let is_being_written = has_late_writes || is_being_told(store, &stored, now_ms).await?;
        if state.as_ref().is_some_and(may_change) && (call.ended_at_ms.is_none() || is_being_written) {
            self.unfinished += 1;
        }
        *self.calls.entry(call.number.clone()).or_default() += 1;
        let messages = stored.iter().filter_map(|(_, sk)| keys::message_ref(sk));
        self.of_messages.extend(messages.map(|message| (keys::message(message), keys::OF_CALL.to_owned())));
        self.of_calls.extend(stored);
        self.partitions.insert(partition);
        if !is_unreadable(&call.number) {
            self.of_lists.insert((keys::calls(&call.number), call.place()));
        }
        self.of_lists.insert((keys::call_refs(call.call_ref.as_str()), call.call_ref.to_string()));
        Ok(())
    }
}

/// Whether the outbox delivers an event of a call now, and may write what a model extracts for it.
async fn is_being_told(store: &Store, stored: &[Key], now_ms: u64) -> anyhow::Result<bool> {
    let events: Vec<_> = stored.iter().filter(|(_, sk)| sk.starts_with(keys::AFTER)).cloned().collect();
    let events = store.items(&events).await?;
    let mut claims =
        events.iter().filter_map(|event| event.get("claimed_until_ms")?.as_n().ok()?.parse().ok());
    Ok(claims.any(|until_ms: u64| until_ms > now_ms))
}

/// Whether a call may still change; one that call-control set aside because its state cannot be parsed does not.
fn may_change(state: &Item) -> bool {
    !state.contains_key("is_set_aside")
}

/// Whether a call's number is unknown, because the call's state cannot be parsed.
fn is_unreadable(number: &NumberId) -> bool {
    number.as_str().is_empty()
}
