//! What a business's lookup may change about a call: its agent, its language, or that it is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use axum::body::Bytes;
use axum::extract::State;
use axum::{Json, Router};
use call::{Assignment, CallRef, CallerDetails, Ending, Fence, NumberId, Phase, Timestamp};
use call_control::{CallControl, Invocation, Settings};
use internal_api::order::{Order, Rejection, Reply};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use service::time::now_ms;
use stage::{Cloud, TABLE};
use std::sync::{Arc, Mutex};
use store::items::to_item;
use store::{
    CallOwner, CallerCall, CallerNames, HungUp, LoadedCall, Store, StoredAgent, StoredCall, pseudonym,
};
use switchboard::task_launcher::LaunchSettings;
use tokio::net::TcpListener;

const NUMBER: &str = "220";
const CALLER: &str = "919900000001";

/// The number's own agent, and what it may be replaced by: each with its text after the name.
const AGENTS: [(&str, &str); 7] = [
    (
        "desk",
        "messages.busy = 'The desk is busy.'\n[tools]\nallowed_hosts = ['shop.example']\n\
         [lookup]\nurl = 'https://shop.example/caller'\nsign_with = 'shop'\n\
         may_override = ['desk-fr', 'closed', 'spent', 'popular', 'unpushed']\n",
    ),
    ("desk-fr", "messages.busy = 'Le bureau est occupé.'\n"),
    (
        "closed",
        "messages.closed = 'Closed until May.'\n[hours]\nzone = 'UTC'\nANOTHER_DAY = ['00:00-24:00']\n",
    ),
    ("spent", "messages.spent = 'No more today.'\n[caps]\ndollars_a_day = 1\n"),
    ("popular", "messages.too_many_calls = 'Not so often.'\n[caps]\ncalls_an_hour = 1\n"),
    ("other", ""),
    (
        "telling",
        "[tools]\nallowed_hosts = ['shop.example']\n\
         [after]\nurl = 'https://shop.example/calls'\nsign_with = 'shop'\non = ['call.ended']\ntells_caller = true\n",
    ),
];

#[tokio::test]
async fn a_lookup_chooses_agent_and_language_once() {
    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;
    let chosen = Reply::Agent { text: Some(file("desk-fr")), language: Some("fr".into()) };

    assert_eq!(stage.order(decided(&call, Some("desk-fr"), Some("fr"))).await, chosen);
    let stored = stage.stored(&call).await;
    assert_eq!((stored.chosen_agent(), stored.call.phase), (Some("desk-fr"), Phase::Connecting));

    for repeated in
        [decided(&call, Some("desk-fr"), Some("fr")), decided(&call, None, Some("de")), refused(&call, None)]
    {
        assert_eq!(stage.order(repeated).await, chosen, "the first decision stands");
    }
    assert_eq!(stage.stored(&call).await.version, stored.version);
    assert_eq!(stage.events().await, ["WA_CALL_AGENT_CHOSEN"]);
}

#[tokio::test]
async fn the_chosen_agents_words_reach_the_caller_later() {
    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;
    stage.order(decided(&call, Some("desk-fr"), None)).await;

    stage.order(ended(&call, Ending::AgentUnavailable)).await;

    assert_eq!(stage.messages(), ["Le bureau est occupé."]);
}

#[tokio::test]
async fn an_agent_that_is_not_allowed_is_not_chosen() {
    let kept = Reply::Agent { text: None, language: Some("fr".into()) };
    for (name, reason) in [
        ("other", "override_agent_id is not in may_override"),
        ("asha-919900000001", "override_agent_id is not in may_override"),
        ("unpushed", "agent unpushed was not pushed, or cannot be read"),
        ("Asha 919900000001", "override_agent_id is not in may_override"),
    ] {
        let stage = Stage::new().await;
        let call = stage.has(connecting()).await;

        assert_eq!(stage.order(decided(&call, Some(name), Some("fr"))).await, kept, "{name}");
        assert_eq!(stage.order(decided(&call, Some("desk-fr"), Some("fr"))).await, kept, "it was decided");

        assert_eq!(stage.stored(&call).await.call.phase, Phase::Connecting);
        assert_eq!(stage.events().await, ["WA_CALL_LOOKUP_REFUSED"]);
        assert_eq!(stage.reasons().await, [reason]);
    }
}

