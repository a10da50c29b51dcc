//! Reads what is stored of a call, all of its partition at once.

use call::CallRef;
use deliveries::{CallFacts, Extraction, Left};
use journal::{EntryBuilder, EntryContext, JournalEntry, TranscriptLine};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use store::items::{Item, from_item};
use store::{Store, StoredCall, keys};

/// What is stored of a call.
pub(crate) enum Stored {
    Call(Box<Call>),
    /// The call is forgotten, or has expired.
    Gone,
    /// Its state is of a later release.
    Unreadable,
}

/// A call, as far as a business may be told.
pub(crate) struct Call {
    pub(crate) facts: CallFacts,
    /// The version of its state.
    pub(crate) version: u64,
    /// The language that the business's lookup chose for the call.
    pub(crate) language: Option<String>,
    /// What was extracted from its transcript.
    pub(crate) extraction: Option<Extraction>,
    /// When the last line of its transcript expires, seconds since 1970.
    pub(crate) lines_expire_at: Option<u64>,
}

/// Reads a call, of which the agent with this name tells.
pub(crate) async fn read(store: &Store, call_ref: &CallRef, agent: &str) -> store::Result<Stored> {
    let items = store.items_with_prefix(&keys::call(call_ref), "").await?;
    let state = items.iter().find(|item| sort_key(item) == keys::STATE && item.contains_key("call"));
    let Some(state) = state else { return Ok(Stored::Gone) };
    Ok(match from_item::<StoredCall>(state.clone()) {
        Ok(state) => Stored::Call(Box::new(Call::of(&state, items, agent))),
        Err(_) => Stored::Unreadable,
    })
}

impl Call {
    /// Returns a builder of the call's journal entries.
    pub(crate) fn journal(&self, writer: &str) -> EntryBuilder {
        let CallFacts { call_ref, number, line, rang_at_ms, .. } = &self.facts;
        let context =
            EntryContext { line: (*line).into(), number: Some(number.clone()), ..EntryContext::default() };
        EntryBuilder::new(call_ref, writer, *rang_at_ms, self.version).at(context)
    }

    /// What this release cannot read of a call's items hides nothing of the others.
    fn of(state: &StoredCall, items: Vec<Item>, agent: &str) -> Self {
        let language = state.chosen.as_ref().and_then(|chosen| chosen.language.clone());
        let facts = facts(state, agent);
        let mut call =
            Self { facts, version: state.version, language, extraction: None, lines_expire_at: None };
        for item in items {
            let key = sort_key(&item).to_owned();
            if key.starts_with(keys::EVENTS) {
                call.facts.entries.extend(read_as::<JournalEntry>(item));
            } else if key.starts_with(keys::LINES) {
                call.lines_expire_at = call.lines_expire_at.max(expires_at(&item));
                call.facts.lines.extend(read_as::<TranscriptLine>(item));
            } else if key.starts_with(keys::LEFT) {
                call.facts.left.extend(left(&key, item));
            } else if key.starts_with(keys::SUMMARY) {
                let summary = read_as(item).map(|summary| (keys::fence_of_summary(&key), summary));
                call.facts.summaries.extend(summary);
            } else if key == keys::EXTRACT {
                call.extraction = read_as(item);
            }
        }
        call.facts.entries.sort_by_key(|entry| entry.at_ms);
        call
    }
}

fn facts(state: &StoredCall, agent: &str) -> CallFacts {
    let call = &state.call;
    CallFacts {
        call_ref: state.call_ref(),
        number: state.number.clone(),
        line: call.line,
        agent: agent.to_owned(),
        caller: state.caller_details(),
        rang_at_ms: call.rang_at.0,
        accepted_at_ms: call.accepted_at.map(|at| at.0),
        ended_at_ms: call.ended_at.map(|at| at.0),
        ending: call.ending(),
        entries: vec![],
        left: vec![],
        lines: vec![],
        summaries: vec![],
    }
}

fn left(key: &str, item: Item) -> Option<Left> {
    let stored: Map<String, Value> = read_as(item)?;
    let kind = stored.get("kind")?.as_str()?.to_owned();
    let left_at_ms = stored.get("left_at_ms").and_then(Value::as_u64).unwrap_or_default();
    Some(Left::new(key, &kind, left_at_ms, stored))
}

fn read_as<T: DeserializeOwned>(item: Item) -> Option<T> {
    from_item(item).ok()
}

fn expires_at(item: &Item) -> Option<u64> {
    item.get(keys::TTL)?.as_n().ok()?.parse().ok()
}

fn sort_key(item: &Item) -> &str {
    item.get("sk").and_then(|key| key.as_s().ok()).map_or("", String::as_str)
}
