//! The hourly cap of one person who calls by WhatsApp and by telephone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use axum::{Json, Router};
use call::{Ending, Line, NumberId, Timestamp};
use call_control::{CallControl, Invocation, Settings};
use internal_api::order::Order;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::json;
use service::time::now_ms;
use stage::{Cloud, TABLE};
use std::time::Duration;
use store::items::to_item;
use store::{CallListing, CallerNames, LoadedCall, Store, StoredAgent, StoredCall, pseudonym};
use switchboard::task_launcher::LaunchSettings;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

const MINUTE_MS: u64 = 60_000;

/// The person's names: the number on either line, and Meta's user id.
const NUMBER: &str = "35699000001";
const USER_ID: &str = "MT.13491208655302741918";

const WHATSAPP: &str = "220";
const TELEPHONE: &str = "malta";
/// A number of WhatsApp's with another agent.
const ELSEWHERE: &str = "330";

#[tokio::test]
async fn a_telephone_call_counts_with_calls_by_whatsapp() {
    let by = |names: &[&'static str]| earlier(Line::WhatsApp, WHATSAPP, names);
    let cases = [
        ("no other call", vec![], false),
        ("one by the number", vec![by(&[USER_ID, NUMBER])], true),
        ("one long ago", vec![Earlier { minutes_ago: 61, ..by(&[NUMBER]) }], false),
        ("one turned away", vec![Earlier { ending: Ending::CalledTooOften, ..by(&[NUMBER]) }], false),
        ("one that found no task", vec![Earlier { ending: Ending::NoCapacity, ..by(&[NUMBER]) }], true),
        ("one to another agent", vec![earlier(Line::WhatsApp, ELSEWHERE, &[NUMBER])], false),
        ("one of another person", vec![by(&["35699000002"])], false),
        ("one with a hidden number", vec![by(&[USER_ID])], false),
    ];
    // Side by side, since a call that is not turned away looks for a task until its ring time is over.
    let side_by_side = LocalSet::new();
    let begun = cases.map(|(told, before, is_too_often)| {
        let is_turned_away =
            async move { Stage::after(&before).await.turns_away(by_telephone(Some(NUMBER))).await };
        (told, side_by_side.spawn_local(is_turned_away), is_too_often)
    });
    side_by_side.await;
    for (told, is_turned_away, is_too_often) in begun {
        assert_eq!(is_turned_away.await.unwrap(), is_too_often, "{told}");
    }

    let stage = Stage::after(&[by(&[USER_ID])]).await;
    stage.link().await;
    assert!(stage.turns_away(by_telephone(Some(NUMBER))).await, "an earlier call has shown both names");
}

#[tokio::test]
async fn a_whatsapp_call_counts_with_calls_by_telephone() {
    let by_telephone = [earlier(Line::Sip, TELEPHONE, &[NUMBER])];
    let shown = || by_whatsapp(CallerNames { number: Some(NUMBER.into()), user_id: Some(USER_ID.into()) });
    let hidden = || by_whatsapp(CallerNames { number: None, user_id: Some(USER_ID.into()) });

    assert!(!Stage::after(&[]).await.turns_away(shown()).await);
    assert!(Stage::after(&by_telephone).await.turns_away(shown()).await);
    let stage = Stage::after(&by_telephone).await;
    assert!(!stage.turns_away(hidden()).await, "nothing says that it is the same person");
    let stage = Stage::after(&by_telephone).await;
    stage.link().await;
    assert!(stage.turns_away(hidden()).await);
}

#[tokio::test]
async fn callers_who_withhold_their_numbers_share_no_limit() {
    let stage = Stage::after(&[]).await;

    let both = tokio::join!(stage.turns_away(by_telephone(None)), stage.turns_away(by_telephone(None)));
    assert_eq!(both, (false, false));

    let lists = ["USER#", "CALLER#", "SPENT#"];
    let named = stage.cloud.items().await.into_iter().map(|item| item["pk"].as_str().unwrap().to_owned());
    assert!(!named.into_iter().any(|pk| lists.iter().any(|list| pk.starts_with(list))));
}

#[test]
fn one_person_has_one_pseudonym_on_both_lines() {
    let [meta, carrier] = [NUMBER.to_owned(), openai_calls::digits("+356 9900-0001").unwrap()];

    assert_eq!(pseudonym::of(b"marks", &meta), pseudonym::of(b"marks", &carrier));
}

/// A call of earlier today, as the list has it.
struct Earlier {
    line: Line,
    number: &'static str,
    names: Vec<&'static str>,
    ending: Ending,
    minutes_ago: u64,
}

fn earlier(line: Line, number: &'static str, names: &[&'static str]) -> Earlier {
    Earlier { line, number, names: names.to_vec(), ending: Ending::CallerHungUp, minutes_ago: 10 }
}

