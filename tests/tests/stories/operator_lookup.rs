//! Looking calls up with `ahoy` afterwards, and what is left of a caller who wants to be forgotten.

use call::{CallRef, NumberId};
use harness::raw_webhook::RawWebhook;
use harness::{Story, StoryBuilder};
use serde_json::Value;
use sim_meta::CallerConfig;
use std::path::Path;
use std::process::{Output, Stdio};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_found_shown_and_drawn_and_its_caller_forgotten() {
    let story = StoryBuilder::default().with_agent_also("\n[caps]\ncalls_an_hour = 9\n").begin().await;
    let caller = story.ring().await;
    let (call_ref, wacid) = (caller.call_ref(), caller.id().to_owned());
    caller.talks().await;
    let record = story.calls.call(&call_ref).await.expect("the table can be read").expect("it is there");
    let (user, number) = (record.caller_user_id.clone(), record.caller_number.clone());
    caller.hangs_up().await;
    story.calls.summary(&call_ref).await.expect("the table can be read").expect("there is one");

    let listed = json(&story, &["calls", "--json"]).await;
    let call = &listed["calls"][0];
    assert_eq!(&call["call_ref"], &Value::from(call_ref.as_str()));
    assert_eq!(call["ending"], "caller_hung_up");
    assert_eq!((&call["turns"], &call["start"], &call["by"]), (&1.into(), &"warm".into(), &"caller".into()));
    assert!(call["micro_dollars"].as_u64() > Some(0), "{call}");

    let person = number.as_deref().or(user.as_deref()).expect("Meta says who calls");
    for found in [
        json(&story, &["calls", "--json", "--user", person]).await,
        json(&story, &["calls", "--json", "--number", record.number.as_str()]).await,
        json(&story, &["calls", "--json", "--day", "today", "--ending", "caller_hung_up"]).await,
    ] {
        assert_eq!(found["calls"].as_array().map(Vec::len), Some(1), "{found}");
    }
    let none = json(&story, &["calls", "--json", "--user", "+1 202 555 0199"]).await;
    assert_eq!(none["calls"], Value::Array(vec![]));

    let shown = said(&story, &["show", &call_ref.as_str()[..12]]).await;
    assert!(shown.contains("caller hung up, by caller") && shown.contains("first word"), "{shown}");
    assert!(shown.contains(&*sim_audio::clips::agent_answer().text), "{shown}");

    let page = story.folder.join("call.html");
    said(&story, &["report", &call_ref.as_str()[..12], "-o", page.to_str().expect("paths are UTF-8")]).await;
    let page = std::fs::read_to_string(page).expect("it was written");
    assert!(page.contains("data-lane=\"agent\"") && page.contains("d=\"M"), "both voices are drawn");
    for told in [&listed.to_string(), &shown, &page] {
        assert!(!told.contains(person) && !told.contains(&wacid), "no person is named");
    }

    let asked = story.stack.cloud.requests();
    assert!(!asked.keys().any(|action| action.contains("Scan")), "the table is not scanned");
    let kept = ahoy(&story, &["forget", person, "--dry-run"]).await;
    assert!(kept.status.success(), "{kept:?}");
    assert_eq!(json(&story, &["calls", "--json"]).await["calls"].as_array().map(Vec::len), Some(1));
    story.stack.store.put(notice_about(&record.number, person)).await.expect("the table can be written");
    assert!(story.everything_stored().await.contains("CALLER#"), "their calls are counted");
    let done = json(&story, &["forget", person, "--yes", "--json"]).await;
    assert_eq!((&done["forgotten"], &done["calls"]), (&true.into(), &1.into()));
    let stored = story.everything_stored().await;
    let names = [user.clone(), number.clone()].into_iter().flatten();
    for trace in names.chain([call_ref.to_string(), wacid, sim_audio::clips::agent_answer().text]) {
        assert!(!stored.contains(&trace), "{trace:?} is still stored: {stored}");
    }
    assert!(!stored.contains("CALLER#") && !stored.contains("USER#"), "{stored}");
    assert!(stored.contains("WA_CALL_FORGOTTEN") && stored.contains("SPENT#"), "{stored}");
    assert!(said(&story, &["forget", person, "--yes"]).await.contains("Nothing is stored"));
    assert_eq!(said(&story, &["calls"]).await, "No calls.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brazilian_caller_is_found_and_forgotten_by_either_number_form() {
    let story = Story::begin().await;
    // As the webhook `connect-brazil-old-mobile` has it.
    let joao = CallerConfig {
        number: Some("553188888888".to_owned()),
        user_id: "BR.77001234567890123456".to_owned(),
        ..CallerConfig::default()
    };
    let caller = story.ring_as(joao).await;
    caller.is_greeted().await;
    caller.hangs_up().await;

    let found = ahoy(&story, &["calls", "--json", "--user", "+55 31 98888-8888"]).await;
    let calls: Value = serde_json::from_slice(&found.stdout).expect("it says JSON");
    assert_eq!(calls["calls"].as_array().map(Vec::len), Some(1), "{calls}");
    assert!(calls["also"].as_str().is_some_and(|also| also.contains("ninth digit")), "{calls}");
    let done = ahoy(&story, &["forget", "+55 31 98888-8888", "--yes"]).await;

    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("ninth digit") && !said.contains("8888"), "{done:?}");
    let stored = story.everything_stored().await;
    assert!(!stored.contains("553188888888") && !stored.contains("USER#"), "{stored}");

    // What Meta still tells of them is recorded, without them.
    for (call, from) in [("wacid.LATE-1", "553188888888"), ("wacid.LATE-2", "BR.77001234567890123456")] {
        assert_eq!(RawWebhook::signed(odd(call, from)).post(&story).await, 200);
    }
    let stored = story.everything_stored().await;
    assert!(stored.contains("webhook-held"), "{stored}");
    assert!(!stored.contains("553188888888") && !stored.contains("BR.7700"), "{stored}");
    assert_eq!(RawWebhook::signed(odd("wacid.LATE-3", "919900000002")).post(&story).await, 200);
    assert!(story.everything_stored().await.contains("919900000002"), "a stranger's is kept as it came");
}

