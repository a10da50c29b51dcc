//! Decides who may stand at the door, for how long, and whose hand is shaken next.
//!
//! Everybody on earth can connect to the door. Whoever has knocked with a seal is known, the others are strangers: they go
//! first when there is no room: those who have not said a word, and of those the network that most of them come from.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// So many connections are open at once.
const PLACES: usize = 256;

/// One handshake begins in so long: many at once would be heard as a gap in every call. A hundred a second let everybody in
/// within call-control's patience, should a hundred of its sandboxes knock at once.
const HAND_EVERY: Duration = Duration::from_millis(10);

/// Hands that were shaken within this count, where it is asked who has had the fewest.
const SECOND: Duration = Duration::from_secs(1);

/// So long everybody may stand there before they must make room: whoever comes back as soon as they are sent away would else
/// keep us busy with that alone.
const EVERYBODY_STAYS: Duration = Duration::from_millis(250);

/// So long a stranger has to say something that is sealed.
const STRANGERS_STAY: Duration = Duration::from_secs(3);

/// So long somebody who is known may say nothing. Call-control asks after each call every fifteen to twenty seconds, and must not
/// need a new handshake for each.
const KNOWN_STAY: Duration = Duration::from_secs(60);

/// Who stands at the door.
#[derive(Debug, Default)]
pub(super) struct Doorstep {
    visitors: BTreeMap<Id, Visitor>,
    shaken: VecDeque<(Instant, IpAddr)>,
    next: u64,
}

/// One connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(u64);

#[derive(Debug)]
struct Visitor {
    network: IpAddr,
    came_at: Instant,
    sealed_at: Option<Instant>,
    has_spoken: bool,
    holds_out_hand: bool,
}

impl Doorstep {
    /// When somebody may connect, if not now: there is no room, and nobody has been there for long.
    pub(super) fn opens_at(&self, now: Instant) -> Option<Instant> {
        let goes = self.least_welcome().filter(|_| self.visitors.len() >= PLACES)?;
        let at = self.visitors.get(&goes)?.came_at + EVERYBODY_STAYS;
        Some(at).filter(|at| *at > now)
    }

    /// Somebody connects. Who must go for them, if there is no room.
    pub(super) fn handle_arrival(&mut self, from: IpAddr, now: Instant) -> (Id, Option<Id>) {
        let goes = if self.visitors.len() < PLACES { None } else { self.least_welcome() };
        if let Some(goes) = goes {
            self.visitors.remove(&goes);
        }
        let id = Id(self.next);
        self.next += 1;
        let network = network(from);
        let visitor =
            Visitor { network, came_at: now, sealed_at: None, has_spoken: false, holds_out_hand: false };
        self.visitors.insert(id, visitor);
        (id, goes)
    }

    /// Somebody has said a first word: they want a handshake.
    pub(super) fn handle_hand(&mut self, id: Id) {
        if let Some(visitor) = self.visitors.get_mut(&id) {
            (visitor.has_spoken, visitor.holds_out_hand) = (true, true);
        }
    }

    /// Somebody has knocked with a seal.
    pub(super) fn handle_seal(&mut self, id: Id, now: Instant) {
        if let Some(visitor) = self.visitors.get_mut(&id) {
            visitor.sealed_at = Some(now);
        }
    }

    /// Somebody is gone.
    pub(super) fn handle_leaving(&mut self, id: Id) {
        self.visitors.remove(&id);
    }

    /// Whose hand is shaken now: of those from the network that has had the fewest, the one who came last. Who has waited for
    /// long has most likely given up.
    pub(super) fn poll_hand(&mut self, now: Instant) -> Option<Id> {
        self.shaken.retain(|(at, _)| now.duration_since(*at) < SECOND);
        if self.shaken.back().is_some_and(|(at, _)| now.duration_since(*at) < HAND_EVERY) {
            return None;
        }
        let waiting = self.visitors.iter().filter(|(_, visitor)| visitor.holds_out_hand);
        let order =
            |(id, visitor): &(&Id, &Visitor)| (self.share_of(visitor.network), std::cmp::Reverse(**id));
        let id = waiting.min_by_key(order).map(|(id, _)| *id)?;
        let visitor = self.visitors.get_mut(&id)?;
        visitor.holds_out_hand = false;
        self.shaken.push_back((now, visitor.network));
        Some(id)
    }

    /// When [`Doorstep::poll_hand`] has something to say that it had not.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let is_awaited = self.visitors.values().any(|visitor| visitor.holds_out_hand);
        self.shaken.back().filter(|_| is_awaited).map(|(at, _)| *at + HAND_EVERY)
    }

    /// Until when somebody may stay; `None` if they are gone.
    pub(super) fn stays_until(&self, id: Id) -> Option<Instant> {
        let visitor = self.visitors.get(&id)?;
        Some(visitor.sealed_at.map_or(visitor.came_at + STRANGERS_STAY, |at| at + KNOWN_STAY))
    }

    /// Strangers before those who are known, and of strangers those who have not said a word; of them the oldest of the largest
    /// crowd. Of the known who was silent longest.
    fn least_welcome(&self) -> Option<Id> {
        let mut crowds = BTreeMap::<IpAddr, usize>::new();
        for visitor in self.visitors.values().filter(|visitor| visitor.sealed_at.is_none()) {
            *crowds.entry(visitor.network).or_default() += 1;
        }
        let order = |(id, visitor): &(&Id, &Visitor)| {
            let crowd = crowds.get(&visitor.network).filter(|_| visitor.sealed_at.is_none());
            (visitor.sealed_at, visitor.has_spoken, std::cmp::Reverse(crowd.copied()), **id)
        };
        self.visitors.iter().min_by_key(order).map(|(id, _)| *id)
    }

    fn share_of(&self, network: IpAddr) -> usize {
        self.shaken.iter().filter(|(_, shaken)| *shaken == network).count()
    }
}

