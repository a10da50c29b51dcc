//! Replies to what the model is asked: by instructions, by a message, by a tool.

use super::*;
use crate::{Reply, Script};

#[test]
fn instructions_of_its_own_get_a_reply_of_their_own() {
    let script = Script::about_bikes().aside("Say goodbye", Reply::speech(clips::agent_goodbye()));
    let mut rig = Rig::configured(Config { script, ..config() });

    rig.respond(json!({"instructions": "Greet."}));
    rig.respond(json!({"instructions": "Say goodbye, exactly so."}));

    assert_eq!(rig.spoken(), ["agent-greeting", "agent-goodbye"]);
    let greetings = rig
        .session
        .report()
        .observations
        .iter()
        .filter(|seen| seen.kind == ObservationKind::GreetingRequested);
    assert_eq!(greetings.count(), 1, "an aside is no greeting");
}

#[test]
fn a_system_message_at_the_end_is_followed() {
    let script = Script::about_bikes().aside("Say goodbye", Reply::speech(clips::agent_goodbye()));
    let mut rig = Rig::greeted(Config { script, ..config() });

    rig.send(written("system", "Say goodbye, exactly so."));
    rig.respond(json!({}));
    rig.exchange();

    assert_eq!(rig.spoken(), ["agent-greeting", "agent-goodbye", "agent-answer"]);
}

#[test]
fn only_a_response_under_the_sessions_instructions_reads_from_the_cache() {
    let mut rig = Rig::configured(config());
    for _ in 0..8 {
        rig.take_turn();
        rig.pass(ms(6_000));
    }
    let cached = |rig: &Rig| {
        let usage = &rig.last("response.done")["response"]["usage"]["input_token_details"];
        usage["cached_tokens"].as_u64().expect("it is a number")
    };

    rig.respond(json!({}));
    let usual = cached(&rig);
    rig.respond(json!({"instructions": "Say goodbye."}));
    let own = cached(&rig);
    rig.send(written("system", "Say goodbye."));
    rig.respond(json!({}));

    assert!(usual > 0, "the conversation is long enough for a block of the cache");
    assert_eq!(own, 0);
    assert!(cached(&rig) >= usual);
}

#[test]
fn a_message_of_keys_is_answered_and_is_no_turn() {
    let script = Script::about_bikes().on_message("427", Reply::speech(clips::agent_keys()));
    let mut rig = Rig::greeted(Config { script, ..config() });

    rig.send(written("user", "The caller pressed 427#."));
    rig.respond(json!({}));
    rig.exchange();

    assert_eq!(rig.spoken(), ["agent-greeting", "agent-keys", "agent-answer"]);
}

#[test]
fn a_caller_who_says_nothing_is_asked_whether_he_is_there() {
    let mut rig = Rig::connected(config());
    rig.detect(json!({"idle_timeout_ms": 5_000}));
    rig.take_turn();
    rig.speak(&silence(9_500));
    rig.exchange();

    assert_eq!(rig.spoken(), ["agent-answer", "agent-nudge", "agent-long"], "silence is no turn");
}

#[test]
fn an_idle_timeout_that_is_set_late_may_expire_at_once() {
    let mut rig = Rig::greeted(Config { idles_at_once: true, ..config() });

    rig.detect(json!({"idle_timeout_ms": 5_000}));
    rig.pass(ms(3_000));

    assert_eq!(rig.all("input_audio_buffer.timeout_triggered").len(), 1);
    assert_eq!(rig.spoken(), ["agent-greeting", "agent-nudge"]);
}

#[test]
fn a_preamble_and_two_calls_come_in_one_response() {
    let mut rig = Rig::configured(with_two_calls());

    rig.exchange();

    let output = rig.last("response.done")["response"]["output"].clone();
    let kinds: Vec<&str> =
        output.as_array().into_iter().flatten().filter_map(|item| item["type"].as_str()).collect();
    assert_eq!(kinds, ["message", "function_call", "function_call"]);
    assert_ne!(output[1]["call_id"], output[2]["call_id"]);
    assert_eq!(rig.all("response.done").len(), 1);
}

#[test]
fn what_follows_is_that_of_the_tool_that_has_answered() {
    for (answering, said) in [(&[1][..], "agent-order"), (&[2], "agent-sorry"), (&[2, 1], "agent-order")] {
        let mut rig = Rig::configured(with_two_calls());
        rig.exchange();
        let output = rig.last("response.done")["response"]["output"].clone();

        for call in answering {
            rig.send(output_of(&output[call]["call_id"]));
        }
        rig.respond(json!({}));

        assert_eq!(rig.spoken(), ["agent-moment", said]);
    }
}

#[test]
fn a_result_that_arrives_after_new_speech_is_still_mentioned() {
    let mut rig = Rig::configured(with_two_calls());
    rig.exchange();
    let call = rig.last("response.function_call_arguments.done")["call_id"].clone();
    rig.exchange();

    rig.send(output_of(&call));
    rig.respond(json!({}));

    assert_eq!(rig.spoken(), ["agent-moment", "agent-closing", "agent-sorry"]);
    assert!(rig.has_seen(|seen| matches!(seen, ObservationKind::FunctionOutput { .. })));
}

#[test]
fn a_response_that_may_use_no_tool_only_speaks() {
    for forbidding in [json!({"tool_choice": "none"}), json!({"tools": []})] {
        let mut rig = Rig::configured(Config { thinking: ms(2_000), ..with_two_calls() });
        rig.take_turn();
        rig.ask("response.cancel");

        rig.respond(forbidding);

        assert_eq!(rig.spoken(), ["agent-moment"]);
        assert!(!rig.has_seen(|seen| matches!(seen, ObservationKind::FunctionCalled { .. })));
    }
}

#[test]
fn a_response_out_of_band_leaves_the_result_to_the_next_one() {
    let mut rig = Rig::configured(with_two_calls());
    rig.exchange();
    let call = rig.last("response.function_call_arguments.done")["call_id"].clone();
    rig.send(output_of(&call));

    rig.respond(json!({"conversation": "none", "output_modalities": ["text"], "tool_choice": "none"}));
    rig.respond(json!({}));

    assert_eq!(rig.spoken(), ["agent-moment", "agent-sorry"]);
}

/// The first turn gets "one moment", with two calls at once.
fn with_two_calls() -> Config {
    let lookup = Reply::speech(clips::agent_moment())
        .and_call("find_order", "{\"order\":\"427\"}")
        .and_call("find_shop", "{}")
        .then_after("find_order", Reply::speech(clips::agent_order()))
        .then(Reply::speech(clips::agent_sorry()));
    let answers = [lookup, Reply::speech(clips::agent_closing())];
    Config { script: Script::new(Reply::speech(clips::agent_greeting()), answers), ..config() }
}
