//! Properties of the bridge for any order of events.

use super::virtual_call::{item, ms, packet};
use crate::{
    AgentEvent, BargeInPolicy, Bridge, CallLimits, ClockRate, DtmfOptions, DtmfPacket, ItemId, Output,
    SAMPLES, duration,
};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// An event of the bridge.
#[derive(Debug, Clone)]
enum Fact {
    Agent(AgentEvent),
    /// Samples of a part of a response.
    Said(u8, u8, usize),
    Packet(u16, bool),
    Key(u32, Vec<u8>),
    Busy(bool),
    Close,
    Record(usize),
    Hear(i16),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn outputs_are_consistent_for_any_order_of_events(
        policy in policy(),
        limits in limits(),
        facts in prop::collection::vec((fact(), wait()), 0..60),
    ) {
        let start = Instant::now();
        let mut reported = Reported::default();
        let mut bridge = Bridge::new(limits, policy, DtmfOptions::default());
        bridge.open(start);
        let mut now = start;
        for (fact, wait) in facts {
            reported.expect(&fact);
            apply(&mut bridge, fact, now);
            reported.read(&mut bridge)?;
            let end = now + wait;
            run_until(&mut bridge, end, &mut reported)?;
            now = end;
        }
        run_until(&mut bridge, now + Duration::from_secs(30), &mut reported)?;

        let elapsed = now + Duration::from_secs(30) - start;
        prop_assert_eq!(reported.frames, elapsed.as_millis() / 20 + 1, "a frame every 20 ms");
        prop_assert!(bridge.poll_timeout().is_some_and(|due| due > now), "a timeout was not handled");
    }
}

/// What the bridge has reported so far, for comparison with what it was given.
#[derive(Debug, Default)]
struct Reported {
    frames: u128,
    received: HashMap<ItemId, usize>,
    over: HashSet<ItemId>,
    ends: u32,
    first_words: u32,
    keys_dropped: bool,
    deaf: u32,
}

impl Reported {
    fn expect(&mut self, fact: &Fact) {
        if let Fact::Said(response, part, samples) = fact {
            *self.received.entry(part_of(*response, *part)).or_default() += samples;
        }
    }

    fn read(&mut self, bridge: &mut Bridge<u16>) -> Result<(), TestCaseError> {
        while let Some(output) = bridge.poll_output() {
            match output {
                Output::Play(_) => self.frames += 1,
                Output::Interrupted(heard) | Output::CutShort(heard) => {
                    let received = duration(self.received.get(&heard.item).copied().unwrap_or_default());
                    prop_assert!(
                        heard.heard <= heard.of && heard.of <= received,
                        "{:?} of {:?}",
                        heard,
                        received
                    );
                    prop_assert!(self.over.insert(heard.item), "the item was reported twice");
                }
                Output::Played(item) => {
                    prop_assert!(self.received.contains_key(&item));
                    prop_assert!(self.over.insert(item), "the item was reported twice");
                }
                Output::FirstAudio(_) => self.first_words += 1,
                Output::HangUp | Output::ForceHangUp(_) => self.ends += 1,
                Output::Dtmf(keyed) => prop_assert!(!keyed.keys().is_empty()),
                Output::Answered { took, waited_for_tools } => prop_assert!(waited_for_tools <= took),
                Output::IdlePrompt { .. }
                | Output::SayGoodbye(_)
                | Output::HangUpCancelled
                | Output::HangUpPostponed => {
                    prop_assert_eq!(self.ends, 0, "an output after the hang-up");
                }
                Output::DtmfDropped => {
                    prop_assert!(!std::mem::replace(&mut self.keys_dropped, true), "reported twice");
                }
                Output::AgentIsDeaf => self.deaf += 1,
                Output::CancelResponse | Output::TurnEnded { .. } => {}
            }
        }
        prop_assert!(self.ends <= 1 && self.first_words <= 1 && self.deaf <= 1);
        Ok(())
    }
}

fn run_until(bridge: &mut Bridge<u16>, end: Instant, reported: &mut Reported) -> Result<(), TestCaseError> {
    let mut last = None;
    let mut times = 0;
    while let Some(due) = bridge.poll_timeout().filter(|due| *due <= end) {
        times = if last == Some(due) { times + 1 } else { 0 };
        prop_assert!(times < 5, "the timeout does not advance");
        last = Some(due);
        bridge.handle_timeout(due);
        reported.read(bridge)?;
        while bridge.poll_step().is_some() {}
    }
    Ok(())
}

