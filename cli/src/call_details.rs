//! Reads everything that is stored about a call: list entry, journal, transcript, audio levels and summary.

use anyhow::{Context, bail};
use deliveries::Extraction;
use journal::{CallSummary, JournalEntry, JournalEvent, TranscriptLine};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::items::{Item, from_item};
use store::keys;
use store::{AudioLevels, CallListing, Store};

/// A call with everything about it that may be shown. Its state item, which names the caller, is not read.
#[derive(Debug)]
pub(crate) struct CallDetails {
    /// The call's entry in the list.
    pub(crate) listed: CallListing,
    /// The journal, by time.
    pub(crate) entries: Vec<JournalEntry>,
    /// The transcript, in order; empty if the agent stores none.
    pub(crate) lines: Vec<TranscriptLine>,
    /// How many messages and callback requests the caller left for people.
    pub(crate) left: usize,
    /// The summary, once the media task has written it.
    pub(crate) summary: Option<CallSummary>,
    /// What a text model extracted from the transcript, if the agent's file asks for it.
    pub(crate) extraction: Option<Extraction>,
    /// The audio levels of both sides; `None` if the agent stores no transcripts.
    pub(crate) levels: Option<AudioLevels>,
}

/// A turn: an answer of the agent, and how long the caller waited for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Counted from 1.
    pub(crate) turn: u64,
    /// When the answer's first audio was sent, in ms since 1970.
    pub(crate) at_ms: u64,
    /// From the end of the caller's speech to the answer's first audio, in ms.
    pub(crate) took_ms: u64,
    /// How much of that time tools took, in ms.
    pub(crate) tool_ms: u64,
}

impl CallDetails {
    /// Finds the call whose reference starts with `prefix`.
    ///
    /// # Errors
    /// When no call or more than one matches, or the table cannot be read.
    pub(crate) async fn find(store: &Store, prefix: &str) -> anyhow::Result<Self> {
        Self::of(store, named(store, prefix).await?).await
    }

    async fn of(store: &Store, listed: CallListing) -> anyhow::Result<Self> {
        let (mut entries, mut lines, mut left, mut extraction) = (vec![], vec![], 0, None);
        for item in store.items_before_state(&listed.call_ref).await? {
            let sk = item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
            if sk.starts_with(keys::EVENTS) {
                // An entry that a newer release wrote must not hide the others.
                entries.extend(read::<JournalEntry>(item).ok());
            } else if sk.starts_with(keys::LINES) {
                lines.push(read::<TranscriptLine>(item)?);
            } else if sk.starts_with(keys::LEFT) {
                left += 1;
            } else if sk == keys::EXTRACT {
                extraction = read::<Extraction>(item).ok();
            }
        }
        entries.sort_by_key(|entry| entry.at_ms);
        let summary = store.summary(&listed.call_ref).await?.map(read).transpose()?;
        let levels = store.levels(&listed.call_ref).await?;
        Ok(Self { listed, entries, lines, left, summary, extraction, levels })
    }

    /// Returns the time since the call rang, in ms.
    pub(crate) fn since_ring(&self, at_ms: u64) -> u64 {
        at_ms.saturating_sub(self.listed.rang_at_ms)
    }

    /// Returns the agent's answers, in order.
    pub(crate) fn turns(&self) -> Vec<Turn> {
        let turns = self.entries.iter().filter_map(|entry| match entry.event {
            JournalEvent::Turn { turn, took_ms, tool_ms } => {
                Some(Turn { turn, at_ms: entry.at_ms, took_ms, tool_ms })
            }
            _ => None,
        });
        turns.collect()
    }

    /// Returns the time from the ring to the end or, while there is no end, to the last journal entry, in ms.
    pub(crate) fn length_ms(&self) -> u64 {
        let last = self.entries.iter().map(|entry| entry.at_ms).max();
        self.since_ring(self.listed.ended_at_ms.or(last).unwrap_or(self.listed.rang_at_ms))
    }

    /// Returns everything as JSON.
    pub(crate) fn to_json(&self) -> Value {
        let events: Vec<Value> = self.entries.iter().map(to_json).collect();
        let mut all = json!({"call": self.listed, "lasted_ms": self.listed.lasted_ms(), "summary": self.summary,
            "transcript": self.lines, "left": self.left, "events": events});
        if let Some(extraction) = &self.extraction {
            all["extraction"] = json!(extraction);
        }
        all
    }
}

/// Returns the call whose reference starts with `prefix`.
///
/// # Errors
/// When no call or more than one matches, or the table cannot be read.
pub(crate) async fn named(store: &Store, prefix: &str) -> anyhow::Result<CallListing> {
    match <[CallListing; 1]>::try_from(store.named(prefix).await?) {
        Ok([listed]) => Ok(listed),
        Err(none) if none.is_empty() => bail!("there is no call {prefix}, or it has expired"),
        Err(_) => bail!("more than one call begins with {prefix}: give more of its reference"),
    }
}

/// Returns an entry as its log line, which redacts long digits: they may be a phone number.
pub(crate) fn to_json(entry: &JournalEntry) -> Value {
    serde_json::from_str(&entry.to_line()).expect("a line of the log is JSON")
}

/// Formats an event's own fields as text, such as `took 7 ms`; of events with many fields only those that are not 0.
pub(crate) fn event_details(entry: &JournalEntry) -> String {
    let (Value::Object(line), Ok(Value::Object(own))) = (to_json(entry), serde_json::to_value(&entry.event))
    else {
        return String::new();
    };
    let is_long = own.len() > 7;
    // Takes the values from the log line, where long digits are redacted.
    let fields = line
        .into_iter()
        .filter(|(name, _)| own.contains_key(name) && !["event", "number"].contains(&name.as_str()));
    let fields = fields.filter(|(_, value)| !(is_long && (value == &json!(0) || value == &json!(false))));
    fields.filter_map(|(name, value)| detail(&name, &value)).collect::<Vec<_>>().join(", ")
}

fn detail(name: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) if text.is_empty() => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (name, unit) = match name.strip_suffix("_ms") {
        Some(name) => (name, " ms"),
        None => (name, ""),
    };
    Some(format!("{} {text}{unit}", name.replace('_', " ")))
}

/// Returns the start of the writer's name, long enough to tell tasks apart.
pub(crate) fn writer(entry: &JournalEntry) -> String {
    entry.writer.chars().take(13).collect()
}

/// Returns an event's name as words: `WA_CALL_FIRST_WORD` becomes "first word".
pub(crate) fn event_name(entry: &JournalEntry) -> String {
    let line = to_json(entry);
    let name = line["event"].as_str().unwrap_or_default();
    name.trim_start_matches("WA_CALL_").to_lowercase().replace('_', " ")
}

fn read<T: DeserializeOwned>(item: Item) -> anyhow::Result<T> {
    from_item(item).context("cannot parse a stored item of the call")
}
