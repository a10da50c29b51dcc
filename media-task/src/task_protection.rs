//! Task protection: it keeps ECS from stopping a task that has calls. On before a call is accepted, renewed while there are
//! any, off when there are none. ECS is asked only where something is to change, by one request at a time.
//!
//! Only ECS's own refusal is a no ([`Standing`]). A time-out, throttling or an error of the agent is asked again with the
//! next heartbeat. No accept waits longer than two seconds for it: a caller who hears nothing is certain harm, a task that is
//! stopped in the seconds until then a possible one.

use crate::ecs::{Task, Unprotected};
use std::mem::discriminant;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::timeout;

/// Minutes a protection holds unless it is renewed. CloudFormation waits three hours for a deployment.
pub const MINUTES: u32 = 30;

/// How long a protection holds.
const HOLDS: Duration = Duration::from_secs(60 * MINUTES as u64);

/// How old a protection is renewed.
const RENEWED_AFTER: Duration = Duration::from_secs(60 * MINUTES as u64 / 2);

/// How long an accept waits for the protection.
const WAITS: Duration = Duration::from_secs(2);

/// How soon ECS may be asked again after it refused or did not answer: with the next heartbeat, not with every call.
const AGAIN_AFTER: Duration = Duration::from_secs(4);

/// The reason ECS gives when a service has more protected tasks than it is to have, as in a deployment during calls.
const DEPLOYMENT_BLOCKED: &str = "DEPLOYMENT_BLOCKED";

/// The protection of this task.
#[derive(Debug)]
pub struct TaskProtection {
    task: Task,
    known: Mutex<Known>,
    asking: tokio::sync::Mutex<()>,
    news: Notify,
}

/// Whether ECS refuses to protect this task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// It does not.
    #[default]
    Fine,
    /// It has protected as many tasks of the service as it is to have: a deployment is under way.
    Blocked,
    /// It does, for another reason.
    Refused {
        /// From the first of its refusals to the last so far.
        lasts: Duration,
    },
}

/// What is known of the protection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    holds: Holds,
    refused: Option<Refusal>,
    /// What was refused or not answered, and when it may be asked for again.
    again: Option<(bool, Instant)>,
}

/// A refusal, repeated or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refusal {
    is_for_deployment: bool,
    first: Instant,
    last: Instant,
}

/// What ECS was told last, as far as it took it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Holds {
    /// Unknown: ECS was not told, or did not answer.
    #[default]
    Unknown,
    Off,
    OnSince(Instant),
}

impl TaskProtection {
    /// A task whose protection is unknown.
    pub fn of(task: Task) -> Self {
        Self { task, known: Mutex::default(), asking: tokio::sync::Mutex::default(), news: Notify::new() }
    }

    /// Has this task protected before a call is accepted. Returns once it is, ECS refuses, or two seconds are over; the
    /// request goes on then.
    pub async fn hold(self: &Arc<Self>) {
        let protection = self.clone();
        let asking = tokio::spawn(async move { protection.keep(|| true).await });
        if timeout(WAITS, asking).await.is_err() {
            let task = &self.task.id;
            tracing::warn!(
                task,
                "ECS did not answer within {WAITS:?}: a call is accepted by an unprotected task"
            );
        }
    }

    /// Has this task protected, or not, as is needed when its turn has come.
    pub async fn keep(&self, is_needed: impl Fn() -> bool) {
        let _asking = self.asking.lock().await;
        let asked_at = Instant::now();
        let change = self.known().change_for(is_needed(), asked_at);
        let Some(on) = change else { return };
        self.known().note_asked(on);
        let answer = self.task.protect(on).await;
        let before = self.standing();
        self.known().note_answer(on, &answer, asked_at, Instant::now());
        self.tell(on, &answer, before);
    }

    /// Whether ECS refuses to protect this task.
    pub fn standing(&self) -> Standing {
        self.known().standing(Instant::now())
    }

    /// Returns when ECS refuses to protect this task, or does so no more.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    fn tell(&self, on: bool, answer: &Result<(), Unprotected>, before: Standing) {
        let task = &self.task.id;
        match answer {
            Ok(()) if before != Standing::Fine => {
                tracing::info!(task, on, "ECS does not refuse protection any more")
            }
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(task, on, "task protection is not changed, and is asked for again: {error}");
            }
        }
        if discriminant(&self.standing()) != discriminant(&before) {
            self.news.notify_one();
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nothing panics while it holds this lock")
    }
}

impl Known {
    /// What ECS must be told now.
    fn change_for(&self, is_needed: bool, now: Instant) -> Option<bool> {
        let holds = match self.holds {
            Holds::Unknown => false,
            Holds::Off => !is_needed,
            Holds::OnSince(at) => is_needed && now.saturating_duration_since(at) < RENEWED_AFTER,
        };
        let pauses = self.again.is_some_and(|(on, at)| on == is_needed && now < at);
        (!holds && !pauses).then_some(is_needed)
    }

    /// Until ECS answers, a protection that is to be renewed holds, and nothing else is known.
    fn note_asked(&mut self, on: bool) {
        self.holds = match self.holds {
            Holds::OnSince(at) if on => Holds::OnSince(at),
            Holds::OnSince(_) | Holds::Off | Holds::Unknown => Holds::Unknown,
        };
    }

    fn note_answer(&mut self, on: bool, answer: &Result<(), Unprotected>, asked_at: Instant, now: Instant) {
        self.again = Some((on, now + AGAIN_AFTER));
        match answer {
            Ok(()) => {
                let holds = if on { Holds::OnSince(asked_at) } else { Holds::Off };
                *self = Self { holds, ..Self::default() };
            }
            Err(Unprotected::Refused(reason)) if on => {
                let is_for_deployment = reason == DEPLOYMENT_BLOCKED;
                let same = self.refused.filter(|before| before.is_for_deployment == is_for_deployment);
                let first = same.map_or(now, |before| before.first);
                self.refused = Some(Refusal { is_for_deployment, first, last: now });
            }
            Err(Unprotected::Refused(_) | Unprotected::Unknown(_)) => {}
        }
    }

