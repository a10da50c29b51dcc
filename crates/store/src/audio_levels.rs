//! How loud each side of a call was, from moment to moment: who spoke when can be seen of it, and not what they said.

use crate::Store;
use crate::items::{Item, number};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use internal_api::keys;

/// How long a moment is, ms.
pub const MOMENT_MS: u64 = 100;

/// So many moments are kept: an hour and a half fits into an item of DynamoDB twice.
const MOST: usize = 54_000;

/// So quiet counts as nothing, dB below the loudest there is.
const FLOOR_DB: f64 = -60.0;

/// How loud each side of a call was, a byte a moment: 0 is -60 dBFS and less, 255 is as loud as can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AudioLevels {
    /// When the first moment began, ms since 1970: when the line opened.
    pub from_ms: u64,
    /// The caller, as the agent got them.
    pub caller: Vec<u8>,
    /// The agent, as it was sent to the caller.
    pub agent: Vec<u8>,
}

/// Which side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The person on WhatsApp.
    Caller,
    /// The agent.
    Agent,
}

impl AudioLevels {
    /// Takes in some sound of a side, so long after the line opened, ms. Of a moment the loudest is kept.
    pub fn note(&mut self, side: Side, after_open_ms: u64, sound: &[i16]) {
        let moment = usize::try_from(after_open_ms / MOMENT_MS).unwrap_or(MOST);
        if moment >= MOST {
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

    /// As attributes of an item.
    pub fn to_item(&self) -> Item {
        let bytes = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
        Item::from([
            ("from_ms".to_owned(), number(self.from_ms)),
            ("caller".to_owned(), bytes(&self.caller)),
            ("agent".to_owned(), bytes(&self.agent)),
        ])
    }

    /// Of an item that has them.
    pub fn of_item(item: &Item) -> Option<Self> {
        let bytes = |name| Some(item.get(name)?.as_b().ok()?.as_ref().to_vec());
        let from_ms = item.get("from_ms")?.as_n().ok()?.parse().ok()?;
        Some(Self { from_ms, caller: bytes("caller")?, agent: bytes("agent")? })
    }
}

impl Store {
    /// How loud each side of a call was, if that was kept.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn levels(&self, call_ref: &str) -> anyhow::Result<Option<AudioLevels>> {
        let found = self.items(&[(keys::call(call_ref), keys::LEVELS.to_owned())]).await?;
        Ok(found.first().and_then(AudioLevels::of_item))
    }
}

fn level(sound: &[i16]) -> u8 {
    let power: f64 = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let mean = power / sound.len().max(1) as f64 / f64::from(i16::MAX).powi(2);
    let db = if mean > 0.0 { 10.0 * mean.log10() } else { FLOOR_DB };
    ((db - FLOOR_DB) / -FLOOR_DB * 255.0).clamp(0.0, 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_of_a_moment_is_kept_and_silence_is_nothing() {
        let mut levels = AudioLevels::default();

        levels.note(Side::Caller, 120, &[0; 160]);
        levels.note(Side::Caller, 140, &[i16::MAX; 160]);
        levels.note(Side::Caller, 160, &[328; 160]);
        levels.note(Side::Caller, 399, &[328; 160]);

        assert_eq!(levels.caller, [0, 255, 0, 85]);
    }

    #[test]
    fn nobody_who_stays_for_days_fills_the_table() {
        let mut levels = AudioLevels::default();

        levels.note(Side::Agent, 100_000_000, &[1; 160]);

        assert!(levels.agent.is_empty());
    }

    #[test]
    fn what_is_kept_can_be_read() {
        let levels = AudioLevels { from_ms: 7, caller: vec![1, 2], agent: vec![255] };

        assert_eq!(AudioLevels::of_item(&levels.to_item()), Some(levels));
    }
}