/// A notice about a call that nothing of ours understands.
fn odd(call: &str, from: &str) -> String {
    let value = serde_json::json!({"metadata": {"phone_number_id": "220000000000002"},
        "calls": [{"id": call, "event": "held", "from": from, "timestamp": "1795305600"}]});
    serde_json::json!({"entry": [{"id": "1", "changes": [{"field": "calls", "value": value}]}]}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_user_id_changed_is_found_and_forgotten_by_both() {
    let story = StoryBuilder::with_fault("quota-exhausted").begin().await;
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.afterwards().await;
    assert!(story.everything_stored().await.contains("MESSAGE#"), "they were written to");
    let old = CallerConfig::default().user_id;
    let new = "IN.99990000000000000001";

    let stranger = [
        ("919900000001", "919911111111"),
        ("919900000002", "919922222222"),
        ("IN.55501234567890123456", "IN.77770000000000000001"),
    ];

    assert_eq!(RawWebhook::fixture("user-changed-number", &stranger).post(&story).await, 200);
    assert_eq!(RawWebhook::fixture("user-changed-user-id", &[]).post(&story).await, 200);

    let linked = async || {
        let stored = story.everything_stored().await;
        stored.contains("ALSO#") && ![new, "919911111111", "IN.7777"].iter().any(|name| stored.contains(name))
    };
    story.until_it_is_so(linked).await;
    for name in [new, &old, "+91 99000 00001"] {
        let found = json(&story, &["calls", "--json", "--user", name]).await;
        assert_eq!(found["calls"][0]["call_ref"], call_ref.as_str(), "{name}");
    }
    let done = json(&story, &["forget", new, "--yes", "--json"]).await;
    assert_eq!((&done["forgotten"], &done["calls"]), (&true.into(), &1.into()));
    let stored = story.everything_stored().await;
    for trace in [new, &old, "919900000001", "USER#", "MESSAGE#", "ALSO#", call_ref.as_str()] {
        assert!(!stored.contains(trace), "{trace:?} is still stored: {stored}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_call_can_be_followed_and_cannot_be_forgotten() {
    let story = Story::begin().await;
    let mut tail =
        command(&story, &["tail", "--json", "--seconds", "60"]).await.spawn().expect("ahoy can run");
    let mut lines = tokio::io::BufReader::new(tail.stdout.take().expect("it is piped"));
    let caller = story.ring().await;
    let record = async || story.calls.call(&caller.call_ref()).await.expect("the table can be read");
    until(&mut lines, "WA_CALL_FIRST_WORD").await;

    let person =
        record().await.and_then(|it| it.caller_number.or(it.caller_user_id)).expect("a caller rings");
    let refused = ahoy(&story, &["forget", &person, "--yes"]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(record().await.is_some());

    caller.hangs_up().await;
    until(&mut lines, "WA_CALL_ENDED").await;
    tail.kill().await.expect("it is ours to end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calls_page_fits_wide_and_narrow_screens_and_loads_nothing() {
    let story = StoryBuilder::rehearsed().begin().await;
    story.rehearse().await.expect("the call can be placed");
    let call_ref = json(&story, &["calls", "--json"]).await["calls"][0]["call_ref"].clone();
    let call_ref = call_ref.as_str().expect("there is a call");
    story.stack.store.put(hostile_line(&call_ref.into())).await.expect("the table can be written");
    let page = story.folder.join("call.html");
    said(&story, &["report", call_ref, "-o", page.to_str().expect("paths are UTF-8")]).await;

    let seen = looked_at(&page).await;

    assert_eq!(seen["asked_for"], Value::Array(vec![]), "no request leaves the page");
    for (name, look) in seen["looks"].as_object().expect("it was looked at") {
        assert_eq!(look["sticks_out"], Value::Array(vec![]), "{name}");
        assert!(look["scroll_width"].as_u64() <= look["width"].as_u64(), "{name}: {look}");
        let lanes = ["ring", "caller", "agent", "turns", "tools"].map(Value::from);
        assert_eq!(look["lanes"], Value::from(lanes.to_vec()), "{name}");
        for (what, least) in [
            ("caller_bars", 20),
            ("agent_bars", 20),
            ("lines", 9),
            ("turns", 4),
            ("cuts", 1),
            ("tools", 2),
            ("events", 15),
            ("network", 7),
            ("cost", 5),
            ("facts", 7),
        ] {
            assert!(look[what].as_u64() >= Some(least), "{name} has {} {what}", look[what]);
        }
        assert_eq!((&look["scripts"], &look["images"]), (&0.into(), &0.into()), "{name}");
        assert!(look["text"].as_str().is_some_and(|text| text.contains(HOSTILE)), "{name}: {look}");
    }
    let paper = |look: &str| seen["looks"][look]["paper"].clone();
    assert_ne!(paper("wide-light"), paper("wide-dark"));
}

/// What no caller should be able to do with their words.
const HOSTILE: &str = "<script>document.body.remove()</script><img src=\"http://127.0.0.1:1/\">";

fn hostile_line(call_ref: &CallRef) -> store::items::Item {
    let texts = [
        ("pk", store::keys::call(call_ref)),
        ("sk", store::keys::line(900)),
        ("speaker", "caller".into()),
        ("text", HOSTILE.into()),
    ];
    let texts = texts.into_iter().map(|(name, value)| (name.to_owned(), store::items::text(value)));
    let numbers = [("place", 900), ("at_ms", service::time::now_ms())];
    texts.chain(numbers.map(|(name, value)| (name.to_owned(), store::items::number(value)))).collect()
}

/// What headless Chromium sees of a page (`make test` installs it).
async fn looked_at(page: &Path) -> Value {
    let mut look = Command::new("python3");
    look.arg(local::root().join("dev/suites/callers/look.py")).arg(page);
    let output = look.arg(page.parent().expect("it is in a folder")).output().await.expect("there is Python");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("it tells JSON")
}

/// Something that Meta told of a number, which was not understood, and which names a person.
fn notice_about(number: &NumberId, person: &str) -> store::items::Item {
    let sk = store::keys::notice("unheard_of", "", "0a");
    let texts =
        [("pk", store::keys::number(number)), ("sk", sk), ("item", format!("{{\"from\": \"{person}\"}}"))];
    texts.into_iter().map(|(name, value)| (name.to_owned(), store::items::text(value))).collect()
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

/// Runs `ahoy`, which must succeed, and returns the JSON that it prints.
pub(crate) async fn json(story: &Story, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(story, arguments).await).expect("it says JSON")
}

/// Runs `ahoy`, which must succeed, and returns what it prints.
pub(crate) async fn said(story: &Story, arguments: &[&str]) -> String {
    let output = ahoy(story, arguments).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

async fn ahoy(story: &Story, arguments: &[&str]) -> Output {
    command(story, arguments).await.output().await.expect("ahoy can run")
}

async fn command(story: &Story, arguments: &[&str]) -> Command {
    let mut command = Command::new(harness::story::programs().await.path("ahoy"));
    command.args(arguments).envs(story.stack.cloud.environment()).env("MEDIA_SECRET", "media");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}
