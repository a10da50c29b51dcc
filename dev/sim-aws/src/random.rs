//! Chance that comes out the same for the same seed: SplitMix64.

/// A sequence of throws, settled by its seed.
#[derive(Debug)]
pub(crate) struct SeededRandom(u64);

impl SeededRandom {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// True in that share of the throws: never for 0, always for 1.
    pub(crate) fn says_yes(&mut self, share: f64) -> bool {
        self.throw() < share
    }

    /// A number from 0 to below 1.
    fn throw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The upper 53 bits: as many as a float holds exactly.
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_throws() {
        let throws = |seed| {
            let mut dice = SeededRandom::new(seed);
            (0..64).map(|_| dice.says_yes(0.5)).collect::<Vec<_>>()
        };

        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
    }

    #[test]
    fn a_share_is_about_that_share() {
        let mut dice = SeededRandom::new(1);
        let mut count = |share| (0..1_000).filter(|_| dice.says_yes(share)).count();

        assert_eq!((count(0.0), count(1.0)), (0, 1_000));
        assert!((150..250).contains(&count(0.2)));
    }
}
