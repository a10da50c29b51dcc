//! `ahoy setup` and `ahoy forget` on a pseudo-terminal: they ask first, and only a yes changes anything.

use crate::business::{Business, NUMBER, WEBHOOK_SECRET};
use call::{Ending, Party};
use rexpect::process::{Signal, WaitStatus};
use rexpect::session::{PtySession, spawn_command};
use sim_meta::SetupFault;
use store::{CallListing, CallQuery};
use tokio::task::spawn_blocking;

const CALLER: &str = "919900000001";

/// How long each terminal operation may take, in ms, so that a failing test does not hang.
const TIMEOUT_MS: u64 = 60_000;

/// The operator's reply to a question.
#[derive(Debug, Clone, Copy)]
enum Reply {
    Types(&'static str),
    PressesCtrlC,
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    With(i32),
    Interrupted,
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_changes_nothing_without_a_yes() {
    let business = Business::healthy().await;
    business.meta.inject_setup_fault(SetupFault::CallingOff);
    let before = business.meta.records();
    assert_ne!(before.calling["status"], "ENABLED");

    for (reply, end) in [
        (Reply::Types("n"), End::With(1)),
        (Reply::Types(""), End::With(1)),
        (Reply::Types("yesterday"), End::With(1)),
        (Reply::PressesCtrlC, End::Interrupted),
    ] {
        let (ended, output) =
            run_on_terminal(&business, &["setup"], "Make these changes? [y/N] ", reply).await;

        assert_eq!(ended, end, "{reply:?}: {output}");
        assert!(business.meta.records() == before, "{reply:?} changed something");
    }
    let (ended, output) =
        run_on_terminal(&business, &["setup"], "Make these changes? [y/N] ", Reply::Types("y")).await;

    assert_eq!((ended, output.contains("Done.")), (End::With(0), true), "{output}");
    assert_eq!(business.meta.records().calling["status"], "ENABLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_trunk_key_is_shown_to_a_person() {
    let business = Business::with_new_sip_line(|_| {}).await;

    let question = "Make these changes? [y/N] ";
    let (ended, output) = run_on_terminal(&business, &["setup", "--sip"], question, Reply::Types("y")).await;

    let secret = business.secret("line").await;
    assert_eq!(ended, End::With(0), "{output}");
    assert!(output.contains(secret["sip_trunk_key"].as_str().unwrap()), "{output}");
    assert!(!output.contains(secret["openai_webhook_secret"].as_str().unwrap()), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_secret_can_be_typed() {
    let business =
        Business::with_new_sip_line(|model| model.sip.webhooks_key = Some("sk-admin".to_owned())).await;

    // The terminal's bytes are compared, and what follows is a letter of several.
    let question = "Signing secret (whsec_";
    let reply = Reply::Types(WEBHOOK_SECRET);
    let (ended, output) = run_on_terminal(&business, &["setup", "--sip", "--yes"], question, reply).await;

    assert_eq!(ended, End::With(0), "{output}");
    assert!(!output.contains(WEBHOOK_SECRET), "{output}");
    assert_eq!(business.secret("line").await["openai_webhook_secret"], WEBHOOK_SECRET);
}

#[tokio::test(flavor = "multi_thread")]
async fn forget_deletes_nothing_without_a_yes() {
    let business = Business::healthy().await;
    put_call(&business).await;

    for (reply, end) in [
        (Reply::Types("n"), End::With(1)),
        (Reply::Types(""), End::With(1)),
        (Reply::PressesCtrlC, End::Interrupted),
    ] {
        let (ended, output) =
            run_on_terminal(&business, &["forget", CALLER], "Delete it for good? [y/N] ", reply).await;

        assert_eq!(ended, end, "{reply:?}: {output}");
        assert_eq!(calls(&business).await, 1, "{reply:?} deleted something");
    }
    let (ended, output) =
        run_on_terminal(&business, &["forget", CALLER], "Delete it for good? [y/N] ", Reply::Types("y"))
            .await;

    assert_eq!((ended, output.contains("Forgotten: 1 call")), (End::With(0), true), "{output}");
    assert_eq!(calls(&business).await, 0);
}

#[tokio::test]
async fn without_a_terminal_forget_refuses_and_says_how() {
    let business = Business::healthy().await;
    put_call(&business).await;

    let output = business.ahoy(&["forget", CALLER]).await;

    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.err.contains("there is no terminal to ask on: use --yes"), "{output:?}");
    assert_eq!(calls(&business).await, 1);
}

/// Runs `ahoy` on a terminal and replies to its question; returns how it ended and what it printed after the reply.
async fn run_on_terminal(
    business: &Business,
    words: &[&str],
    question: &'static str,
    reply: Reply,
) -> (End, String) {
    let command = business.command(words);
    let session = spawn_blocking(move || {
        let mut terminal = spawn_command(command, Some(TIMEOUT_MS)).unwrap();
        terminal.exp_string(question).unwrap();
        match reply {
            Reply::Types(line) => drop(terminal.send_line(line).unwrap()),
            Reply::PressesCtrlC => terminal.send_control('c').unwrap(),
        }
        let output = terminal.exp_eof().unwrap();
        (end(&terminal), output)
    });
    session.await.unwrap()
}

fn end(terminal: &PtySession) -> End {
    match terminal.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => End::With(code),
        WaitStatus::Signaled(_, Signal::SIGINT, _) => End::Interrupted,
        other => panic!("{other:?}"),
    }
}

/// Stores a call of an hour ago.
async fn put_call(business: &Business) {
    let pseudonym = store::pseudonym::of(b"the door key", CALLER);
    let rang_at_ms = service::time::now_ms() - 3_600_000;
    let call = CallListing {
        call_ref: "ab".repeat(32).into(),
        line: call::Line::WhatsApp.into(),
        number: NUMBER.into(),
        rang_at_ms,
        start: Some("warm".to_owned()),
        accepted_at_ms: Some(rang_at_ms + 500),
        ended_at_ms: Some(rang_at_ms + 7_500),
        ending: Some(Ending::CallerHungUp.into()),
        by: Some(Party::Caller.into()),
    };
    for item in call.items(&[pseudonym], "2026-11-22", u64::MAX / 1_000) {
        business.store.put(item).await.unwrap();
    }
}

async fn calls(business: &Business) -> usize {
    business.store.calls(&CallQuery::Of(NUMBER.into()), None, None, 10).await.unwrap().calls.len()
}