fn by_telephone(caller: Option<&str>) -> StoredCall {
    let id = format!("rtc_{}", uuid());
    let names = CallerNames { number: caller.map(str::to_owned), user_id: None };
    let mut call = StoredCall::ringing_by_sip(&id, &TELEPHONE.into(), names, false, Timestamp(now_ms()));
    // No task is there: it need not look for one for long.
    call.call.ring_deadline = Timestamp(now_ms() + 2_000);
    call
}

fn by_whatsapp(caller: CallerNames) -> StoredCall {
    let (id, now) = (format!("wacid.{}", uuid()), Timestamp(now_ms()));
    StoredCall::ringing(&id, &WHATSAPP.into(), "v=0\r\n", caller, now, Duration::from_secs(25))
}

fn uuid() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

struct Stage {
    cloud: Cloud,
    store: Store,
    call_control: CallControl,
}

impl Stage {
    /// Starts call-control with an agent that takes one call an hour of a person, after these calls.
    async fn after(calls: &[Earlier]) -> Self {
        let cloud = Cloud::start().await;
        cloud.change_key("openai_api_key", json!("sk-test"));
        let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), TABLE);
        for (agent, numbers) in [("shop", &[WHATSAPP, TELEPHONE][..]), ("elsewhere", &[ELSEWHERE])] {
            let file = format!(
                "name = \"{agent}\"\ninstructions = \"You answer.\"\ngreeting.say = \"Hello.\"\n[caps]\ncalls_an_hour = 1\n"
            );
            store.put_agent(&StoredAgent::new(agent, &file, now_ms())).await.unwrap();
            for number in numbers {
                store.assign(&NumberId::from(*number), agent).await.unwrap();
            }
        }
        for call in calls {
            list(&store, call).await;
        }
        let vendor = vendor().await;
        let call_control = CallControl::connect(&cloud.sdk_config(), settings(&vendor)).await.unwrap();
        Self { cloud, store, call_control }
    }

    /// Links the person's names, as the end of a call does that shows both.
    async fn link(&self) {
        let names = [USER_ID, NUMBER].map(|name| pseudonym::of(b"marks", name));
        self.store.link_pseudonyms(&names, now_ms() + 60 * MINUTE_MS).await.unwrap();
    }

    /// Whether a call that rings is turned away as one too many.
    async fn turns_away(&self, call: StoredCall) -> bool {
        self.store.put(to_item(&call)).await.unwrap();
        let tick = Invocation::Order(Order::Tick { call_ref: call.call_ref() });
        self.call_control.handle(LambdaEvent::new(tick, Context::default())).await.unwrap();
        match self.store.load_call(&call.call_ref()).await.unwrap() {
            LoadedCall::Found(call) => call.call.ending() == Some(Ending::CalledTooOften),
            other => panic!("there is no call: {other:?}"),
        }
    }
}

async fn list(store: &Store, call: &Earlier) {
    let rang_at_ms = now_ms() - call.minutes_ago * MINUTE_MS;
    let listing = CallListing {
        call_ref: format!("{:064x}", uuid()).into(),
        line: call.line.into(),
        number: call.number.into(),
        rang_at_ms,
        start: None,
        accepted_at_ms: None,
        ended_at_ms: Some(rang_at_ms + 7_500),
        ending: Some(call.ending.into()),
        by: Some(call.ending.by().into()),
    };
    let pseudonyms: Vec<_> = call.names.iter().map(|name| pseudonym::of(b"marks", name)).collect();
    for item in listing.items(&pseudonyms, "2026-11-30", u64::MAX / 1_000) {
        store.put(item).await.unwrap();
    }
}

/// Starts what stands for Meta and for OpenAI, which do all that is asked of them; returns its URL.
async fn vendor() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router =
        Router::new().fallback(|| async { Json(json!({"success": true, "messages": [{"id": "wamid.1"}]})) });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

fn settings(vendor: &str) -> Settings {
    let settings = stage::settings();
    Settings {
        graph_url: vendor.into(),
        openai_url: vendor.into(),
        other_line: Some(Line::Sip),
        launch: LaunchSettings { most: 0, ..settings.launch },
        ..settings
    }
}
