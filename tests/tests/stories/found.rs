//! What an operator finds of calls with `ahoy` afterwards, and what is left of a caller who wants to be forgotten.

use serde_json::Value;
use std::process::{Output, Stdio};
use tests::Story;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_found_shown_and_drawn_and_its_caller_forgotten() {
    let story = Story::begin().await;
    let caller = story.ring().await;
    let (call_ref, wacid) = (caller.call_ref(), caller.id().to_owned());
    caller.talks().await;
    let record = story.stack.call(&call_ref).await.expect("the table can be read").expect("it is there");
    let (user, number) = (record.caller_user_id.clone(), record.caller_number.clone());
    caller.hangs_up().await;
    story.stack.summary(&call_ref).await.expect("the table can be read").expect("there is one");

    let listed = json(&story, &["calls", "--json"]).await;
    let call = &listed["calls"][0];
    assert_eq!((&call["call_ref"], &call["ending"]), (&Value::from(call_ref.as_str()), &"caller_hung_up".into()));
    assert_eq!((&call["turns"], &call["start"], &call["by"]), (&1.into(), &"warm".into(), &"caller".into()));
    assert!(call["micro_dollars"].as_u64() > Some(0), "{call}");

    let person = number.as_deref().or(user.as_deref()).expect("Meta says who calls");
    for found in [
        json(&story, &["calls", "--json", "--user", person]).await,
        json(&story, &["calls", "--json", "--number", &record.number]).await,
        json(&story, &["calls", "--json", "--day", "today", "--ending", "caller_hung_up"]).await,
    ] {
        assert_eq!(found["calls"].as_array().map(Vec::len), Some(1), "{found}");
    }
    let nobody = json(&story, &["calls", "--json", "--user", "+1 202 555 0199"]).await;
    assert_eq!(nobody["calls"], Value::Array(vec![]));

    let shown = said(&story, &["show", &call_ref[..12]]).await;
    assert!(shown.contains("caller hung up, by caller") && shown.contains("first word"), "{shown}");
    assert!(shown.contains(&*tone::clips::agent_answer().text), "{shown}");

    let page = story.folder.join("call.html");
    said(&story, &["report", &call_ref[..12], "-o", page.to_str().expect("paths are UTF-8")]).await;
    let page = std::fs::read_to_string(page).expect("it was written");
    assert!(page.contains("data-lane=\"agent\"") && page.contains("d=\"M"), "both voices are drawn");
    for told in [&listed.to_string(), &shown, &page] {
        assert!(!told.contains(person) && !told.contains(&wacid), "nobody is named");
    }

    let kept = ahoy(&story, &["forget", person, "--dry-run"]).await;
    assert!(kept.status.success(), "{kept:?}");
    assert_eq!(json(&story, &["calls", "--json"]).await["calls"].as_array().map(Vec::len), Some(1));
    let done = json(&story, &["forget", person, "--yes", "--json"]).await;
    assert_eq!((&done["forgotten"], &done["calls"]), (&true.into(), &1.into()));
    let stored = story.everything_stored().await;
    let names = [user, number].into_iter().flatten();
    for trace in names.chain([call_ref, wacid, tone::clips::agent_answer().text.into()]) {
        assert!(!stored.contains(&trace), "{trace:?} is still stored: {stored}");
    }
    assert!(stored.contains("WA_CALL_FORGOTTEN"), "{stored}");
    assert!(said(&story, &["forget", person, "--yes"]).await.contains("Nothing is stored"));
    assert_eq!(said(&story, &["calls"]).await, "No calls.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_followed_as_it_happens_and_not_forgotten_while_it_lasts() {
    let story = Story::begin().await;
    let mut tail = command(&story, &["tail", "--json", "--seconds", "60"]).spawn().expect("ahoy can run");
    let mut lines = tokio::io::BufReader::new(tail.stdout.take().expect("it is piped"));
    let caller = story.ring().await;
    let record = async || story.stack.call(&caller.call_ref()).await.expect("the table can be read");
    until(&mut lines, "WA_CALL_FIRST_WORD").await;

    let person = record().await.and_then(|it| it.caller_number.or(it.caller_user_id)).expect("somebody calls");
    let refused = ahoy(&story, &["forget", &person, "--yes"]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(record().await.is_some());

    caller.hangs_up().await;
    until(&mut lines, "WA_CALL_ENDED").await;
    tail.kill().await.expect("it is ours to end");
}

async fn until(lines: &mut (impl tokio::io::AsyncBufRead + Unpin), event: &str) {
    use tokio::io::AsyncBufReadExt;
    let looking = async {
        let mut line = String::new();
        while lines.read_line(&mut line).await.expect("it can be read") > 0 {
            let told: Value = serde_json::from_str(&line).expect("a line is JSON");
            if told["event"] == event {
                return;
            }
            line.clear();
        }
        panic!("it ended without {event}");
    };
    tokio::time::timeout(std::time::Duration::from_secs(40), looking).await.expect("it comes in time");
}

async fn json(story: &Story, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(story, arguments).await).expect("it says JSON")
}

async fn said(story: &Story, arguments: &[&str]) -> String {
    let output = ahoy(story, arguments).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

async fn ahoy(story: &Story, arguments: &[&str]) -> Output {
    command(story, arguments).output().await.expect("ahoy can run")
}

fn command(story: &Story, arguments: &[&str]) -> Command {
    let mut command = Command::new(story.ahoy());
    command.args(arguments).envs(story.stack.cloud.environment()).env("MEDIA_SECRET", "media");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}
