//! What a lost link does to a conversation.

use super::*;

#[test]
fn a_drop_in_a_silence_is_mended_without_a_word() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));
    assert_eq!(talk.connects.len(), 2);
    talk.pass(400);

    talk.accept();

    let updates = talk.sent_of("session.update");
    let answers =
        |at: usize| updates[at]["session"]["audio"]["input"]["turn_detection"]["create_response"].clone();
    assert_eq!((answers(0), answers(1)), (json!(false), json!(true)));
    let told = talk.told();
    assert_eq!(told[..3], ["Hello, how can I help?", "Where is my bike?", "In the workshop."]);
    assert!(told[3].contains("Do not greet"), "{told:?}");
    assert_eq!(talk.created(), 0, "nobody waits for an answer");
    assert!(talk.happened.contains(&SessionEvent::SessionLost { reason: "failed".into() }));
    assert!(
        talk.happened.contains(&SessionEvent::Restored { took: Duration::from_millis(400), planned: false })
    );
}

#[test]
fn what_the_agent_said_is_told_as_its_own_words_and_only_as_far_as_it_was_heard() {
    let mut talk = talked();
    talk.act(|session, now| {
        session.was_heard("a", Duration::from_millis(400), Duration::from_millis(800), now)
    });
    talk.forget();
    talk.down(ConnectionLoss::Closed { code: Some(1001), reason: String::new() });
    talk.accept();

    let items = talk.sent_of("conversation.item.create");
    assert_eq!(items[2]["item"]["role"], "assistant");
    assert_eq!(items[2]["item"]["content"], json!([{"type": "output_text", "text": "In the"}]));
}

#[test]
fn a_caller_who_waits_for_an_answer_gets_one_from_the_next_session() {
    let mut talk = talked();
    talk.caller_starts("v");
    talk.caller_stops("v");
    talk.transcribed("v", "And when is it done?");
    talk.down(ConnectionLoss::Failed("reset".into()));

    talk.accept();

    assert_eq!(talk.created(), 1);
}

#[test]
fn an_answer_cut_by_the_drop_is_taken_up_where_it_was_cut() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak("r", "b", "It will be done by six this evening, or tomorrow.", 1_000);
    talk.down(ConnectionLoss::Failed("reset".into()));
    assert!(talk.happened.contains(&SessionEvent::Ended { response: "r".into() }));
    assert!(!talk.happened.contains(&SessionEvent::Finished { item: "b".into() }), "the rest never came");
    let (text, audio) = ("It will be done".to_owned().into(), Duration::from_secs(1));
    assert!(talk.happened.contains(&SessionEvent::AgentSaid { item: "b".into(), text, audio }));

    talk.accept();

    assert!(talk.told().contains(&"It will be done".to_owned()), "{:?}", talk.told());
    assert_eq!(talk.created(), 1);
    talk.forget();
    talk.act(|session, now| session.was_heard("b", Duration::from_secs(1), Duration::from_secs(1), now));
    assert_eq!(talk.sent, [], "what there was of it was heard, as it was told");
}

#[test]
fn an_answer_whose_session_falls_silent_for_ever_is_asked_for_in_the_next_one() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak("r", "b", "It will be done by six this evening.", 1_000);

    talk.pass(8_000);
    assert_eq!(talk.kinds().last(), Some(&"response.cancel"));
    talk.pass(2_000);
    assert!(talk.happened.contains(&SessionEvent::SessionLost { reason: "silent".into() }));
    talk.accept();

    assert_eq!(talk.created(), 1);
}

#[test]
fn a_caller_who_was_speaking_may_go_on_before_anybody_answers() {
    let mut talk = talked();
    talk.caller_starts("v");
    talk.down(ConnectionLoss::Failed("reset".into()));
    assert_eq!(
        talk.happened.iter().filter(|happening| **happening == SessionEvent::CallerStopped).count(),
        1
    );
    talk.accept();
    assert_eq!(talk.created(), 0);

    let mut silent = talk;
    silent.pass(1_500);
    assert_eq!(silent.created(), 1);
}

#[test]
fn the_greeting_is_asked_for_again_only_if_nothing_of_it_was_received() {
    let mut nothing = Talk::ready_with(config());
    nothing.begin("r");
    nothing.forget();
    nothing.down(ConnectionLoss::Failed("reset".into()));
    nothing.pass(300);
    nothing.accept();
    assert!(greets(&nothing) && nothing.told().is_empty());

    let mut half = Talk::ready_with(config());
    half.begin("r");
    half.speak("r", "g", "Hello, this is the bike shop.", 600);
    half.forget();
    half.down(ConnectionLoss::Failed("reset".into()));
    half.pass(300);
    half.accept();
    assert!(!greets(&half), "never a second greeting");
    assert_eq!(half.created(), 1, "the rest of the first");
}

#[test]
fn a_drop_before_it_was_configured_is_tried_again_and_greets_once() {
    let mut talk = Talk::with(config());
    talk.down(ConnectionLoss::Refused { status: 503 });
    talk.pass(300);
    assert_eq!(talk.connects.len(), 2);

    talk.accept();

    assert_eq!(talk.created(), 1);
    assert_eq!(talk.happened, [SessionEvent::Ready { expires_at: Some(T0 + 3_600) }]);
}

