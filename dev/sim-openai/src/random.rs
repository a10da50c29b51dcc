//! Seeded randomness of a session: the same seed makes the same ids, cuts and decisions.

use fastrand::Rng;
use std::iter::repeat_with;

/// Returns the generator of one session. Sessions of one seed are far apart, so that no id appears twice.
pub(crate) fn of_session(seed: u64, session: usize) -> Rng {
    Rng::with_seed(seed ^ (session as u64).rotate_left(32)).fork()
}

/// Returns the generator of one telephone call, far from that of any session.
pub(crate) fn of_call(seed: u64, call: usize) -> Rng {
    Rng::with_seed(!seed ^ (call as u64).rotate_left(32)).fork()
}

/// Returns an identifier such as `item_Wb7fK2…`.
pub(crate) fn id(rng: &mut Rng, prefix: &str) -> String {
    let letters: String = repeat_with(|| rng.alphanumeric()).take(16).collect();
    format!("{prefix}_{letters}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_sessions_differ() {
        let item = |session| id(&mut of_session(7, session), "item");

        assert_eq!(item(0), item(0));
        assert_ne!(item(0), item(1));
    }
}
