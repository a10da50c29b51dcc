//! Decides which setting of task protection to request, and what ECS's replies say about it.

use crate::lifecycle::ecs::{PROTECTION_MINUTES, ProtectionError};
use std::time::{Duration, Instant};

/// How long a protection lasts unless it is renewed.
const LIFETIME: Duration = Duration::from_secs(60 * PROTECTION_MINUTES as u64);

/// The age at which a protection is renewed: half its lifetime.
const RENEW_AFTER: Duration = Duration::from_secs(60 * PROTECTION_MINUTES as u64 / 2);

/// The shortest time between a refused or unanswered request and the next one: retries come with the heartbeat, not with every
/// call.
const RETRY_AFTER: Duration = Duration::from_secs(4);

/// ECS's reason when a service already has as many protected tasks as its desired count, as in a deployment during calls.
const DEPLOYMENT_BLOCKED: &str = "DEPLOYMENT_BLOCKED";

/// Whether ECS refuses to protect this task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProtectionStatus {
    /// ECS does not refuse.
    #[default]
    NotRefused,
    /// Refused, since a deployment is under way: as many of the service's tasks are protected as its desired count.
    Blocked,
    /// Refused for another reason.
    Refused {
        /// The time from the first refusal to the latest.
        lasts: Duration,
    },
}

/// What ECS has acknowledged and refused so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ProtectionState {
    acknowledged: Acknowledged,
    refusal: Option<Refusal>,
    /// The setting that was refused or not answered, and when it may be requested again.
    retry: Option<(bool, Instant)>,
}

/// A run of refusals for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refusal {
    is_deployment: bool,
    first: Instant,
    last: Instant,
}

/// The last setting that ECS acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Acknowledged {
    /// No request yet, or no reply to the last one.
    #[default]
    Unknown,
    Off,
    OnSince(Instant),
}

impl ProtectionState {
    /// Returns the setting to request now, if any.
    pub(super) fn change_for(&self, is_wanted: bool, now: Instant) -> Option<bool> {
        let is_acknowledged = match self.acknowledged {
            Acknowledged::Unknown => false,
            Acknowledged::Off => !is_wanted,
            Acknowledged::OnSince(at) => is_wanted && now.saturating_duration_since(at) < RENEW_AFTER,
        };
        let is_too_soon = self.retry.is_some_and(|(on, at)| on == is_wanted && now < at);
        (!is_acknowledged && !is_too_soon).then_some(is_wanted)
    }

    /// Notes that a request goes out. Until ECS replies, a protection that is being renewed still counts, and any other setting
    /// is unknown.
    pub(super) fn note_request(&mut self, on: bool) {
        self.acknowledged = match self.acknowledged {
            Acknowledged::OnSince(at) if on => Acknowledged::OnSince(at),
            Acknowledged::OnSince(_) | Acknowledged::Off | Acknowledged::Unknown => Acknowledged::Unknown,
        };
    }

    /// Notes ECS's reply to a request.
    pub(super) fn note_answer(
        &mut self,
        on: bool,
        answer: &Result<(), ProtectionError>,
        requested_at: Instant,
        now: Instant,
    ) {
        self.retry = Some((on, now + RETRY_AFTER));
        match answer {
            Ok(()) => {
                let acknowledged = if on { Acknowledged::OnSince(requested_at) } else { Acknowledged::Off };
                *self = Self { acknowledged, ..Self::default() };
            }
            Err(ProtectionError::Refused(reason)) if on => {
                let is_deployment = reason == DEPLOYMENT_BLOCKED;
                let same = self.refusal.filter(|before| before.is_deployment == is_deployment);
                let first = same.map_or(now, |before| before.first);
                self.refusal = Some(Refusal { is_deployment, first, last: now });
            }
            Err(ProtectionError::Refused(_) | ProtectionError::Unknown(_)) => {}
        }
    }

