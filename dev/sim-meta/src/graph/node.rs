//! `/{version}/{id}`: an account or a number by its id, with the fields that are asked for and no others.

use super::account;
use super::challenge::challenge;
use super::error::GraphError;
use super::node_request::{Answer, NodeRequest};
use crate::business_records::BusinessRecords;
use crate::cloud::Cloud;
use axum::Json;
use axum::body::Bytes;
use axum::extract::Query;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The fields that Graph returns by default.
const DEFAULT: &str = "id";

/// What only Solution Providers are shown: for others Graph refuses the whole request.
const FOR_PROVIDERS: &str = "primary_funding_id";

/// Fields that a node may lack.
const ABSENT: [&str; 1] = ["primary_funding_id"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    fields: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    webhook_configuration: Elsewhere,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    override_callback_uri: String,
    verify_token: Option<String>,
}

pub(super) async fn get(asked: NodeRequest, Query(wanted): Query<Asked>) -> Answer {
    let records = asked.records()?;
    let NodeRequest { cloud, version, node: id, .. } = asked;
    let node = match id {
        id if id == records.account.id => account::node(&records),
        id if id == cloud.config.phone_number_id => number(&cloud, &records, &version),
        _ => return Err(GraphError::no_object()),
    };
    let fields = wanted.fields.as_deref().unwrap_or(DEFAULT);
    if fields.split(',').any(|field| field == FOR_PROVIDERS) && !records.account.is_of_provider {
        return Err(GraphError::not_for_this_app());
    }
    select(node, fields).map(Json)
}

/// Where webhooks of a number go: an empty address takes the override away.
pub(super) async fn post(asked: NodeRequest, body: Bytes) -> Answer {
    asked.number_records()?;
    let change: Change = serde_json::from_slice(&body)?;
    let Elsewhere { override_callback_uri: url, verify_token } = change.webhook_configuration;
    let url = match (url.is_empty(), verify_token) {
        (true, _) => None,
        (false, Some(token)) => {
            challenge(&asked.cloud, &url, &token).await?;
            Some(url)
        }
        (false, None) => return Err(GraphError::invalid("verify_token is required")),
    };
    asked.cloud.change_records(|records| records.number.override_url = url);
    Ok(Json(json!({ "success": true })))
}

/// The number's node, with all its fields.
fn number(cloud: &Cloud, records: &BusinessRecords, version: &str) -> Map<String, Value> {
    let ours = records.account.subscribers.iter().find(|it| it.id == records.app.id);
    let urls = [
        ("application", records.app.subscription.as_ref().map(|it| &it.callback_url)),
        ("whatsapp_business_account", ours.and_then(|it| it.override_url.as_ref())),
        ("phone_number", records.number.override_url.as_ref()),
    ];
    let urls = urls.into_iter().filter_map(|(level, url)| Some((level.to_owned(), json!(url?))));
    let mut node = json!({
        "id": cloud.config.phone_number_id,
        "display_phone_number": cloud.config.display_phone_number,
        "verified_name": "Bikes of Bern",
        "status": records.number.status,
        "platform_type": records.number.platform,
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
        "account_mode": "LIVE",
        "webhook_configuration": urls.collect::<Map<_, _>>(),
        "health_status": account::health(records),
    });
    // Older versions call it messaging_limit_tier.
    let is_new = ["v24.0", "v25.0", "v26.0", "v27.0"].contains(&version);
    let limit = if is_new { "whatsapp_business_manager_messaging_limit" } else { "messaging_limit_tier" };
    node[limit] = json!(records.number.messaging_limit);
    node.as_object().cloned().unwrap_or_default()
}

fn select(node: Map<String, Value>, fields: &str) -> Result<Value, GraphError> {
    let mut selected = Map::new();
    for field in fields.split(',').chain([DEFAULT]) {
        match node.get(field) {
            Some(value) => drop(selected.insert(field.to_owned(), value.clone())),
            None if ABSENT.contains(&field) => {}
            None => return Err(GraphError::invalid(format!("Tried accessing nonexisting field ({field})"))),
        }
    }
    Ok(Value::Object(selected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_refused_and_absent_values_are_left_out() {
        let mut records = BusinessRecords::default();
        records.account.funding = None;
        let ask = |fields| select(account::node(&records), fields);

        let wanted = json!({ "id": "110000000000001", "currency": "USD" });
        assert_eq!(ask("currency,primary_funding_id"), Ok(wanted));
        assert_eq!(ask("colour").unwrap_err().code, 100);
    }
}
