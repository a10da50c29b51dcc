//! Tests a conversation whose configuration, or newer instructions, come late.

use super::reconnecting::talked;
use super::*;

const RESET: &str = "reset";

#[test]
fn a_held_session_is_opened_and_configured_once_its_configuration_is_given() {
    let mut talk = Talk::held(config());
    created(&mut talk);
    assert_eq!((talk.connects.len(), talk.kinds()), (1, vec![]), "nothing is sent before");

    talk.act(|session, now| session.release(chosen(), now));
    assert_eq!(talk.kinds(), ["session.update"]);
    updated(&mut talk);

    assert_eq!(talk.kinds(), ["session.update", "response.create"]);
    assert_eq!(instructions(&talk, 0), "You answer calls in French.");
    let greeting = talk.sent_of("response.create")[0]["response"]["instructions"].to_string();
    assert!(greeting.contains("\\\"Bonjour.\\\""), "{greeting}");
    assert!(matches!(talk.events[..], [SessionEvent::Ready { .. }]));
}

#[test]
fn a_configuration_given_before_the_session_exists_is_sent_at_once() {
    let mut talk = Talk::held(config());

    talk.act(|session, now| session.release(chosen(), now));
    assert_eq!(talk.kinds(), [""; 0]);
    talk.accept();

    assert_eq!(talk.kinds(), ["session.update", "response.create"]);
    assert_eq!(instructions(&talk, 0), "You answer calls in French.");
}

#[test]
fn a_second_configuration_changes_nothing() {
    let mut talk = Talk::held(config());
    created(&mut talk);
    talk.act(|session, now| session.release(chosen(), now));
    updated(&mut talk);

    talk.act(|session, now| session.release(config(), now));

    assert_eq!(talk.sent_of("session.update").len(), 1);
}

#[test]
fn nothing_of_the_service_is_late_while_the_session_is_held() {
    let mut talk = Talk::held(config());
    created(&mut talk);

    talk.pass(60_000);
    assert_eq!((talk.failure(), talk.connects.len(), talk.session.poll_timeout()), (None, 1, None));

    talk.act(|session, now| session.release(chosen(), now));
    talk.pass(4_999);
    assert_eq!(talk.connects.len(), 1, "its time to be configured counts from here");
    talk.pass(1);
    assert_eq!(talk.closed.len(), 1);
    talk.pass(300);
    talk.accept();
    assert_eq!(instructions(&talk, 1), "You answer calls in French.");
}

#[test]
fn a_held_session_that_does_not_come_is_replaced() {
    let mut talk = Talk::held(config());

    talk.pass(5_300);

    assert_eq!((talk.connects.len(), talk.closed.len()), (2, 1));
}

