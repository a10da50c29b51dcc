//! One direction of a network: what goes in comes out later, or twice, or never.
//!
//! Sound has a generator of its own: the n-th packet of sound has the same transit under the same seed, whatever else (STUN,
//! DTLS, RTCP) went between, which differs from run to run. What else there is, is lost at the same rate, each by
//! itself.

use crate::conditions::{Conditions, Meanwhile};
use crate::delay::Delays;
use crate::loss::Losses;
use crate::{Loss, Profile};
use bytes::Bytes;
use fastrand::Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// How much later a copy arrives.
const COPY_AFTER: Duration = Duration::from_millis(1);

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the caller.
    Up,
    /// To the caller.
    Down,
}

/// Counts of the packets of sound so far, by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// How many came to be carried.
    pub packets: u64,
    /// Of those, how many were lost.
    pub lost: u64,
    /// How many were lost in a row, at most.
    pub longest_loss: u64,
    /// How many were overtaken.
    pub overtaken: u64,
    /// How many arrived twice.
    pub doubled: u64,
}

/// One direction of a network.
#[derive(Debug)]
pub struct Path {
    conditions: Conditions,
    sound: Draws,
    rest: Draws,
    began: Option<Instant>,
    /// Nothing that keeps the order arrives before this.
    last_at: Option<Instant>,
    under_way: BinaryHeap<Reverse<Arrival>>,
    count: u64,
    lost_in_a_row: u64,
    counts: LinkCounts,
}

/// The chances of one kind of datagram.
#[derive(Debug)]
struct Draws {
    rng: Rng,
    losses: Losses,
    delays: Delays,
}

/// By time, and then in the order of departure.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival {
    at: Instant,
    n: u64,
    datagram: Bytes,
}

#[derive(Debug, Clone, Copy)]
struct Transit {
    is_lost: bool,
    takes: Duration,
    is_overtaken: bool,
    is_doubled: bool,
}

impl Path {
    /// A path of this kind. Both directions may have the same seed: they differ all the same.
    pub fn new(profile: Profile, direction: Direction, seed: u64) -> Self {
        let seed = match direction {
            Direction::Up => seed.wrapping_mul(4),
            Direction::Down => seed.wrapping_mul(4) + 2,
        };
        Self::with(profile.conditions(), seed)
    }

    /// A path that is like this.
    pub fn with(conditions: Conditions, seed: u64) -> Self {
        let alone = Loss::Random(conditions.loss.rate());
        Self {
            sound: Draws::new(&conditions, conditions.loss, seed),
            rest: Draws::new(&conditions, alone, seed + 1),
            conditions,
            began: None,
            last_at: None,
            under_way: BinaryHeap::new(),
            count: 0,
            lost_in_a_row: 0,
            counts: LinkCounts::default(),
        }
    }

    /// Sends a datagram.
    pub fn handle_datagram(&mut self, datagram: Bytes, now: Instant) {
        let since_first = now.saturating_duration_since(*self.began.get_or_insert(now));
        let is_sound = is_sound(&datagram);
        let draws = if is_sound { &mut self.sound } else { &mut self.rest };
        let mut transit = draws.next(&self.conditions, now);
        let broken_until = self.conditions.breaks.and_then(|a_break| {
            Some((a_break.end_of(since_first)?.saturating_sub(since_first), a_break.meanwhile))
        });
        match broken_until {
            Some((_, Meanwhile::Lost)) => transit.is_lost = true,
            Some((left, Meanwhile::Held)) => transit.takes += left,
            None => {}
        }
        if is_sound {
            self.count_sound(transit);
        }
        if !transit.is_lost {
            self.carry(datagram, transit, now);
        }
    }

    /// A datagram that has arrived by now.
    pub fn poll_datagram(&mut self, now: Instant) -> Option<Bytes> {
        self.poll_timeout().filter(|at| *at <= now)?;
        self.under_way.pop().map(|Reverse(arrival)| arrival.datagram)
    }

    /// When the next one arrives.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse(arrival)| arrival.at)
    }

    /// Counts of the packets of sound so far, by outcome.
    pub fn counts(&self) -> LinkCounts {
        self.counts
    }

    fn carry(&mut self, datagram: Bytes, transit: Transit, now: Instant) {
        let in_order = self.last_at.map_or(now + transit.takes, |last| last.max(now + transit.takes));
        let at = if transit.is_overtaken { in_order + self.conditions.slower_by } else { in_order };
        if !transit.is_overtaken {
            self.last_at = Some(in_order);
        }
        if transit.is_doubled {
            self.arrive(datagram.clone(), at + COPY_AFTER);
        }
        self.arrive(datagram, at);
    }

    fn arrive(&mut self, datagram: Bytes, at: Instant) {
        self.under_way.push(Reverse(Arrival { at, n: self.count, datagram }));
        self.count += 1;
    }

    fn count_sound(&mut self, transit: Transit) {
        self.lost_in_a_row = if transit.is_lost { self.lost_in_a_row + 1 } else { 0 };
        let counts = &mut self.counts;
        counts.packets += 1;
        counts.lost += u64::from(transit.is_lost);
        counts.longest_loss = counts.longest_loss.max(self.lost_in_a_row);
        counts.overtaken += u64::from(transit.is_overtaken && !transit.is_lost);
        counts.doubled += u64::from(transit.is_doubled && !transit.is_lost);
    }
}

impl Draws {
    fn new(conditions: &Conditions, loss: Loss, seed: u64) -> Self {
        let (losses, delays) = (Losses::new(loss), Delays::new(conditions));
        Self { rng: Rng::with_seed(seed), losses, delays }
    }

    fn next(&mut self, conditions: &Conditions, now: Instant) -> Transit {
        let rng = &mut self.rng;
        Transit {
            is_lost: self.losses.takes_next(rng),
            takes: self.delays.next(now, rng),
            is_overtaken: rng.f64() < conditions.reorder,
            is_doubled: rng.f64() < conditions.duplicate,
        }
    }
}

/// Whether a datagram is RTP, by RFC 7983 and RFC 5761.
fn is_sound(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, kind, ..] if !(192..=223).contains(kind))
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
