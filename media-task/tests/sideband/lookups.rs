//! Telephone calls whose agent asks the business who calls.

use crate::stage::{PATIENCE, Stage, until};
use crate::{config, hang_up, hears, saying, spec};
use axum::Router;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use service::time::now_ms;
use sim_audio::clips;
use sim_openai::Reply;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;

const ASKS_BY_NAME: &str = "say = 'Hello {{caller_name|there}}.'";

#[tokio::test]
async fn the_caller_is_greeted_by_the_name_that_the_business_knows() {
    let (stage, shop) = (Stage::start(config()).await, Shop::open().await);
    shop.answer(json!({"dynamic_variables": {"caller_name": "Amina", "balance": "7 ORD"}}));
    let details = json!({"number": "35699000001", "called_number": "35621000000", "name": "amina77"});

    let call =
        stage.call_with(spec(), json!({"agent": shop.agent(ASKS_BY_NAME, ""), "details": details})).await;
    hears(&call).await;

    let asked = shop.asked();
    let body: Value = serde_json::from_str(&asked[0].1).unwrap();
    let inbound = &body["call_inbound"];
    assert_eq!(
        (&body["event"], &inbound["agent_id"], &inbound["line"]),
        (&json!("call_inbound"), &json!("shop"), &json!("sip"))
    );
    assert!(asked[0].0.keys().any(|name| name.as_str().contains("signature")), "{:?}", asked[0].0);
    let instructions = stage.instructions(&call);
    assert_eq!(instructions.len(), 2, "of the session and of the greeting: {instructions:?}");
    assert!(instructions.iter().all(|text| text.contains("7 ORD")), "{instructions:?}");
    assert!(instructions[1].contains("Hello Amina."), "{instructions:?}");
    assert_eq!(stage.entry("WA_CALL_LOOKUP").await["outcome"], "used");
    assert_eq!((asked.len(), stage.looked_up()), (1, vec![]), "there is nothing to decide");
    hang_up(&stage, &call).await;
}

#[tokio::test]
async fn a_business_that_is_late_delays_the_accept_no_further() {
    let (stage, shop) = (Stage::start(config()).await, Shop::open().await);

    let call = stage.call_with(spec(), json!({"agent": shop.agent(ASKS_BY_NAME, "")})).await;
    hears(&call).await;

    let (noted, opened) = (stage.entry("WA_CALL_LOOKUP").await, stage.entry("WA_CALL_OPENED").await);
    assert_eq!((&noted["outcome"], shop.asked().len()), (&json!("late"), 1));
    assert!((800..3_500).contains(&noted["took_ms"].as_u64().unwrap()), "{noted}");
    assert!(noted["at_ms"].as_u64().unwrap() <= opened["at_ms"].as_u64().unwrap(), "{noted} {opened}");
    assert!(stage.instructions(&call)[1].contains("Hello there."));
    hang_up(&stage, &call).await;
}

#[tokio::test]
async fn the_chosen_agent_takes_the_call_though_the_deciding_process_dies() {
    let goodbye = Reply::speech(clips::agent_goodbye()).and_call("end_call", "{}");
    let (stage, shop) = (Stage::start(saying([goodbye])).await, Shop::open().await);
    shop.answer(json!({"override_agent_id": "front-desk", "dynamic_variables": {"caller_name": "Amina"}}));
    let desk = "name = 'front-desk'\ninstructions = 'You are the front desk.'\n\
                greeting.say = 'Front desk, {{caller_name|dear caller}}.'\n";
    stage.decide(json!({"reply": "agent", "text": desk}));
    stage.dies_deciding();

    let file = shop.agent(ASKS_BY_NAME, "may_override = ['front-desk']");
    let call = stage.call_with(spec(), json!({"agent": file})).await;
    hears(&call).await;
    call.say(&clips::caller_thanks());
    call.over(PATIENCE).await.unwrap();

    let asked = stage.looked_up();
    assert_eq!(
        (asked.len(), &asked[0]["agent"], &asked[0]["token"]),
        (2, &json!("front-desk"), &json!("token"))
    );
    assert_eq!(asked[0], asked[1], "the second time the same");
    let instructions = stage.instructions(&call);
    assert!(instructions[0].contains("You are the front desk."), "{instructions:?}");
    assert!(instructions[1].contains("Front desk, Amina."), "{instructions:?}");
    assert_eq!(stage.entry("WA_CALL_USAGE").await["agent"], "front-desk");
    assert_eq!(stage.ending().await, "agent_said_goodbye");
    stage.assert_clean(&call);
}

