//! Accept and reject: what is taken, what is refused, and that it is decided once.

use super::*;
use sim_openai::sip::{Action, CarrierEventKind, SipFault};

#[tokio::test]
async fn an_accept_has_an_empty_answer_and_the_carrier_its_200() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call()).await;

    let answer = client.ask(&call, "accept", session()).await;

    assert_eq!(answer, (200, Value::Null));
    assert!(call.report().answered().is_some());
    assert!(client.realtime.sessions()[0].violations.is_empty());
}

#[tokio::test]
async fn an_accept_refuses_what_an_update_would_take() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call()).await;
    let turns = |number: &str, value: Value| json!({"input": {"turn_detection": {"type": "server_vad", number: value}}});

    for (audio, parameter) in [
        (turns("threshold", json!(0.6)), "input.turn_detection.threshold"),
        (turns("prefix_padding_ms", json!(300)), "input.turn_detection.prefix_padding_ms"),
        (turns("silence_duration_ms", json!(500)), "input.turn_detection.silence_duration_ms"),
    ] {
        let (status, body) = client.ask(&call, "accept", with("audio", audio)).await;
        assert_eq!(
            (status, &body["error"]["message"]),
            (400, &json!(format!("Unknown parameter: 'session.audio.{parameter}'.")))
        );
    }

    let bare = json!({"input": {"turn_detection": {"type": "server_vad", "create_response": false}},
        "output": {"voice": "marin"}});
    let parts_off =
        json!({"input": {"noise_reduction": null, "transcription": null, "turn_detection": null}});
    let (other, _) = client.rung(super::call()).await;
    assert_eq!(client.ask(&other, "accept", with("audio", parts_off)).await.0, 200);
    assert_eq!(client.ask(&call, "accept", with("audio", bare)).await.0, 200, "it still rang");
}

#[tokio::test]
async fn a_client_that_dies_after_its_accept_may_be_followed_by_another() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call()).await;
    let accepted = call.clone();
    let (died, mut dies) = tokio::sync::oneshot::channel();
    client.trunk.kill_client_after(Action::Accept, move || {
        Box::pin(async move { died.send(accepted.report().answered().is_some()).unwrap() })
    });

    client.ask(&call, "accept", session()).await;
    assert_eq!(dies.try_recv(), Ok(true), "after the effect, before the answer");

    assert_eq!(client.ask(&call, "accept", session()).await.1["error"]["code"], "decision_already_made");
    client.ask(&call, "hangup", Value::Null).await;
    call.over(PATIENCE).await.unwrap();
    assert_eq!(client.trunk.complaints(), [] as [&str; 0]);
}

#[tokio::test]
async fn formats_in_an_accept_are_passed_over_and_reported() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call()).await;
    let pcm = json!({"format": {"type": "audio/pcm", "rate": 24_000}});

    let answer = client.ask(&call, "accept", with("audio", json!({"input": pcm, "output": pcm}))).await;

    assert_eq!(answer.0, 200);
    let mut sideband = client.attach(&call).await.unwrap();
    let audio = sideband.until("session.created").await["session"]["audio"].clone();
    assert_eq!(audio["input"]["format"]["type"], "audio/pcmu");
    assert_eq!(client.violations(&call).len(), 2);
}

#[tokio::test]
async fn an_accept_is_the_session_object_and_nothing_else() {
    let config = Config { model: Some("gpt-realtime-2.1".to_owned()), ..quick() };
    let mut client = Client::start(config).await;
    let (call, _) = client.rung(call()).await;

    for (body, code) in [
        (json!({"session": session()}), "unknown_parameter"),
        (with("temperature", json!(0.8)), "unknown_parameter"),
        (json!({"type": "transcription"}), "invalid_value"),
        (json!({"model": "gpt-realtime-2.1"}), "missing_required_parameter"),
        (json!({"type": "realtime", "model": "gpt-realtime-9"}), "invalid_model"),
        (
            with("tools", json!([{"type": "function", "name": "f", "parameters": {"type": "array"}}])),
            "invalid_function_parameters",
        ),
        (Value::Null, "invalid_type"),
        (json!("realtime"), "invalid_type"),
        (json!([session()]), "invalid_type"),
    ] {
        let (status, answer) = client.ask(&call, "accept", body.clone()).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (400, Some(code)), "{body}");
    }
    assert!(call.report().answered().is_none());
}