/// Whoever has one IPv6 address has a /64 of them.
fn network(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V4(_) => from,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_visitor_stays_however_many_strangers_come() {
        let (mut step, start) = (Doorstep::default(), Instant::now());
        let (known, _) = step.handle_arrival(ip(1), start);
        step.handle_seal(known, start);

        for _ in 0..1_000 {
            step.handle_arrival(ip(2), start + SECOND);
        }

        assert_eq!(step.visitors.len(), PLACES);
        assert!(step.stays_until(known).is_some());
    }

    #[test]
    fn a_stranger_who_comes_alone_stays_while_a_crowd_pushes_itself_out() {
        let (mut step, now) = (Doorstep::default(), Instant::now());
        let (alone, _) = step.handle_arrival(ip(1), now);

        for _ in 0..1_000 {
            step.handle_arrival(ip(2), now);
        }

        assert!(step.stays_until(alone).is_some());
    }

    #[test]
    fn who_has_said_a_word_stays_while_those_go_who_have_not() {
        let (mut step, now) = (Doorstep::default(), Instant::now());
        let (speaks, _) = step.handle_arrival(ip(1), now);
        step.handle_hand(speaks);

        for _ in 0..1_000 {
            step.handle_arrival(ip(1), now);
        }

        assert!(step.stays_until(speaks).is_some());
    }

    #[test]
    fn nobody_makes_room_within_a_quarter_of_a_second() {
        let (mut step, start) = (Doorstep::default(), Instant::now());
        for n in 0..PLACES {
            assert_eq!(step.opens_at(start), None, "there is room for {n}");
            step.handle_arrival(ip(1), start);
        }

        let opens = step.opens_at(start).expect("it is full");
        assert_eq!(opens, start + Duration::from_millis(250));
        assert_eq!(step.opens_at(opens), None);
    }

    #[test]
    fn when_all_are_known_the_one_who_was_silent_longest_goes() {
        let (mut step, start) = (Doorstep::default(), Instant::now());
        let ids: Vec<_> = (0..PLACES).map(|_| step.handle_arrival(ip(1), start).0).collect();
        for (n, id) in ids.iter().enumerate() {
            step.handle_seal(*id, start + Duration::from_millis(if n == 7 { 0 } else { 1 + n as u64 }));
        }

        let (_, goes) = step.handle_arrival(ip(1), start + SECOND);

        assert_eq!(goes, Some(ids[7]));
    }

    #[test]
    fn strangers_stay_three_seconds_and_the_known_a_minute_from_their_last_seal() {
        let (mut step, start) = (Doorstep::default(), Instant::now());
        let (id, _) = step.handle_arrival(ip(1), start);

        assert_eq!(step.stays_until(id), Some(start + Duration::from_secs(3)));
        step.handle_seal(id, start + SECOND);
        assert_eq!(step.stays_until(id), Some(start + Duration::from_secs(61)));
        step.handle_leaving(id);
        assert_eq!(step.stays_until(id), None);
    }

    #[test]
    fn one_hand_is_shaken_every_ten_milliseconds() {
        let (mut step, start) = (Doorstep::default(), Instant::now());
        assert_eq!(step.poll_timeout(), None);
        hold_out_hands(&mut step, 2, 2, start);

        assert_eq!(shaken(&mut step, start), 1);
        let next = step.poll_timeout().expect("a hand is waiting");
        assert_eq!(next, start + Duration::from_millis(10));
        assert_eq!(shaken(&mut step, next - Duration::from_millis(1)), 0);
        assert_eq!(shaken(&mut step, next), 1);
        assert_eq!(step.poll_timeout(), None, "nobody waits");
    }

    #[test]
    fn the_hand_of_a_newcomer_is_shaken_before_those_of_a_crowd() {
        let (mut step, start) = (Doorstep::default(), Instant::now());
        hold_out_hands(&mut step, 2, 100, start);
        assert_eq!(shaken(&mut step, start), 1);
        let (alone, _) = step.handle_arrival(ip(1), start);
        step.handle_hand(alone);
        hold_out_hands(&mut step, 2, 100, start);

        assert_eq!(step.poll_hand(start + HAND_EVERY), Some(alone));
    }

    #[test]
    fn within_a_crowd_who_came_last_comes_first() {
        let (mut step, start) = (Doorstep::default(), Instant::now());
        hold_out_hands(&mut step, 1, 30, start);
        let (last, _) = step.handle_arrival(ip(1), start);
        step.handle_hand(last);

        assert_eq!(step.poll_hand(start), Some(last));
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_crowd() {
        let one = network("2001:db8:0:1::1".parse().unwrap());

        assert_eq!(one, network("2001:db8:0:1:ffff::2".parse().unwrap()));
        assert_ne!(one, network("2001:db8:0:2::1".parse().unwrap()));
    }

    fn hold_out_hands(step: &mut Doorstep, from: u8, how_many: usize, now: Instant) {
        for _ in 0..how_many {
            let (id, _) = step.handle_arrival(ip(from), now);
            step.handle_hand(id);
        }
    }

    fn shaken(step: &mut Doorstep, now: Instant) -> usize {
        std::iter::from_fn(|| step.poll_hand(now)).count()
    }

    fn ip(n: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, n])
    }
}
