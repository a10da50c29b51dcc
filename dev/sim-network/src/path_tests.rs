//! A path's promises, on virtual time.

use super::*;

const FRAME: Duration = Duration::from_millis(20);
const STUN: [u8; 2] = [0, 1];

#[test]
fn a_clean_path_is_late_and_nothing_else() {
    let arrived = arrivals(Profile::Clean, 1, 100);

    let wanted: Vec<(u32, Duration)> = (0..100).map(|n| (n, FRAME * n + Duration::from_millis(10))).collect();
    assert_eq!(arrived, wanted);
}

#[test]
fn the_same_seed_has_the_same_fates_and_another_one_others() {
    for profile in [Profile::WifiLossy, Profile::Congested, Profile::Satellite] {
        assert_eq!(arrivals(profile, 3, 3_000), arrivals(profile, 3, 3_000), "{profile}");
        assert_ne!(arrivals(profile, 3, 3_000), arrivals(profile, 4, 3_000), "{profile}");
    }
}

#[test]
fn the_two_directions_of_a_seed_differ() {
    let lost = |direction| {
        let mut path = Path::new(Profile::Random5, direction, 9);
        let t0 = Instant::now();
        (0..500).map(|n| send(&mut path, n, t0 + FRAME * n)).collect::<Vec<bool>>()
    };

    assert_ne!(lost(Direction::Up), lost(Direction::Down));
}

#[test]
fn what_goes_between_does_not_change_the_fate_of_sound() {
    let lost = |others: u32| {
        let mut path = Path::new(Profile::WifiLossy, Direction::Up, 9);
        let t0 = Instant::now();
        let mut draws = Vec::new();
        for n in 0..2_000 {
            (0..others * (n % 3)).for_each(|_| path.handle_datagram(STUN.to_vec().into(), t0 + FRAME * n));
            draws.push(send(&mut path, n, t0 + FRAME * n));
        }
        draws
    };

    assert_eq!(lost(0), lost(2));
}

#[test]
fn every_profile_loses_as_much_as_it_says() {
    for profile in Profile::ALL.iter().copied().filter(|profile| profile.conditions().breaks.is_none()) {
        let (mut path, t0) = (Path::new(profile, Direction::Down, 5), Instant::now());
        (0..100_000).for_each(|n| path.handle_datagram(sound(n), t0 + FRAME * n));

        let counts = path.counts();
        let (rate, wanted) = (counts.lost as f64 / counts.packets as f64, profile.conditions().loss.rate());
        assert!((rate - wanted).abs() <= wanted * 0.1, "{profile}: {rate}, and not {wanted}");
    }
}

#[test]
fn a_jittery_path_keeps_the_order_unless_it_says_otherwise() {
    for profile in Profile::ALL.iter().copied() {
        let arrived: Vec<u32> = arrivals(profile, 2, 20_000).into_iter().map(|(n, _)| n).collect();

        let overtaken = arrived.windows(2).any(|pair| pair[0] > pair[1]);
        assert_eq!(overtaken, profile.conditions().reorder > 0.0, "{profile}");
    }
}

#[test]
fn some_arrive_twice_where_the_profile_says_so() {
    let mut arrived: Vec<u32> = arrivals(Profile::WifiLossy, 2, 20_000).into_iter().map(|(n, _)| n).collect();
    let count = arrived.len();
    arrived.sort_unstable();
    arrived.dedup();

    assert!((10..40).contains(&(count - arrived.len())), "{}", count - arrived.len());
}

#[test]
fn an_outage_takes_three_seconds_and_only_those() {
    let arrived: Vec<u32> = arrivals(Profile::ConnectionLoss, 1, 1_500).into_iter().map(|(n, _)| n).collect();

    let wanted: Vec<u32> = (0..1_000).chain(1_150..1_500).collect();
    assert_eq!(arrived, wanted);
}

#[test]
fn what_a_handover_holds_comes_all_at_once() {
    let (mut path, t0) = (Path::with(handover(), 1), Instant::now());
    (0..50).for_each(|n| path.handle_datagram(sound(n), t0 + FRAME * n));

    let arrived = drain(&mut path, t0);

    assert_eq!(arrived.len(), 50);
    let at_once = arrived.iter().filter(|(_, at)| *at == Duration::from_millis(510)).count();
    assert_eq!(at_once, 5 + 1, "100 ms of them, and the one that is just due");
}

fn handover() -> Conditions {
    let breaks = crate::Break {
        after: Duration::from_millis(400),
        lasts: Duration::from_millis(100),
        every: None,
        meanwhile: Meanwhile::Held,
    };
    Conditions { breaks: Some(breaks), ..Profile::Clean.conditions() }
}

/// Whether it was lost.
fn send(path: &mut Path, n: u32, now: Instant) -> bool {
    let before = path.counts().lost;
    path.handle_datagram(sound(n), now);
    path.counts().lost > before
}

/// Returns which of this many packets arrive, and when.
fn arrivals(profile: Profile, seed: u64, count: u32) -> Vec<(u32, Duration)> {
    let (mut path, t0) = (Path::new(profile, Direction::Up, seed), Instant::now());
    (0..count).for_each(|n| path.handle_datagram(sound(n), t0 + FRAME * n));
    drain(&mut path, t0)
}

fn drain(path: &mut Path, t0: Instant) -> Vec<(u32, Duration)> {
    let mut arrived = Vec::new();
    while let Some(at) = path.poll_timeout() {
        let datagram = path.poll_datagram(at).expect("it is due");
        let n = datagram[4..8].try_into().expect("four bytes");
        arrived.push((u32::from_be_bytes(n), at - t0));
    }
    arrived
}

/// An RTP packet whose timestamp is its number.
fn sound(n: u32) -> Bytes {
    let mut packet = vec![0x80, 111, 0, 0];
    packet.extend(n.to_be_bytes());
    packet.into()
}
