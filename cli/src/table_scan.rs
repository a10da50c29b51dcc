//! Looks through the whole table for what is stored of a person and stands in no list of theirs.
//!
//! What Meta tells and is not understood lies with the number, the account or the call that Meta names, and what DynamoDB would not
//! take lies by its hash: only looking at each item finds a person in them.

use crate::linked_names::{Key, Known, callers};
use crate::person::{Marker, Person};
use anyhow::Context;
use aws_sdk_dynamodb::types::AttributeValue;
use internal_api::keys;
use service::time::now_ms;
use std::collections::{BTreeSet, HashSet};
use store::items::Item;
use store::{CallListing, Store};
use whatsapp::personal_names;

/// DynamoDB deletes a call's state and its place in the list within hours of each other, s.
const EXPIRES_S: u64 = 24 * 60 * 60;

/// What was found.
#[derive(Debug, Default)]
pub struct Swept {
    /// Notices that name the person.
    pub notices: BTreeSet<Key>,
    /// Items that lead to calls of theirs.
    pub pointers: BTreeSet<Key>,
    /// Calls of which it is not known whose they were: their states are gone, and their marks may be under a lost key.
    pub unknown: usize,
}

/// What one look through the table found.
#[derive(Default)]
struct Look {
    swept: Swept,
    states: Vec<Item>,
    with_state: HashSet<String>,
    old: HashSet<String>,
}

/// Looks through the table until nothing new of the person is found: a call tells another name of theirs.
///
/// # Errors
/// When the table cannot be read.
pub async fn sweep(ledger: &Store, marker: &Marker, known: &mut Known) -> anyhow::Result<Swept> {
    loop {
        let look = look(ledger, marker, known).await?;
        let mut is_news = false;
        for state in &look.states {
            if let Some(call) = listed(state) {
                is_news |= known.take_in(ledger, marker, call, state).await?;
            }
        }
        if !is_news {
            let is_open = |call: &&String| !look.with_state.contains(*call) && !known.has(call);
            let unknown = look.old.iter().filter(is_open).count();
            return Ok(Swept { unknown, ..look.swept });
        }
    }
}

async fn look(ledger: &Store, marker: &Marker, known: &Known) -> anyhow::Result<Look> {
    let scan = ledger.client.scan().table_name(&ledger.table).consistent_read(true);
    let mut pages = scan.into_paginator().items().send();
    let mut look = Look::default();
    while let Some(item) = pages.next().await {
        look.at(item.context("cannot look through the table")?, marker, known);
    }
    Ok(look)
}

impl Look {
    fn at(&mut self, item: Item, marker: &Marker, known: &Known) {
        let Some((pk, sk)) = key_of(&item) else { return };
        let is_theirs = |name: &str| is_of(name, marker, known);
        if let Some(call_ref) = keys::call_ref(&pk).filter(|_| sk == keys::STATE) {
            self.with_state.insert(call_ref.to_owned());
            if callers(&item).any(|caller| is_theirs(caller.name())) {
                self.states.push(item);
            }
            return;
        }
        if is_notice(&pk, &sk, &item) && names_of(&item).iter().any(|name| is_theirs(name)) {
            self.swept.notices.insert((pk, sk));
            return;
        }
        let Some(call_ref) = call_of(&pk, &sk, &item) else { return };
        if known.has(call_ref) {
            self.swept.pointers.insert((pk, sk));
        } else if pk.starts_with("CALLS#") && is_before(&item, marker.made_at_ms()) {
            self.old.insert(call_ref.to_owned());
        }
    }
}

/// Whether a name is the person's: one that is known, or one whose mark is.
fn is_of(name: &str, marker: &Marker, known: &Known) -> bool {
    known.names.iter().any(|theirs| theirs.name() == name)
        || marker.marks(&Person::of_meta(name)).iter().any(|mark| known.marks.contains(mark))
}

/// Whether an item is what Meta told, as far as it is kept as it came.
fn is_notice(pk: &str, sk: &str, item: &Item) -> bool {
    sk.starts_with(keys::NOTICES)
        || pk.starts_with("UNFIT#")
        || (pk.starts_with("CALL#") && item.contains_key("item"))
}

/// The people in a notice.
fn names_of(item: &Item) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, value) in item {
        if !["pk", "sk", "at_ms", "ttl", "stamped_at", "number", "call_ref"].contains(&name.as_str()) {
            collect(value, &mut found);
        }
    }
    found
}

fn collect(value: &AttributeValue, found: &mut BTreeSet<String>) {
    match value {
        AttributeValue::S(text) => found.extend(personal_names::in_text(text)),
        AttributeValue::B(bytes) => {
            found.extend(personal_names::in_text(&String::from_utf8_lossy(bytes.as_ref())))
        }
        AttributeValue::L(values) => values.iter().for_each(|value| collect(value, found)),
        AttributeValue::M(values) => values.values().for_each(|value| collect(value, found)),
        AttributeValue::Ss(texts) => {
            found.extend(texts.iter().flat_map(|text| personal_names::in_text(text)))
        }
        _ => {}
    }
}

/// The call that an item outside of its partition is of.
fn call_of<'a>(pk: &str, sk: &'a str, item: &'a Item) -> Option<&'a str> {
    let is_list = ["CALLS#", "USER#", "REF#", "MESSAGE#"].iter().any(|list| pk.starts_with(list));
    if pk.starts_with("CALLER#") {
        return sk.rsplit_once('#').map(|(_, call_ref)| call_ref);
    }
    item.get("call_ref").filter(|_| is_list)?.as_s().ok().map(String::as_str)
}

/// Whether a call in the list is from before there was a key of marks, and kept for longer than its state.
fn is_before(item: &Item, made_at_ms: Option<u64>) -> bool {
    let is_old = number(item.get("rang_at_ms")) < Some(made_at_ms.unwrap_or(u64::MAX));
    is_old && number(item.get(keys::TTL)) > Some(now_ms() / 1_000 + EXPIRES_S)
}

/// A call as the list has it, by its state.
fn listed(state: &Item) -> Option<CallListing> {
    // A state that cannot be read is their call's all the same.
    let call = state.get("call").and_then(|call| call.as_m().ok()).cloned().unwrap_or_default();
    let text = |name: &str| Some(state.get(name)?.as_s().ok()?.clone());
    Some(CallListing {
        call_ref: keys::call_ref(&text("pk")?)?.to_owned(),
        number: text("number").unwrap_or_default(),
        rang_at_ms: number(call.get("rang_at")).unwrap_or_default(),
        start: None,
        accepted_at_ms: number(call.get("accepted_at")),
        ended_at_ms: number(call.get("ended_at")),
        ending: None,
        by: None,
    })
}

fn number(value: Option<&AttributeValue>) -> Option<u64> {
    value?.as_n().ok()?.parse().ok()
}

fn key_of(item: &Item) -> Option<Key> {
    let part = |name| Some(item.get(name)?.as_s().ok()?.clone());
    Some((part("pk")?, part("sk")?))
}
