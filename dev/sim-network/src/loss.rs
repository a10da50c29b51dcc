//! Draws which datagrams are lost: none, any, or several in a row.

use fastrand::Rng;

/// How datagrams are lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// None is.
    Never,
    /// Each with the same probability, whatever befell the one before.
    Random(f64),
    /// In bursts, as Gilbert's model has it (Gilbert 1960; RFC 6534, section 5): a path that is bad loses all, a good
    /// one nothing, and both states last a geometric time.
    Bursts {
        /// The part of all datagrams that is lost.
        rate: f64,
        /// How many are lost in a row, on average.
        length: f64,
    },
}

impl Loss {
    /// The part of all datagrams that is lost.
    pub fn rate(self) -> f64 {
        match self {
            Self::Never => 0.0,
            Self::Random(rate) | Self::Bursts { rate, .. } => rate,
        }
    }
}

/// Draws which datagrams are lost, one after the other.
#[derive(Debug)]
pub(crate) struct Losses {
    loss: Loss,
    is_bad: bool,
}

impl Losses {
    pub(crate) fn new(loss: Loss) -> Self {
        Self { loss, is_bad: false }
    }

    /// Whether the next one is lost.
    pub(crate) fn takes_next(&mut self, rng: &mut Rng) -> bool {
        self.is_bad = match self.loss {
            Loss::Never => false,
            Loss::Random(rate) => rng.f64() < rate,
            // The path is bad for `length` datagrams, and good for as many as make the rate right.
            Loss::Bursts { length, .. } if self.is_bad => rng.f64() >= 1.0 / length,
            Loss::Bursts { rate, length } => rng.f64() < rate / (length * (1.0 - rate)),
        };
        self.is_bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_have_the_rate_and_the_length_they_are_named_by() {
        let lost = draws(Loss::Bursts { rate: 0.03, length: 4.0 }, 200_000);

        let bursts = lost.split(|lost| !lost).filter(|burst| !burst.is_empty()).count();
        let count = lost.iter().filter(|lost| **lost).count();

        let (rate, length) = (count as f64 / 200_000.0, count as f64 / bursts as f64);
        assert!((0.028..0.032).contains(&rate), "{rate}");
        assert!((3.8..4.2).contains(&length), "{length}");
    }

    #[test]
    fn random_loss_has_its_rate_and_no_memory() {
        let lost = draws(Loss::Random(0.05), 200_000);

        let pairs = lost.windows(2).filter(|pair| pair[0] && pair[1]).count() as f64;
        let count = lost.iter().filter(|lost| **lost).count() as f64;

        assert!((0.048..0.052).contains(&(count / 200_000.0)), "{count}");
        assert!((0.04..0.06).contains(&(pairs / count)), "{pairs} of {count}");
    }

    fn draws(loss: Loss, count: usize) -> Vec<bool> {
        let (mut losses, mut rng) = (Losses::new(loss), Rng::with_seed(7));
        (0..count).map(|_| losses.takes_next(&mut rng)).collect()
    }
}