#[tokio::test]
async fn a_call_that_the_business_refuses_is_not_accepted() {
    let (stage, shop) = (Stage::start(config()).await, Shop::open().await);
    shop.answer(json!({"reject": {"message": "Not now."}}));
    stage.decide(json!({"reply": "over"}));

    stage.call_with(spec(), json!({"agent": shop.agent(ASKS_BY_NAME, "")})).await;
    stage.entry("WA_CALL_USAGE").await;

    assert_eq!(stage.looked_up()[0]["reject"], json!({"message": "Not now."}));
    assert_eq!(stage.entry("WA_CALL_LOOKUP").await["outcome"], "refused");
    assert!(!stage.is_accepted());
}

#[tokio::test]
async fn an_agent_that_does_not_wait_gets_to_know_as_well() {
    let (stage, shop) = (Stage::start(config()).await, Shop::open().await);
    shop.answer(json!({"dynamic_variables": {"balance": "7 ORD"}}));

    let file = shop.agent("say = 'Hello.'", "timeout_ms = 1500");
    let call = stage.call_with(spec(), json!({"agent": file})).await;
    let told = until("the session gets to know", || async {
        stage.instructions(&call).into_iter().find(|text| text.contains("7 ORD"))
    });
    told.await;

    hears(&call).await;
    assert_eq!(stage.entry("WA_CALL_LOOKUP").await["outcome"], "used");
    hang_up(&stage, &call).await;
}

#[tokio::test]
async fn a_key_that_was_added_later_signs_the_next_lookup() {
    let (stage, shop) = (Stage::start(config()).await, Shop::open().await);
    shop.answer(json!({}));
    stage.lease().await;
    stage.keep_keys(json!({"shop": "a key", "later": "another key"}));

    let file = shop.agent("say = 'Hello.'", "").replace("sign_with = 'shop'", "sign_with = 'later'");
    let call = stage.call_with(spec(), json!({"agent": file})).await;
    assert_eq!(stage.entry("WA_CALL_LOOKUP").await["outcome"], "failed");
    assert_eq!(shop.asked().len(), 0);
    hears(&call).await;
    hang_up(&stage, &call).await;

    let next = until("a lookup with the key", || async {
        let offer = json!({"fence": 1, "version": 2, "number": "malta", "line": "sip", "realtime_call": call.id(),
            "offer": "", "rang_at_ms": now_ms(), "ring_deadline_ms": now_ms() + 100, "agent": file});
        stage.offer(&format!("next-{}", now_ms()), &offer).await;
        shop.asked().pop()
    });
    next.await;
}

#[tokio::test]
async fn an_agent_chosen_before_gets_to_know_and_asks_for_nothing() {
    let (stage, shop) = (Stage::start(config()).await, Shop::open().await);
    shop.answer(
        json!({"dynamic_variables": {"balance": "7 ORD"}, "override_agent_id": "front-desk", "reject": true}),
    );

    let file = shop.agent(ASKS_BY_NAME, "may_override = ['front-desk']");
    let call = stage.call_with(spec(), json!({"agent": file, "is_chosen": true})).await;
    hears(&call).await;

    let instructions = stage.instructions(&call);
    assert!(instructions[0].contains("7 ORD"), "{instructions:?}");
    assert_eq!(stage.looked_up(), Vec::<Value>::new());
    assert_eq!(stage.entry("WA_CALL_LOOKUP").await["outcome"], "used");
    hang_up(&stage, &call).await;
}

/// The business's system, which answers once it has an answer.
struct Shop {
    port: u16,
    answer: watch::Sender<Option<Value>>,
    asked: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl Shop {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answer, answers) = watch::channel(None);
        let asked: Arc<Mutex<Vec<(HeaderMap, String)>>> = Arc::default();
        let requests = asked.clone();
        let router = Router::new().fallback(move |headers: HeaderMap, body: String| {
            requests.lock().unwrap().push((headers, body));
            let mut answers = answers.clone();
            async move {
                let answer = answers.wait_for(Option::is_some).await.unwrap();
                json!({"call_inbound": answer.as_ref()}).to_string()
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, answer, asked }
    }

    fn answer(&self, known: Value) {
        self.answer.send_replace(Some(known));
    }

    fn asked(&self) -> Vec<(HeaderMap, String)> {
        self.asked.lock().unwrap().clone()
    }

    /// Returns the file of an agent that asks this business.
    fn agent(&self, greeting: &str, more: &str) -> String {
        let port = self.port;
        format!(
            "name = 'shop'\ninstructions = 'You are a shop.'\n[greeting]\n{greeting}\n[tools]\nallowed_hosts = ['127.0.0.1']\n\
             [lookup]\nurl = 'http://127.0.0.1:{port}/caller'\nsign_with = 'shop'\n{more}\n"
        )
    }
}