#[tokio::test]
async fn a_lookup_that_names_the_numbers_own_agent_changes_nothing() {
    let unchanged = Reply::Agent { text: None, language: None };
    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;

    assert_eq!(stage.order(decided(&call, Some("desk"), None)).await, unchanged);
    assert_eq!(stage.events().await, [""; 0]);

    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;
    assert_eq!(stage.order(decided(&call, Some("desk"), Some("french"))).await, unchanged);
    assert_eq!(stage.reasons().await, ["language is no language tag"]);
}

#[tokio::test]
async fn a_chosen_agents_hours_and_caps_hold() {
    for (agent, ending, message) in [
        ("closed", Ending::Closed, "Closed until May."),
        ("spent", Ending::OverBudget, "No more today."),
        ("popular", Ending::CalledTooOften, "Not so often."),
    ] {
        let stage = Stage::new().await;
        stage.has_spent_a_dollar().await;
        stage.has_had_a_call().await;
        let call = stage.has(connecting()).await;

        assert_eq!(stage.order(decided(&call, Some(agent), None)).await, Reply::Over, "{agent}");
        assert_eq!(stage.order(decided(&call, Some(agent), None)).await, Reply::Over, "{agent}");

        assert_eq!(stage.stored(&call).await.call.ending(), Some(ending));
        assert_eq!(stage.messages(), [message]);
        assert!(stage.events().await.contains(&"WA_CALL_TURNED_AWAY".to_owned()));
    }
}

#[tokio::test]
async fn a_lookup_refuses_a_call_with_its_message_or_the_agents() {
    let too_long = "é".repeat(4_097);
    for (own, sent) in [
        (Some("Please write to us."), "Please write to us."),
        (None, "The desk is busy."),
        (Some(" "), "The desk is busy."),
        (Some(too_long.as_str()), "The desk is busy."),
    ] {
        let stage = Stage::new().await;
        let call = stage.has(connecting()).await;

        assert_eq!(stage.order(refused(&call, own)).await, Reply::Over);
        assert_eq!(stage.order(refused(&call, own)).await, Reply::Over);

        assert_eq!(stage.stored(&call).await.call.ending(), Some(Ending::RefusedByLookup));
        assert_eq!(stage.messages(), [sent]);
        let actions = stage.actions();
        assert_eq!(actions, ["terminate"], "Meta has the answer already");
    }
}

#[tokio::test]
async fn a_call_that_was_refused_before_its_task_answered_is_rejected() {
    let stage = Stage::new().await;
    let mut offered = connecting();
    (offered.call.phase, offered.call.answer, offered.call.pre_accepted) = (Phase::Ringing, None, false);
    let call = stage.has(offered).await;

    assert_eq!(stage.order(refused(&call, None)).await, Reply::Over);

    assert_eq!(stage.actions(), ["reject"]);
}

#[tokio::test]
async fn a_decision_after_the_accept_changes_nothing() {
    for order in [|call: &CallRef| decided(call, Some("desk-fr"), None), |call: &CallRef| refused(call, None)]
    {
        let stage = Stage::new().await;
        let mut live = connecting();
        (live.call.phase, live.call.accepted_at) = (Phase::Live, Some(now()));
        let call = stage.has(live).await;

        let reply = stage.order(order(&call)).await;

        assert_eq!(reply, Reply::Agent { text: None, language: None });
        let stored = stage.stored(&call).await;
        assert_eq!((stored.call.phase, &stored.chosen), (Phase::Live, &None));
        assert_eq!(stage.reasons().await, ["the call was accepted before"]);
    }
}

