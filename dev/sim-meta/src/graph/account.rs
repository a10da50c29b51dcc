//! The WhatsApp Business account: its numbers, and its subscribed apps.

use super::challenge::challenge;
use super::error::GraphError;
use super::node_request::{Answer, NodeRequest};
use crate::business_records::{BusinessRecords, Subscriber};
use axum::Json;
use axum::body::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    override_callback_uri: Option<String>,
    verify_token: Option<String>,
}

/// The account's node, with all its fields.
pub(super) fn node(records: &BusinessRecords) -> Map<String, Value> {
    let mut node = Map::new();
    node.insert("id".to_owned(), json!(records.account.id));
    node.insert("name".to_owned(), json!("Bikes of Bern"));
    node.insert("currency".to_owned(), json!("USD"));
    node.insert("timezone_id".to_owned(), json!("1"));
    node.insert("account_review_status".to_owned(), json!(records.account.review));
    node.insert("health_status".to_owned(), health(records));
    // Graph leaves out what there is none of.
    if let Some(funding) = &records.account.funding {
        node.insert("primary_funding_id".to_owned(), json!(funding));
    }
    node
}

/// How the account fares. The code of a missing payment method is what others report.
pub(super) fn health(records: &BusinessRecords) -> Value {
    let mut entity =
        json!({ "entity_type": "WABA", "id": records.account.id, "can_send_message": "AVAILABLE" });
    if records.account.funding.is_none() {
        entity["can_send_message"] = json!("BLOCKED");
        entity["errors"] = json!([{ "error_code": 141_006,
            "error_description": "There is an error with the payment method.",
            "possible_solution": "Add a payment method to the account." }]);
    }
    json!({ "can_send_message": entity["can_send_message"], "entities": [entity] })
}

/// `GET subscribed_apps`.
pub(super) async fn subscribers(asked: NodeRequest) -> Answer {
    let records = asked.account_records()?;
    let data = records.account.subscribers.iter().map(|it| {
        let link = format!("https://www.facebook.com/games/?app_id={}", it.id);
        let mut entry =
            json!({ "whatsapp_business_api_data": { "id": it.id, "name": it.name, "link": link } });
        if let Some(url) = &it.override_url {
            entry["override_callback_uri"] = json!(url);
        }
        entry
    });
    Ok(Json(json!({ "data": data.collect::<Vec<_>>() })))
}

/// `POST subscribed_apps`: subscribes the app of the token; an address of its own is removed when none is given.
pub(super) async fn subscribe(asked: NodeRequest, body: Bytes) -> Answer {
    let records = asked.account_records()?;
    let wanted = if body.is_empty() { Elsewhere::default() } else { serde_json::from_slice(&body)? };
    match (&wanted.override_callback_uri, &wanted.verify_token) {
        (Some(url), Some(token)) => challenge(&asked.cloud, url, token).await?,
        (None, None) => {}
        _ => return Err(GraphError::invalid("override_callback_uri and verify_token belong together")),
    }
    let app =
        Subscriber { id: records.app.id, name: records.app.name, override_url: wanted.override_callback_uri };
    asked.cloud.change_records(|records| {
        records.account.subscribers.retain(|it| it.id != app.id);
        records.account.subscribers.push(app);
    });
    Ok(Json(json!({ "success": true })))
}

/// `GET phone_numbers`.
pub(super) async fn numbers(asked: NodeRequest) -> Answer {
    asked.account_records()?;
    let config = &asked.cloud.config;
    let number = json!({ "id": config.phone_number_id, "display_phone_number": config.display_phone_number });
    Ok(Json(json!({ "data": [number] })))
}
