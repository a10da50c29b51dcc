//! The audio levels of a call: the loudness of each side over time, which shows who spoke when but not what they said.

use crate::Store;
use crate::error::Result;
use crate::items::{Item, number};
use crate::keys;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use call::CallRef;

/// The duration that one level covers, ms.
pub const MOMENT_MS: u64 = 100;

/// The largest number of levels kept: an hour and a half of both sides fits into an item of DynamoDB.
const MAX_LEVELS: usize = 54_000;

/// The level that counts as silence, dBFS.
const SILENCE_DB: f64 = -60.0;

/// The loudness of each side of a call, a byte for each [`MOMENT_MS`]: 0 is -60 dBFS or less, 255 is full scale.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AudioLevels {
    /// When the first level began, ms since 1970: when the line opened.
    pub from_ms: u64,
    /// The levels of the caller, as the agent received them.
    pub caller: Vec<u8>,
    /// The levels of the agent, as sent to the caller.
    pub agent: Vec<u8>,
}

/// A side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The person on WhatsApp.
    Caller,
    /// The agent.
    Agent,
}

impl AudioLevels {
    /// Measures some audio of a side, which begins `after_open_ms` after the line opened. Of each moment the loudest level is kept.
    pub fn note(&mut self, side: Side, after_open_ms: u64, sound: &[i16]) {
        let moment = usize::try_from(after_open_ms / MOMENT_MS).unwrap_or(MAX_LEVELS);
        if moment >= MAX_LEVELS {
            return;
        }
        let level = level(sound);
        let side = match side {
            Side::Caller => &mut self.caller,
            Side::Agent => &mut self.agent,
        };
        if side.len() <= moment {
            side.resize(moment + 1, 0);
        }
        side[moment] = side[moment].max(level);
    }

    /// Returns the levels as attributes of an item.
    pub fn to_item(&self) -> Item {
        let bytes = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
        Item::from([
            ("from_ms".to_owned(), number(self.from_ms)),
            ("caller".to_owned(), bytes(&self.caller)),
            ("agent".to_owned(), bytes(&self.agent)),
        ])
    }

    /// Returns the levels of an item, if it has them.
    fn of_item(item: &Item) -> Option<Self> {
        let bytes = |name| Some(item.get(name)?.as_b().ok()?.as_ref().to_vec());
        let from_ms = item.get("from_ms")?.as_n().ok()?.parse().ok()?;
        Some(Self { from_ms, caller: bytes("caller")?, agent: bytes("agent")? })
    }
}

impl Store {
    /// Returns the levels of a call, if they were kept.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn levels(&self, call_ref: &CallRef) -> Result<Option<AudioLevels>> {
        let found = self.items(&[(keys::call(call_ref), keys::LEVELS.to_owned())]).await?;
        Ok(found.first().and_then(AudioLevels::of_item))
    }
}

fn level(sound: &[i16]) -> u8 {
    let power: f64 = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let mean = power / sound.len().max(1) as f64 / f64::from(i16::MAX).powi(2);
    let db = if mean > 0.0 { 10.0 * mean.log10() } else { SILENCE_DB };
    ((db - SILENCE_DB) / -SILENCE_DB * 255.0).clamp(0.0, 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_level_of_a_moment_is_kept() {
        let mut levels = AudioLevels::default();

        levels.note(Side::Caller, 120, &[0; 160]);
        levels.note(Side::Caller, 140, &[i16::MAX; 160]);
        levels.note(Side::Caller, 160, &[328; 160]);
        levels.note(Side::Caller, 399, &[328; 160]);

        assert_eq!(levels.caller, [0, 255, 0, 85]);
    }

    #[test]
    fn a_call_of_days_does_not_fill_the_table() {
        let mut levels = AudioLevels::default();

        levels.note(Side::Agent, 100_000_000, &[1; 160]);

        assert!(levels.agent.is_empty());
    }

    #[test]
    fn stored_levels_are_read_back() {
        let levels = AudioLevels { from_ms: 7, caller: vec![1, 2], agent: vec![255] };

        assert_eq!(AudioLevels::of_item(&levels.to_item()), Some(levels));
    }
}
