//! A webhook on an in-memory AWS that counts requests and fails on demand.

#![allow(dead_code, reason = "each test file uses a part")]

mod cloud;

pub(crate) use cloud::Cloud;

use hmac::{Hmac, KeyInit, Mac};
use lambda_http::{Body, Response};
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::Store;
use switchboard::intake::{IntakeSettings, KnownNumbers};
use webhook::{Settings, SipSettings, Webhook};

pub(crate) const NUMBER: &str = "220000000000002";

pub(crate) const APP_SECRET: &str = "app-secret";

/// A webhook and the AWS it runs on.
pub(crate) struct Stage {
    pub cloud: Cloud,
    webhook: Webhook,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(KnownNumbers::Listed(vec![NUMBER.into()])).await
    }

    /// Starts a webhook that answers these numbers.
    pub(crate) async fn with(numbers: KnownNumbers) -> Self {
        Self::on(Cloud::start().await, numbers).await.unwrap()
    }

    /// Starts a webhook on this AWS.
    pub(crate) async fn on(cloud: Cloud, numbers: KnownNumbers) -> anyhow::Result<Self> {
        Self::with_sip(cloud, numbers, false).await
    }

    /// Starts a webhook on this AWS whose SIP line is open to any trunk, or not.
    pub(crate) async fn with_sip(cloud: Cloud, numbers: KnownNumbers, is_open: bool) -> anyhow::Result<Self> {
        let settings = Settings {
            table: cloud::TABLE.into(),
            meta_secret: "meta".into(),
            mark_secret: Some("marks".into()),
            sip: Some(SipSettings { secret: "line".into(), is_open }),
            call_control: "call-control".into(),
            intake: IntakeSettings { numbers, ring_budget: Duration::from_secs(25) },
        };
        let webhook = Webhook::connect(&cloud.sdk_config(), settings).await?;
        cloud.forget_requests();
        Ok(Self { cloud, webhook })
    }

    /// Posts this value of the field `calls`, signed.
    pub(crate) async fn calls(&self, calls: Value) -> u16 {
        self.post(&batch(json!([change(NUMBER, calls)]))).await
    }

    /// Posts this body, signed.
    pub(crate) async fn post(&self, body: &Value) -> u16 {
        self.post_text(&body.to_string()).await
    }

    /// Posts this text, signed.
    pub(crate) async fn post_text(&self, body: &str) -> u16 {
        let signature = signature(APP_SECRET, body.as_bytes());
        self.send(event("POST", "/webhook", "application/json", &signature, body)).await.status().as_u16()
    }

    /// Returns the webhook's reply to a Function URL event.
    pub(crate) async fn send(&self, event: Value) -> Response<Body> {
        self.send_text(event.to_string().as_bytes()).await
    }

    /// Returns the webhook's reply to an event in the bytes that Lambda delivers: JSON, and not always UTF-8.
    pub(crate) async fn send_text(&self, event: &[u8]) -> Response<Body> {
        let event: webhook::url_event::UrlEvent = serde_json::from_slice(event).unwrap();
        self.webhook.handle(event.into()).await.unwrap()
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(aws_sdk_dynamodb::Client::new(&self.cloud.sdk_config()), cloud::TABLE)
    }
}

/// Returns a Function URL event, payload format 2.0.
pub(crate) fn event(method: &str, path: &str, content_type: &str, signature: &str, body: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": content_type, "x-hub-signature-256": signature, "host": "ahoy.example"},
        "requestContext": {
            "accountId": "anonymous", "apiId": "a", "domainName": "ahoy.example", "domainPrefix": "a",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": ""},
            "requestId": "1", "routeKey": "$default", "stage": "$default",
            "time": "22/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_305_600_000_u64,
        },
        "body": body, "isBase64Encoded": false,
    })
}

pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

pub(crate) fn batch(changes: Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "110000000000001", "changes": changes}]})
}

pub(crate) fn change(number: &str, calls: Value) -> Value {
    json!({"field": "calls", "value": {"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": number}, "calls": calls}})
}

pub(crate) fn connect(id: &str) -> Value {
    connect_stamped(id, 0)
}

/// Returns a `connect` with a stamp this many seconds old.
pub(crate) fn connect_stamped(id: &str, age_s: i64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    json!({"id": id, "from": "919900000001", "event": "connect", "timestamp": (now - age_s).to_string(),
        "direction": "USER_INITIATED", "session": {"sdp_type": "offer", "sdp": "v=0\r\n"}})
}

pub(crate) fn terminate(id: &str) -> Value {
    json!({"id": id, "event": "terminate", "status": "COMPLETED", "timestamp": "1795305735"})
}
