//! Graph's replies while a business is set up, over plain HTTP.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sim_meta::{Meta, MetaConfig, Permit, SetupFault};
use tokio::net::TcpListener;

const TOKEN: &str = "an access token";
const APP: &str = "990000000000009";
const ACCOUNT: &str = "110000000000001";
const NUMBER: &str = "220000000000002";

#[tokio::test]
async fn a_token_is_told_what_it_is_and_a_revoked_one_nothing() {
    let graph = Graph::start().await;
    let ask = || graph.get("debug_token?input_token=an%20access%20token", TOKEN);

    let (status, told) = ask().await;
    graph.meta.inject_setup_fault(SetupFault::TokenRevoked);
    let revoked = ask().await;

    assert_eq!(status, 200);
    assert_eq!(told["data"]["type"], "SYSTEM_USER");
    assert_eq!(told["data"]["is_valid"], true);
    assert_eq!(told["data"]["granular_scopes"][0]["target_ids"], json!([ACCOUNT]));
    assert_eq!((revoked.0, code(&revoked.1)), (401, 190));
}

#[tokio::test]
async fn a_token_lists_its_grants_and_an_app_has_none() {
    let graph = Graph::start().await;
    graph.meta.inject_setup_fault(SetupFault::TokenWithoutMessaging);

    let (status, told) = graph.get("me/permissions", TOKEN).await;

    let management = json!({ "permission": "whatsapp_business_management", "status": "granted" });
    assert_eq!((status, &told["data"]), (200, &json!([management])));
    assert_eq!(graph.get("770000000000007/permissions", TOKEN).await, (status, told));
    assert_eq!(code(&graph.get("me/permissions", &format!("{APP}|an app secret")).await.1), 2_500);
    assert_eq!(code(&graph.get("me/permissions?colour=red", TOKEN).await.1), 100);
    assert_eq!(code(&graph.get("1/permissions", TOKEN).await.1), 100);
    assert_eq!(code(&graph.get("me/permissions", "another").await.1), 190);
}

#[tokio::test]
async fn a_user_may_be_called_back_who_has_permitted_it() {
    let graph = Graph::start().await;
    graph.meta.change_records(|records| {
        records.permits.insert("919900000001".to_owned(), Permit::Until(1_795_909_800));
        records.permits.insert("IN.5550".to_owned(), Permit::ForGood);
    });
    let ask = async |of: &str| graph.get(&format!("{NUMBER}/call_permissions{of}"), TOKEN).await;

    let (status, for_a_while) = ask("?user_wa_id=919900000001").await;
    let (_, for_good) = ask("?recipient=IN.5550").await;
    let (_, never) = ask("?user_wa_id=919900000002").await;

    let wanted = json!({ "status": "temporary", "expiration_time": 1_795_909_800 });
    assert_eq!((status, &for_a_while["permission"]), (200, &wanted));
    assert_eq!(for_good["permission"], json!({ "status": "permanent" }));
    assert_eq!(never["permission"], json!({ "status": "no_permission" }));
    let start = |told: &Value| told["actions"][1]["can_perform_action"].clone();
    assert_eq!([&for_a_while, &for_good, &never].map(start), [json!(true), json!(true), json!(false)]);
    for wrong in
        ["", "?user_wa_id=me", "?recipient=919900000001", "?user_wa_id=919900000001&recipient=IN.1", "?to=1"]
    {
        assert_eq!(code(&ask(wrong).await.1), 100, "{wrong}");
    }
    graph.meta.inject_setup_fault(SetupFault::TokenWithoutMessaging);
    assert_eq!(code(&ask("?user_wa_id=919900000001").await.1), 200);
}

#[tokio::test]
async fn subscriptions_belong_to_the_app_and_the_url_must_verify() {
    let graph = Graph::start().await;
    let (app, path) = (format!("{APP}|an app secret"), format!("{APP}/subscriptions"));
    let here = echo().await;
    let body = |url: &str, fields: &str| json!({ "object": "whatsapp_business_account", "callback_url": url, "verify_token": "v", "fields": fields });

    assert_eq!(code(&graph.get(&path, TOKEN).await.1), 15);
    assert_eq!(code(&graph.post(&path, &app, &body("http://127.0.0.1:1/", "calls")).await.1), 2_200);
    assert_eq!(code(&graph.post(&path, &app, &body(&here, "calls,tea")).await.1), 100);
    assert_eq!(graph.post(&path, &app, &body(&here, "calls,messages")).await.0, 200);
    let (_, told) = graph.get(&path, &app).await;
    assert_eq!(told["data"][0]["fields"][1]["name"], "messages");
}

