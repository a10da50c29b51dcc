//! `/{version}/{app}/subscriptions`: what the app subscribes to, and where. For the app's own token only.

use super::bearer::Bearer;
use super::challenge::challenge;
use super::error::{GraphError, require};
use super::node_request::{Answer, NodeRequest};
use crate::business_records::Subscription;
use axum::Json;
use axum::body::Bytes;
use serde::Deserialize;
use serde_json::json;

const OBJECT: &str = "whatsapp_business_account";

/// The fields of a WhatsApp account that we know of.
const FIELDS: [&str; 10] = [
    "account_alerts",
    "account_review_update",
    "account_settings_update",
    "account_update",
    "business_capability_update",
    "calls",
    "messages",
    "message_template_status_update",
    "phone_number_quality_update",
    "security",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    object: String,
    callback_url: String,
    verify_token: String,
    fields: String,
}

pub(super) async fn list(asked: NodeRequest) -> Answer {
    check(&asked)?;
    let subscription = asked.cloud.records().app.subscription;
    let data = subscription.iter().map(|it| {
        let fields = it.fields.iter().map(|name| json!({ "name": name, "version": "v26.0" }));
        let fields: Vec<_> = fields.collect();
        json!({ "object": OBJECT, "callback_url": it.callback_url, "active": it.is_active, "fields": fields })
    });
    Ok(Json(json!({ "data": data.collect::<Vec<_>>() })))
}

pub(super) async fn subscribe(asked: NodeRequest, body: Bytes) -> Answer {
    check(&asked)?;
    let wanted: Wanted = serde_json::from_slice(&body)?;
    require(wanted.object == OBJECT, "only the object whatsapp_business_account is simulated")?;
    let fields: Vec<String> = wanted.fields.split(',').map(str::to_owned).collect();
    if let Some(unknown) = fields.iter().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(GraphError::invalid(format!("Param fields: {unknown} is none of the object's")));
    }
    challenge(&asked.cloud, &wanted.callback_url, &wanted.verify_token).await?;
    let subscription = Subscription { callback_url: wanted.callback_url, is_active: true, fields };
    asked.cloud.change_records(|records| records.app.subscription = Some(subscription));
    Ok(Json(json!({ "success": true })))
}

fn check(asked: &NodeRequest) -> Result<(), GraphError> {
    if asked.bearer()? != Bearer::App {
        return Err(GraphError::for_apps());
    }
    if asked.node != asked.cloud.records().app.id {
        return Err(GraphError::no_object());
    }
    Ok(())
}