#[tokio::test]
async fn a_call_is_decided_once() {
    let mut client = Client::start(quick()).await;
    let (accepted, _) = client.rung(call()).await;
    client.ask(&accepted, "accept", session()).await;
    let (rejected, _) = client.rung(call()).await;
    client.ask(&rejected, "reject", Value::Null).await;

    for call in [&accepted, &rejected] {
        for (action, body) in [("accept", session()), ("reject", Value::Null)] {
            let (status, answer) = client.ask(call, action, body).await;
            assert_eq!((status, &answer["error"]["code"]), (400, &json!("decision_already_made")));
        }
    }
}

#[tokio::test]
async fn an_endpoint_of_ours_may_be_too_late() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call().fault(SipFault::Taken)).await;

    let (status, answer) = client.ask(&call, "accept", session()).await;

    assert_eq!((status, &answer["error"]["code"]), (400, &json!("decision_already_made")));
    assert_eq!(client.attach(&call).await.unwrap_err(), 404);
}

#[tokio::test]
async fn a_call_that_no_one_decides_fails_for_the_carrier() {
    let sip = SipConfig { decision_window: ms(150), ..quick().sip };
    let mut client = Client::start(Config { sip, ..quick() }).await;
    let (call, _) = client.rung(call()).await;

    let ending = call.over(PATIENCE).await.unwrap();

    assert_eq!(ending.kind, CarrierEventKind::BadRequest);
    assert!(ending.at - call.report().placed_at >= ms(150));
    let (status, answer) = client.ask(&call, "accept", session()).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("call_id_not_found")));
    assert_eq!(
        client.trunk.complaints(),
        ["call 0: it was not decided in time", "call 0: accept after its end"]
    );
}

#[tokio::test]
async fn a_reject_gives_the_carrier_its_status() {
    let mut client = Client::start(quick()).await;
    for (body, status) in [(json!({"status_code": 486}), 486), (Value::Null, 603), (json!({}), 603)] {
        let (call, _) = client.rung(call()).await;

        assert_eq!(client.ask(&call, "reject", body).await, (200, Value::Null));
        assert_eq!(call.over(PATIENCE).await.unwrap().kind, CarrierEventKind::Rejected(status));
    }
    assert_eq!(client.trunk.complaints(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_reject_takes_only_a_status_of_a_refusal() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call()).await;

    for body in [
        json!({"status_code": 299}),
        json!({"status_code": 700}),
        json!({"status_code": "486"}),
        json!({"status_code": 486.5}),
        json!({"status": 486}),
    ] {
        assert_eq!(client.ask(&call, "reject", body.clone()).await.0, 400, "{body}");
    }
    assert!(call.report().ending().is_none());
}

#[tokio::test]
async fn another_key_and_another_call_are_refused() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call()).await;

    let (status, answer) = client.ask_about(&call.id(), "accept", session(), "sk-other").await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!("invalid_api_key")));
    let (status, answer) = client.ask_about("rtc_none", "accept", session(), "sk-test").await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("call_id_not_found")));
    assert_eq!(client.ask(&call, "hold", Value::Null).await.0, 404);
    assert!(client.trunk.complaints().contains(&"accept of a call that never was".to_owned()));
}

#[tokio::test]
async fn the_service_may_fail_before_or_after_it_has_accepted() {
    let mut client = Client::start(quick()).await;
    let (before, _) = client.rung(call().fault(SipFault::AcceptFails)).await;
    let (after, _) = client.rung(call().fault(SipFault::AcceptLost)).await;
    let (busy, _) = client.rung(call().fault(SipFault::Busy)).await;

    assert_eq!(client.ask(&before, "accept", session()).await.0, 500);
    assert!(before.report().answered().is_none());
    assert_eq!(client.ask(&before, "accept", session()).await.0, 200);

    assert_eq!(client.ask(&after, "accept", session()).await.0, 500);
    assert!(after.report().answered().is_some());
    let (status, answer) = client.ask(&after, "accept", session()).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("decision_already_made")));
    client.attach(&after).await.expect("the sideband is the proof");

    assert_eq!(client.ask(&busy, "accept", session()).await.0, 429);
    assert_eq!(client.ask(&busy, "accept", session()).await.0, 200);
}

#[tokio::test]
async fn an_accept_may_succeed_without_a_session() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call().fault(SipFault::NoSession)).await;

    assert_eq!(client.ask(&call, "accept", session()).await.0, 200);

    assert_eq!(call.over(PATIENCE).await.unwrap().kind, CarrierEventKind::BadRequest);
    assert_eq!(client.attach(&call).await.unwrap_err(), 404);
}

fn with(key: &str, value: Value) -> Value {
    let mut session = session();
    session[key] = value;
    session
}
