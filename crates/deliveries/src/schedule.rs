//! When an event is sent again: seven tries within a day or so, and what ends them.

use std::time::Duration;

/// The pauses between tries: they come 0 s, 30 s, 5 min, 30 min, 2 h, 8 h and 24 h after the first.
const PAUSES: [Duration; 6] = [
    Duration::from_secs(30),
    Duration::from_secs(4 * 60 + 30),
    Duration::from_secs(25 * 60),
    Duration::from_secs(90 * 60),
    Duration::from_secs(6 * 60 * 60),
    Duration::from_secs(16 * 60 * 60),
];

/// How many tries there are.
pub const MOST_TRIES: u32 = PAUSES.len() as u32 + 1;

/// The longest that a `Retry-After` puts a try off.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The status by which a receiver says that it wants no more of an event.
const GONE: u16 = 410;

/// The result of a try to deliver an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryResult {
    /// The business's system replied.
    Status {
        /// The HTTP status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// There is no reply.
    None(NoReply),
}

/// Why there is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReply {
    /// The host is not in the agent's `allowed_hosts`, or the URL is not https.
    Host,
    /// The host resolves to an address that is not public.
    Address,
    /// No connection was made.
    Connection,
    /// The connection broke.
    Broken,
    /// The reply did not come in time.
    Timeout,
    /// The secret that signs is missing, empty, or a `whsec_…` that is no base64.
    Secret,
    /// The model is to be asked again first.
    Extraction {
        /// How long OpenAI asks to wait.
        retry_after: Option<Duration>,
    },
    /// The call's items cannot be read by this release.
    Unreadable,
    /// The agent that it is of is not there.
    Agent,
    /// The call's journal does not have yet what it is to say.
    Journal,
}

/// What follows from a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// The business has it.
    Delivered,
    /// The business wants no more of it.
    Refused,
    /// It was tried often enough.
    GiveUp,
    /// It is tried again then, ms since 1970.
    Again(u64),
}

/// Returns what follows from the last of `tries` tries, which ended at `now_ms`.
pub fn next_step(result: TryResult, tries: u32, now_ms: u64) -> NextStep {
    match result {
        TryResult::Status { status: 200..300, .. } => NextStep::Delivered,
        TryResult::Status { status: GONE, .. } => NextStep::Refused,
        TryResult::Status { retry_after, .. } | TryResult::None(NoReply::Extraction { retry_after }) => {
            again(retry_after, tries, now_ms)
        }
        TryResult::None(_) => again(None, tries, now_ms),
    }
}

fn again(retry_after: Option<Duration>, tries: u32, now_ms: u64) -> NextStep {
    let Some(pause) = PAUSES.get(tries.saturating_sub(1) as usize) else { return NextStep::GiveUp };
    let pause = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER).max(*pause);
    NextStep::Again(now_ms + u64::try_from(pause.as_millis()).unwrap_or_default())
}

impl NoReply {
    /// Returns the word for it, which is stored and logged.
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Address => "address",
            Self::Connection => "connection",
            Self::Broken => "broken",
            Self::Timeout => "timeout",
            Self::Secret => "secret",
            Self::Extraction { .. } => "extraction",
            Self::Unreadable => "unreadable",
            Self::Agent => "agent",
            Self::Journal => "journal",
        }
    }
}

impl TryResult {
    /// Returns the HTTP status, if there was a reply.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(status),
            Self::None(_) => None,
        }
    }

    /// Returns the word for why there was no reply.
    pub fn why(self) -> Option<&'static str> {
        match self {
            Self::Status { .. } => None,
            Self::None(why) => Some(why.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_tries_are_spread_over_a_day() {
        let (mut now_ms, mut tried_at) = (0, vec![]);
        for tries in 1.. {
            tried_at.push(Duration::from_millis(now_ms));
            match next_step(status(500), tries, now_ms) {
                NextStep::Again(at_ms) => now_ms = at_ms,
                last => {
                    assert_eq!(last, NextStep::GiveUp);
                    break;
                }
            }
        }

        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let first = [Duration::ZERO, Duration::from_secs(30)];
        let expected: Vec<_> = first.into_iter().chain([5, 30, 120, 480, 1_440].map(minutes)).collect();
        assert_eq!(tried_at, expected);
        assert_eq!(tried_at.len(), MOST_TRIES as usize);
    }

    #[test]
    fn a_success_or_410_ends_the_tries() {
        for success in [200, 201, 202, 204, 299] {
            assert_eq!(next_step(status(success), 1, 0), NextStep::Delivered);
        }
        assert_eq!(next_step(status(410), 1, 0), NextStep::Refused);
        assert_eq!(next_step(status(200), MOST_TRIES, 0), NextStep::Delivered);
    }

    #[test]
    fn any_other_result_is_tried_again() {
        for failed in [300, 307, 400, 401, 404, 409, 429, 500, 503] {
            assert_eq!(next_step(status(failed), 1, 0), NextStep::Again(30_000), "{failed}");
        }
        for why in
            [NoReply::Host, NoReply::Connection, NoReply::Timeout, NoReply::Secret, NoReply::Unreadable]
        {
            assert_eq!(next_step(TryResult::None(why), 1, 0), NextStep::Again(30_000), "{why:?}");
        }
    }

    #[test]
    fn a_receiver_may_put_a_try_off_within_a_day() {
        let busy = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            next_step(TryResult::Status { status: 429, retry_after }, 1, 0)
        };

        assert_eq!(busy(5), NextStep::Again(30_000));
        assert_eq!(busy(90), NextStep::Again(90_000));
        assert_eq!(busy(1_000_000_000), NextStep::Again(24 * 60 * 60 * 1_000));
        let model = NoReply::Extraction { retry_after: Some(Duration::from_secs(90)) };
        assert_eq!(next_step(TryResult::None(model), 1, 0), NextStep::Again(90_000));
    }

    fn status(status: u16) -> TryResult {
        TryResult::Status { status, retry_after: None }
    }
}
