//! Tests what a lost link does to a conversation.

use super::*;

#[test]
fn a_loss_in_a_pause_reconnects_without_a_word() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));
    assert_eq!(talk.connects.len(), 2);
    talk.pass(400);

    talk.accept();

    let updates = talk.sent_of("session.update");
    let answers =
        |at: usize| updates[at]["session"]["audio"]["input"]["turn_detection"]["create_response"].clone();
    assert_eq!((answers(0), answers(1)), (json!(false), json!(true)));
    let replayed = talk.item_texts();
    assert_eq!(replayed[..3], ["Hello, how can I help?", "Where is my bike?", "In the workshop."]);
    assert!(replayed[3].contains("Do not greet"), "{replayed:?}");
    assert_eq!(talk.response_creates(), 0, "no answer is pending");
    assert!(talk.events.contains(&SessionEvent::SessionLost { reason: "failed".into() }));
    assert!(
        talk.events
            .contains(&SessionEvent::SessionRestored { took: Duration::from_millis(400), planned: false })
    );
}

#[test]
fn the_agents_words_are_replayed_as_far_as_heard() {
    let mut talk = talked();
    talk.act(|session, now| {
        session.truncate(&"a".into(), Duration::from_millis(400), Duration::from_millis(800), now)
    });
    talk.forget();
    talk.down(ConnectionLoss::Closed { code: Some(1001), reason: String::new() });
    talk.accept();

    let items = talk.sent_of("conversation.item.create");
    assert_eq!(items[2]["item"]["role"], "assistant");
    assert_eq!(items[2]["item"]["content"], json!([{"type": "output_text", "text": "In the"}]));
}

#[test]
fn the_next_session_answers_a_waiting_caller() {
    let mut talk = talked();
    talk.caller_starts("v");
    talk.caller_stops("v");
    talk.transcribed("v", "And when is it done?");
    talk.down(ConnectionLoss::Failed("reset".into()));

    talk.accept();

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn an_answer_cut_off_by_a_loss_is_continued() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak("r", "b", "It will be done by six this evening, or tomorrow.", 1_000);
    talk.down(ConnectionLoss::Failed("reset".into()));
    assert!(talk.events.contains(&SessionEvent::ResponseDone { response: "r".into() }));
    assert!(!talk.events.contains(&SessionEvent::ItemDone { item: "b".into() }), "the rest never came");
    let (text, audio) = ("It will be done".to_owned().into(), Some(Duration::from_secs(1)));
    assert!(talk.events.contains(&SessionEvent::AgentTranscript { item: "b".into(), text, audio }));

    talk.accept();

    assert!(talk.item_texts().contains(&"It will be done".to_owned()), "{:?}", talk.item_texts());
    assert_eq!(talk.response_creates(), 1);
    talk.forget();
    talk.act(|session, now| {
        session.truncate(&"b".into(), Duration::from_secs(1), Duration::from_secs(1), now)
    });
    assert_eq!(talk.sent, [], "all of it was heard, as it was replayed");
}

#[test]
fn an_answer_of_a_stalled_session_is_requested_from_the_next() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak("r", "b", "It will be done by six this evening.", 1_000);

    talk.pass(8_000);
    assert_eq!(talk.kinds().last(), Some(&"response.cancel"));
    talk.pass(2_000);
    assert!(talk.events.contains(&SessionEvent::SessionLost { reason: "silent".into() }));
    talk.accept();

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn a_caller_cut_off_by_a_loss_may_continue_first() {
    let mut talk = talked();
    talk.caller_starts("v");
    talk.down(ConnectionLoss::Failed("reset".into()));
    assert_eq!(talk.events.iter().filter(|event| **event == SessionEvent::SpeechStopped).count(), 1);
    talk.accept();
    assert_eq!(talk.response_creates(), 0);

    let mut silent = talk;
    silent.pass(1_500);
    assert_eq!(silent.response_creates(), 1);
}

