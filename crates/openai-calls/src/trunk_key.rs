//! The trunk's key, which our edge or the provider adds to each call as the header `X-Ahoy-Key`: OpenAI asks no caller who they are.

use crate::CallParties;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Whether a call has one of the trunk's keys. The comparison takes the same time for every key, whatever its length.
pub fn is_right<'a>(parties: &CallParties, keys: impl IntoIterator<Item = &'a str>) -> bool {
    // An empty key, most likely a placeholder, would let anyone in.
    let keys: Vec<_> = keys.into_iter().filter(|key| !key.is_empty()).map(Sha256::digest).collect();
    let claimed = parties.keys.iter().map(Sha256::digest);
    let mut is_right = subtle::Choice::from(0);
    for claimed in claimed {
        for key in &keys {
            is_right |= claimed.ct_eq(key);
        }
    }
    is_right.into()
}

/// Whether a call has keys that are all unknown, of which one may be newer than ours.
pub fn is_unknown<'a>(parties: &CallParties, keys: impl IntoIterator<Item = &'a str>) -> bool {
    !parties.keys.is_empty() && !is_right(parties, keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_current_and_the_previous_key() {
        for claimed in [&["new"][..], &["old"], &["forged", "old"]] {
            assert!(is_right(&with(claimed), ["new", "old"]), "{claimed:?}");
        }
    }

    #[test]
    fn refuses_any_other_key_and_none() {
        for (claimed, keys) in
            [(&["forged"][..], &["new", "old"][..]), (&[], &["new"]), (&["new"], &[]), (&["new "], &["new"])]
        {
            assert!(!is_right(&with(claimed), keys.iter().copied()), "{claimed:?}");
        }
        assert!(!is_right(&with(&[""]), [""]), "an empty key lets no one in");
    }

    #[test]
    fn a_call_without_a_key_has_no_unknown_one() {
        for (claimed, unknown) in [(&["newer"][..], true), (&["old"], false), (&[], false)] {
            assert_eq!(is_unknown(&with(claimed), ["new", "old"]), unknown, "{claimed:?}");
        }
    }

    fn with(keys: &[&str]) -> CallParties {
        CallParties { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..CallParties::default() }
    }
}
