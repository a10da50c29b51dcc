//! `ahoy setup` and `ahoy forget` at a real terminal: they ask first, and only a yes changes anything.

use crate::business::{Business, NUMBER};
use rexpect::process::{Signal, WaitStatus};
use rexpect::session::{PtySession, spawn_command};
use sim_meta::SetupFault;
use store::{CallListing, CallQuery};
use tokio::task::spawn_blocking;

const CALLER: &str = "919900000001";

/// How long anything on the terminal may take, ms: a test that fails is not to hang.
const PATIENCE_MS: u64 = 60_000;

/// What somebody does when asked.
#[derive(Debug, Clone, Copy)]
enum Reply {
    Types(&'static str),
    PressesCtrlC,
}

/// How a command at a terminal ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    With(i32),
    Interrupted,
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_changes_what_somebody_says_yes_to_and_nothing_else() {
    let business = Business::healthy().await;
    business.meta.snag(SetupFault::CallingOff);
    let before = business.meta.books();
    assert_ne!(before.calling["status"], "ENABLED");

    for (reply, end) in [
        (Reply::Types("n"), End::With(1)),
        (Reply::Types(""), End::With(1)),
        (Reply::Types("yesterday"), End::With(1)),
        (Reply::PressesCtrlC, End::Interrupted),
    ] {
        let (ended, said) = converse(&business, &["setup"], "Make these changes? [y/N] ", reply).await;

        assert_eq!(ended, end, "{reply:?}: {said}");
        assert!(business.meta.books() == before, "{reply:?} changed something");
    }
    let (ended, said) =
        converse(&business, &["setup"], "Make these changes? [y/N] ", Reply::Types("y")).await;

    assert_eq!((ended, said.contains("Done.")), (End::With(0), true), "{said}");
    assert_eq!(business.meta.books().calling["status"], "ENABLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_forgotten_when_somebody_says_yes_and_not_before() {
    let business = Business::healthy().await;
    called(&business).await;

    for (reply, end) in [
        (Reply::Types("n"), End::With(1)),
        (Reply::Types(""), End::With(1)),
        (Reply::PressesCtrlC, End::Interrupted),
    ] {
        let (ended, said) =
            converse(&business, &["forget", CALLER], "Delete it for good? [y/N] ", reply).await;

        assert_eq!(ended, end, "{reply:?}: {said}");
        assert_eq!(calls(&business).await, 1, "{reply:?} deleted something");
    }
    let (ended, said) =
        converse(&business, &["forget", CALLER], "Delete it for good? [y/N] ", Reply::Types("y")).await;

    assert_eq!((ended, said.contains("Forgotten: 1 call")), (End::With(0), true), "{said}");
    assert_eq!(calls(&business).await, 0);
}

#[tokio::test]
async fn where_nobody_can_be_asked_nobody_is_forgotten_and_it_says_how() {
    let business = Business::healthy().await;
    called(&business).await;

    let said = business.ahoy(&["forget", CALLER]).await;

    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("there is no terminal to ask at: say --yes"), "{said:?}");
    assert_eq!(calls(&business).await, 1);
}

/// Runs `ahoy` at a terminal, and replies when it asks. How it ended, and what it said after the reply.
async fn converse(
    business: &Business,
    words: &[&str],
    question: &'static str,
    reply: Reply,
) -> (End, String) {
    let command = business.command(words);
    let conversed = spawn_blocking(move || {
        let mut terminal = spawn_command(command, Some(PATIENCE_MS)).unwrap();
        terminal.exp_string(question).unwrap();
        match reply {
            Reply::Types(line) => drop(terminal.send_line(line).unwrap()),
            Reply::PressesCtrlC => terminal.send_control('c').unwrap(),
        }
        let said = terminal.exp_eof().unwrap();
        (end(&terminal), said)
    });
    conversed.await.unwrap()
}

fn end(terminal: &PtySession) -> End {
    match terminal.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => End::With(code),
        WaitStatus::Signaled(_, Signal::SIGINT, _) => End::Interrupted,
        other => panic!("{other:?}"),
    }
}

/// Somebody called a while ago.
async fn called(business: &Business) {
    let mark = internal_api::pseudonym::of(b"the door key", CALLER);
    let rang_at_ms = service::time::now_ms() - 3_600_000;
    let call = CallListing {
        call_ref: "ab".repeat(32),
        number: NUMBER.to_owned(),
        rang_at_ms,
        start: Some("warm".to_owned()),
        accepted_at_ms: Some(rang_at_ms + 500),
        ended_at_ms: Some(rang_at_ms + 7_500),
        ending: Some("caller_hung_up".to_owned()),
        by: Some("caller".to_owned()),
    };
    for item in call.items(&[mark], "2026-11-22", u64::MAX / 1_000) {
        business.ledger.put(item).await.unwrap();
    }
}

async fn calls(business: &Business) -> usize {
    business.ledger.calls(&CallQuery::Of(NUMBER.to_owned()), None, None, 10).await.unwrap().len()
}
