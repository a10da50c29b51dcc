//! Scans the whole table for what is stored about a person outside of their own lists.
//!
//! A notice that is not understood is stored with the number, account or call that Meta names, and one that DynamoDB refused is
//! stored by its hash: only reading every item finds a person in them.

use crate::linked_names::{LinkedNames, callers};
use crate::person::{Person, Pseudonymizer};
use call::{CallRef, Line, Recorded};
use service::time::now_ms;
use std::collections::{BTreeSet, HashSet};
use store::items::{Item, number_of, texts};
use store::keys;
use store::{CallListing, Key, Store, key_of};
use whatsapp::personal_names;

/// Slack, in seconds, between DynamoDB's deletion of a call's state and of its place in the list.
const EXPIRES_S: u64 = 24 * 60 * 60;

/// What a scan found about a person.
#[derive(Debug, Default)]
pub(crate) struct ScanResult {
    /// Notices that name the person.
    pub(crate) notices: BTreeSet<Key>,
    /// Items that lead to the person's calls.
    pub(crate) pointers: BTreeSet<Key>,
    /// Calls whose caller is unknown: the state has expired, and the pseudonym may be under a lost key.
    pub(crate) unknown: usize,
}

/// What one pass over the table found.
#[derive(Default)]
struct Pass {
    found: ScanResult,
    states: Vec<Item>,
    with_state: HashSet<CallRef>,
    old: HashSet<CallRef>,
}

/// Scans the table until a pass finds nothing new: each call found may reveal another name of the person.
///
/// # Errors
/// When the table cannot be read.
pub(crate) async fn scan_table(
    store: &Store,
    pseudonymizer: &Pseudonymizer,
    linked: &mut LinkedNames,
) -> anyhow::Result<ScanResult> {
    loop {
        let pass = scan_once(store, pseudonymizer, linked).await?;
        let mut is_new = false;
        for state in &pass.states {
            if let Some(call) = listing_of(state) {
                is_new |= linked.add(store, pseudonymizer, call, state).await?;
            }
        }
        if !is_new {
            let is_open = |call: &&CallRef| !pass.with_state.contains(*call) && !linked.has_call(call);
            let unknown = pass.old.iter().filter(is_open).count();
            return Ok(ScanResult { unknown, ..pass.found });
        }
    }
}

async fn scan_once(
    store: &Store,
    pseudonymizer: &Pseudonymizer,
    linked: &LinkedNames,
) -> anyhow::Result<Pass> {
    let mut pass = Pass::default();
    store.scan(|item| pass.add(item, pseudonymizer, linked)).await?;
    Ok(pass)
}

impl Pass {
    fn add(&mut self, item: Item, pseudonymizer: &Pseudonymizer, linked: &LinkedNames) {
        let Some((pk, sk)) = key_of(&item) else { return };
        let is_theirs = |name: &str| is_theirs(name, pseudonymizer, linked);
        if let Some(call_ref) = keys::call_ref(&pk).filter(|_| sk == keys::STATE) {
            self.with_state.insert(call_ref);
            if callers(&item).any(|caller| is_theirs(caller.name())) {
                self.states.push(item);
            }
            return;
        }
        if is_notice(&pk, &sk, &item) && names_in(&item).iter().any(|name| is_theirs(name)) {
            self.found.notices.insert((pk, sk));
            return;
        }
        let Some(call_ref) = call_of(&pk, &sk, &item) else { return };
        if linked.has_call(&call_ref) {
            self.found.pointers.insert((pk, sk));
        } else if pk.starts_with("CALLS#") && predates_key(&item, pseudonymizer.made_at_ms()) {
            self.old.insert(call_ref);
        }
    }
}

/// Whether a name is the person's, by itself or by its pseudonym.
fn is_theirs(name: &str, pseudonymizer: &Pseudonymizer, linked: &LinkedNames) -> bool {
    linked.names.iter().any(|theirs| theirs.name() == name)
        || pseudonymizer
            .pseudonyms(&Person::of_meta(name))
            .iter()
            .any(|pseudonym| linked.pseudonyms.contains(pseudonym))
}

/// Whether an item holds a notice of Meta's as it was received.
fn is_notice(pk: &str, sk: &str, item: &Item) -> bool {
    sk.starts_with(keys::NOTICES)
        || pk.starts_with("UNFIT#")
        || (pk.starts_with("CALL#") && item.contains_key("item"))
}

/// Returns the personal names in a notice.
fn names_in(item: &Item) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, value) in item {
        if !["pk", "sk", "at_ms", "ttl", "stamped_at", "number", "call_ref"].contains(&name.as_str()) {
            found.extend(texts(value).iter().flat_map(|text| personal_names::in_text(text)));
        }
    }
    found
}

/// Returns the call that an item outside of the call's partition belongs to.
fn call_of(pk: &str, sk: &str, item: &Item) -> Option<CallRef> {
    let is_list = ["CALLS#", "USER#", "REF#", "MESSAGE#"].iter().any(|list| pk.starts_with(list));
    if pk.starts_with("CALLER#") {
        return sk.rsplit_once('#').map(|(_, call_ref)| call_ref.into());
    }
    item.get("call_ref").filter(|_| is_list)?.as_s().ok().map(|call_ref| call_ref.as_str().into())
}

/// Whether a listed call is older than the pseudonym key and outlives its state.
fn predates_key(item: &Item, made_at_ms: Option<u64>) -> bool {
    let is_old = number_of(item, "rang_at_ms") < Some(made_at_ms.unwrap_or(u64::MAX));
    is_old && number_of(item, keys::TTL) > Some(now_ms() / 1_000 + EXPIRES_S)
}

/// Returns the line of a call, by the call in its state; WhatsApp where it names none.
fn line_of(call: &Item) -> Recorded<Line> {
    let named = call.get("line").and_then(|line| line.as_s().ok());
    named
        .map(|name| serde_json::from_value(name.as_str().into()).expect("any word is a line"))
        .unwrap_or_default()
}

/// Returns the list's entry of a call, by its state.
fn listing_of(state: &Item) -> Option<CallListing> {
    // A state that cannot be parsed still belongs to the person's call.
    let call = state.get("call").and_then(|call| call.as_m().ok()).cloned().unwrap_or_default();
    let text = |name: &str| Some(state.get(name)?.as_s().ok()?.clone());
    Some(CallListing {
        call_ref: keys::call_ref(&text("pk")?)?,
        line: line_of(&call),
        number: text("number").unwrap_or_default().into(),
        rang_at_ms: number_of(&call, "rang_at").unwrap_or_default(),
        start: None,
        accepted_at_ms: number_of(&call, "accepted_at"),
        ended_at_ms: number_of(&call, "ended_at"),
        ending: None,
        by: None,
    })
}