#[test]
fn tries_are_spaced_and_end_after_five() {
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
fn nobody_waits_longer_than_twelve_seconds() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));

    talk.pass(11_999);
    assert_eq!(talk.failure(), None);
    talk.pass(1);

    assert!(talk.failure().is_some());
    assert_eq!(talk.session.poll_timeout(), None);
}

#[test]
fn a_server_that_takes_us_and_hangs_up_again_and_again_is_given_up() {
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
fn a_refused_key_on_the_way_back_is_the_end() {
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
        talk.happened
            .iter()
            .any(|happening| matches!(happening, SessionEvent::Restored { planned: false, .. }))
    );
}

#[test]
fn the_last_two_seconds_of_the_caller_are_kept_and_sent() {
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
fn an_old_link_is_not_listened_to() {
    let mut talk = talked();
    let old = talk.session.link.id;
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    talk.forget();

    talk.on(old, json!({"type": "response.created", "response": {"id": "ghost"}}));
    talk.session.handle_down(old, ConnectionLoss::Failed("again".into()), talk.now);
    talk.drain();

    assert_eq!((talk.sent, talk.happened), (vec![], vec![]));
}

#[test]
fn a_tool_that_answers_after_the_drop_is_answered_by_the_next_session() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.down(ConnectionLoss::Failed("reset".into()));
    let before = talk.created();
    talk.accept();
    assert!(talk.told().contains(&"c1".to_owned()), "the open call is told");
    assert_eq!(talk.created(), before, "nothing is made up while the tool works");

    talk.act(|session, now| session.answer_tool("c1", "{}", true, now));

    assert_eq!(talk.told().iter().filter(|told| *told == "c1").count(), 2, "the call, and its output");
    assert_eq!(talk.created(), before + 1);
}

#[test]
fn a_link_that_dies_after_the_goodbye_leaves_nothing_to_say() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak("r", "bye", "Goodbye.", 400);
    talk.calls("r", "c1");
    talk.act(|session, now| session.answer_tool("c1", "{}", false, now));
    talk.down(ConnectionLoss::Failed("reset".into()));

    talk.accept();
    talk.pass(5_000);

    assert_eq!(talk.created(), 0);
}

#[test]
fn a_caller_who_spoke_while_a_tool_works_is_answered_by_the_next_session() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.act(|session, now| session.tell("The caller pressed 1.", now));
    talk.down(ConnectionLoss::Failed("reset".into()));

    talk.accept();

    assert_eq!(talk.created(), 1);
}

#[test]
fn what_was_told_during_the_gap_is_told_and_answered_after_it() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.act(|session, now| session.tell("The caller pressed 1.", now));

    talk.accept();

    assert!(talk.told().contains(&"The caller pressed 1.".to_owned()));
    assert_eq!(talk.created(), 1);
}

#[test]
fn an_item_of_the_old_session_that_is_interrupted_now_is_told_anew() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    talk.forget();

    talk.act(|session, now| {
        session.was_heard("a", Duration::from_millis(400), Duration::from_millis(800), now)
    });

    assert_eq!(talk.kinds(), ["conversation.item.delete", "conversation.item.create"]);
    assert_eq!(talk.told(), ["In the"]);
}

#[test]
fn ids_that_the_next_server_uses_again_are_not_mixed_up() {
    let mut talk = talked();
    talk.begin_own("r1");
    talk.calls("r1", "c1");
    talk.done("r1", "completed");
    talk.act(|session, now| session.answer_tool("c1", "{}", false, now));
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    talk.forget();

    talk.begin_own("r0");
    talk.speak("r0", "a", "Another answer.", 800);
    talk.calls("r0", "c1");
    let said = |happening: &SessionEvent| matches!(happening, SessionEvent::Said { response, item, .. } if response == "2.r0" && item == "2.a");
    assert!(talk.happened.iter().any(said), "{:?}", talk.happened);
    let called = |happening: &SessionEvent| matches!(happening, SessionEvent::ToolCalled { call_id, .. } if call_id == "2.c1");
    assert!(talk.happened.iter().any(called), "{:?}", talk.happened);

    talk.act(|session, now| session.answer_tool("2.c1", "{}", true, now));
    talk.act(|session, now| {
        session.was_heard("2.a", Duration::from_millis(300), Duration::from_millis(800), now)
    });
    talk.pass(8_000);

    let outputs = talk.sent_of("conversation.item.create");
    assert_eq!(outputs[0]["item"]["call_id"], "c1", "its server knows it so");
    assert_eq!(talk.sent_of("conversation.item.truncate")[0]["item_id"], "a");
    assert_eq!(talk.sent_of("response.cancel")[0]["response_id"], "r0");
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    assert_eq!(talk.told().iter().filter(|told| *told == "In the workshop.").count(), 1);
}

#[test]
fn a_caller_whose_question_was_lost_is_asked_to_say_it_again() {
    let mut talk = talked();
    talk.caller_starts("v");
    talk.caller_stops("v");
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    assert!(talk.told().last().is_some_and(|told| told.contains("say it again")), "{:?}", talk.told());
}

/// Greeted, one question, one answer of 800 ms, heard.
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
