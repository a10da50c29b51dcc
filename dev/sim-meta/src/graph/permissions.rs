//! `GET permissions`: what a token was granted. `GET call_permissions`: whether the business may call a user back.
//!
//! Meta's pages disagree about what the end of a permission is called: here it is `expiration_time`, as in their sample.

use super::bearer::Bearer;
use super::error::GraphError;
use super::node_request::{Answer, NodeRequest};
use super::permit;
use crate::business_records::{BusinessRecords, Permit};
use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::Deserialize;
use serde_json::{Value, json};

/// Whose token it is, as `debug_token` tells it.
pub(super) const USER: &str = "770000000000007";

/// Connected calls of the business to one user within a day.
const CALLS_A_DAY: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    user_wa_id: Option<String>,
    recipient: Option<String>,
}

/// `GET /{version}/me/permissions`: an app is no user and has none.
pub(super) async fn granted(asked: NodeRequest, query: Result<Query<Nothing>, QueryRejection>) -> Answer {
    if asked.bearer()? != Bearer::Business {
        return Err(GraphError::no_user());
    }
    query.map_err(unknown)?;
    if asked.node != "me" && asked.node != USER {
        return Err(GraphError::no_object());
    }
    let scopes = asked.cloud.records().token.scopes;
    let granted = scopes.iter().map(|scope| json!({ "permission": scope, "status": "granted" }));
    Ok(Json(json!({ "data": granted.collect::<Vec<_>>() })))
}

/// `GET /{version}/{number}/call_permissions`.
pub(super) async fn to_call(asked: NodeRequest, query: Result<Query<Asked>, QueryRejection>) -> Answer {
    asked.permit()?;
    let records = asked.cloud.records();
    if records.is_busy {
        return Err(GraphError::account_busy());
    }
    permit::may_message(&records)?;
    Ok(Json(permission(&records, &user(query.map_err(unknown)?.0)?)))
}

fn unknown(asked: QueryRejection) -> GraphError {
    GraphError::invalid(asked.body_text())
}

fn user(asked: Asked) -> Result<String, GraphError> {
    let is_number = |user: &str| user.len() >= 5 && user.chars().all(|letter| letter.is_ascii_digit());
    match (asked.user_wa_id, asked.recipient) {
        (Some(user), None) if is_number(&user) => Ok(user),
        (None, Some(user)) if user.contains('.') => Ok(user),
        (Some(_), None) | (None, Some(_)) => Err(GraphError::invalid("That is the id of no user")),
        (Some(_), Some(_)) | (None, None) => {
            Err(GraphError::invalid("Either user_wa_id or recipient is required"))
        }
    }
}

fn permission(records: &BusinessRecords, user: &str) -> Value {
    let permission = match records.permits.get(user) {
        None => json!({ "status": "no_permission" }),
        Some(Permit::Until(seconds)) => json!({ "status": "temporary", "expiration_time": seconds }),
        Some(Permit::ForGood) => json!({ "status": "permanent" }),
    };
    let limit = |period, most| json!({ "time_period": period, "max_allowed": most, "current_usage": 0 });
    json!({ "messaging_product": "whatsapp", "permission": permission, "actions": [
        { "action_name": "send_call_permission_request", "can_perform_action": true,
            "limits": [limit("PT24H", 1), limit("P7D", 2)] },
        { "action_name": "start_call", "can_perform_action": records.permits.contains_key(user),
            "limits": [limit("PT24H", CALLS_A_DAY)] },
    ] })
}
