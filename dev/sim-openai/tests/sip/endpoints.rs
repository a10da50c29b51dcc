//! Webhook endpoints, made and rotated by API.

use super::*;
use reqwest::Method;

#[tokio::test]
async fn an_endpoint_made_by_api_gets_calls_signed_with_its_secret() {
    let mut client = Client::start(insecure()).await;
    client.trunk.set_endpoints(vec![]).unwrap();
    let body = json!({"name": "ahoy", "url": client.webhook.url, "event_types": ["realtime.call.incoming"]});

    let (status, made) = ask(&client, Method::POST, "", "sk-test", Some(body)).await;
    let secret = made["signing_secret"].as_str().unwrap();
    let (_, delivered) = client.rung(call()).await;

    assert_eq!(status, 200, "{made}");
    assert!(delivered.is_signed_with(secret));
    let (_, listed) = ask(&client, Method::GET, "?limit=1", "sk-test", None).await;
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["signing_secret"]), (&made["id"], &Value::Null));
}

#[tokio::test]
async fn a_rotation_signs_with_both_secrets_and_a_deletion_with_none() {
    let mut client = Client::start(quick()).await;
    let id = client.trunk.endpoints()[0].id.clone();
    let rotate = json!({"keep_old_secret_active_for_24_hours": true});

    let (_, rotated) =
        ask(&client, Method::POST, &format!("/{id}/rotate_secret"), "sk-test", Some(rotate)).await;
    let (_, delivered) = client.rung(call()).await;
    let (_, deleted) = ask(&client, Method::DELETE, &format!("/{id}"), "sk-test", None).await;

    assert!(delivered.is_signed_with(webhook::SECRET));
    assert!(delivered.is_signed_with(rotated["signing_secret"].as_str().unwrap()));
    assert_eq!((&deleted["deleted"], client.trunk.endpoints().len()), (&json!(true), 0));
}

#[tokio::test]
async fn a_key_without_the_right_is_refused() {
    let sip = SipConfig { webhooks_key: Some("sk-admin".to_owned()), ..quick().sip };
    let client = Client::start(Config { sip, ..quick() }).await;

    let (forbidden, why) = ask(&client, Method::GET, "", "sk-test", None).await;
    let (unknown, _) = ask(&client, Method::GET, "", "sk-none", None).await;
    let (allowed, _) = ask(&client, Method::GET, "", "sk-admin", None).await;

    assert_eq!((forbidden, unknown, allowed), (403, 401, 200));
    assert_eq!(why["error"]["code"], "missing_scope");
}

#[tokio::test]
async fn an_endpoint_without_tls_is_refused() {
    let client = Client::start(quick()).await;
    let body = json!({"name": "ahoy", "url": client.webhook.url, "event_types": ["realtime.call.incoming"]});

    let (status, why) = ask(&client, Method::POST, "", "sk-test", Some(body)).await;

    assert_eq!((status, &why["error"]["param"]), (400, &json!("url")));
    assert_eq!(client.trunk.endpoints().len(), 1);
}

fn insecure() -> Config {
    Config { sip: SipConfig { takes_http_webhooks: true, ..quick().sip }, ..quick() }
}

async fn ask(client: &Client, method: Method, path: &str, key: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}/webhook_endpoints{path}", client.realtime.rest_url());
    let request = client.http.request(method, url).bearer_auth(key);
    let request = if let Some(body) = body { request.json(&body) } else { request };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
