//! Requests by hand to a simulated business, signed here once more.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sha2::Sha256;
use sim_business::{Business, Fault, KEY};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn knows_a_customer_by_number_and_nothing_of_others() {
    let business = Business::start().await.unwrap();
    business.add_customer("35699000001", json!({"customer_name": "Amina"}).as_object().unwrap().clone());

    let known = lookup(&business, "+35699000001").await;
    let unknown = lookup(&business, "+35699000002").await;

    assert_eq!(known["call_inbound"]["dynamic_variables"], json!({"customer_name": "Amina"}));
    assert_eq!(unknown["call_inbound"]["dynamic_variables"], json!({}));
    assert_eq!(business.lookups().len(), 2);
    assert_eq!((business.complaints(), business.forged()), (vec![], 0));
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_counted() {
    let business = Business::start().await.unwrap();
    let url = format!("{}/orders", business.url());

    let unsigned = Client::new().post(&url).body("{}").send().await.unwrap();
    business.set_key("another");
    let forged = signed(&business, "/orders", &json!({})).send().await.unwrap();

    assert_eq!((unsigned.status().as_u16(), forged.status().as_u16()), (401, 401));
    assert_eq!((business.forged(), business.asked().len()), (2, 0));
}

#[tokio::test]
async fn an_outcome_whose_reply_is_lost_comes_again_as_a_duplicate() {
    let business = Business::start().await.unwrap();
    business.set_faults(&[Fault::AfterLostReply]);

    let lost = deliver(&business, "c:call.ended").send().await;
    let again = deliver(&business, "c:call.ended").send().await.unwrap();

    assert!(lost.is_err() && again.status().is_success(), "{lost:?}, {again:?}");
    let deliveries = business.delivered(SOON, |all| (all.len() == 2).then(|| all.to_vec())).await.unwrap();
    assert_eq!((deliveries[0].is_duplicate, deliveries[0].answered), (false, None));
    assert_eq!((deliveries[1].is_duplicate, deliveries[1].answered), (true, Some(200)));
    assert_eq!(business.complaints(), [""; 0]);
}

#[tokio::test]
async fn an_outcome_that_fails_is_no_duplicate_when_it_comes_again() {
    let business = Business::start().await.unwrap();
    business.set_faults(&[Fault::After500Then200]);

    for status in [500, 200] {
        let answer = deliver(&business, "c:call.ended").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }

    assert!(business.deliveries().iter().all(|delivery| !delivery.is_duplicate));
}

#[tokio::test]
async fn an_outcome_without_the_signature_of_standard_webhooks_is_refused() {
    let business = Business::start().await.unwrap();

    let ahoys_alone = signed(&business, "/calls", &json!({"id": "c:call.ended"})).send().await.unwrap();

    assert_eq!((ahoys_alone.status().as_u16(), business.forged()), (401, 1));
    assert!(business.deliveries().is_empty());
}

#[tokio::test]
async fn each_fault_of_a_lookup_is_what_its_name_says() {
    let business = Business::start().await.unwrap();
    let answers = |fault: Fault| {
        business.set_faults(&[fault]);
        signed(&business, "/caller", &question("+35699000001")).send()
    };

    assert_eq!(answers(Fault::Lookup500).await.unwrap().status().as_u16(), 500);
    assert_eq!(answers(Fault::LookupRedirect).await.unwrap().status().as_u16(), 302);
    let html = answers(Fault::LookupHtml).await.unwrap();
    assert!(html.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(answers(Fault::Lookup2mb).await.unwrap().bytes().await.unwrap().len() > 2 << 20);
    let wrong: Value = answers(Fault::LookupWrongTypes).await.unwrap().json().await.unwrap();
    assert!(wrong["call_inbound"]["dynamic_variables"].is_array());
    let refusal: Value = answers(Fault::LookupReject).await.unwrap().json().await.unwrap();
    assert!(refusal["call_inbound"]["reject"]["message"].is_string());
}

async fn lookup(business: &Business, number: &str) -> Value {
    signed(business, "/caller", &question(number)).send().await.unwrap().json().await.unwrap()
}

fn question(number: &str) -> Value {
    json!({"event": "call_inbound", "call_inbound": {
        "agent_id": "mirsk-bikes", "from_number": number, "to_number": "35621000000",
        "call": "c", "line": "whatsapp", "number_verified": true,
    }})
}

fn deliver(business: &Business, id: &str) -> RequestBuilder {
    let body = json!({"id": id, "event": "call.ended"});
    let time = now_s();
    let signature = STANDARD.encode(mac(&format!("{id}.{time}.{body}")));
    signed(business, "/calls", &body)
        .header("x-ahoy-event", "call.ended")
        .header("webhook-id", id)
        .header("webhook-timestamp", time.to_string())
        .header("webhook-signature", format!("v1,{signature}"))
}

fn signed(business: &Business, path: &str, body: &Value) -> RequestBuilder {
    let (time, url) = (now_s(), business.url());
    let host = url.trim_start_matches("http://");
    let header = |head: String| format!("sha256={}", hex::encode(mac(&format!("{head}{body}"))));
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    client
        .post(format!("{url}{path}"))
        .header("content-type", "application/json")
        .header("x-ahoy-time", time.to_string())
        .header("x-ahoy-signature", header(format!("{time}\nPOST\n{path}\n")))
        .header("x-ahoy-signature-v2", header(format!("{time}\nPOST\n{host}\n{path}\n")))
        .body(body.to_string())
}

fn mac(text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
