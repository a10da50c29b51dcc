//! Tests a sideband by properties: any events and losses in any order.

use super::*;
use proptest::prelude::*;

/// What a sideband may send.
const ALLOWED: [&str; 6] = [
    "session.update",
    "response.create",
    "response.cancel",
    "conversation.item.create",
    "conversation.item.delete",
    "output_audio_buffer.clear",
];

#[derive(Debug, Clone)]
enum Step {
    Attach,
    Begin(bool, u8),
    Words(u8),
    Calls(u8),
    Playback(&'static str, u8),
    Done(u8, &'static str),
    Starts,
    Stops,
    Down(u16),
    Pass(u64),
    Append,
    Interrupt,
    Answer(u8),
    Tell,
    Ask(bool),
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_event_order_makes_a_sideband_send_what_is_not_allowed(steps in prop::collection::vec(step(), 1..80)) {
        let mut talk = Talk::with(SessionConfig { audio: AudioPath::Service, ..config() });
        talk.act(Session::open);
        for step in steps {
            let was_over = talk.session.is_over;
            take(&mut talk, step);
            for (_, event) in std::mem::take(&mut talk.sent) {
                prop_assert!(ALLOWED.iter().any(|kind| event["type"] == *kind), "{event}");
                prop_assert!(!was_over, "sent after the end: {event}");
            }
        }
    }
}

fn take(talk: &mut Talk, step: Step) {
    match step {
        Step::Attach => {
            let newest = talk.newest();
            talk.on(newest, json!({"type": "session.created", "session": {}}));
            talk.on(newest, json!({"type": "session.updated", "session": {"expires_at": talk.unix() + 900}}));
        }
        Step::Begin(true, id) => talk.begin(&format!("r{id}")),
        Step::Begin(false, id) => talk.begin_own(&format!("r{id}")),
        Step::Words(id) => talk.words(&format!("r{id}"), &format!("i{id}"), "some words"),
        Step::Calls(id) => talk.calls(&format!("r{id}"), &format!("c{id}")),
        Step::Playback(what, id) => talk.playback(what, &format!("r{id}")),
        Step::Done(id, status) => talk.ends(&format!("r{id}"), status, None),
        Step::Starts => talk.caller_starts("u"),
        Step::Stops => talk.caller_stops("u"),
        Step::Down(0) => talk.down(ConnectionLoss::Closed { code: None, reason: String::new() }),
        Step::Down(status) => talk.down(ConnectionLoss::Refused { status }),
        Step::Pass(ms) => talk.pass(ms),
        Step::Append => talk.act(|session, now| session.append(&[LOUD; 480], now)),
        Step::Interrupt => talk.act(Session::interrupt),
        Step::Answer(id) => {
            talk.act(|session, now| session.answer_tool(&format!("c{id}").into(), "{}", true, now))
        }
        Step::Tell => talk.act(|session, now| session.tell("keys", now)),
        Step::Ask(insists) => talk.act(|session, now| session.ask("Say it.", insists, now)),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 0_u8..3;
    let status = prop::sample::select(vec!["completed", "cancelled", "failed", "incomplete"]);
    let playback = prop::sample::select(vec!["started", "stopped", "cleared"]);
    prop_oneof![
        6 => Just(Step::Attach),
        6 => (any::<bool>(), id()).prop_map(|(is_ours, id)| Step::Begin(is_ours, id)),
        4 => id().prop_map(Step::Words),
        2 => id().prop_map(Step::Calls),
        4 => (playback, id()).prop_map(|(what, id)| Step::Playback(what, id)),
        6 => (id(), status).prop_map(|(id, status)| Step::Done(id, status)),
        3 => Just(Step::Starts),
        3 => Just(Step::Stops),
        2 => prop::sample::select(vec![0, 404, 503]).prop_map(Step::Down),
        6 => prop::sample::select(vec![10, 200, 2_000, 9_000, 40_000]).prop_map(Step::Pass),
        1 => Just(Step::Append),
        2 => Just(Step::Interrupt),
        2 => id().prop_map(Step::Answer),
        2 => Just(Step::Tell),
        2 => any::<bool>().prop_map(Step::Ask),
    ]
}
