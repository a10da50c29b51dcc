//! The events of the outbox, and the names of its items.

use crate::keys;
use call::{CallRef, Recorded};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An event that a business can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OutboxEvent {
    /// A call has ended that was not turned away.
    #[serde(rename = "call.ended")]
    CallEnded,
    /// A call was turned away.
    #[serde(rename = "call.rejected")]
    CallRejected,
    /// The caller left a message.
    #[serde(rename = "message.taken")]
    MessageTaken,
    /// The caller wants to be called back.
    #[serde(rename = "callback.requested")]
    CallbackRequested,
    /// The agent asked for a person to take the call.
    #[serde(rename = "call.person_wanted")]
    PersonWanted,
    /// A number's calls have spent four fifths of its day's money.
    #[serde(rename = "spending.near_cap")]
    SpendingNearCap,
}

impl fmt::Display for OutboxEvent {
    /// Writes the word that is stored and sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The name of an item, which is the id that receivers know an event by: `<call_ref>:<event>`, with `:<n>` where a call can have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxKey {
    /// The call.
    pub call_ref: CallRef,
    /// The event.
    pub event: Recorded<OutboxEvent>,
    /// Which one of the call's, where it can have several.
    pub n: Option<u64>,
}

/// A text that is no id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event's id is a call's reference, an event and, for some, a number: 4f6a…:call.ended")]
pub struct OutboxKeyError;

impl OutboxKey {
    /// Returns the name of the one event of this kind that a call can have.
    pub fn of(call_ref: &CallRef, event: OutboxEvent) -> Self {
        Self { call_ref: call_ref.clone(), event: event.into(), n: None }
    }

    /// Returns the name of the n-th event of this kind.
    pub fn nth(call_ref: &CallRef, event: OutboxEvent, n: u64) -> Self {
        Self { n: Some(n), ..Self::of(call_ref, event) }
    }

    /// Returns the item's sort key.
    pub fn sort_key(&self) -> String {
        match self.n {
            Some(n) => keys::after(&format!("{}#{n:06}", self.event)),
            None => keys::after(&self.event.to_string()),
        }
    }

    /// Returns the name of the item with these keys, if it is one of the outbox.
    pub fn read(pk: &str, sk: &str) -> Option<Self> {
        let call_ref = keys::call_ref(pk)?;
        let event = sk.strip_prefix(keys::AFTER)?;
        let event = event.split_once('#').map_or(event, |(event, _)| event);
        Some(Self { call_ref, event: word(event), n: number_of(sk) })
    }
}

impl fmt::Display for OutboxKey {
    /// Writes the id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.call_ref, self.event)?;
        self.n.map_or(Ok(()), |n| write!(f, ":{n}"))
    }
}

impl FromStr for OutboxKey {
    type Err = OutboxKeyError;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        let mut parts = id.splitn(3, ':');
        let (call_ref, event) = parts.next().zip(parts.next()).ok_or(OutboxKeyError)?;
        let is_hex = !call_ref.is_empty() && call_ref.bytes().all(|digit| digit.is_ascii_hexdigit());
        let is_word =
            !event.is_empty() && event.bytes().all(|c| c.is_ascii_lowercase() || b"._".contains(&c));
        if !is_hex || !is_word {
            return Err(OutboxKeyError);
        }
        let n = parts.next().map(str::parse).transpose().map_err(|_| OutboxKeyError)?;
        Ok(Self { call_ref: call_ref.into(), event: word(event), n })
    }
}

/// Returns the number at the end of a sort key.
pub(super) fn number_of(sk: &str) -> Option<u64> {
    sk.strip_prefix(keys::AFTER)?.split_once('#')?.1.parse().ok()
}

fn word(event: &str) -> Recorded<OutboxEvent> {
    let known: Result<OutboxEvent, serde::de::value::Error> =
        OutboxEvent::deserialize(serde::de::value::StrDeserializer::new(event));
    known.map_or_else(|_| Recorded::Other(event.to_owned()), Recorded::Known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_its_key_name_the_same_item() {
        for (id, sk) in [
            ("ab12:call.ended", "AFTER#call.ended"),
            ("ab12:message.taken:1", "AFTER#message.taken#000001"),
            ("ab12:call.forwarded", "AFTER#call.forwarded"),
        ] {
            let key: OutboxKey = id.parse().expect("it is one");
            assert_eq!((key.sort_key().as_str(), key.to_string().as_str()), (sk, id));
            assert_eq!(OutboxKey::read("CALL#ab12", sk), Some(key));
        }
    }

    #[test]
    fn other_texts_are_no_ids() {
        for id in ["", "ab12", "ab12:", ":call.ended", "xyz:call.ended", "ab12:call.ended:x", "ab12:Call"] {
            assert_eq!(id.parse::<OutboxKey>(), Err(OutboxKeyError), "{id}");
        }
        assert_eq!(OutboxKey::read("CALL#ab12", "LEFT#000001"), None);
    }
}