fn apply(bridge: &mut Bridge<u16>, fact: Fact, now: Instant) {
    match fact {
        Fact::Said(response, part, samples) => {
            let said = AgentEvent::Audio {
                response: format!("r{response}"),
                item: part_of(response, part),
                samples: vec![9; samples],
            };
            bridge.handle_agent(said, now);
        }
        Fact::Agent(event) => bridge.handle_agent(event, now),
        Fact::Packet(sequence, is_sound) => {
            bridge.note_liveness(now);
            bridge.handle_packet(packet(sequence, is_sound), now);
        }
        Fact::Key(timestamp, payload) => {
            let sequence = (timestamp / 960) as u16;
            let packet =
                DtmfPacket { stream: 1, sequence, timestamp, clock: ClockRate::Khz8, payload: &payload };
            bridge.handle_dtmf(&packet, now);
        }
        Fact::Busy(is_busy) => bridge.note_busy(is_busy, now),
        Fact::Close => bridge.hang_up_when_silent(now),
        Fact::Record(samples) => bridge.play_recording(vec![7; samples], now),
        Fact::Hear(sample) => bridge.gate(&mut [sample; SAMPLES], now),
    }
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        8 => agent().prop_map(Fact::Agent),
        6 => (0..5_u8, 0..3_u8, 0..40_000_usize).prop_map(|(response, part, samples)| Fact::Said(response, part, samples)),
        4 => (any::<u16>(), any::<bool>()).prop_map(|(sequence, is_sound)| Fact::Packet(sequence, is_sound)),
        2 => (any::<u32>(), prop::collection::vec(0..20_u8, 0..6)).prop_map(|(at, payload)| Fact::Key(at, payload)),
        1 => any::<bool>().prop_map(Fact::Busy),
        1 => Just(Fact::Close),
        1 => (0..30_000_usize).prop_map(Fact::Record),
        1 => any::<i16>().prop_map(Fact::Hear),
    ]
}

fn agent() -> impl Strategy<Value = AgentEvent> {
    let response = || (0..5_u8).prop_map(|n| format!("r{n}"));
    prop_oneof![
        2 => response().prop_map(|response| AgentEvent::ResponseStarted { response }),
        2 => (0..5_u8, 0..3_u8).prop_map(|(n, part)| AgentEvent::ItemDone { item: part_of(n, part) }),
        2 => response().prop_map(|response| AgentEvent::ResponseDone { response }),
        3 => Just(AgentEvent::SpeechStarted),
        3 => Just(AgentEvent::SpeechStopped),
        1 => Just(AgentEvent::SessionReplaced),
        1 => Just(AgentEvent::SessionReady),
        1 => response().prop_map(|response| AgentEvent::ResponseEmpty { response }),
    ]
}

/// Returns an item id that is unique across responses.
fn part_of(response: u8, part: u8) -> ItemId {
    item(&format!("r{response}.{part}"))
}

fn policy() -> impl Strategy<Value = BargeInPolicy> {
    let echo_gate_dbfs = prop::option::of(-60.0..0.0_f32);
    (0..3_u64, 0..3_u64, echo_gate_dbfs, any::<bool>(), any::<bool>()).prop_map(
        |(guard, after, echo_gate_dbfs, greeting_is_interruptible, keys_interrupt)| BargeInPolicy {
            guard: ms(guard * 300),
            after: ms(after * 300),
            echo_gate_dbfs,
            greeting_is_interruptible,
            keys_interrupt,
        },
    )
}

fn limits() -> impl Strategy<Value = CallLimits> {
    (1..60_u64, 1..10_u64, 0..3_u32, 5..40_u64).prop_map(|(longest, idle_after, idle_prompts, absence)| {
        CallLimits {
            longest: Duration::from_secs(longest),
            idle_after: Duration::from_secs(idle_after),
            idle_prompts,
            absence: Duration::from_secs(absence),
        }
    })
}

fn wait() -> impl Strategy<Value = Duration> {
    prop_oneof![3 => (0..100_u64).prop_map(ms), 1 => (0..8_000_u64).prop_map(ms)]
}
