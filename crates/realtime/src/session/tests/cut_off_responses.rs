//! Tests responses that a limit of the service cuts off in the middle of a sentence.

use super::empty_responses::empty_responses;
use super::reconnecting::talked;
use super::*;
use crate::{EmptyResponseAction, Purpose};

#[test]
fn half_a_sentence_is_continued_once() {
    for reason in ["max_output_tokens", "content_filter"] {
        let mut talk = talked();
        talk.begin_own("r");
        talk.speak("r", "half", "We open at nine and", 1_200);
        talk.ends("r", "incomplete", Some(reason));
        assert!(talk.item_texts()[0].contains("cut off"), "{:?}", talk.item_texts());
        assert_eq!(talk.sent_of("conversation.item.delete").len(), 0);

        talk.begin("s");
        talk.speak("s", "quarter", "close at", 400);
        talk.ends("s", "incomplete", Some(reason));

        assert_eq!(talk.response_creates(), 1);
        assert_eq!(
            empty_responses(&talk),
            [(Purpose::Answer, EmptyResponseAction::GoneOn), (Purpose::Answer, EmptyResponseAction::Left)]
        );
    }
}

#[test]
fn half_a_greeting_is_continued_and_not_repeated() {
    let mut talk = Talk::ready_with(config());
    talk.begin("r");
    talk.speak("r", "g", "Hello, this is", 600);
    talk.ends("r", "incomplete", Some("max_output_tokens"));

    let asked = talk.sent_of("response.create");
    assert_eq!(asked.len(), 2);
    assert!(asked[1]["response"].get("instructions").is_none());
    assert!(talk.item_texts()[0].contains("cut off"), "{:?}", talk.item_texts());
}

#[test]
fn half_a_tool_call_after_speech_is_deleted() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak("r", "a1", "One moment.", 600);
    talk.finish("r", "a1");
    let half = json!({"id": "half", "type": "function_call", "status": "incomplete", "call_id": "c", "name": "look",
        "arguments": "{\"ord"});
    talk.server_sends(json!({"type": "response.output_item.done", "response_id": "r", "item": half}));
    talk.ends("r", "incomplete", Some("max_output_tokens"));

    assert_eq!(talk.kinds(), ["conversation.item.delete", "conversation.item.create", "response.create"]);
    assert_eq!(talk.sent_of("conversation.item.delete")[0]["item_id"], "half");
    assert!(!talk.events.iter().any(|event| matches!(event, SessionEvent::ToolCalled { .. })));
}

#[test]
fn a_complete_call_in_an_incomplete_response_is_answered_once() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.ends("r", "incomplete", Some("max_output_tokens"));
    assert_eq!(talk.response_creates(), 0);

    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));

    assert_eq!((talk.response_creates(), talk.sent_of("conversation.item.delete").len()), (1, 0));
}

#[test]
fn half_a_sentence_interrupted_by_the_caller_is_not_continued() {
    let mut talk = Talk::greeted_with(protected_greeting());
    talk.begin_own("r");
    talk.speak("r", "half", "We open at nine and", 1_200);
    talk.caller_starts("v");
    talk.ends("r", "incomplete", Some("max_output_tokens"));
    talk.caller_stops("v");
    talk.begin_own("s");
    talk.done("s", "completed");
    talk.pass(20_000);

    assert_eq!(talk.response_creates(), 0);
}