#[tokio::test]
async fn an_account_shows_itself_to_those_who_may_manage_it() {
    let graph = Graph::start().await;

    assert_eq!(graph.get(&format!("{ACCOUNT}?fields=name,health_status"), TOKEN).await.0, 200);
    assert_eq!(code(&graph.get(&format!("{ACCOUNT}?fields=colour"), TOKEN).await.1), 100);
    assert_eq!(code(&graph.get(&format!("{ACCOUNT}/subscribed_apps"), "another").await.1), 190);
    graph.meta.inject_setup_fault(SetupFault::TokenWithoutManagement);
    let (status, refusal) = graph.get(&format!("{ACCOUNT}/subscribed_apps"), TOKEN).await;
    assert_eq!((status, code(&refusal)), (403, 200));
}

#[tokio::test]
async fn a_subscription_without_an_address_takes_the_override_away() {
    let graph = Graph::start().await;
    graph.meta.inject_setup_fault(SetupFault::AccountElsewhere);
    let path = format!("{ACCOUNT}/subscribed_apps");
    let (_, before) = graph.get(&path, TOKEN).await;

    graph.post(&path, TOKEN, &json!({})).await;

    let (_, after) = graph.get(&path, TOKEN).await;
    assert!(before["data"][0]["override_callback_uri"].is_string());
    assert_eq!(after["data"].as_array().unwrap().len(), 1);
    assert_eq!(&after["data"][0]["override_callback_uri"], &Value::Null);
}

#[tokio::test]
async fn settings_change_what_they_name_and_nothing_else() {
    let graph = Graph::start().await;
    let path = format!("{NUMBER}/settings");

    let (status, _) =
        graph.post(&path, TOKEN, &json!({ "calling": { "call_icon_visibility": "DISABLE_ALL" } })).await;

    let (_, told) = graph.get(&path, TOKEN).await;
    assert_eq!((status, &told["calling"]["call_icon_visibility"]), (200, &json!("DISABLE_ALL")));
    assert_eq!(told["calling"]["status"], "ENABLED");
    assert_eq!(code(&graph.post(&path, TOKEN, &json!({ "voice": {} })).await.1), 100);
    assert_eq!(code(&graph.get("330000000000003/settings", TOKEN).await.1), 100);
}

#[tokio::test]
async fn a_number_tells_its_limit_by_the_name_of_the_version() {
    let graph = Graph::start().await;
    let fields = format!("{NUMBER}?fields=status,whatsapp_business_manager_messaging_limit");

    assert_eq!(graph.get(&fields, TOKEN).await.1["whatsapp_business_manager_messaging_limit"], "TIER_2K");
    let old = Graph { url: graph.url.replace("v26.0", "v23.0"), ..graph };
    assert_eq!(code(&old.get(&fields, TOKEN).await.1), 100);
}

struct Graph {
    meta: Meta,
    url: String,
    client: Client,
}

impl Graph {
    async fn start() -> Graph {
        let meta = Meta::start(MetaConfig::default()).await.unwrap();
        let url = meta.graph_url();
        Graph { meta, url, client: Client::builder().no_proxy().build().unwrap() }
    }

    async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        ask(self.client.get(format!("{}/{path}", self.url)), token).await
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        ask(self.client.post(format!("{}/{path}", self.url)).json(body), token).await
    }
}

async fn ask(request: RequestBuilder, token: &str) -> (u16, Value) {
    let reply = request.bearer_auth(token).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

fn code(reply: &Value) -> u64 {
    reply["error"]["code"].as_u64().unwrap()
}

/// Gives every challenge back.
async fn echo() -> String {
    let challenge = |RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        let found = query.split('&').find_map(|part| part.strip_prefix("hub.challenge="));
        found.unwrap_or_default().to_owned()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(challenge))).await });
    url
}