#[test]
fn a_lost_greeting_is_repeated_only_if_none_was_received() {
    let mut nothing = Talk::ready_with(config());
    nothing.begin("r");
    nothing.forget();
    nothing.down(ConnectionLoss::Failed("reset".into()));
    nothing.pass(300);
    nothing.accept();
    assert!(greets(&nothing) && nothing.item_texts().is_empty());

    let mut half = Talk::ready_with(config());
    half.begin("r");
    half.speak("r", "g", "Hello, this is the bike shop.", 600);
    half.forget();
    half.down(ConnectionLoss::Failed("reset".into()));
    half.pass(300);
    half.accept();
    assert!(!greets(&half), "never a second greeting");
    assert_eq!(half.response_creates(), 1, "the rest of the first");
}

#[test]
fn a_loss_before_configuration_reconnects_and_greets_once() {
    let mut talk = Talk::with(config());
    talk.down(ConnectionLoss::Refused { status: 503 });
    talk.pass(300);
    assert_eq!(talk.connects.len(), 2);

    talk.accept();

    assert_eq!(talk.response_creates(), 1);
    assert_eq!(talk.events, [SessionEvent::Ready { expires_at: Some(T0 + 3_600) }]);
}

#[test]
fn reconnects_back_off_and_stop_after_five_tries() {
    let mut talk = talked();
    let mut waits = vec![];
    talk.down(ConnectionLoss::Failed("reset".into()));
    for _ in 0..4 {
        talk.down(ConnectionLoss::Failed("unreachable".into()));
        let due = talk.session.poll_timeout().expect("it tries again");
        waits.push((due - talk.now).as_millis());
        talk.pass(waits[waits.len() - 1] as u64);
    }
    assert_eq!((waits, talk.connects.len()), (vec![300, 600, 1_200, 2_400], 6));

    talk.down(ConnectionLoss::Failed("unreachable".into()));

    assert_eq!(
        talk.failure().map(|failure| (failure.code.as_str(), failure.is_fatal)),
        Some(("unreachable", false))
    );
}

#[test]
fn an_outage_ends_the_conversation_after_twelve_seconds() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));

    talk.pass(11_999);
    assert_eq!(talk.failure(), None);
    talk.pass(1);

    assert!(talk.failure().is_some());
    assert_eq!(talk.session.poll_timeout(), None);
}

#[test]
fn a_server_that_keeps_closing_fails_the_conversation() {
    let mut talk = talked();
    for _ in 0..10 {
        talk.down(ConnectionLoss::Closed { code: Some(1011), reason: String::new() });
        talk.pass(2_400);
        if talk.failure().is_some() {
            break;
        }
        talk.accept();
    }

    assert!(talk.failure().is_some());
}

#[test]
fn a_key_refused_on_reconnect_is_fatal() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));

    talk.down(ConnectionLoss::Refused { status: 401 });

    let failure = talk.failure().expect("it failed");
    assert!(failure.is_fatal && failure.cure.contains("OPENAI_API_KEY"), "{failure:?}");
}

#[test]
fn an_expired_session_is_replaced() {
    let mut talk = talked();

    talk.errs("session_expired");

    assert_eq!((talk.connects.len(), talk.closed.len()), (2, 1));
    talk.accept();
    assert!(
        talk.events.iter().any(|event| matches!(event, SessionEvent::SessionRestored { planned: false, .. }))
    );
}

#[test]
fn the_last_two_seconds_of_caller_audio_are_buffered() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));
    for _ in 0..150 {
        talk.act(|session, now| session.append(&[1; 480], now));
    }
    assert_eq!(talk.sent_of("input_audio_buffer.append").len(), 0);

    talk.accept();

    let sent = talk.sent_of("input_audio_buffer.append");
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["audio"].as_str().map(str::len), Some(128_000), "96,000 bytes, as base64");
}

#[test]
fn events_of_an_old_link_are_ignored() {
    let mut talk = talked();
    let old = talk.session.link.id;
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    talk.forget();

    talk.on(old, json!({"type": "response.created", "response": {"id": "ghost"}}));
    talk.session.handle_connection_loss(old, ConnectionLoss::Failed("again".into()), talk.now);
    talk.drain();

    assert_eq!((talk.sent, talk.events), (vec![], vec![]));
}

