//! What leading a session promises, and that all we send is what OpenAI's types allow.

use super::*;
use crate::TurnDetection;
use serde_json::{Value, json};

#[test]
fn it_is_configured_as_soon_as_the_server_speaks_and_greets_once_that_is_done() {
    let mut session = session();
    assert_eq!(session.poll_event(), None);

    say(&mut session, json!({"type": "session.created", "session": {"type": "realtime"}}));
    let update = sent(&mut session);
    assert_eq!(update[0]["type"], "session.update");

    say(&mut session, json!({"type": "session.updated", "session": {"expires_at": 1_795_309_200}}));
    let greeting = sent(&mut session);

    assert_eq!(greeting[0]["type"], "response.create");
    assert_eq!(session.poll_happening(), Some(Happening::Ready { expires_at: Some(1_795_309_200) }));
}

#[test]
fn no_sound_goes_to_a_session_that_is_not_configured() {
    let mut session = session();

    session.append(&[1; 480]);

    assert_eq!(session.poll_event(), None);
}

#[test]
fn sound_comes_out_as_samples_however_it_was_cut() {
    let mut session = ready();

    say(&mut session, audio("AQAC")); // 01 00 02
    say(&mut session, audio("AAM=")); // 00 03

    let samples: Vec<i16> = happened(&mut session)
        .into_iter()
        .flat_map(|happening| match happening {
            Happening::Said { samples, .. } => samples,
            _ => vec![],
        })
        .collect();
    assert_eq!(samples, [1, 2]);
}

#[test]
fn a_failed_response_is_trouble_and_a_spent_quota_is_the_end() {
    let mut session = ready();

    say(&mut session, failed("rate_limit_exceeded"));
    say(&mut session, failed("insufficient_quota"));

    let happened = happened(&mut session);
    assert!(matches!(&happened[1], Happening::Troubled(trouble) if trouble.code == "rate_limit_exceeded"));
    assert!(matches!(&happened[3], Happening::Broken(trouble) if trouble.code == "insufficient_quota"));
}

#[test]
fn an_error_before_the_session_is_configured_is_the_end_of_it() {
    let mut session = session();

    say(&mut session, json!({"type": "error", "error": {"code": "unknown_parameter", "message": "x"}}));

    assert!(matches!(session.poll_happening(), Some(Happening::Broken(_))));
}

#[test]
fn unknown_events_and_garbage_change_nothing() {
    let mut session = ready();

    for odd in
        ["{\"type\":\"response.juggled\"}", "{}", "no json", "{\"type\":\"response.output_audio.delta\"}"]
    {
        session.handle_server(ServerEvent::read(odd));
    }

    assert_eq!((session.poll_event(), session.poll_happening()), (None, None));
}

#[test]
fn everything_we_send_is_what_openais_types_allow() {
    let mut session = session();
    say(&mut session, json!({"type": "session.created", "session": {}}));
    say(&mut session, json!({"type": "session.updated", "session": {}}));
    session.append(&[1; 480]);
    session.truncate("item_1", 1_240);

    for event in sent(&mut session) {
        let name = event["type"].as_str().expect("every event has a type");
        let path =
            format!("{}/../../fixtures/realtime-schema/client/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let schema = std::fs::read_to_string(path).expect("there is a schema for each client event");
        let schema = serde_json::from_str(&schema).expect("the schemas are JSON");
        let errors: Vec<_> = jsonschema::validator_for(&schema)
            .expect("the schemas are schemas")
            .iter_errors(&event)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{event}");
    }
}

fn session() -> Session {
    Session::new(Config {
        instructions: "You answer calls.".into(),
        greeting: "Greet the caller.".into(),
        voice: "marin".into(),
        turn_detection: TurnDetection::default(),
    })
}

fn ready() -> Session {
    let mut session = session();
    say(&mut session, json!({"type": "session.created", "session": {}}));
    say(&mut session, json!({"type": "session.updated", "session": {}}));
    sent(&mut session);
    happened(&mut session);
    session
}

fn say(session: &mut Session, event: Value) {
    session.handle_server(ServerEvent::read(&event.to_string()));
}

fn sent(session: &mut Session) -> Vec<Value> {
    let events = std::iter::from_fn(|| session.poll_event());
    events.map(|event| serde_json::from_str(&event.to_json()).expect("we write JSON")).collect()
}

fn happened(session: &mut Session) -> Vec<Happening> {
    std::iter::from_fn(|| session.poll_happening()).collect()
}

fn audio(delta: &str) -> Value {
    json!({"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": delta})
}

fn failed(code: &str) -> Value {
    json!({"type": "response.done", "response": {"id": "r", "status": "failed",
        "status_details": {"error": {"code": code}}}})
}
