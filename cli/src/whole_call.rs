//! A whole call, as far as it is kept: its place in the list, its journal, what was said, and its summary.

use anyhow::{Context, bail};
use internal_api::keys;
use journal::{CallSummary, JournalEntry, JournalEvent, TranscriptLine};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::items::{Item, from_item, text};
use store::{AudioLevels, CallListing, Store};

/// A call, and everything about it that may be shown. Its state, which says who called, is not read.
#[derive(Debug)]
pub struct WholeCall {
    /// What the list says.
    pub listed: CallListing,
    /// Its journal, by time.
    pub entries: Vec<JournalEntry>,
    /// Who said what, in order; empty if the agent keeps no transcripts.
    pub lines: Vec<TranscriptLine>,
    /// How many things the caller left for people.
    pub left: usize,
    /// It in short, once its media task has let go of it.
    pub summary: Option<CallSummary>,
    /// How loud each side was.
    pub levels: Option<AudioLevels>,
}

/// An answer of the agent's, and how long the caller waited for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Which, from 1.
    pub turn: u64,
    /// When its first voice was sent, ms since 1970.
    pub at_ms: u64,
    /// From the end of the caller's speech, ms.
    pub took_ms: u64,
    /// How much of it tools took, ms.
    pub tool_ms: u64,
}

impl WholeCall {
    /// The call of this name, or of a name that begins like this.
    ///
    /// # Errors
    /// When there is none, or more than one, or the table cannot be asked.
    pub async fn find(ledger: &Store, beginning: &str) -> anyhow::Result<Self> {
        let found = ledger.named(beginning).await?;
        match <[CallListing; 1]>::try_from(found) {
            Ok([listed]) => Self::of(ledger, listed).await,
            Err(none) if none.is_empty() => bail!("there is no call {beginning}, or not any more"),
            Err(_) => bail!("there is more than one call {beginning}…: say more of its name"),
        }
    }

    async fn of(ledger: &Store, listed: CallListing) -> anyhow::Result<Self> {
        let (pk, mut entries, mut lines, mut left) = (keys::call(&listed.call_ref), vec![], vec![], 0);
        // Everything sorts before the state but the summary.
        for item in before_state(ledger, &pk).await? {
            let sk = item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
            if sk.starts_with(keys::EVENTS) {
                // What a newer release wrote must not hide the rest.
                entries.extend(read::<JournalEntry>(item).ok());
            } else if sk.starts_with(keys::LINES) {
                lines.push(read::<TranscriptLine>(item)?);
            } else if sk.starts_with(keys::LEFT) {
                left += 1;
            }
        }
        entries.sort_by_key(|entry| entry.at_ms);
        let summary = ledger.summary(&listed.call_ref).await?.map(read).transpose()?;
        let levels = ledger.levels(&listed.call_ref).await?;
        Ok(Self { listed, entries, lines, left, summary, levels })
    }

    /// Since the call rang, ms.
    pub fn since_ring(&self, at_ms: u64) -> u64 {
        at_ms.saturating_sub(self.listed.rang_at_ms)
    }

    /// The answers of the agent, in order.
    pub fn turns(&self) -> Vec<Turn> {
        let turns = self.entries.iter().filter_map(|entry| match entry.event {
            JournalEvent::Turn { turn, took_ms, tool_ms } => {
                Some(Turn { turn, at_ms: entry.at_ms, took_ms, tool_ms })
            }
            _ => None,
        });
        turns.collect()
    }

    /// When it was over for all that is known of it, ms since the ring.
    pub fn length_ms(&self) -> u64 {
        let last = self.entries.iter().map(|entry| entry.at_ms).max();
        self.since_ring(self.listed.ended_at_ms.or(last).unwrap_or(self.listed.rang_at_ms))
    }

    /// All of it, for programs.
    pub fn to_json(&self) -> Value {
        let events: Vec<Value> = self.entries.iter().map(to_json).collect();
        json!({"call": self.listed, "lasted_ms": self.listed.lasted_ms(), "summary": self.summary,
            "transcript": self.lines, "left": self.left, "events": events})
    }
}

/// An event as the log has it: without numbers that may be somebody's.
pub fn to_json(entry: &JournalEntry) -> Value {
    serde_json::from_str(&entry.to_line()).expect("a line of the log is JSON")
}

/// What an event says of itself, as words: `took 7 ms`. Of long lists of figures only those that are not 0.
pub fn details(entry: &JournalEntry) -> String {
    let (Value::Object(line), Ok(Value::Object(own))) = (to_json(entry), serde_json::to_value(&entry.event))
    else {
        return String::new();
    };
    let is_long = own.len() > 7;
    // By the line's words, from which long numbers are gone.
    let said = line
        .into_iter()
        .filter(|(name, _)| own.contains_key(name) && !["event", "number"].contains(&name.as_str()));
    let said = said.filter(|(_, value)| !(is_long && (value == &json!(0) || value == &json!(false))));
    said.filter_map(|(name, value)| detail(&name, &value)).collect::<Vec<_>>().join(", ")
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

/// Who wrote an entry, as much of its name as tells tasks apart.
pub fn writer(entry: &JournalEntry) -> String {
    entry.writer.chars().take(13).collect()
}

/// The name of an event as words: `WA_CALL_FIRST_WORD` is "first word".
pub fn name(entry: &JournalEntry) -> String {
    let said = to_json(entry);
    let name = said["event"].as_str().unwrap_or_default();
    name.trim_start_matches("WA_CALL_").to_lowercase().replace('_', " ")
}

async fn before_state(ledger: &Store, pk: &str) -> anyhow::Result<Vec<Item>> {
    let query = ledger.partition(pk).key_condition_expression("#pk = :pk AND #sk < :state");
    let query = query.expression_attribute_names("#sk", "sk");
    let query = query.expression_attribute_values(":state", text(keys::STATE));
    store::all(query).await.context("cannot read the call")
}

fn read<T: DeserializeOwned>(item: Item) -> anyhow::Result<T> {
    from_item(item).context("cannot understand what is kept of the call")
}
