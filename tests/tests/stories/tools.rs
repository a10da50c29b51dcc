//! Tools of the agent, and what comes of them when they are slow, broken or misused.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use call::Ending;
use harness::{StoryBuilder, entries, looking_up, using};
use journal::JournalEvent;
use sim_audio::clips;
use sim_business::ToolBehaviour;
use sim_meta::InjectedFault;
use sim_openai::{McpCall, Reply, ReplyItem, Script, Side};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_tool_times_out_and_the_caller_hears_so() {
    let story = StoryBuilder::default().scripted(looking_up("427", clips::agent_sorry())).begin().await;
    story.business.set_behaviour(ToolBehaviour::Slow(Duration::from_secs(10)));
    let caller = story.caller_after_greeting().await;
    caller.asks(&clips::caller_order(), &clips::agent_moment()).await;

    caller.hears(&clips::agent_sorry()).await;

    let after = caller.hangs_up().await;
    assert_eq!(after.tools(), ["lookup_order: timed_out"]);
    let told = story.tool_outputs();
    assert!(told.len() == 1 && told[0].contains("did not answer within 2 seconds"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_fails_is_told_in_plain_words() {
    let story = StoryBuilder::default().scripted(looking_up("427", clips::agent_sorry())).begin().await;
    story.business.set_behaviour(ToolBehaviour::Broken(503));
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_order()).await;
    caller.hears(&clips::agent_sorry()).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.tools(), ["lookup_order: failed"]);
    let told = story.tool_outputs();
    assert!(told.len() == 1 && told[0].contains("answered 503"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_never_leave_the_house() {
    let story = StoryBuilder::default().scripted(looking_up("four", clips::agent_sorry())).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_order()).await;
    caller.hears(&clips::agent_sorry()).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.tools(), ["lookup_order: refused"]);
    assert_eq!(story.business.asked(), [""; 0]);
    assert!(story.tool_outputs()[0].contains("order"), "{:?}", story.tool_outputs());
}

/// The caller asks something else while the tool is at work: that is answered, the tool's output is still sent, and
/// nothing is answered twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_speaks_while_a_tool_works_gets_both_answers_once() {
    let mut script = looking_up("427", clips::agent_order());
    script.answers.push(Reply::speech(clips::agent_answer()));
    let builder = StoryBuilder::default().scripted(script);
    let story = builder.with_agent_but("timeout_ms = 2000", "timeout_ms = 20000").begin().await;
    story.business.set_behaviour(ToolBehaviour::Slow(Duration::from_secs(12)));
    let caller = story.caller_after_greeting().await;
    caller.asks(&clips::caller_order(), &clips::agent_moment()).await;

    caller.says(&clips::caller_question()).await;
    caller.hears(&clips::agent_answer()).await;
    caller.hears(&clips::agent_order()).await;

    let heard = (caller.times_heard(&clips::agent_answer()), caller.times_heard(&clips::agent_order()));
    let after = caller.hangs_up().await;
    assert_eq!((heard, after.tools()), ((1, 1), vec!["lookup_order: done".to_owned()]));
    assert_eq!(story.model_faults(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_the_agent_writes_reaches_the_caller() {
    let message = r#"{"text":"Mirsk Bikes, Station Road 4"}"#;
    let script = using("send_whatsapp_message", message, clips::agent_closing());
    let story = StoryBuilder::default().scripted(script).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.asks(&clips::caller_directions(), &clips::agent_closing()).await;

    let after = caller.hangs_up().await;

    assert_eq!((after.tools(), after.messages), (vec!["send_whatsapp_message: done".to_owned()], 1));
    let written = story.meta.messages();
    assert!(format!("{written:?}").contains("Station Road 4"), "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_later_is_told_to_the_agent() {
    let message = r#"{"text":"Mirsk Bikes, Station Road 4"}"#;
    let mut script = using("send_whatsapp_message", message, clips::agent_closing());
    script.answers.push(Reply::speech(clips::agent_sorry()));
    let story = StoryBuilder::default().scripted(script).begin().await;
    let caller = story.ring_with_faults(&[InjectedFault::MessageFails]).await;
    let call_ref = caller.call_ref();
    caller.hears_the_greeting().await;
    caller.says(&clips::caller_directions()).await;

    caller.hears(&clips::agent_sorry()).await;

    let stored = story.everything_stored().await;
    let after = caller.hangs_up().await;
    assert_eq!((after.tools(), after.messages), (vec!["send_whatsapp_message: done".to_owned()], 1));
    let told: Vec<_> =
        story.texts_to_the_model().into_iter().filter(|text| text.contains("did not reach")).collect();
    assert!(told.len() == 1 && told[0].contains("Mirsk Bikes"), "{told:?}");
    assert_eq!(entries!(after.journal, JournalEvent::MessageFailed { code, .. } => *code), [131_026]);
    assert!(stored.contains(&format!("CALL#{call_ref}")) && !stored.contains("wamid."), "{stored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_a_number_is_asked_for_one_before_a_callback() {
    let callback = r#"{"about":"a squeaking saddle"}"#;
    let mut script = using("request_callback", callback, clips::agent_moment());
    let numbered = r#"{"about":"a squeaking saddle","number":"+44 20 7946 0958"}"#;
    script.answers.push(Reply::call("request_callback", numbered, Reply::speech(clips::agent_closing())));
    let story = StoryBuilder::default().scripted(script).begin().await;
    let caller = story.ring_with_faults(&[InjectedFault::NoFrom]).await;
    let call_ref = caller.call_ref();
    caller.hears_the_greeting().await;
    caller.asks(&clips::caller_question(), &clips::agent_moment()).await;
    assert_eq!(story.calls.left(&call_ref).await.expect("the table can be read").len(), 0);

    caller.asks(&clips::caller_question(), &clips::agent_closing()).await;

    let after = caller.hangs_up().await;
    assert_eq!(after.tools(), ["request_callback: refused", "request_callback: done"]);
    assert!(story.tool_outputs()[0].contains("at which number"), "{:?}", story.tool_outputs());
    let left = story.calls.left(&call_ref).await.expect("the table can be read");
    assert!(left.len() == 1 && left[0]["number"] == "+44 20 7946 0958", "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_elsewhere_is_read_to_the_model() {
    let story = StoryBuilder::default().scripted(looking_up("427", clips::agent_order())).begin().await;
    story.business.set_behaviour(ToolBehaviour::Redirects(302));
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_order()).await;
    caller.hears(&clips::agent_order()).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.tools(), ["lookup_order: done"]);
    assert_eq!(story.business.asked(), ["427"], "it was done once");
    assert_eq!(story.tool_outputs(), [r#"{"booked":true,"reference":"A-17"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_whose_answer_is_elsewhere_is_made_once() {
    let (port, mut booked) = apps_script().await;
    let agent = include_str!("../../../fixtures/field-cases/agents/apps-script.toml");
    let agent = agent.replace("localhost:8099", &format!("localhost:{port}"));
    let script = using("book", r#"{"when":"Friday at nine"}"#, clips::agent_closing());
    let story = StoryBuilder::default().scripted(script).with_agent(&agent).begin().await;
    let caller = story.caller_after_greeting().await;

    caller.asks(&clips::caller_question(), &clips::agent_closing()).await;

    let after = caller.hangs_up().await;
    assert_eq!(after.tools(), ["book: done"]);
    let made = booked.try_recv().expect("a time is booked");
    assert!(made.contains("Friday at nine") && booked.try_recv().is_err(), "{made}");
    assert_eq!(story.tool_outputs(), [r#"{"booked":true,"reference":"A-17"}"#]);
}

/// Serves a script of Google Apps Script until the test ends: its port, and the bodies of what it did. The work is done at
/// once, and the answer is at `/echo`, which takes only GET.
async fn apps_script() -> (u16, mpsc::UnboundedReceiver<String>) {
    let (done, booked) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
    let port = listener.local_addr().expect("it is bound").port();
    let echo = format!("http://localhost:{port}/echo?k=1");
    let book = |State(done): State<mpsc::UnboundedSender<String>>, body: String| async move {
        done.send(body).expect("the test listens");
        (StatusCode::FOUND, [("location", echo), ("content-type", "text/html".to_owned())]).into_response()
    };
    let answer = || async { Json(serde_json::json!({ "booked": true, "reference": "A-17" })) };
    let router = Router::new().route("/macros/s/X/exec", post(book)).route("/echo", get(answer));
    tokio::spawn(async move { axum::serve(listener, router.with_state(done)).await });
    (port, booked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_message_is_kept_with_the_call_and_never_logged() {
    let left = r#"{"message":"My saddle squeaks terribly","caller_name":"Zoe Quux"}"#;
    let story =
        StoryBuilder::default().scripted(using("take_message", left, clips::agent_closing())).begin().await;
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.hears_the_greeting().await;
    caller.asks(&clips::caller_question(), &clips::agent_closing()).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.tools(), ["take_message: done"]);
    let kept = story.calls.left(&call_ref).await.expect("the table can be read");
    assert!(kept.len() == 1 && kept[0]["message"] == "My saddle squeaks terribly", "{kept:?}");
    let summary = story.calls.summary(&call_ref).await.expect("the table can be read").expect("there is one");
    assert!(summary.wants_an_answer);
    for private in ["squeaks", "Quux"] {
        assert_eq!(story.logs_with(private), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_finishes_its_sentence_and_hangs_up() {
    let goodbye = Reply::speech(clips::agent_goodbye())
        .and(ReplyItem::FunctionCall { name: "end_call".into(), arguments: "{}".into() });
    let script = Script { answers: vec![goodbye], ..Script::about_bikes() };
    let story = StoryBuilder::default().scripted(script).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_thanks()).await;

    caller.hears_to_the_end(&clips::agent_goodbye()).await;

    let after = caller.afterwards().await;
    assert_eq!((after.ending, after.at_meta), (Ending::AgentSaidGoodbye, sim_meta::Ending::Terminated));
    assert_eq!((after.tools(), after.messages), (vec!["end_call: done".to_owned()], 0));
}

/// The model hangs up without having said a word to the caller's last ones.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_hangs_up_mute_is_asked_for_a_goodbye() {
    let answers = vec![Reply::default().and_call("end_call", "{}")];
    let script = Script { answers, ..Script::about_bikes() }
        .aside("Thank you for your call", Reply::speech(clips::agent_goodbye()));
    let story = StoryBuilder::default().scripted(script).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_thanks()).await;

    caller.hears_to_the_end(&clips::agent_goodbye()).await;

    let after = caller.afterwards().await;
    assert_eq!(after.ending, Ending::AgentSaidGoodbye);
    assert_eq!(after.tools(), ["end_call: done"]);
    assert_eq!(story.model_faults(), [""; 0]);
}

/// The model hangs up in the very response in which it looks something up: the caller still hears what it found.
#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_beside_another_tool_is_too_early() {
    let mut script = looking_up("427", clips::agent_order());
    script.answers[0] = script.answers[0].clone().and_call("end_call", "{}");
    let story = StoryBuilder::default().scripted(script).begin().await;
    story.business.set_behaviour(ToolBehaviour::Slow(Duration::from_secs(1)));
    let caller = story.caller_after_greeting().await;

    caller.asks(&clips::caller_order(), &clips::agent_order()).await;

    let after = caller.hangs_up().await;
    assert_eq!(after.ending, Ending::CallerHungUp);
    assert_eq!(after.tools(), ["end_call: refused", "lookup_order: done"]);
    assert!(story.tool_outputs()[0].starts_with("Not yet"), "{:?}", story.tool_outputs());
    assert_eq!(story.model_faults(), [""; 0]);
}

/// The line is still open when the caller takes leave, too; the model has nothing more to say.
#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_after_the_goodbye_ends_the_call_without_another_word() {
    let goodbye = Reply::speech(clips::agent_goodbye()).and_call("end_call", "{}");
    let script = Script { answers: vec![goodbye, Reply::default()], ..Script::about_bikes() };
    let story = StoryBuilder::default().scripted(script).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.asks(&clips::caller_thanks(), &clips::agent_goodbye()).await;

    caller.says(&clips::caller_thanks()).await;

    let after = caller.afterwards().await;
    assert_eq!((after.ending, after.messages), (Ending::AgentSaidGoodbye, 0));
    let heard = story.model.sessions()[0].events_of(Side::Server, "input_audio_buffer.committed").count();
    assert_eq!(heard, 2, "the caller was heard to the end of the goodbye");
    assert_eq!(story.model_faults(), [""; 0]);
}

/// The caller has one question more: the agent stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_speaks_over_the_goodbye_is_not_hung_up_on() {
    let goodbye = Reply::speech(clips::agent_long())
        .and(ReplyItem::FunctionCall { name: "end_call".into(), arguments: "{}".into() });
    let answers = vec![goodbye, Reply::speech(clips::agent_answer())];
    let story = StoryBuilder::default().scripted(Script { answers, ..Script::about_bikes() }).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_thanks()).await;
    caller.phone().agent_speaks(Duration::from_secs(10)).await.expect("the agent takes leave");
    tokio::time::sleep(Duration::from_secs(1)).await;

    caller.asks(&clips::caller_question(), &clips::agent_answer()).await;

    let after = caller.hangs_up().await;
    assert_eq!(after.ending, Ending::CallerHungUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hosted_tool_answers_is_spoken_of_once() {
    for (answer, takes, outcome) in
        [(Ok("ready".to_owned()), 900, "done"), (Err("It is out of order.".to_owned()), 0, "failed")]
    {
        let builder = StoryBuilder::default().scripted(looking_up_hosted(answer, takes));
        let story = builder.with_agent_also(HOSTED).begin().await;
        let caller = story.caller_after_greeting().await;

        caller.asks(&clips::caller_order(), &clips::agent_order()).await;

        caller.phone().agent_falls_silent(Duration::from_secs(10)).await.expect("the answer comes to an end");
        assert_eq!(caller.times_heard(&clips::agent_order()), 1);
        let after = caller.hangs_up().await;
        assert_eq!(after.tools(), [format!("stock.search: {outcome}")]);
        assert_eq!(story.model_faults(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosted_tools_that_cannot_be_listed_are_told_to_agent_and_operator() {
    let script = Script::about_bikes().without_tools_of("stock");
    let story = StoryBuilder::default().scripted(script).with_agent_also(HOSTED).begin().await;
    let caller = story.ring().await;
    caller.talks().await;

    let after = caller.hangs_up().await;

    let missing = JournalEvent::ToolsMissing { server: "stock".to_owned() };
    assert_eq!(after.journal.iter().filter(|event| **event == missing).count(), 1, "{after:?}");
    let sessions = story.model.sessions();
    let told = sessions[0].events_of(sim_openai::Side::Client, "conversation.item.create");
    let mut of_system = told.into_iter().filter(|event| event["item"]["role"] == "system");
    assert!(of_system.any(|event| event.to_string().contains("stock")));
}

const HOSTED: &str = "\n[[tools.mcp]]\nlabel = \"stock\"\nurl = \"https://mcp.tool_server.example/mcp\"\nallowed_tools = [\"search\"]\n";

fn looking_up_hosted(answer: Result<String, String>, takes_ms: u64) -> Script {
    let call = McpCall {
        label: "stock".to_owned(),
        name: "search".to_owned(),
        arguments: "{\"order\":\"427\"}".to_owned(),
        answer,
        takes: Duration::from_millis(takes_ms),
    };
    let answer = Reply::mcp(call, Reply::speech(clips::agent_order()));
    Script::new(Reply::speech(clips::agent_greeting()), [answer])
}
