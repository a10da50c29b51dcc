//! Chance that can be repeated: the same seed makes the same ids, cuts and coin tosses (SplitMix64).

use std::ops::Range;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
const ID_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The chance of one session. Sessions of one seed are far apart, so that no id appears twice.
    pub(crate) fn of_session(seed: u64, session: usize) -> Self {
        let mut mixed = Self(seed ^ (session as u64).rotate_left(32));
        Self(mixed.draw())
    }

    pub(crate) fn within(&mut self, range: Range<usize>) -> usize {
        let width = range.end.saturating_sub(range.start).max(1) as u64;
        range.start + (self.draw() % width) as usize
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.draw() & 1 == 0
    }

    /// An identifier such as `item_Wb7fK2…`.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        let letters = (0..16).map(|_| char::from(ID_LETTERS[self.within(0..ID_LETTERS.len())]));
        format!("{prefix}_{}", letters.collect::<String>())
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_sessions_differ() {
        let id = |session| Random::of_session(7, session).id("item");

        assert_eq!(id(0), id(0));
        assert_ne!(id(0), id(1));
    }

    #[test]
    fn numbers_stay_within_their_range() {
        let mut random = Random::of_session(1, 0);

        assert!((0..1000).map(|_| random.within(3..5)).all(|n| n == 3 || n == 4));
    }
}
