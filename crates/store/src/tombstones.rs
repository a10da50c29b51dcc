//! Tombstones of forgotten people and calls, by which the webhook leaves them out of later notices; and the record that a person was
//! forgotten.

use crate::error::Result;
use crate::items::{number, text, to_item};
use crate::table::Key;
use crate::{Store, keys};
use call::{CallRef, NumberId};
use journal::JournalEvent;

/// Returns the key of the tombstone of a person, by one of their pseudonyms.
pub fn tombstone_of_person(pseudonym: &str) -> Key {
    (keys::forgotten_person(pseudonym), keys::PERSON.to_owned())
}

/// Returns the key of the tombstone of a call.
pub fn tombstone_of_call(call_ref: &CallRef) -> Key {
    (keys::forgotten_call(call_ref), keys::OF_CALL.to_owned())
}

impl Store {
    /// Whether there is a tombstone with this key.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn has_tombstone(&self, (pk, sk): &Key) -> Result<bool> {
        Ok(self.item(pk, sk).await?.is_some())
    }

    /// Writes tombstones, which expire with what may still name the person.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn put_tombstones(&self, keys: impl IntoIterator<Item = &Key>, now_ms: u64) -> Result<()> {
        for (pk, sk) in keys {
            let keys = [("pk", text(pk)), ("sk", text(sk)), (keys::TTL, number(keys::forget_at(now_ms)))];
            self.put(keys.map(|(name, value)| (name.to_owned(), value)).into()).await?;
        }
        Ok(())
    }

    /// Records with a number that a person with this many calls to it was forgotten.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn record_forgotten(&self, id: &NumberId, calls: u64, now_ms: u64) -> Result<()> {
        let mut item = to_item(&JournalEvent::Forgotten { number: id.clone(), calls });
        item.insert("pk".to_owned(), text(keys::number(id)));
        item.insert("sk".to_owned(), text(keys::forgotten(now_ms)));
        item.insert("at_ms".to_owned(), number(now_ms));
        self.put(item).await
    }
}
