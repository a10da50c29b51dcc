//! Tests a session by properties: any events in any order.

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

#[derive(Debug, Clone)]
enum Step {
    Accept,
    Begin(bool, u8),
    Speak(u8),
    Calls(u8),
    Done(u8, &'static str),
    Err(&'static str),
    Starts,
    Stops,
    Down(u8),
    Pass(u64),
    Open,
    Append,
    Playing(bool),
    Heard(u8, u64),
    Interrupt,
    Yield(bool),
    Answer(u8),
    Tell,
    Ask(bool),
    Release,
    Instruct(u8),
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_event_order_panics_or_requests_two_responses_at_once(
        steps in prop::collection::vec(step(), 1..80), turns_are_local: bool, is_greeting_protected: bool, is_held: bool,
    ) {
        let turns = if turns_are_local { TurnMode::Local } else { TurnMode::Server };
        let config = SessionConfig { turns, ..if is_greeting_protected { protected_greeting() } else { config() } };
        let mut talk = if is_held { Talk::held(config) } else { Talk::with(config) };
        let mut servers = Servers::default();
        for step in steps {
            take(&mut talk, &mut servers, step);
            servers.read(&mut talk);
        }
    }
}

/// What the servers of all links know.
#[derive(Default)]
struct Servers {
    configured: HashSet<LinkId>,
    updated: HashSet<LinkId>,
    active: HashMap<LinkId, String>,
    asked: HashMap<LinkId, String>,
    is_failed: bool,
}

impl Servers {
    fn read(&mut self, talk: &mut Talk) {
        for (link, event) in std::mem::take(&mut talk.sent) {
            assert!(!self.is_failed, "sent after the end: {event}");
            let is_first = !self.configured.contains(&link);
            assert_eq!(
                is_first,
                event["type"] == "session.update" && !self.updated.contains(&link),
                "{event}"
            );
            self.configured.insert(link);
            if !is_first {
                assert!(self.updated.contains(&link), "before session.updated: {event}");
            }
            if event["type"] == "response.create" {
                let id = event["event_id"].as_str().expect("ours have names").to_owned();
                assert!(!self.active.contains_key(&link), "another is active");
                self.asked.insert(link, id);
            }
        }
        self.is_failed |= talk.failure().is_some();
    }
}

fn take(talk: &mut Talk, servers: &mut Servers, step: Step) {
    let link = talk.session.link.id;
    let now = talk.now;
    match step {
        Step::Accept => {
            let newest = talk.newest();
            talk.on(newest, json!({"type": "session.created", "session": {}}));
            servers.read(talk);
            if servers.configured.contains(&newest) {
                servers.updated.insert(newest);
                talk.on(
                    newest,
                    json!({"type": "session.updated", "session": {"expires_at": talk.unix() + 90}}),
                );
            }
        }
        Step::Begin(is_ours, id)
            if servers.updated.contains(&link) && !servers.active.contains_key(&link) =>
        {
            let id = format!("r{id}");
            let by = servers.asked.remove(&link).filter(|_| is_ours);
            servers.active.insert(link, id.clone());
            let metadata = by.map(|by| json!({"client_event_id": by}));
            talk.server_sends(
                json!({"type": "response.created", "response": {"id": id, "metadata": metadata}}),
            );
        }
        Step::Begin(..) => {}
        Step::Speak(id) => talk.speak(&format!("r{id}"), &format!("i{id}"), "some words", 100),
        Step::Calls(id) => talk.calls(&format!("r{id}"), &format!("c{id}")),
        Step::Done(id, status) => {
            let id = format!("r{id}");
            servers.active.retain(|of, active| *of != link || *active != id);
            talk.ends(&id, status, None);
        }
        Step::Err(code) => talk.errs(code),
        Step::Starts => talk.caller_starts("u"),
        Step::Stops => talk.caller_stops("u"),
        Step::Down(0) => talk.down(ConnectionLoss::Refused { status: 503 }),
        Step::Down(1) => talk.down(ConnectionLoss::Failed("x".into())),
        Step::Down(_) => talk.down(ConnectionLoss::Closed { code: Some(1001), reason: String::new() }),
        Step::Pass(ms) => talk.pass(ms),
        Step::Open => talk.session.open(now),
        Step::Append => talk.session.append(&[1; 480], now),
        Step::Playing(playing) => talk.session.set_playing(playing, now),
        Step::Heard(id, ms) => {
            talk.session.truncate(
                &format!("i{id}").into(),
                Duration::from_millis(ms),
                Duration::from_millis(100),
                now,
            );
        }
        Step::Interrupt => talk.session.interrupt(now),
        Step::Yield(answer) => talk.session.yield_turn(answer, now),
        Step::Answer(id) => talk.session.answer_tool(&format!("c{id}").into(), "{}", true, now),
        Step::Tell => talk.session.tell("keys", now),
        Step::Ask(insists) => talk.session.ask("Say it.", insists, now),
        Step::Release => talk.session.release(config(), now),
        Step::Instruct(id) => talk.session.set_instructions(format!("You know {id}."), now),
    }
    talk.drain();
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 0_u8..3;
    let status = prop::sample::select(vec!["completed", "cancelled", "failed", "incomplete"]);
    let codes = vec!["conversation_already_has_active_response", "server_error", "session_expired", "odd"];
    prop_oneof![
        4 => Just(Step::Accept),
        6 => (any::<bool>(), id()).prop_map(|(is_ours, id)| Step::Begin(is_ours, id)),
        4 => id().prop_map(Step::Speak),
        2 => id().prop_map(Step::Calls),
        6 => (id(), status).prop_map(|(id, status)| Step::Done(id, status)),
        1 => prop::sample::select(codes).prop_map(Step::Err),
        3 => Just(Step::Starts),
        3 => Just(Step::Stops),
        1 => (0_u8..3).prop_map(Step::Down),
        6 => prop::sample::select(vec![10, 400, 1_600, 9_000, 40_000]).prop_map(Step::Pass),
        2 => Just(Step::Open),
        1 => Just(Step::Append),
        2 => any::<bool>().prop_map(Step::Playing),
        2 => (id(), 0_u64..200).prop_map(|(id, ms)| Step::Heard(id, ms)),
        2 => Just(Step::Interrupt),
        2 => any::<bool>().prop_map(Step::Yield),
        2 => id().prop_map(Step::Answer),
        2 => Just(Step::Tell),
        2 => any::<bool>().prop_map(Step::Ask),
        3 => Just(Step::Release),
        2 => id().prop_map(Step::Instruct),
    ]
}
