//! Draws the faults of a call from a seed, so that a run of chaos can be repeated.

use crate::InjectedFault;
use crate::injected_fault::Side;
use fastrand::Rng;

/// How many of sixteen calls have a fault on this side, each side for itself.
const fn share(side: Side) -> usize {
    match side {
        Side::Shape | Side::Connect | Side::Graph => 5,
        Side::Terminate => 3,
        Side::Media => 1,
    }
}

impl InjectedFault {
    /// What goes wrong with the call of this seed: at most one thing on each [`Side`], and nothing at all
    /// with about a quarter of all calls. Within a side, [`InjectedFault::weight`] decides.
    pub fn random(seed: u64) -> Vec<InjectedFault> {
        let mut rng = Rng::with_seed(seed).fork();
        Side::ALL.into_iter().filter_map(|side| draw_of(side, &mut rng)).collect()
    }
}

fn draw_of(side: Side, rng: &mut Rng) -> Option<InjectedFault> {
    // Always drawn, so that what one side gets does not depend on the shares of the others.
    let (befalls, which) = (rng.usize(..16) < share(side), rng.u64(..));
    let candidates = InjectedFault::ALL.iter().copied().filter(|fault| fault.side() == side);
    let total: usize = candidates.clone().map(InjectedFault::weight).sum();
    let mut left = (which % total as u64) as usize;
    for fault in candidates {
        if left < fault.weight() {
            return befalls.then_some(fault);
        }
        left -= fault.weight();
    }
    unreachable!("the rest is less than the sum of all weights")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself() {
        let draws = |from: u64| (from..from + 50).map(InjectedFault::random).collect::<Vec<_>>();

        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn no_side_is_drawn_twice() {
        for seed in 0..2_000 {
            let drawn = InjectedFault::random(seed);
            for side in Side::ALL {
                let count = drawn.iter().filter(|fault| fault.side() == side).count();
                assert!(count <= 1, "seed {seed}: {drawn:?}");
            }
        }
    }

    #[test]
    fn every_fault_is_drawn_and_a_quarter_of_calls_has_none() {
        let draws: Vec<_> = (0..4_000).map(InjectedFault::random).collect();

        for fault in InjectedFault::ALL {
            assert!(draws.iter().any(|drawn| drawn.contains(fault)), "{fault} is never drawn");
        }
        let spared = draws.iter().filter(|drawn| drawn.is_empty()).count();
        assert!((800..1_200).contains(&spared), "{spared} of 4,000 are spared");
    }

    #[test]
    fn the_weights_decide() {
        let draws: Vec<_> = (0..16_000).flat_map(InjectedFault::random).collect();
        let count = |fault| draws.iter().filter(|drawn| **drawn == fault).count();

        let (often, rarely) = (count(InjectedFault::DuplicateConnect), count(InjectedFault::StaleConnect));

        assert!((3..=5).contains(&((often + rarely / 2) / rarely)), "{often} against {rarely}");
    }
}