    /// A protection whose renewal is refused holds until it expires.
    fn standing(&self, now: Instant) -> Standing {
        let is_on = matches!(self.holds, Holds::OnSince(at) if now.saturating_duration_since(at) < HOLDS);
        match self.refused {
            Some(_) if is_on => Standing::Fine,
            Some(Refusal { is_for_deployment: true, .. }) => Standing::Blocked,
            Some(Refusal { first, last, .. }) => {
                Standing::Refused { lasts: last.saturating_duration_since(first) }
            }
            None => Standing::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn ecs_is_told_what_it_does_not_know() {
        let now = Instant::now();

        assert_eq!(knowing(Holds::Unknown).change_for(true, now), Some(true));
        assert_eq!(knowing(Holds::Unknown).change_for(false, now), Some(false));
        assert_eq!(knowing(Holds::Off).change_for(true, now), Some(true));
        assert_eq!(knowing(Holds::OnSince(now)).change_for(false, now), Some(false));
    }

    #[test]
    fn ecs_is_not_told_what_it_knows_until_a_protection_is_half_over() {
        let then = Instant::now();
        let on = knowing(Holds::OnSince(then));

        assert_eq!(knowing(Holds::Off).change_for(false, then), None);
        assert_eq!(on.change_for(true, then + Duration::from_secs(899)), None);
        assert_eq!(on.change_for(true, then + Duration::from_secs(900)), Some(true));
    }

    #[test]
    fn a_request_without_answer_is_no_refusal_and_is_repeated_by_the_heartbeat() {
        let (mut known, start) = (Known::default(), Instant::now());

        known.answers(true, no_answer(), start);

        assert_eq!(known.standing(start), Standing::Fine);
        assert_eq!(
            known.change_for(true, start + Duration::from_secs(1)),
            None,
            "a call that comes meanwhile"
        );
        assert_eq!(known.change_for(true, start + Duration::from_secs(5)), Some(true));
    }

    #[test]
    fn a_call_asks_at_once_though_giving_up_protection_just_failed() {
        let (mut known, start) = (Known::default(), Instant::now());

        known.answers(false, no_answer(), start);

        assert_eq!((known.change_for(true, start), known.change_for(false, start)), (Some(true), None));
    }

    #[test]
    fn a_refusal_lasts_until_protection_comes() {
        let (mut known, start) = (Known::default(), Instant::now());
        let later = start + Duration::from_secs(5);

        known.answers(true, refused("TASK_NOT_VALID"), start);
        assert_eq!(known.standing(start), Standing::Refused { lasts: Duration::ZERO });
        known.answers(true, no_answer(), later);
        assert_eq!(known.standing(later), Standing::Refused { lasts: Duration::ZERO }, "no refusal");
        known.answers(true, refused("TASK_NOT_VALID"), later);
        assert_eq!(known.standing(later), Standing::Refused { lasts: Duration::from_secs(5) });

        known.answers(true, Ok(()), later);
        assert_eq!(known.standing(later), Standing::Fine);
    }

    #[test]
    fn a_deployment_that_blocks_is_told_from_other_refusals() {
        let (mut known, start) = (Known::default(), Instant::now());

        known.answers(true, refused(DEPLOYMENT_BLOCKED), start);

        assert_eq!(known.standing(start), Standing::Blocked);
    }

    #[test]
    fn another_kind_of_refusal_begins_anew() {
        let (mut known, start) = (Known::default(), Instant::now());
        let later = start + Duration::from_secs(100);

        known.answers(true, refused(DEPLOYMENT_BLOCKED), start);
        known.answers(true, refused("TASK_NOT_VALID"), later);

        assert_eq!(known.standing(later), Standing::Refused { lasts: Duration::ZERO });
    }

    #[test]
    fn a_protection_whose_renewal_fails_holds_until_it_expires() {
        for failure in [refused(DEPLOYMENT_BLOCKED), no_answer()] {
            let start = Instant::now();
            let mut known = knowing(Holds::OnSince(start));
            let renewal = start + RENEWED_AFTER;

            known.answers(true, failure, renewal);

            assert_eq!(known.standing(start + HOLDS - Duration::from_secs(1)), Standing::Fine);
            assert_eq!(known.change_for(true, renewal + Duration::from_secs(5)), Some(true));
        }
    }

    #[test]
    fn giving_protection_up_is_never_refused_for_good() {
        let (mut known, start) = (knowing(Holds::OnSince(Instant::now())), Instant::now());

        known.answers(false, refused("TASK_NOT_VALID"), start);

        assert_eq!(known.standing(start), Standing::Fine);
        assert_eq!(known.change_for(false, start + Duration::from_secs(5)), Some(false));
    }

    impl Known {
        /// Asks at this moment, and is answered at once.
        fn answers(&mut self, on: bool, answer: Result<(), Unprotected>, now: Instant) {
            self.note_asked(on);
            self.note_answer(on, &answer, now, now);
        }
    }

    fn knowing(holds: Holds) -> Known {
        Known { holds, ..Known::default() }
    }

    fn refused(reason: &str) -> Result<(), Unprotected> {
        Err(Unprotected::Refused(reason.to_owned()))
    }

    fn no_answer() -> Result<(), Unprotected> {
        Err(Unprotected::Unknown(anyhow!("status 504")))
    }
}
