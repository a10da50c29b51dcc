//! The caller's keypad, as the business hears it.

use crate::agent::{Agent, Arrived};
use crate::business::{Business, SOON, hurried};
use sim_audio::hearing::{HEARD, find};
use sim_audio::{Clip, clips};
use sim_meta::{Call, WaitError};

/// In samples at 48 kHz.
const FIFTH_OF_A_SECOND: u32 = 9_600;

#[tokio::test]
async fn every_key_arrives_once_and_in_order() {
    let (_business, call, mut agent) = listening().await;

    call.press("427#").await.unwrap();
    agent.hears_more(SOON).await;

    assert_eq!(typed(&agent.arrived()), "427#");
    let pressed = call.report().keys;
    assert_eq!(pressed.iter().map(|pressed| pressed.key).collect::<String>(), "427#");
    // By the clock of the sound: when a packet arrives, a busy machine has a say in.
    let mut began: Vec<u32> = agent
        .arrived()
        .iter()
        .filter(|packet| packet.event.is_some())
        .map(|packet| packet.timestamp)
        .collect();
    began.dedup();
    let apart = began.windows(2).map(|two| two[1].wrapping_sub(two[0]));
    assert!(apart.min() >= Some(FIFTH_OF_A_SECOND), "{began:?}");
}

#[tokio::test]
async fn keys_and_voice_are_one_stream_of_one_clock() {
    let (_business, call, mut agent) = listening().await;

    call.press("19").await.unwrap();
    agent.hears_more(SOON).await;

    let arrived = agent.arrived();
    for two in arrived.windows(2) {
        assert_eq!(two[1].sequence, two[0].sequence.wrapping_add(1), "{two:?}");
        assert!(two[1].timestamp >= two[0].timestamp, "{two:?}");
    }
    let voice: Vec<&Arrived> = arrived.iter().filter(|packet| packet.event.is_none()).collect();
    assert!(voice.windows(2).all(|two| (two[1].timestamp - two[0].timestamp) % 960 == 0));
    let events: Vec<&Arrived> = arrived.iter().filter(|packet| packet.event.is_some()).collect();
    assert_eq!(events.len(), 14);
    assert!(events[..7].iter().all(|packet| packet.timestamp == events[0].timestamp));
    let marked: Vec<bool> = events.iter().map(|packet| packet.marker).collect();
    assert_eq!(marked.iter().filter(|marked| **marked).count(), 2);
    assert!(marked[0] && marked[7]);
}

#[tokio::test]
async fn a_key_whose_end_packets_are_lost_is_recognised_by_timestamp() {
    let (_business, call, mut agent) = listening().await;
    // Two of the three ends of the first key, and all of the second.
    agent.lose_events(&[4, 5, 11, 12, 13]);

    call.press("55").await.unwrap();
    agent.hears_more(SOON).await;

    let arrived = agent.arrived();
    assert_eq!(arrived.iter().filter(|packet| packet.event.is_some()).count(), 9);
    assert_eq!(arrived.iter().filter(|packet| packet.event.is_some_and(is_end)).count(), 1);
    assert_eq!(typed(&arrived), "55");
}

#[tokio::test]
async fn what_is_being_said_waits_for_the_key() {
    let (_business, call, agent) = listening().await;
    let question = clips::caller_question();

    let (said, pressed) = tokio::join!(call.say(&question), call.press("0"));

    said.unwrap();
    pressed.unwrap();
    assert_eq!(typed(&agent.arrived()), "0");
    let after_the_key = &question.samples[24_000..];
    assert!(find(after_the_key, &agent.heard()).unwrap().correlation > HEARD);
}

#[tokio::test]
async fn no_key_is_pressed_in_a_call_that_is_over() {
    let (_business, call, _agent) = listening().await;
    call.hang_up().await;
    call.ended(SOON).await.unwrap();

    let over = call.press("1").await.unwrap_err();

    assert!(matches!(over, WaitError::Ended { .. }), "{over}");
    assert!(call.report().keys.is_empty());
}

/// A call in which the phone has begun to send.
async fn listening() -> (Business, Call, Agent) {
    let mut business = Business::open(hurried()).await;
    let (call, mut agent) = business.take_call().await;
    agent.play(&[0; 480]);
    agent.hears_more(SOON).await;
    call.say(&Clip { name: "ready".into(), text: String::new(), samples: vec![0; 480] }).await.unwrap();
    (business, call, agent)
}

/// What was typed: an event is told from the next by when it began.
fn typed(arrived: &[Arrived]) -> String {
    let mut events: Vec<(u32, u8)> =
        arrived.iter().filter_map(|packet| Some((packet.timestamp, packet.event?[0]))).collect();
    events.dedup();
    events.into_iter().map(|(_, event)| char::from(b"0123456789*#ABCD"[usize::from(event)])).collect()
}

fn is_end(event: [u8; 4]) -> bool {
    event[1] & 0x80 != 0
}