#[tokio::test]
async fn only_the_task_of_a_call_decides_about_it() {
    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;
    let of_fence = |number| Order::CallerLookedUp {
        call_ref: call.clone(),
        fence: Fence(number),
        token: None,
        agent: Some("desk-fr".into()),
        language: None,
        reject: None,
    };

    assert_eq!(stage.order(of_fence(0)).await, Reply::Over);
    assert_eq!(stage.order(of_fence(2)).await, Reply::Over);
    assert_eq!(stage.stored(&call).await.chosen, None);
    stage.order(ended(&call, Ending::Drained)).await;
    assert_eq!(stage.order(of_fence(1)).await, Reply::Over, "the call is over");
    assert_eq!(stage.order(decided(&"cd34".into(), None, Some("fr"))).await, Reply::Over, "there is no call");
    assert_eq!(stage.stored(&call).await.chosen, None);
}

#[tokio::test]
async fn a_caller_is_known_only_where_the_agents_file_asks() {
    let gave_up = HungUp { errors: vec![] };
    let agents = [("desk", true), ("telling", true), ("other", false)];
    let cases = agents.into_iter().flat_map(|agent| [(agent, None), (agent, Some(gave_up.clone()))]);
    for ((agent, is_kept), hung_up) in cases {
        let stage = Stage::new().await;
        stage.store.assign(&NUMBER.into(), agent).await.unwrap();
        let mut ringing = ringing();
        ringing.hung_up = hung_up;
        ringing.details = Some(CallerDetails { name: Some("Asha".into()), ..CallerDetails::default() });
        // No task is there: it need not look for one for long.
        ringing.call.ring_deadline = Timestamp(now_ms() + 500);
        let call = stage.has(ringing).await;

        stage.order(Order::Tick { call_ref: call.clone() }).await;

        let stored = stage.stored(&call).await;
        let details = stored.caller_details();
        assert_eq!(details.name.is_some(), is_kept, "{agent} {:?}", stored.call.ending());
        assert_eq!((details.number.as_deref(), details.number_verified), (Some(CALLER), true));
    }
}

fn file(agent: &str) -> String {
    let (_, more) = AGENTS.iter().find(|(name, _)| *name == agent).unwrap();
    let more = more.replace("ANOTHER_DAY", another_day());
    format!("name = '{agent}'\ninstructions = 'You answer.'\ngreeting.say = 'Hello.'\n{more}")
}

/// Returns the name of the day after the day after tomorrow: 1970 began on a Thursday.
fn another_day() -> &'static str {
    let days = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];
    days[(now_ms() / 86_400_000 + 3) as usize % days.len()]
}

fn decided(call: &CallRef, agent: Option<&str>, language: Option<&str>) -> Order {
    Order::CallerLookedUp {
        call_ref: call.clone(),
        fence: Fence(1),
        token: None,
        agent: agent.map(str::to_owned),
        language: language.map(str::to_owned),
        reject: None,
    }
}

fn refused(call: &CallRef, message: Option<&str>) -> Order {
    Order::CallerLookedUp {
        call_ref: call.clone(),
        fence: Fence(1),
        token: None,
        agent: None,
        language: None,
        reject: Some(Rejection { message: message.map(str::to_owned) }),
    }
}

fn ended(call: &CallRef, ending: Ending) -> Order {
    let (call_ref, ending) = (call.clone(), ending.into());
    Order::TaskEnded { call_ref, fence: Fence(1), token: None, ending, newer: None }
}

fn ringing() -> StoredCall {
    let caller = CallerNames { number: Some(CALLER.into()), user_id: None };
    StoredCall::ringing("wacid.A", &NUMBER.into(), "v=0\r\n", caller, now(), call::Line::WhatsApp.rings_for())
}

