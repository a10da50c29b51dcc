//! The first words, and settings.

use super::*;
use crate::ForbiddenParameter;

#[test]
fn a_session_introduces_itself_in_full() {
    let rig = Rig::connected(config());

    assert_eq!(rig.received(), ["session.created", "conversation.created"]);
    let session = &rig.inbox[0]["session"];
    assert_eq!(session["expires_at"], 1_795_330_800_u64 + 3_600);
    assert_eq!(session["model"], "gpt-realtime-2.1");
    assert_eq!(session["audio"]["input"]["turn_detection"]["silence_duration_ms"], 200);
}

#[test]
fn an_update_is_answered_with_the_whole_session() {
    let mut rig = Rig::connected(config());

    rig.configure(json!({"instructions": "You answer for Mirsk Bikes."}));

    let session = &rig.last("session.updated")["session"];
    assert_eq!(session["instructions"], "You answer for Mirsk Bikes.");
    assert_eq!(session["audio"]["output"]["voice"], "marin");
    assert!(rig.violations().is_empty());
}

#[test]
fn an_unknown_key_refuses_the_whole_update() {
    let mut rig = Rig::connected(config());

    rig.configure(json!({"instructions": "New.", "temperature": 0.8}));

    assert_eq!(rig.error(), ("unknown_parameter", "Unknown parameter: 'session.temperature'."));
    assert_eq!(rig.last("error")["error"]["param"], "session.temperature");
    assert_eq!(rig.last("session.updated"), &Value::Null);
    assert_ne!(rig.session.settings.instructions(), "New.");
}

#[test]
fn a_parameter_that_the_project_may_not_use_refuses_the_whole_update() {
    let forbids = vec![
        ForbiddenParameter::new("audio.input.transcription"),
        ForbiddenParameter::new("reasoning.effort").unnamed(),
    ];
    let mut rig = Rig::connected(Config { forbids, ..config() });
    let transcription = json!({"model": "gpt-transcribe"});

    rig.configure(json!({"audio": {"input": {"transcription": transcription}}}));
    assert_eq!(rig.last("error")["error"]["param"], "session.audio.input.transcription");
    rig.configure(json!({"reasoning": {"effort": "low"}, "instructions": "New."}));
    assert_eq!(rig.last("error")["error"]["param"], Value::Null);
    assert!(rig.error().1.contains("'session.reasoning.effort'"), "{:?}", rig.error());
    assert_ne!(rig.session.settings.instructions(), "New.");

    rig.configure(json!({"audio": {"input": {"transcription": null}}, "instructions": "New."}));
    assert_eq!(rig.session.settings.instructions(), "New.");
}

#[test]
fn the_service_may_fail_while_the_first_sessions_are_configured() {
    let mut rig = Rig::connected(Config { failing_setups: 1, ..config() });

    rig.configure(json!({"instructions": "New."}));

    let error = rig.last("error")["error"].clone();
    assert_eq!((&error["type"], &error["code"]), (&json!("server_error"), &json!("internal_error")));
    assert_eq!((rig.last("session.updated"), &rig.ending), (&Value::Null, &None));
}

#[test]
fn the_beta_shape_is_refused_for_good() {
    let mut rig = Rig::connected(config());

    rig.send(json!({"type": "session.update", "session": {"modalities": ["audio"], "voice": "alloy"}}));

    assert_eq!(rig.error().0, "beta_api_shape_disabled");
    let reason = "invalid_request_error.beta_api_shape_disabled".to_owned();
    assert_eq!(rig.ending, Some(Output::Close { code: 4_000, reason }));
}

#[test]
fn what_is_no_event_is_refused_and_the_session_lives() {
    let mut rig = Rig::connected(config());

    rig.session.handle_client("{", rig.now);
    rig.collect();
    assert_eq!(rig.error().0, "invalid_event");
    rig.ask("session.upgrade");
    assert_eq!(rig.error().0, "invalid_value");
    rig.ask("output_audio_buffer.clear");
    assert_eq!(rig.error().0, "invalid_value");

    assert_eq!(rig.violations().len(), 3);
    assert_eq!(rig.ending, None);
}

#[test]
fn whether_an_error_names_its_cause_is_left_to_chance() {
    let mut rig = Rig::connected(config());

    for _ in 0..20 {
        rig.send(json!({"type": "response.cancel", "event_id": "mine"}));
    }

    let named = rig.all("error").iter().filter(|error| error["error"]["event_id"] == "mine").count();
    assert!((1..20).contains(&named), "{named}");
}

#[test]
fn sound_and_requests_before_the_settings_are_faults() {
    let mut rig = Rig::connected(config());

    rig.append(&silence(20));
    rig.ask("response.create");

    assert_eq!(rig.violations(), ["audio before session.updated", "response.create before session.updated"]);
}

#[test]
fn an_hour_ends_every_session() {
    let mut rig = Rig::configured(config());

    rig.pass(Duration::from_secs(3_599));
    assert_eq!(rig.ending, None);
    rig.pass(Duration::from_secs(1));

    assert_eq!(rig.error().0, "session_expired");
    let reason = "Your session hit the maximum duration of 60 minutes.".to_owned();
    assert_eq!(rig.ending, Some(Output::Close { code: 1_001, reason }));
}

#[test]
fn no_response_comes_after_the_end() {
    let mut rig = Rig::configured(config());
    rig.pass(Duration::from_secs(3_600));
    rig.inbox.clear();

    rig.ask("response.create");

    assert!(rig.inbox.is_empty());
    assert_eq!(rig.session.poll_timeout(), None);
}

#[test]
fn a_session_may_keep_the_books_without_the_recordings() {
    let mut rig = Rig::configured(Config { keeps_everything: false, ..config() });

    rig.exchange();

    let report = rig.session.report();
    assert!(report.events.is_empty() && report.heard.is_empty());
    assert_eq!(report.spoken.len(), 1);
}