#[test]
fn a_held_session_that_breaks_is_replaced_by_another_held_one() {
    let mut talk = Talk::held(config());
    created(&mut talk);

    talk.down(ConnectionLoss::Failed(RESET.into()));
    talk.pass(300);
    created(&mut talk);

    assert_eq!((talk.connects.len(), talk.kinds(), talk.events.len()), (2, vec![], 0));
    talk.act(|session, now| session.release(chosen(), now));
    updated(&mut talk);
    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn held_sessions_that_break_again_and_again_fail_the_conversation() {
    let mut talk = Talk::held(config());
    for _ in 0..8 {
        created(&mut talk);
        talk.down(ConnectionLoss::Failed(RESET.into()));
        talk.pass(3_000);
    }

    assert_eq!(talk.failure().map(|failure| failure.code.as_str()), Some("unreachable"));
    assert_eq!(talk.connects.len(), 5);
    talk.act(|session, now| session.release(chosen(), now));
    assert_eq!(talk.kinds(), [""; 0], "it is over");
}

#[test]
fn a_key_refused_while_held_fails_at_once() {
    let mut talk = Talk::held(config());
    created(&mut talk);

    talk.errs("invalid_api_key");

    assert_eq!(talk.failure().map(|failure| failure.code.as_str()), Some("invalid_api_key"));
}

#[test]
fn a_session_lost_after_its_release_is_replaced_with_the_given_configuration() {
    let mut talk = Talk::held(config());
    created(&mut talk);
    talk.act(|session, now| session.release(chosen(), now));
    talk.down(ConnectionLoss::Failed(RESET.into()));
    talk.pass(300);

    talk.accept();

    assert_eq!(instructions(&talk, 1), "You answer calls in French.");
    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn audio_is_encoded_as_the_given_configuration_says() {
    let options = Options { input_format: Format::Ulaw, ..Options::default() };
    let mut talk = Talk::held(config());
    talk.act(|session, now| session.release(SessionConfig { options, ..config() }, now));
    talk.accept();
    talk.act(Session::open);

    talk.act(|session, now| session.append(&[LOUD; 480], now));

    let audio = talk.sent_of("input_audio_buffer.append")[0]["audio"].as_str().map(str::len);
    assert_eq!(audio, Some(216), "160 bytes of 8 kHz, as base64");
}

#[test]
fn a_held_sideband_is_attached_and_waits() {
    let mut talk = Talk::held(SessionConfig { audio: AudioPath::Service, ..config() });
    assert_eq!(talk.connects.len(), 0);
    talk.act(Session::open);
    created(&mut talk);
    talk.pass(60_000);
    assert_eq!((talk.kinds(), talk.failure()), (vec![], None));

    talk.act(|session, now| {
        session.release(SessionConfig { audio: AudioPath::Service, ..chosen() }, now);
    });
    updated(&mut talk);

    assert_eq!(talk.kinds(), ["session.update", "response.create"]);
}

#[test]
fn newer_instructions_change_nothing_else() {
    let mut talk = Talk::ready_with(config());
    talk.forget();

    talk.act(|session, now| session.set_instructions("You know Amina.".into(), now));
    talk.act(|session, now| session.set_instructions("You know Amina.".into(), now));

    assert_eq!(talk.kinds(), ["session.update"], "once");
    assert_eq!(
        talk.sent_of("session.update")[0]["session"],
        json!({"type": "realtime", "instructions": "You know Amina."})
    );
}

#[test]
fn newer_instructions_precede_the_greeting_of_a_session_that_is_being_configured() {
    let mut talk = Talk::with(config());
    created(&mut talk);
    talk.act(|session, now| session.set_instructions("You know Amina.".into(), now));
    assert_eq!(talk.kinds(), ["session.update"], "one at a time: a refusal names none");

    updated(&mut talk);

    assert_eq!(talk.kinds(), ["session.update", "session.update", "response.create"]);
    assert_eq!(instructions(&talk, 1), "You know Amina.");
    let greeting = talk.sent_of("response.create")[0]["response"]["instructions"].to_string();
    assert!(greeting.contains("You know Amina."), "{greeting}");
}

#[test]
fn newer_instructions_come_with_the_configuration_of_a_session_that_is_connecting() {
    let mut talk = Talk::with(config());
    talk.act(|session, now| session.set_instructions("You know Amina.".into(), now));

    talk.accept();

    assert_eq!(talk.kinds(), ["session.update", "response.create"]);
    assert_eq!(instructions(&talk, 0), "You know Amina.");
}

#[test]
fn a_session_that_stands_by_gets_newer_instructions_when_it_takes_over() {
    let mut talk = talked();
    talk.act(|session, now| session.set_playing(true, now));
    talk.pass(60 * 60_000 - 15_000);
    let next = talk.newest();
    assert_ne!(next, talk.session.link.id);
    talk.on(next, json!({"type": "session.created", "session": {}}));
    talk.forget();

    talk.act(|session, now| session.set_instructions("You know Amina.".into(), now));
    talk.on(next, json!({"type": "session.updated", "session": {"expires_at": talk.unix() + 3_600}}));

    let of_next = talk.sent.iter().filter(|(link, _)| *link == next);
    let instructions: Vec<&Value> =
        of_next.map(|(_, event)| &event["session"]["instructions"]).filter(|it| it.is_string()).collect();
    assert_eq!(instructions, ["You know Amina."]);
}

#[test]
fn a_sideband_that_is_back_gets_newer_instructions() {
    let mut talk = Talk::with(SessionConfig { audio: AudioPath::Service, ..config() });
    talk.act(Session::open);
    talk.accept();
    talk.down(ConnectionLoss::Failed(RESET.into()));
    talk.forget();
    talk.act(|session, now| session.set_instructions("You know Amina.".into(), now));
    assert_eq!(talk.kinds(), [""; 0]);

    talk.pass(300);
    created(&mut talk);

    let texts: Vec<&Value> =
        talk.sent_of("session.update").iter().map(|it| &it["session"]["instructions"]).collect();
    assert_eq!(texts, [&Value::Null, &json!("You know Amina.")]);
}

fn chosen() -> SessionConfig {
    SessionConfig {
        instructions: "You answer calls in French.".into(),
        greeting: Greeting::Exact("Bonjour.".into()),
        ..config()
    }
}

fn created(talk: &mut Talk) {
    talk.server_sends(json!({"type": "session.created", "session": {}}));
}

fn updated(talk: &mut Talk) {
    talk.server_sends(json!({"type": "session.updated", "session": {}}));
}

fn instructions(talk: &Talk, update: usize) -> &str {
    talk.sent_of("session.update")[update]["session"]["instructions"].as_str().expect("they are text")
}