#[test]
fn a_tool_output_after_a_loss_is_answered_by_the_next_session() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.down(ConnectionLoss::Failed("reset".into()));
    let before = talk.response_creates();
    talk.accept();
    assert!(talk.item_texts().contains(&"c1".to_owned()), "the open call is replayed");
    assert_eq!(talk.response_creates(), before, "nothing is made up while the tool works");

    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));

    assert_eq!(
        talk.item_texts().iter().filter(|replayed| *replayed == "c1").count(),
        2,
        "the call, and its output"
    );
    assert_eq!(talk.response_creates(), before + 1);
}

#[test]
fn a_loss_after_the_goodbye_requests_nothing() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak("r", "bye", "Goodbye.", 400);
    talk.calls("r", "c1");
    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", false, now));
    talk.down(ConnectionLoss::Failed("reset".into()));

    talk.accept();
    talk.pass(5_000);

    assert_eq!(talk.response_creates(), 0);
}

#[test]
fn input_during_a_tool_call_is_answered_after_a_loss() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.act(|session, now| session.tell("The caller pressed 1.", now));
    talk.down(ConnectionLoss::Failed("reset".into()));

    talk.accept();

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn a_message_during_an_outage_is_replayed_and_answered() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.act(|session, now| session.tell("The caller pressed 1.", now));

    talk.accept();

    assert!(talk.item_texts().contains(&"The caller pressed 1.".to_owned()));
    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn an_interrupted_item_of_the_old_session_is_replaced() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    talk.forget();

    talk.act(|session, now| {
        session.truncate(&"a".into(), Duration::from_millis(400), Duration::from_millis(800), now)
    });

    assert_eq!(talk.kinds(), ["conversation.item.delete", "conversation.item.create"]);
    assert_eq!(talk.item_texts(), ["In the"]);
}

#[test]
fn ids_reused_by_the_next_server_stay_distinct() {
    let mut talk = talked();
    talk.begin_own("r1");
    talk.calls("r1", "c1");
    talk.done("r1", "completed");
    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", false, now));
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    talk.forget();

    talk.begin_own("r0");
    talk.speak("r0", "a", "Another answer.", 800);
    talk.calls("r0", "c1");
    let said = |event: &SessionEvent| matches!(event, SessionEvent::Audio { response, item, .. } if response.as_str() == "2.r0" && item.as_str() == "2.a");
    assert!(talk.events.iter().any(said), "{:?}", talk.events);
    let called = |event: &SessionEvent| matches!(event, SessionEvent::ToolCalled { call_id, .. } if call_id.as_str() == "2.c1");
    assert!(talk.events.iter().any(called), "{:?}", talk.events);

    talk.act(|session, now| session.answer_tool(&"2.c1".into(), "{}", true, now));
    talk.act(|session, now| {
        session.truncate(&"2.a".into(), Duration::from_millis(300), Duration::from_millis(800), now)
    });
    talk.pass(8_000);

    let outputs = talk.sent_of("conversation.item.create");
    assert_eq!(outputs[0]["item"]["call_id"], "c1", "its server knows it so");
    assert_eq!(talk.sent_of("conversation.item.truncate")[0]["item_id"], "a");
    assert_eq!(talk.sent_of("response.cancel")[0]["response_id"], "r0");
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    assert_eq!(talk.item_texts().iter().filter(|replayed| *replayed == "In the workshop.").count(), 1);
}

#[test]
fn a_caller_whose_question_was_lost_is_asked_to_repeat_it() {
    let mut talk = talked();
    talk.caller_starts("v");
    talk.caller_stops("v");
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    assert!(
        talk.item_texts().last().is_some_and(|replayed| replayed.contains("say it again")),
        "{:?}",
        talk.item_texts()
    );
}

/// Returns a greeted conversation after one question and one played answer of 800 ms.
pub(super) fn talked() -> Talk {
    let mut talk = Talk::greeted();
    talk.pass(6_000);
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.transcribed("u", "Where is my bike?");
    talk.say("r0", "a", "In the workshop.", 800);
    talk.forget();
    talk
}

fn greets(talk: &Talk) -> bool {
    let create = talk.sent_of("response.create");
    create
        .iter()
        .any(|event| event["response"]["instructions"].as_str().is_some_and(|text| text.contains("Greet")))
}
