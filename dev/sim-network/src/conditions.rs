//! The conditions of a path, in numbers.

use crate::loss::Loss;
use std::time::Duration;

/// One direction of a network, in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// What every datagram takes at least, one way.
    pub delay: Duration,
    /// What each datagram takes on top, on average, whatever its neighbours do.
    pub jitter: Duration,
    /// What all datagrams of a while take on top.
    pub swing: Swing,
    /// Which are lost.
    pub loss: Loss,
    /// The part of them that takes a slower way, and is overtaken.
    pub reorder: f64,
    /// How much slower that way is.
    pub slower_by: Duration,
    /// The part of them that arrives twice.
    pub duplicate: f64,
    /// When nothing gets through.
    pub breaks: Option<Break>,
}

/// A delay that stays for a while: a queue that is long now will be long in 20 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swing {
    /// What it adds on average.
    pub mean: Duration,
    /// How long it stays about the same: the time in which its correlation falls to 1/e. Zero: no two datagrams have
    /// it alike.
    pub lasts: Duration,
}

/// A time in which nothing gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Its start, counted from the first datagram.
    pub after: Duration,
    /// Its duration.
    pub lasts: Duration,
    /// Then there is another one, every so often.
    pub every: Option<Duration>,
    /// What happens to datagrams sent meanwhile.
    pub meanwhile: Meanwhile,
}

/// The outcome of datagrams sent during a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// They are lost.
    Lost,
    /// They wait, and come all at once.
    Held,
}

impl Break {
    /// Returns the end of the break at this time since the first datagram; `None` outside of breaks.
    pub(crate) fn end_of(self, since_first: Duration) -> Option<Duration> {
        let into = since_first.checked_sub(self.after)?;
        let began = match self.every {
            Some(every) => every * (into.as_nanos() / every.as_nanos().max(1)) as u32,
            None => Duration::ZERO,
        };
        (into < began + self.lasts).then_some(self.after + began + self.lasts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAK: Break = Break {
        after: Duration::from_secs(5),
        lasts: Duration::from_millis(200),
        every: Some(Duration::from_secs(2)),
        meanwhile: Meanwhile::Lost,
    };

    #[test]
    fn breaks_come_again() {
        let end_of = |ms| BREAK.end_of(ms_of(ms));

        assert_eq!([4_999, 5_200].map(end_of), [None, None]);
        assert_eq!([5_000, 5_199].map(end_of), [Some(ms_of(5_200)), Some(ms_of(5_200))]);
        assert_eq!([7_000, 9_100].map(end_of), [Some(ms_of(7_200)), Some(ms_of(9_200))]);
    }

    #[test]
    fn a_break_may_come_once() {
        let once = Break { every: None, ..BREAK };

        assert_eq!([5_100, 7_100].map(|ms| once.end_of(ms_of(ms))), [Some(ms_of(5_200)), None]);
    }

    fn ms_of(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }
}
