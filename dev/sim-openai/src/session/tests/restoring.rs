//! A conversation that continues in another session.

use super::*;
use crate::{Reply, Script};

#[test]
fn the_next_turn_gets_the_answer_it_would_have_got() {
    let mut rig = Rig::configured(config());
    for (role, text) in [("system", "Go on."), ("assistant", "Hello, this is"), ("user", "Is my bike ready?")]
    {
        rig.send(written(role, text));
    }

    rig.exchange();

    assert_eq!(rig.spoken(), ["agent-long"]);
}

#[test]
fn the_report_holds_what_was_replayed_and_nothing_else() {
    let mut rig = restored(config());
    rig.send(written("assistant", "Yes, it is"));
    rig.take_turn();
    rig.send(written("user", "Keys: 427#"));

    let replayed = rig.session.report().replayed.iter();
    assert_eq!(
        replayed.map(|one| (one.role.as_str(), one.text.as_str())).collect::<Vec<_>>(),
        [
            ("user", "Is my bike ready?"),
            ("function_call", "find_order({})"),
            ("function_call_output", "{\"state\":\"ready\"}"),
            ("assistant", "Yes, it is"),
        ]
    );
    assert!(!rig.has_seen(|seen| matches!(seen, ObservationKind::FunctionOutput { .. })));
}

#[test]
fn a_caller_who_was_greeted_and_said_nothing_is_not_greeted_again() {
    let mut rig = Rig::configured(config());
    rig.send(written("assistant", "Hello, this is Mirsk"));

    rig.respond(json!({"instructions": "Go on where you were."}));

    assert_eq!(rig.spoken(), ["agent-nudge"]);
    assert!(!rig.has_seen(|seen| *seen == ObservationKind::GreetingRequested));
    assert!(rig.violations().is_empty(), "{:?}", rig.violations());
}

#[test]
fn asking_for_the_greeting_again_is_a_fault() {
    let greetings = Greetings::default();
    let greet = json!({"instructions": "Greet the caller."});
    let mut first = Rig::connected_after(&greetings, config());
    first.configure(json!({}));
    first.respond(greet.clone());
    assert!(
        first.has_seen(|seen| *seen == ObservationKind::GreetingRequested) && first.violations().is_empty()
    );

    let mut second = Rig::connected_after(&greetings, config());
    second.configure(json!({}));
    second.send(written("assistant", "Hello, this is"));
    second.respond(greet);

    assert_eq!(second.violations().len(), 1, "{:?}", second.violations());
    assert!(second.violations()[0].contains("was greeted before"));
}

#[test]
fn another_call_is_greeted_in_the_same_words() {
    let greetings = Greetings::default();
    for _ in 0..2 {
        let mut rig = Rig::connected_after(&greetings, config());
        rig.configure(json!({}));
        rig.send(written("system", "The caller's name is not known."));
        rig.respond(json!({"instructions": "Greet the caller."}));

        assert_eq!(rig.spoken(), ["agent-greeting"]);
        assert!(rig.violations().is_empty(), "{:?}", rig.violations());
    }
}

#[test]
fn a_restored_session_uses_an_earlier_result_without_another_tool_call() {
    let mut rig = restored(with_tool());

    rig.respond(json!({}));

    assert_eq!(rig.spoken(), ["agent-order"]);
    assert!(!rig.has_seen(|seen| matches!(seen, ObservationKind::FunctionCalled { .. })));
}

#[test]
fn a_result_that_was_spoken_of_before_is_not_spoken_of_again() {
    let mut rig = restored(with_tool());
    rig.send(written("assistant", "It is ready."));

    rig.exchange();

    assert_eq!(rig.spoken(), ["agent-closing"]);
}

#[test]
fn a_session_lasts_as_configured_and_reports_its_expiry() {
    let length = Duration::from_secs(20);
    for config in [Config { longest: length, ..config() }, with(InjectedFault::Expires { after: length })] {
        let mut rig = Rig::connected(config);
        rig.configure(json!({}));
        for kind in ["session.created", "session.updated"] {
            assert_eq!(rig.last(kind)["session"]["expires_at"], 1_795_330_820_u64);
        }

        rig.pass(length);

        assert_eq!(rig.error().0, "session_expired");
        assert!(matches!(rig.ending, Some(Output::Close { code: 1_001, .. })));
    }
}

/// A session whose conversation begins with a question and the tool call that answered it.
fn restored(config: Config) -> Rig {
    let mut rig = Rig::configured(config);
    let call = json!({"type": "function_call", "call_id": "call_7", "name": "find_order", "arguments": "{}"});
    rig.send(written("user", "Is my bike ready?"));
    rig.send(json!({"type": "conversation.item.create", "item": call}));
    rig.send(output_of(&json!("call_7")));
    rig
}

/// The first turn has the order looked up.
fn with_tool() -> Config {
    let lookup = Reply::call("find_order", "{}", Reply::speech(clips::agent_order()));
    let answers = [lookup, Reply::speech(clips::agent_closing())];
    Config { script: Script::new(Reply::speech(clips::agent_greeting()), answers), ..config() }
}