    /// Returns the status at `now`. A protection whose renewal is refused lasts until it expires.
    pub(super) fn status(&self, now: Instant) -> ProtectionStatus {
        let is_on = matches!(self.acknowledged, Acknowledged::OnSince(at) if now.saturating_duration_since(at) < LIFETIME);
        match self.refusal {
            Some(_) if is_on => ProtectionStatus::NotRefused,
            Some(Refusal { is_deployment: true, .. }) => ProtectionStatus::Blocked,
            Some(Refusal { first, last, .. }) => {
                ProtectionStatus::Refused { lasts: last.saturating_duration_since(first) }
            }
            None => ProtectionStatus::NotRefused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn a_setting_that_ecs_has_not_acknowledged_is_sent() {
        let now = Instant::now();

        assert_eq!(acknowledging(Acknowledged::Unknown).change_for(true, now), Some(true));
        assert_eq!(acknowledging(Acknowledged::Unknown).change_for(false, now), Some(false));
        assert_eq!(acknowledging(Acknowledged::Off).change_for(true, now), Some(true));
        assert_eq!(acknowledging(Acknowledged::OnSince(now)).change_for(false, now), Some(false));
    }

    #[test]
    fn an_acknowledged_protection_is_renewed_at_half_its_lifetime() {
        let then = Instant::now();
        let on = acknowledging(Acknowledged::OnSince(then));

        assert_eq!(acknowledging(Acknowledged::Off).change_for(false, then), None);
        assert_eq!(on.change_for(true, then + Duration::from_secs(899)), None);
        assert_eq!(on.change_for(true, then + Duration::from_secs(900)), Some(true));
    }

    #[test]
    fn a_request_without_reply_is_no_refusal_and_is_retried() {
        let (mut state, start) = (ProtectionState::default(), Instant::now());

        state.reply(true, no_reply(), start);

        assert_eq!(state.status(start), ProtectionStatus::NotRefused);
        assert_eq!(
            state.change_for(true, start + Duration::from_secs(1)),
            None,
            "a call in between does not retry"
        );
        assert_eq!(state.change_for(true, start + Duration::from_secs(5)), Some(true));
    }

    #[test]
    fn acquiring_is_not_delayed_by_a_failed_release() {
        let (mut state, start) = (ProtectionState::default(), Instant::now());

        state.reply(false, no_reply(), start);

        assert_eq!((state.change_for(true, start), state.change_for(false, start)), (Some(true), None));
    }

    #[test]
    fn a_refusal_lasts_until_protection_is_granted() {
        let (mut state, start) = (ProtectionState::default(), Instant::now());
        let later = start + Duration::from_secs(5);

        state.reply(true, refusal("TASK_NOT_VALID"), start);
        assert_eq!(state.status(start), ProtectionStatus::Refused { lasts: Duration::ZERO });
        state.reply(true, no_reply(), later);
        assert_eq!(
            state.status(later),
            ProtectionStatus::Refused { lasts: Duration::ZERO },
            "no reply is no refusal"
        );
        state.reply(true, refusal("TASK_NOT_VALID"), later);
        assert_eq!(state.status(later), ProtectionStatus::Refused { lasts: Duration::from_secs(5) });

        state.reply(true, Ok(()), later);
        assert_eq!(state.status(later), ProtectionStatus::NotRefused);
    }

    #[test]
    fn a_blocking_deployment_differs_from_other_refusals() {
        let (mut state, start) = (ProtectionState::default(), Instant::now());

        state.reply(true, refusal(DEPLOYMENT_BLOCKED), start);

        assert_eq!(state.status(start), ProtectionStatus::Blocked);
    }

    #[test]
    fn another_kind_of_refusal_restarts_the_count() {
        let (mut state, start) = (ProtectionState::default(), Instant::now());
        let later = start + Duration::from_secs(100);

        state.reply(true, refusal(DEPLOYMENT_BLOCKED), start);
        state.reply(true, refusal("TASK_NOT_VALID"), later);

        assert_eq!(state.status(later), ProtectionStatus::Refused { lasts: Duration::ZERO });
    }

    #[test]
    fn a_protection_whose_renewal_fails_lasts_until_it_expires() {
        for failure in [refusal(DEPLOYMENT_BLOCKED), no_reply()] {
            let start = Instant::now();
            let mut state = acknowledging(Acknowledged::OnSince(start));
            let renewal = start + RENEW_AFTER;

            state.reply(true, failure, renewal);

            assert_eq!(state.status(start + LIFETIME - Duration::from_secs(1)), ProtectionStatus::NotRefused);
            assert_eq!(state.change_for(true, renewal + Duration::from_secs(5)), Some(true));
        }
    }

    #[test]
    fn a_refused_release_is_retried() {
        let (mut state, start) = (acknowledging(Acknowledged::OnSince(Instant::now())), Instant::now());

        state.reply(false, refusal("TASK_NOT_VALID"), start);

        assert_eq!(state.status(start), ProtectionStatus::NotRefused);
        assert_eq!(state.change_for(false, start + Duration::from_secs(5)), Some(false));
    }

    impl ProtectionState {
        /// Sends a request, and gets the reply at the same moment.
        fn reply(&mut self, on: bool, answer: Result<(), ProtectionError>, now: Instant) {
            self.note_request(on);
            self.note_answer(on, &answer, now, now);
        }
    }

    fn acknowledging(acknowledged: Acknowledged) -> ProtectionState {
        ProtectionState { acknowledged, ..ProtectionState::default() }
    }

    fn refusal(reason: &str) -> Result<(), ProtectionError> {
        Err(ProtectionError::Refused(reason.to_owned()))
    }

    fn no_reply() -> Result<(), ProtectionError> {
        Err(ProtectionError::Unknown(anyhow!("status 504")))
    }
}