/// Returns a call whose task has answered the offer.
fn connecting() -> StoredCall {
    let mut call = ringing();
    call.call.phase = Phase::Connecting;
    call.call.pending = vec![];
    call.call.answer = Some("v=0\r\n".into());
    call.call.pre_accepted = true;
    call.call.fence = Fence(1);
    call.call.assignment = Some(Assignment { task: "0a".into(), fence: Fence(1) });
    call
}

fn now() -> Timestamp {
    Timestamp(now_ms())
}

struct Stage {
    cloud: Cloud,
    store: Store,
    requests: Requests,
    call_control: CallControl,
}

/// What Meta was asked.
type Requests = Arc<Mutex<Vec<Value>>>;

impl Stage {
    async fn new() -> Self {
        let cloud = Cloud::start().await;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), TABLE);
        for (name, _) in AGENTS {
            store.put_agent(&StoredAgent::new(name, &file(name), now_ms())).await.unwrap();
        }
        store.assign(&NUMBER.into(), "desk").await.unwrap();
        let (meta, requests) = meta().await;
        let settings = stage::settings();
        let launch = LaunchSettings { most: 0, ..settings.launch };
        let settings = Settings { graph_url: meta, launch, ..settings };
        let call_control = CallControl::connect(&cloud.sdk_config(), settings).await.unwrap();
        Self { cloud, store, requests, call_control }
    }

    async fn has(&self, call: StoredCall) -> CallRef {
        self.store.put(to_item(&call)).await.unwrap();
        call.call_ref()
    }

    async fn has_spent_a_dollar(&self) {
        let day = agents::Agent::built_in().day(now_ms());
        let (call_ref, number) = (CallRef::from("0e"), NumberId::from(NUMBER));
        let by = CallOwner { call_ref, number, fence: Fence(1), forget_at: u64::MAX / 1_000 };
        self.store.count_spent(&by, &day, 0, 1_000_000).await.unwrap();
    }

    async fn has_had_a_call(&self) {
        let (number, call_ref) = (&NUMBER.into(), &"0e".into());
        let pseudonym = &pseudonym::of(b"marks", CALLER);
        let call = CallerCall { number, pseudonym, call_ref, rang_at_ms: now_ms() - 60_000 };
        self.store.count_call(&call).await.unwrap();
    }

    async fn order(&self, order: Order) -> Reply {
        let event = LambdaEvent::new(Invocation::Order(order), Context::default());
        self.call_control.handle(event).await.unwrap()
    }

    async fn stored(&self, call: &CallRef) -> StoredCall {
        match self.store.load_call(call).await.unwrap() {
            LoadedCall::Found(call) => *call,
            other => panic!("there is no call: {other:?}"),
        }
    }

    async fn events(&self) -> Vec<String> {
        self.cloud.events().await
    }

    /// Returns why what lookups asked for was not done.
    async fn reasons(&self) -> Vec<String> {
        let items = self.cloud.items().await;
        let refusals = items.iter().filter(|item| item["event"] == "WA_CALL_LOOKUP_REFUSED");
        refusals.map(|item| item["reason"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns the texts that the caller was sent.
    fn messages(&self) -> Vec<String> {
        self.asked("/text/body")
    }

    /// Returns the call actions that Meta was asked for.
    fn actions(&self) -> Vec<String> {
        self.asked("/action")
    }

    fn asked(&self, pointer: &str) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter_map(|it| it.pointer(pointer)?.as_str().map(str::to_owned)).collect()
    }
}

/// Starts what stands for Meta, which does all that is asked of it.
async fn meta() -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, requests) = (format!("http://{}", listener.local_addr().unwrap()), Requests::default());
    let router = Router::new().fallback(answer).with_state(requests.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, requests)
}

async fn answer(State(requests): State<Requests>, body: Bytes) -> Json<Value> {
    requests.lock().unwrap().push(serde_json::from_slice(&body).unwrap_or_default());
    Json(json!({"success": true, "messages": [{"id": "wamid.1"}]}))
}
