//! Maps the error codes of Meta's `terminate` to the call's event.

use call::CallEvent;

/// The codes of calls without media flow: to the caller's phone, from it, or in either direction.
const MEDIA: std::ops::RangeInclusive<u64> = 138_020..=138_023;

/// Returns the event of a call that Meta ended with these errors. An error outside media's codes is a refusal.
pub(crate) fn event(errors: &[u64]) -> CallEvent {
    if errors.is_empty() {
        CallEvent::HungUp
    } else if errors.iter().any(|code| MEDIA.contains(code)) {
        CallEvent::MediaFailed
    } else {
        CallEvent::LineGaveUp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_media_codes_mean_that_media_failed() {
        assert_eq!(event(&[]), CallEvent::HungUp);
        for media in [138_020, 138_021, 138_022, 138_023] {
            assert_eq!(event(&[media]), CallEvent::MediaFailed, "{media}");
            assert_eq!(event(&[138_007, media]), CallEvent::MediaFailed, "{media}");
        }
        for other in [131_044, 138_004, 138_007, 138_019, 138_099, 0] {
            assert_eq!(event(&[other]), CallEvent::LineGaveUp, "{other}");
        }
    }
}
